//! Tests of the provider through its HTTP interface, as browsers and clients use it.

mod attack;
mod audience;
mod conformance;
mod flow;
mod garbage;
mod gate;
mod held;
mod kill;
mod request;
mod step_up;
mod told;

use crate::tests::{Site, TestResponse, fixtures};
use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ngomon_rules::client::{Client, Scope};
use ngomon_rules::hold::Cause;
use ngomon_rules::records::AccountId;
use ngomon_store::Order;
use serde_json::Value;

pub const CALLBACK: &str = "https://hues.example/cb";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// The challenge of [`VERIFIER`], from RFC 7636, appendix B.
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A connected system (relying party).
pub struct Rp {
    pub id: String,
    pub secret: String,
}

/// The demo's people, with operator `an`, who may hold accounts.
pub async fn site() -> Site {
    let tables = ["units", "registry", "citizens", "officials"];
    Site::of(tables.map(|table| (table, fixtures("demo").join(format!("{table}.csv"))))).await
}

pub fn hues() -> Client {
    let mut client = Client::new("Hue-S", vec![CALLBACK.to_owned()]);
    client.scopes = Scope::ALL.to_vec();
    client.post_logout_redirect_uris = vec!["https://hues.example/out".to_owned()];
    client.backchannel_logout_uri = Some("https://hues.example/logout".to_owned());
    client
}

impl TestResponse {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{}: {}", self.status, self.text))
    }

    /// A parameter of the URL that the browser is redirected to, or of the page that leads it on.
    pub fn sent(&self, name: &str) -> Option<String> {
        let to = url::Url::parse(self.goes_to()).unwrap();
        to.query_pairs()
            .find(|(one, _)| one == name)
            .map(|(_, value)| value.into_owned())
    }

    /// The `request` field of the form on a consent page.
    pub fn request(&self) -> String {
        let value = self.text.split("name=\"request\" value=\"").nth(1).unwrap();
        let value = value.split('"').next().unwrap();
        value.replace("&#38;", "&").replace("&amp;", "&")
    }

    /// The error code of an error response.
    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap().to_owned()
    }
}

/// The claims of a token, without verification.
pub fn claims(token: &str) -> Value {
    let body = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap()
}

impl Site {
    pub async fn rp(&self, client: Client) -> Rp {
        self.store.tend_signing_keys().await.unwrap();
        let new = self.store.add_client(client, "test").await.unwrap();
        Rp {
            id: new.id.0,
            secret: new.secret.unwrap_or_default(),
        }
    }

    /// Posts a form as a client does, without a browser's headers.
    pub async fn form_to(&self, path: &str, rp: Option<&Rp>, fields: &[(&str, &str)]) -> TestResponse {
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(rp) = rp {
            let pair = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", rp.id, rp.secret));
            request = request.header(header::AUTHORIZATION, format!("Basic {pair}"));
        }
        let body = serde_urlencoded::to_string(fields).unwrap();
        self.ask(request.body(Body::from(body)).unwrap()).await
    }

    pub async fn userinfo(&self, token: &str) -> TestResponse {
        let request = Request::get("/userinfo").header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.ask(request.body(Body::empty()).unwrap()).await
    }

    pub async fn is_active(&self, rp: &Rp, token: &str) -> bool {
        let told = self.form_to("/introspect", Some(rp), &[("token", token)]).await;
        assert_eq!(told.status, 200);
        told.json()["active"] == true
    }

    /// Holds an account, as an operator does.
    pub async fn hold(&self, account: &str) {
        let cookie = self.operator(&format!("op{}", self.store.now().as_microsecond())).await;
        let permit = self.visit(&cookie).await.unwrap().operator().unwrap();
        let order = Order {
            ordered_by: "Sở".into(),
            document: "1".into(),
            text: "x".into(),
            last_day: None,
        };
        let account = AccountId(account.into());
        self.store.hold_by_order(&permit, &account, &order).await.unwrap();
    }

    /// Lifts the hold again.
    pub async fn lift(&self, account: &str) {
        let cookie = self.operator(&format!("op{}", self.store.now().as_microsecond())).await;
        let permit = self.visit(&cookie).await.unwrap().operator().unwrap();
        let account = AccountId(account.into());
        self.store
            .lift_order(&permit, &account, &Cause::order("1"), "over")
            .await
            .unwrap();
    }
}

impl Rp {
    /// The usual request, with some parameters replaced.
    pub fn request(&self, otherwise: &[(&str, &str)]) -> String {
        let usual = [
            ("client_id", self.id.as_str()),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid profile"),
            ("state", "st"),
            ("nonce", "no"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let changed = |name: &str| otherwise.iter().any(|(one, _)| *one == name);
        let kept = usual.into_iter().filter(|(name, _)| !changed(name));
        let all: Vec<_> = kept
            .chain(otherwise.iter().copied().filter(|(_, value)| !value.is_empty()))
            .collect();
        format!("/authorize?{}", serde_urlencoded::to_string(all).unwrap())
    }

    /// A code for the signed-in user.
    pub async fn code(&self, site: &Site, cookie: &str, otherwise: &[(&str, &str)]) -> String {
        let page = site.get(&self.request(otherwise), cookie).await;
        assert!(page.status.is_redirection(), "{}", page.text);
        page.sent("code").unwrap_or_else(|| panic!("{}", page.goes_to()))
    }

    pub async fn redeem(&self, site: &Site, code: &str) -> TestResponse {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        site.form_to("/token", Some(self), &fields).await
    }

    pub async fn refresh(&self, site: &Site, token: &str) -> TestResponse {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
        site.form_to("/token", Some(self), &fields).await
    }

    /// Tokens for the signed-in user.
    pub async fn tokens(&self, site: &Site, cookie: &str, otherwise: &[(&str, &str)]) -> Value {
        let code = self.code(site, cookie, otherwise).await;
        let answer = self.redeem(site, &code).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }
}
