//! The submission of the four fields.

use crate::app::App;
use crate::http::{ErrorPage, RequestContext, query_encode};
use crate::pages::standardise::answer::{OF_ACCOUNT, answer_page, judged, limits_of, submit, too_often, waiting};
use crate::pages::standardise::page::{FilledForm, page};
use crate::pages::standardise::phone_code;
use crate::pages::standardise::typed_form::{StandardiseForm, another, malformed};
use crate::pages::ways::{ByForm, ClosedWayOut, WayOutOwner};
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Redirect, Response};
use ngomon_rules::citizens::{Field, Outcome, RegistryAnswer, parse};
use ngomon_store::{RateLimit, Result, Session};

/// Malformed forms of one account per day. Further ones are answered but not recorded.
const MALFORMED: RateLimit = RateLimit {
    what: "form-malformed",
    times: 50,
    seconds: 86_400,
};

/// Submits the form. If the session ended meanwhile, the form is stored until its owner has signed in again.
pub(crate) async fn send(
    State(app): State<App>,
    through: std::result::Result<WayOutOwner<ByForm>, ClosedWayOut>,
    typed: std::result::Result<Form<StandardiseForm>, FormRejection>,
) -> Response {
    let WayOutOwner { ctx, session, .. } = match through {
        Ok(through) => through,
        Err(closed) => return keep(&app, closed, typed.ok()).await,
    };
    let locale = ctx.locale;
    let answer = async {
        let Ok(Form(typed)) = typed else {
            let filled = FilledForm {
                error: Some(("S-422", locale.text("form-unreadable"))),
                ..FilledForm::default()
            };
            return page(&app, &ctx, &session, filled).await;
        };
        answered(&app, &ctx, &session, typed).await
    };
    answer.await.unwrap_or_else(|e| ErrorPage(locale, e).into_response())
}

async fn keep(app: &App, closed: ClosedWayOut, typed: Option<Form<StandardiseForm>>) -> Response {
    let (Some(ctx), Some(Form(typed))) = (&closed.ctx, typed) else {
        return closed.into_response();
    };
    let (None, Some(token)) = (&ctx.session, &ctx.token) else {
        return closed.into_response();
    };
    let kept = async {
        let Some(account) = app.store.was_session_of(token).await? else {
            return Ok(None);
        };
        app.store.keep_draft(&account, &typed.form()).await?;
        let next = app.store.take_next(token).await?;
        let to = next
            .map(|next| format!("&to={}", query_encode(&next)))
            .unwrap_or_default();
        Ok(Some(Redirect::to(&format!("/sign-in?why=kept{to}")).into_response()))
    };
    let kept: Result<Option<Response>> = kept.await;
    match kept {
        Ok(kept) => kept.unwrap_or_else(|| closed.into_response()),
        Err(error) => ErrorPage(ctx.locale, error).into_response(),
    }
}

async fn answered(app: &App, ctx: &RequestContext, session: &Session, typed: StandardiseForm) -> Result<Response> {
    let locale = ctx.locale;
    let form = typed.form();
    let account = [session.account.as_str()];
    let explanation = app
        .store
        .account_explanation(session.account.as_str(), app.store.today())
        .await?;
    if let Some(page) = waiting(ctx, &explanation) {
        return Ok(page);
    }
    let parsed = match parse(&form, app.store.today()) {
        Ok(_) if typed.is_short() && explanation.fact("claim").is_none() => {
            let filled = FilledForm {
                errors: malformed(&typed, &[Field::NationalId].into(), locale),
                typed,
                ..FilledForm::default()
            };
            return page(app, ctx, session, filled).await;
        }
        Ok(parsed) => parsed,
        Err(mut fields) => {
            fields.extend(typed.is_short().then_some(Field::NationalId));
            if app.store.attempt(MALFORMED, &account).await?.is_some() {
                let done = submit(app, ctx, session, &form, RegistryAnswer::Unavailable, false).await?;
                if done.outcome == Outcome::AlreadyDone {
                    return Ok(answer_page(app, ctx, session, done, ""));
                }
            }
            let filled = FilledForm {
                errors: malformed(&typed, &fields, locale),
                typed,
                ..FilledForm::default()
            };
            return page(app, ctx, session, filled).await;
        }
    };
    if let Some(whose) = another(&explanation, &parsed.full_name).filter(|_| typed.mine != "yes") {
        let filled = FilledForm {
            typed,
            whose: Some(whose),
            ..FilledForm::default()
        };
        return page(app, ctx, session, filled).await;
    }
    let asks_code = explanation.fact("claim").is_none() && app.store.campaign().await?.form_code;
    // The person's own limit is checked only after the code, which may prove that the number is the owner's own.
    let limits = if asks_code {
        vec![OF_ACCOUNT.of(&account)]
    } else {
        limits_of(app, session, &parsed).await?
    };
    if !app.store.has_room(&limits).await? {
        return too_often(app, ctx, session, typed).await;
    }
    // Until the phone is proven, every form gets the same answer in the same time, whatever the registry would say.
    if asks_code {
        return phone_code::begin(app, ctx, session, &form, &parsed).await;
    }
    judged(app, ctx, session, typed, &parsed, false).await
}
