//! Invariants for requests of browsers and clients. libFuzzer generates requests (`fuzz/`); this test runs the corpus.
//!
//! In an input, `{client}`, `{secret}`, `{basic}`, `{signer}`, `{assertion}`, `{session}`, `{hint}`, `{access}` and `{refresh}` stand for
//! valid values of this test, so that the input passes the first checks. Each function returns whether the input was accepted by something.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderValue, Request, Uri, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{EncodingKey, Header};
use ngomon_rules::client::{Authentication, Client};
use ngomon_rules::records::{AccountId, AccountKind};
use ngomon_store::environment::Environment;
use ngomon_store::{Location, NewClient, Store, StorePaths};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const CALLBACK: &str = "https://hues.example/cb";
const OUT: &str = "https://hues.example/out";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const FORM: &str = "application/x-www-form-urlencoded";

/// The site, a client with a secret, one that signs, and a signed-in operator.
struct House {
    site: Router,
    at: jiff::Timestamp,
    client: NewClient,
    signer: NewClient,
    key: EncodingKey,
    session: String,
    tokens: Value,
    assertions: AtomicU64,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn leads_to(&self) -> Option<&str> {
        Some(self.headers.get(header::LOCATION)?.to_str().unwrap())
    }
}

async fn asked(site: &Router, request: Request<Body>) -> Answer {
    let response = site.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let text = String::from_utf8_lossy(&body).into_owned();
    assert!(status < 500, "{status} {text}");
    Answer { status, headers, text }
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

static HOUSE: OnceLock<House> = OnceLock::new();

/// The directory is kept: libFuzzer exits anywhere without cleaning up. The test has a directory of its own.
fn house() -> &'static House {
    HOUSE.get_or_init(|| runtime().block_on(House::new(&tempfile::tempdir().unwrap().keep())))
}

fn form(fields: &[(&str, &str)]) -> String {
    serde_urlencoded::to_string(fields).unwrap()
}

impl House {
    async fn new(dir: &Path) -> Self {
        let at: jiff::Timestamp = "2023-07-15T02:00:00Z".parse().unwrap();
        let places = StorePaths {
            data: Location::Directory(dir.join("data")),
            keys: dir.join("keys"),
        };
        let store = Store::open(&places, true, Environment::fixed(at, 1)).await.unwrap();
        store.tend_signing_keys().await.unwrap();
        let mut hues = Client::new("Hue-S", vec![CALLBACK.to_owned()]);
        hues.post_logout_redirect_uris = vec![OUT.to_owned()];
        hues.kinds.push(AccountKind::Operator);
        let client = store.add_client(hues.clone(), "test").await.unwrap();
        let pair = aws_lc_rs::signature::EcdsaKeyPair::generate(&aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING);
        let key = EncodingKey::from_ec_der(pair.unwrap().to_pkcs8v1().unwrap().as_ref());
        let jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, jsonwebtoken::Algorithm::ES256).unwrap();
        (hues.name, hues.authentication) = ("Ký".into(), Authentication::PrivateKey);
        hues.jwks = Some(json!({ "keys": [jwk] }).to_string());
        let signer = store.add_client(hues, "test").await.unwrap();
        let link = store.add_operator("an", "test").await.unwrap();
        store.enrol(&link, "{SSHA}x", 1).await.unwrap();
        let proven = store.use_code(&AccountId::of_operator("an"), 2).await.unwrap().unwrap();
        let token = store.begin_proven_session(proven).await.unwrap();
        let mut house = Self {
            site: ngomon::site(store),
            at,
            client,
            signer,
            key,
            session: format!("__Host-ngomon={}", token.as_str()),
            tokens: json!({}),
            assertions: AtomicU64::new(0),
        };
        let usual = form(&[
            ("client_id", house.client.id.as_str()),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid offline_access"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        let session = house.session.clone();
        let given = house
            .get(&format!("/authorize?{usual}"), session.as_bytes())
            .await
            .unwrap();
        let to = url::Url::parse(given.leads_to().unwrap()).unwrap();
        let code = to
            .query_pairs()
            .find(|(name, _)| name == "code")
            .unwrap()
            .1
            .into_owned();
        let redeem = form(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ]);
        let basic = house.meant(b"Basic {basic}");
        let tokens = house
            .post("/token", &[("authorization", &basic)], redeem.into_bytes())
            .await
            .unwrap();
        house.tokens = serde_json::from_str(&tokens.text).unwrap();
        house
    }

