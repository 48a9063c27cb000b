//! Property tests of the request parsers: any bytes get a response, and what is parsed survives a round trip.

use crate::openid::authorization_request::{address, read};
use crate::openid::client_authentication::basic_pair;
use crate::openid::params::Params;
use crate::openid::requested_claims::RequestedClaims;
use ngomon_store::RegisteredClient;
use proptest::prelude::*;

/// Names and values as attackers and careless programs write them.
fn parameter() -> impl Strategy<Value = (String, String)> {
    let name = prop_oneof![
        prop::sample::select(vec![
            "client_id",
            "redirect_uri",
            "response_type",
            "response_mode",
            "scope",
            "state",
            "prompt",
            "max_age",
            "claims",
            "request_uri",
            "code_challenge",
            "code_challenge_method",
            "id_token_hint",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,10}",
    ];
    let value = prop_oneof![
        prop::sample::select(vec![
            "code",
            "none",
            "login",
            "openid",
            "S256",
            "{}",
            "0",
            "-1",
            "query",
            "https://hues.example/cb"
        ])
        .prop_map(str::to_owned),
        "\\PC{0,60}",
    ];
    (name, value)
}

async fn hues() -> (crate::tests::Site, RegisteredClient) {
    let site = super::site().await;
    let rp = site.rp(super::hues()).await;
    let known = site.store.client(&rp.id).await.unwrap().unwrap();
    (site, known)
}

/// Any request gets a response, and leads to a registered URI or nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn arbitrary_request_redirects_to_registered_uri_or_nowhere() {
    let (_site, known) = hues().await;
    proptest!(|(all in prop::collection::vec(parameter(), 0..12))| {
        let query = serde_urlencoded::to_string(&all).unwrap();
        let params = Params::read(query.as_bytes());
        if let Ok(to) = address(&params, &known) {
            prop_assert!(known.client.redirects_to(&to.uri));
        }
        // Either result is fine; it must not panic.
        let _ = read(&params, &known);
        prop_assert_eq!(&Params::read(params.query().as_bytes()).query(), &params.query());
    });
}

proptest! {
    /// Any bytes are parsed, and what is parsed survives a round trip.
    #[test]
    fn arbitrary_query_bytes_round_trip(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let params = Params::read(&bytes);
        prop_assert_eq!(Params::read(params.query().as_bytes()).query(), params.query());
    }

    /// Any `claims` parameter and any Authorization header are handled without a panic.
    #[test]
    fn arbitrary_claims_and_headers_do_not_panic(text in "\\PC{0,200}", deep in 0_usize..3_000) {
        let _ = RequestedClaims::read(Some(&text));
        prop_assert!(RequestedClaims::read(Some(&("[".repeat(deep) + &"]".repeat(deep)))).is_none());
        let _ = basic_pair(&text);
        let _ = basic_pair(&format!("Basic {text}"));
    }
}
