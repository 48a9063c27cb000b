//! "Quên tên đăng nhập": the user names are sent to the phone that is typed. The page gives the same answer, no matter whose
//! phone it is.

use crate::app::App;
use crate::http::{ErrorPage, Input, Layout, Mistake, RequestContext, html, mistakes};
use crate::i18n::to_owners;
use crate::security::password::with_minimum_delay;
use crate::sign_in::limits;
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ngomon_rules::values::Phone;
use ngomon_store::Result;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "user_name.html")]
struct UserNamePage {
    layout: Layout,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
    /// Whether to show the confirmation, which does not reveal whether a message was sent.
    sent: bool,
}

/// The submitted form.
#[derive(Default, Deserialize)]
pub struct UserNameForm {
    #[serde(default)]
    phone: String,
}

fn page(ctx: &RequestContext, typed: String, error: Option<&str>, sent: bool) -> Response {
    let locale = ctx.locale;
    let status = match error {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let fields = vec![Input {
        value: typed,
        hint: locale.text("username-hint-phone"),
        error: error.map(|key| locale.text(key)),
        autocomplete: "tel",
        inputmode: "tel",
        ..Input::new("phone", locale.text("form-phone"))
    }];
    let mut layout = ctx.layout();
    layout.here = format!("/sign-in/user-name{}", layout.going);
    layout.wrong = error.is_some();
    let errors = mistakes(&fields);
    html(
        status,
        &UserNamePage {
            layout,
            errors,
            fields,
            sent,
        },
    )
}

/// Shows the form.
pub async fn show(ctx: RequestContext) -> Response {
    page(&ctx, String::new(), None, false)
}

/// Sends the user names. The message goes only to the phone's owner, so strangers' requests use up no limit of the owner's own.
pub async fn send(
    State(app): State<App>,
    ctx: RequestContext,
    typed: std::result::Result<Form<UserNameForm>, FormRejection>,
) -> Response {
    let UserNameForm { phone: typed } = typed.map(|Form(typed)| typed).unwrap_or_default();
    let Ok((phone, _)) = Phone::parse(&typed) else {
        let key = match typed.trim() {
            "" => "form-no-phone",
            _ => "form-bad-phone",
        };
        return page(&ctx, typed, Some(key), false);
    };
    let not_before = with_minimum_delay();
    let answer = async {
        if app.store.take(&limits::names(&ctx)).await?.is_none() {
            return Ok(page(&ctx, typed, Some("code-many"), false));
        }
        // After the phone's last message of the day nothing more is sent, and the page gives its usual answer.
        if app.store.take(&[limits::names_of(phone.as_str())]).await?.is_some() {
            let text = |names: &str| to_owners().text_with("sms-usernames", &[("names", names)]);
            app.store.tell_usernames(&phone, text).await?;
        }
        Ok(page(&ctx, String::new(), None, true))
    };
    let answer: Result<Response> = answer.await;
    not_before.await;
    answer.unwrap_or_else(|e| ErrorPage(ctx.locale, e).into_response())
}
