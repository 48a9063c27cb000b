//! "Đặt mật khẩu mới bằng mã của quầy hỗ trợ": a new password by a code that a counter issued after seeing the owner's papers.
//! The code works once, for a day.

use crate::app::App;
use crate::http::{ErrorPage, Input, Layout, Mistake, RequestContext, html, mistakes};
use crate::i18n::to_owners;
use crate::sign_in::limits;
use crate::sign_in::new_password::{NewPassword, NewPasswordForm, hash_of};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_store::{Result, TryResult};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "set_password.html")]
struct SetPasswordPage {
    layout: Layout,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
}

/// The submitted form.
#[derive(Default, Deserialize)]
pub struct SetPasswordForm {
    #[serde(default)]
    code: String,
    #[serde(flatten)]
    typed: NewPasswordForm,
}

fn page(ctx: &RequestContext, code: &str, wrong: Option<String>, password: NewPassword) -> Response {
    let mut fields = vec![Input {
        value: code.to_owned(),
        hint: ctx.locale.text("new-password-code-hint"),
        error: wrong,
        autocomplete: "one-time-code",
        maxlength: 30,
        ..Input::new("code", ctx.locale.text("new-password-code"))
    }];
    fields.extend(password.fields(ctx.locale));
    let errors = mistakes(&fields);
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let mut layout = ctx.layout();
    layout.here = "/sign-in/new-password".into();
    layout.wrong = !errors.is_empty();
    html(status, &SetPasswordPage { layout, errors, fields })
}

/// Shows the form.
pub async fn show(ctx: RequestContext) -> Response {
    page(&ctx, "", None, NewPassword::default())
}

/// Checks the code and sets the password.
pub async fn set(
    State(app): State<App>,
    ctx: RequestContext,
    sent: std::result::Result<Form<SetPasswordForm>, FormRejection>,
) -> Response {
    let locale = ctx.locale;
    let SetPasswordForm { code, typed } = sent.map(|Form(sent)| sent).unwrap_or_default();
    let answer = async {
        let over = || Some(locale.text("new-password-code-over"));
        let limits = limits::typed_code(&ctx);
        let tried = app
            .store
            .tried(&limits, async { Ok(app.store.password_code(&code).await?.ok_or(())) });
        let account = match tried.await? {
            TryResult::Right(account) => account,
            TryResult::Wrong((), _) => return Ok(page(&ctx, &code, over(), NewPassword::default())),
            TryResult::TooOften => {
                let often = Some(locale.text("sign-in-too-often"));
                return Ok(page(&ctx, &code, often, NewPassword::default()));
            }
        };
        // Counted, because each attempt searches the list of leaked passwords.
        let own = limits::own("new-password", account.as_str());
        if app.store.take(&[own]).await?.is_none() {
            let often = Some(locale.text("sign-in-too-often"));
            return Ok(page(&ctx, &code, often, NewPassword::default()));
        }
        let wrong = typed.wrong(&app, locale).await;
        if wrong.is_something() {
            return Ok(page(&ctx, &code, None, wrong));
        }
        let Some(hash) = hash_of(&app, typed.password).await else {
            return Ok(page(&ctx, &code, None, NewPassword::unreadable(locale)));
        };
        let news = to_owners().text("sms-password-changed");
        if !app.store.set_password_by_code(&code, &hash, &news).await? {
            return Ok(page(&ctx, &code, over(), NewPassword::default()));
        }
        Ok(Redirect::to("/sign-in?why=reset").into_response())
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| ErrorPage(locale, e).into_response())
}
