//! The sign-in page.

use crate::http::{Input, Layout, Mistake, RequestContext, html, mistakes};
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    layout: Layout,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
    /// What happened before, e.g. a sign-out.
    notice: Option<String>,
    /// The connected system that requested the sign-in.
    system: Option<String>,
    /// The error after a device's wrong answer. The outer `None` means that there are no passkeys here, and no button.
    passkey: Option<Option<String>>,
}

/// The state of the sign-in page.
#[derive(Default)]
pub struct SignInNotice {
    /// The typed user name.
    pub username: String,
    /// The error of the user name.
    pub error: Option<String>,
    /// The error after a device's wrong answer.
    pub passkey: Option<String>,
    /// What happened before, e.g. a sign-out.
    pub notice: Option<String>,
}

/// The layout. The link to the other language leads to a page that a GET can show.
pub fn layout(ctx: &RequestContext) -> Layout {
    let mut layout = ctx.layout();
    layout.here = format!("/sign-in{}", layout.going);
    layout
}

/// Renders the page.
pub fn page(ctx: &RequestContext, status: StatusCode, said: SignInNotice) -> Response {
    let locale = ctx.locale;
    let fields = vec![
        Input {
            value: said.username,
            error: said.error,
            autocomplete: "username webauthn",
            ..Input::new("username", locale.text("sign-in-username"))
        },
        Input::password("password", locale.text("sign-in-password"), locale),
    ];
    let mut layout = layout(ctx);
    if status != StatusCode::OK {
        layout = layout.failing(&format!("S-{}", status.as_u16()));
    }
    let mut errors = mistakes(&fields);
    errors.extend(said.passkey.clone().map(|text| Mistake { field: "passkey", text }));
    html(
        status,
        &SignIn {
            notice: said.notice,
            system: ctx.system.clone(),
            errors,
            passkey: ctx.passkeys.then_some(said.passkey),
            layout,
            fields,
        },
    )
}

pub fn error_page(ctx: &RequestContext, status: StatusCode, username: &str, key: &str) -> Response {
    let said = SignInNotice {
        username: username.to_owned(),
        error: Some(ctx.locale.text(key)),
        ..SignInNotice::default()
    };
    page(ctx, status, said)
}

/// The page for a ticket that is too old or not from this server.
pub fn expired_page(ctx: &RequestContext) -> Response {
    error_page(ctx, StatusCode::UNPROCESSABLE_ENTITY, "", "sign-in-again")
}