    /// The input with its placeholders replaced.
    fn meant(&self, input: &[u8]) -> Vec<u8> {
        let Ok(text) = std::str::from_utf8(input) else {
            return input.to_vec();
        };
        let secret = self.client.secret.as_deref().unwrap();
        let token = |name: &str| self.tokens[name].as_str().unwrap_or_default();
        let mut text = text
            .replace("{client}", self.client.id.as_str())
            .replace("{secret}", secret)
            .replace("{basic}", &STANDARD.encode(format!("{}:{secret}", self.client.id)))
            .replace("{signer}", self.signer.id.as_str())
            .replace("{session}", &self.session)
            .replace("{hint}", token("id_token"))
            .replace("{access}", token("access_token"))
            .replace("{refresh}", token("refresh_token"));
        if text.contains("{assertion}") {
            text = text.replace("{assertion}", &self.assertion());
        }
        text.into_bytes()
    }

    /// A new assertion for each call, because each is accepted once.
    fn assertion(&self) -> String {
        let id = self.signer.id.as_str();
        let jti = self.assertions.fetch_add(1, Ordering::Relaxed).to_string();
        let claims =
            json!({"iss": id, "sub": id, "aud": "http://localhost", "exp": self.at.as_second() + 60, "jti": jti});
        jsonwebtoken::encode(&Header::new(jsonwebtoken::Algorithm::ES256), &claims, &self.key).unwrap()
    }

    /// `None` if the input cannot be a request.
    async fn get(&self, address: &str, cookie: &[u8]) -> Option<Answer> {
        let (address, cookie) = (Uri::try_from(address).ok()?, HeaderValue::from_bytes(cookie).ok()?);
        let request = Request::get(address).header(header::COOKIE, cookie).body(Body::empty());
        Some(asked(&self.site, request.unwrap()).await)
    }

    /// Posts a form from the site itself.
    async fn post(&self, path: &str, headers: &[(&str, &[u8])], body: Vec<u8>) -> Option<Answer> {
        let mut request = Request::post(path)
            .header(header::CONTENT_TYPE, FORM)
            .header(header::HOST, "localhost")
            .header("sec-fetch-site", "same-origin");
        for (name, value) in headers {
            request = request.header(*name, HeaderValue::from_bytes(value).ok()?);
        }
        Some(asked(&self.site, request.body(Body::from(body)).unwrap()).await)
    }
}

/// Uses the input as an authorization request: without and with a session, posted and pushed. It leads to our own pages or to the client's
/// redirect URI, and to a code only with a session.
pub(crate) fn requests(input: &[u8]) -> bool {
    let house = house();
    let query = house.meant(input);
    runtime().block_on(async {
        let mut given = false;
        if let Ok(text) = std::str::from_utf8(&query) {
            let address = format!("/authorize?{text}");
            for cookie in ["", house.session.as_str()] {
                let Some(answer) = house.get(&address, cookie.as_bytes()).await else {
                    return false;
                };
                let to = answer.leads_to().unwrap_or("/held");
                let ours = ["/sign-in?to=%2Fauthorize%3F", "/held", "/form"]
                    .iter()
                    .any(|at| to.starts_with(at));
                assert!(ours || to.starts_with(&format!("{CALLBACK}?")), "{to}");
                given = to.contains("code=ngc_");
                assert!(!cookie.is_empty() || !given, "a code for nobody: {to}");
            }
        }
        let posted = house.post("/authorize", &[], query.clone()).await.unwrap();
        assert!(posted.leads_to().is_none_or(|to| to.starts_with("/authorize?")));
        let basic = house.meant(b"Basic {basic}");
        let pushed = house.post("/par", &[("authorization", &basic)], query).await.unwrap();
        assert!([201, 400, 401].contains(&pushed.status), "{}", pushed.text);
        given
    })
}

/// Uses the first line as the `Authorization` header and the rest as the body: the response is JSON, and only an authenticated client gets
/// tokens.
pub(crate) fn clients(input: &[u8]) -> bool {
    let house = house();
    let mut parts = input.splitn(2, |byte| *byte == b'\n');
    let (head, body) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let proven = [&b"{basic}"[..], b"{secret}", b"{assertion}"]
        .iter()
        .any(|word| input.windows(word.len()).any(|part| part == *word));
    runtime().block_on(async {
        let mut given = false;
        for path in ["/token", "/introspect", "/revoke", "/par", "/userinfo"] {
            let (head, body) = (house.meant(head), house.meant(body));
            let with: &[(&str, &[u8])] = if head.is_empty() {
                &[]
            } else {
                &[("authorization", &head)]
            };
            let Some(answer) = house.post(path, with, body).await else {
                return false;
            };
            if path != "/revoke" || answer.status != 200 {
                let told: Value =
                    serde_json::from_str(&answer.text).unwrap_or_else(|_| panic!("{path}: {}", answer.text));
                assert!(
                    told.is_object() && (answer.status < 400 || told["error"].is_string()),
                    "{told}"
                );
                let is_told = told.get("access_token").is_some() || told["active"] == true;
                assert!(proven || !is_told, "{told}");
                given |= is_told;
            }
        }
        given
    })
}

