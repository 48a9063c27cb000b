//! Tests of the desk, requested as browsers do: by operators and by everybody else.

mod access;
mod acts;
mod hr;
mod people;
mod renewal;
mod systems;
mod two_persons;
mod waiting;

use crate::security::totp::Authenticator;
use crate::tests::{Site, TestResponse, fixtures};
use axum::body::Body;
use axum::http::{Method, Request, header};
use ngomon_store::Session;
use std::sync::atomic::Ordering;

const PASSWORD: &str = "mười hai ký tự";

impl Site {
    /// A site without accounts.
    pub async fn bare() -> Self {
        Self::of([("units", fixtures("sample").join("units.csv"))]).await
    }

    /// A site with the citizens of the sample.
    pub async fn citizens() -> Self {
        let tables = ["units", "registry", "citizens"];
        Self::of(tables.map(|table| (table, fixtures("sample").join(format!("{table}.csv"))))).await
    }

    /// The link for a new operator, and the authenticator with its secret.
    pub async fn link(&self, name: &str) -> (String, Authenticator) {
        let link = self.store.add_operator(name, "test").await.unwrap();
        let secret = self.store.enrolment(&link).await.unwrap().unwrap().totp_secret;
        (format!("/enrol/{link}"), Authenticator::new(name, &secret))
    }

    /// Enrols an operator. Returns the authenticator and the recovery codes.
    pub async fn enrolled(&self, name: &str) -> (Authenticator, Vec<String>) {
        let (link, authenticator) = self.link(name).await;
        let hash = crate::security::password::hashed(PASSWORD, &[1; 16]).unwrap();
        let now = self.store.now();
        let step = authenticator.step(&authenticator.code(now), now).unwrap();
        let codes = self.store.enrol(&link["/enrol/".len()..], &hash, step).await.unwrap();
        self.move_on(30);
        (authenticator, codes)
    }

    /// The cookie of an operator who has enrolled and signed in.
    pub async fn operator(&self, name: &str) -> String {
        let (authenticator, _) = self.enrolled(name).await;
        let asked = self.password(name).await;
        let code = authenticator.code(self.store.now());
        let entered = self.second_factor(&asked, &code).await;
        assert_eq!(entered.goes_to(), "/desk");
        entered.cookie()
    }

    pub async fn password(&self, name: &str) -> TestResponse {
        let typed = [("username", name), ("password", PASSWORD)];
        let asked = self.post("/sign-in", "", &typed).await;
        assert!(asked.says("second-factor-title") && !asked.signs_in());
        asked
    }

    pub async fn second_factor(&self, asked: &TestResponse, code: &str) -> TestResponse {
        let ticket = asked.text.split("name=\"ticket\" value=\"").nth(1).unwrap();
        let ticket = ticket.split('"').next().unwrap();
        let browser = asked.cookie();
        self.post(
            "/sign-in/second-factor",
            &browser,
            &[("ticket", ticket), ("code", code)],
        )
        .await
    }

    pub fn move_on(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    pub async fn sound(&self) {
        self.store.seal().await.unwrap();
        assert_eq!(self.store.verify(&mut |_| {}).await.unwrap().faults, []);
    }

    pub async fn visit(&self, cookie: &str) -> Option<Session> {
        let token = cookie.split_once('=').unwrap().1;
        self.store.session(token).await.unwrap()
    }

    pub async fn method(&self, method: Method, path: &str, cookie: &str) -> TestResponse {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header("sec-fetch-site", "same-origin")
            .header(header::COOKIE, cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::empty());
        self.ask(request.unwrap()).await
    }
}
