//! The answer to a form: the registry is asked, the attempt is counted, and the store decides.

use crate::app::App;
use crate::http::{MessagePage, RequestContext, html};
use crate::pages::standardise::page::{FilledForm, page};
use crate::pages::standardise::typed_form::{NOTICE, StandardiseForm};
use crate::registry_client::{PATIENCE, ask};
use crate::sign_in::limits::{is_own_person, proven_phone as note_proven_phone};
use axum::http::StatusCode;
use axum::response::Response;
use ngomon_rules::citizens::{Outcome, ParsedForm, RegistryAnswer};
use ngomon_rules::records;
use ngomon_rules::records::Submission;
use ngomon_store::{AccountExplanation, KeyedLimit, RateLimit, Result, Session, SubmissionResult, TryResult};

/// Wrong forms of one account per day.
pub const OF_ACCOUNT: RateLimit = RateLimit {
    what: "form-account",
    times: 5,
    seconds: 86_400,
};

/// Wrong forms about one person per day, by all accounts that may be anybody's.
const OF_PERSON: RateLimit = RateLimit {
    what: "form-person",
    times: 20,
    seconds: 86_400,
};

/// The limits that count a form. A stranger's forms use up nothing of a person's own allowance.
pub async fn limits_of(app: &App, session: &Session, parsed: &ParsedForm) -> Result<Vec<KeyedLimit>> {
    let mut limits = vec![OF_ACCOUNT.of(&[session.account.as_str()])];
    if !is_own_person(app, &session.account, &parsed.national_id).await? {
        limits.push(OF_PERSON.of(&[parsed.national_id.as_str()]));
    }
    Ok(limits)
}

/// The message that today's attempts are used up, shown before the form is filled in again. `None` if attempts are left.
pub(crate) async fn used_up(
    app: &App,
    ctx: &RequestContext,
    session: &Session,
) -> Result<Option<(&'static str, String)>> {
    let has_room = app
        .store
        .has_room(&[OF_ACCOUNT.of(&[session.account.as_str()])])
        .await?;
    Ok((!has_room).then(|| too_many(ctx, session)))
}

fn too_many(ctx: &RequestContext, session: &Session) -> (&'static str, String) {
    ("S-429", ctx.locale.text(&of_held(session, "form-too-often")))
}

pub async fn too_often(app: &App, ctx: &RequestContext, session: &Session, typed: StandardiseForm) -> Result<Response> {
    let filled = FilledForm {
        typed,
        error: Some(too_many(ctx, session)),
        ..FilledForm::default()
    };
    page(app, ctx, session, filled).await
}

/// Queries the registry and gives the form its final answer. A wrong form counts as an attempt. An owner who has just proven
/// the phone that the registry has for the number is not stopped by other people's attempts with it.
pub(crate) async fn judged(
    app: &App,
    ctx: &RequestContext,
    session: &Session,
    typed: StandardiseForm,
    parsed: &ParsedForm,
    phone_proven: bool,
) -> Result<Response> {
    let (locale, form) = (ctx.locale, typed.form());
    if !app
        .store
        .has_room(&[OF_ACCOUNT.of(&[session.account.as_str()])])
        .await?
    {
        return too_often(app, ctx, session, typed).await;
    }
    let mut asked = None;
    if phone_proven {
        let registry = ask(app, parsed.national_id, PATIENCE).await?;
        if matches!(&registry, RegistryAnswer::Found(record) if record.phone.as_ref() == Some(&parsed.phone)) {
            note_proven_phone(app, &session.account, &parsed.national_id).await?;
        }
        asked = Some(registry);
    }
    let limits = limits_of(app, session, parsed).await?;
    let tried = app.store.tried(&limits, async {
        let registry = match asked {
            Some(registry) => registry,
            None => ask(app, parsed.national_id, PATIENCE).await?,
        };
        let done = submit(app, ctx, session, &form, registry, phone_proven).await?;
        let wrong = matches!(done.outcome, Outcome::NotFound | Outcome::Mismatch);
        Ok(if wrong { Err(()) } else { Ok(done) })
    });
    let left = match tried.await? {
        TryResult::Right(done) => {
            // The name in the registry's spelling.
            let explanation = app
                .store
                .account_explanation(session.account.as_str(), app.store.today())
                .await?;
            let name = explanation.fact("claim_name").unwrap_or(parsed.full_name.as_str());
            return Ok(answer_page(app, ctx, session, done, name));
        }
        TryResult::TooOften => return too_often(app, ctx, session, typed).await,
        TryResult::Wrong((), left) => left,
    };
    // The form was answered; it stays as a draft, because it stands on the page again.
    if let Err(error) = app.store.keep_draft(&session.account, &form).await {
        tracing::error!("a draft: {error}");
    }
    let left = locale.number(left.unsigned_abs());
    let text = locale.text_with(&of_held(session, "form-differs"), &[("left", &left)]);
    let filled = FilledForm {
        typed,
        error: Some(("C2-M3", text)),
        can_ask_fields: true,
        ..FilledForm::default()
    };
    page(app, ctx, session, filled).await
}