/// Uses the input as an `id_token_hint`: it leads to the client's URI only if we signed that token.
pub(crate) fn hints(input: &[u8]) -> bool {
    let house = house();
    let hint = house.meant(input);
    let signed = |token: &[u8]| token.rsplitn(2, |byte| *byte == b'.').nth(1).map(<[u8]>::to_vec);
    let query = |name: &str, value: &[u8]| {
        let value: String = url::form_urlencoded::byte_serialize(value).collect();
        format!("{name}={value}")
    };
    runtime().block_on(async {
        let address = format!(
            "/end-session?{}&{}",
            query("id_token_hint", &hint),
            query("post_logout_redirect_uri", OUT.as_bytes())
        );
        // The address is too long for a URI.
        let Some(answer) = house.get(&address, b"").await else {
            return false;
        };
        let leads_out = answer.leads_to().is_some();
        if leads_out {
            assert_eq!(answer.leads_to(), Some(OUT));
            let ours = house.meant(b"{hint}");
            assert_eq!(signed(&hint), signed(&ours), "it was not signed by us");
        }
        let usual = form(&[
            ("client_id", house.client.id.as_str()),
            ("response_type", "code"),
            ("redirect_uri", CALLBACK),
            ("scope", "openid"),
            ("prompt", "none"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        let address = format!("/authorize?{usual}&{}", query("id_token_hint", &hint));
        let answer = house.get(&address, house.session.as_bytes()).await.unwrap();
        assert!(answer.leads_to().unwrap().starts_with(CALLBACK));
        leads_out
    })
}

/// The forms of pages that parse tickets and codes.
const FORMS: [&str; 8] = [
    "/consent",
    "/sign-in/account",
    "/sign-in/second-factor",
    "/form",
    "/held/join/choose",
    "/desk",
    "/desk/systems/new",
    "/desk/account/none/hold",
];

/// The first byte selects the form, the rest is its body: the response is a page of ours, and nobody is signed in by it.
pub(crate) fn forms(input: &[u8]) -> bool {
    let house = house();
    let Some((which, body)) = input.split_first() else {
        return false;
    };
    let path = FORMS[usize::from(*which) % FORMS.len()];
    runtime().block_on(async {
        let session = house.session.as_bytes();
        let body = house.meant(body);
        let answer = house.post(path, &[("cookie", session)], body).await.unwrap();
        assert!(
            answer
                .leads_to()
                .is_none_or(|to| to.starts_with('/') && !to.starts_with("//"))
        );
        assert!(!answer.headers.contains_key(header::SET_COOKIE), "{path}");
        answer.status < 400
    })
}

/// Uses the input as a `Cookie` header, and as the return address of the language link.
pub(crate) fn cookies(input: &[u8]) -> bool {
    let house = house();
    let cookie = house.meant(input);
    let is_signed_in = input.windows(9).any(|part| part == b"{session}");
    runtime().block_on(async {
        let mut shown = false;
        for path in ["/", "/desk", "/sign-in"] {
            let Some(answer) = house.get(path, &cookie).await else {
                return false;
            };
            shown |= answer.text.contains("action=\"/sign-out\"");
            assert!(is_signed_in || !shown, "{path}");
        }
        let to: String = url::form_urlencoded::byte_serialize(&cookie).collect();
        let answer = house.get(&format!("/language/en?to={to}"), b"").await.unwrap();
        let to = answer.leads_to().unwrap();
        assert!(
            to.starts_with('/') && !to.starts_with("//") && !to.starts_with("/\\"),
            "{to}"
        );
        shown
    })
}

/// Each input of the corpus is handled; some are accepted and some refused.
#[test]
fn corpus_requests_are_handled() {
    let dir = tempfile::tempdir().unwrap();
    assert!(HOUSE.set(runtime().block_on(House::new(dir.path()))).is_ok());
    for (of, read) in [
        ("requests", requests as fn(&[u8]) -> bool),
        ("clients", clients),
        ("hints", hints),
        ("forms", forms),
        ("cookies", cookies),
    ] {
        let corpus = format!("{}/../fuzz/corpus/{of}", env!("CARGO_MANIFEST_DIR"));
        let files: Vec<_> = std::fs::read_dir(corpus).unwrap().collect();
        let good = files
            .iter()
            .filter(|file| read(&std::fs::read(file.as_ref().unwrap().path()).unwrap()));
        let good = good.count();
        assert!(0 < good && good < files.len(), "{of}: {good} of {}", files.len());
    }
}