/// The message key for this account. Texts that promise that the account works as before have a twin for held accounts.
fn of_held(session: &Session, key: &str) -> String {
    if session.held {
        format!("{key}-held")
    } else {
        key.to_owned()
    }
}

/// Gives the form its final answer. It does not end a held visit, whatever it finds.
pub(crate) async fn submit(
    app: &App,
    ctx: &RequestContext,
    session: &Session,
    form: &records::Form,
    registry: RegistryAnswer,
    phone_proven: bool,
) -> Result<SubmissionResult> {
    let submission = Submission {
        seq: String::new(),
        account: session.account.clone(),
        form: form.clone(),
        submitted_at: None,
        notice: Some(NOTICE),
    };
    let by = session.account.as_str();
    let done = app
        .store
        .standardise_as_answered(&submission, by, registry, phone_proven)
        .await?;
    // The answer is final, even if extending the visit or dropping the draft fails: both end by themselves.
    if session.held
        && let Err(error) = app
            .store
            .renew_held_session(ctx.token.as_deref().unwrap_or_default())
            .await
    {
        tracing::error!("a held visit: {error}");
    }
    if let Err(error) = app.store.drop_draft(&session.account).await {
        tracing::error!("a draft: {error}");
    }
    Ok(done)
}

/// C1: "a `pending` account sees its receipt, not the form".
pub(crate) fn waiting(ctx: &RequestContext, explanation: &AccountExplanation) -> Option<Response> {
    let locale = ctx.locale;
    let is_pending = explanation.fact("claim").is_none() && explanation.fact("last_form") == Some("pending");
    let receipt = explanation.fact("last_form_receipt").filter(|_| is_pending)?;
    let (key, title) = match explanation.fact("last_form_fields") {
        Some(_) => ("home-papers", "answer-papers-title"),
        None => ("home-pending", "answer-pending-title"),
    };
    let mut layout = ctx.layout();
    layout.here = "/".into();
    let text = locale.text_with(key, &[("receipt", receipt)]);
    let page = MessagePage {
        receipt: Some(receipt.to_owned()),
        ..MessagePage::new(layout, locale.text(title), text)
    };
    Some(html(StatusCode::OK, &page))
}

/// The page of an answer after which nothing in the form needs correction. `name`: the person's name, in the registry's
/// spelling where it is known.
pub(crate) fn answer_page(
    app: &App,
    ctx: &RequestContext,
    session: &Session,
    done: SubmissionResult,
    name: &str,
) -> Response {
    let locale = ctx.locale;
    let (key, code) = match done.outcome {
        Outcome::Standardised => ("answer-standardised", ""),
        Outcome::AlreadyDone => ("answer-done", ""),
        Outcome::Pending if !done.fields.is_empty() => ("answer-papers", ""),
        Outcome::Pending => ("answer-pending", ""),
        Outcome::Taken => ("answer-taken", "C2-M7"),
        Outcome::Revoked => ("answer-revoked", "C2-M5"),
        Outcome::Deceased => ("answer-deceased", "C2-M6"),
        Outcome::NotFound | Outcome::Mismatch | Outcome::Malformed | Outcome::UnknownAccount => ("missing", "S-404"),
    };
    let mut layout = ctx.layout();
    layout.here = "/".into();
    let text = match done.outcome {
        Outcome::Pending | Outcome::Taken => of_held(session, &format!("{key}-text")),
        _ => format!("{key}-text"),
    };
    let well = matches!(done.outcome, Outcome::Standardised | Outcome::Pending);
    let at = app.store.now().as_microsecond();
    let fields = done
        .fields
        .iter()
        .map(|field| locale.text(&format!("word-{}", field.name())));
    let fields = fields.collect::<Vec<_>>().join(", ");
    code.clone_into(&mut layout.code);
    let text = locale.text_with(
        &text,
        &[("name", name), ("at", &locale.instant(at)), ("fields", &fields)],
    );
    let page = MessagePage {
        at: well.then(|| locale.instant(at)),
        vneid: done.outcome == Outcome::Standardised,
        receipt: done.receipt.filter(|_| well),
        ..MessagePage::new(layout, locale.text(&format!("{key}-title")), text)
    };
    html(StatusCode::OK, &page)
}
