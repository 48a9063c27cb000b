//! "Hồ sơ của tôi": an official's own HR profile, the way out of clauses 1 to 4 of letter 108. It is also open in a held visit:
//! otherwise nobody could ever correct what holds the account.

mod propose;

use crate::app::App;
use crate::http::{ErrorPage, Layout, html};
use crate::i18n::{Locale, value_text};
use crate::pages::held::answers;
use crate::pages::profile::propose::nothing;
use crate::pages::ways::{ByProfile, WayOutOwner};
use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use ngomon_rules::records::Profile;
use ngomon_rules::unit::UnitTree;
use ngomon_rules::values::{Date, Phone};
use ngomon_store::{Refusal, Result, StoreError};
use serde::Deserialize;

/// The routes: the profile, the yearly review, and proposals.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/profile", get(show))
        .route("/profile/review", post(review))
        .route("/profile/propose", get(propose::show).post(propose::send))
}

#[derive(Template)]
#[template(path = "profile.html")]
struct ProfilePage {
    layout: Layout,
    /// The confirmation of what was just done.
    done: Option<String>,
    rows: Vec<(String, String)>,
    /// The receipts of proposals that wait for HR.
    waiting: Vec<String>,
    in_service: bool,
    /// HR's answers to the owner's proposals.
    answers: Vec<String>,
}

/// What was just done.
#[derive(Deserialize)]
struct ProfileQuery {
    #[serde(default)]
    done: String,
}

async fn show(
    State(app): State<App>,
    WayOutOwner { ctx, session, .. }: WayOutOwner<ByProfile>,
    Query(ProfileQuery { done }): Query<ProfileQuery>,
) -> Response {
    let (locale, account) = (ctx.locale, session.account);
    let page = async {
        let Some(own) = app.store.own_profile(&account).await? else {
            return Ok(nothing(&ctx));
        };
        let units = app.store.units().await?;
        let waiting = app.store.own_proposals(&account).await?;
        let mut layout = ctx.layout();
        layout.here = "/profile".into();
        Ok(html(
            StatusCode::OK,
            &ProfilePage {
                done: match &*done {
                    "reviewed" => Some(locale.text("profile-reviewed")),
                    "proposed" => Some(locale.text("profile-proposed")),
                    _ => None,
                },
                rows: rows(&own.profile, &units, app.store.today(), locale),
                waiting: waiting.into_iter().map(|proposal| proposal.receipt).collect(),
                answers: answers(&app, &account, locale).await?,
                in_service: own.profile.in_service_on(app.store.today()),
                layout,
            },
        ))
    };
    let page: Result<Response> = page.await;
    page.unwrap_or_else(|e| ErrorPage(locale, e).into_response())
}

/// The profile as its owner reads it: number and phone are masked, as everywhere.
fn rows(profile: &Profile, units: &UnitTree, day: Date, locale: Locale) -> Vec<(String, String)> {
    let text = |day: Option<Date>| day.map(|day| locale.day(day));
    let all = [
        ("profile-full-name", Some(profile.full_name.as_str().to_owned())),
        (
            "profile-birth-date",
            profile
                .birth_date
                .map(|day| value_text("day", &day.to_string(), units, locale)),
        ),
        ("profile-national-id", profile.national_id.map(|number| number.masked())),
        ("profile-phone", profile.phone.as_ref().map(Phone::masked)),
        ("profile-email", profile.email.clone()),
        (
            "profile-unit",
            Some(value_text("unit", profile.unit.as_str(), units, locale)),
        ),
        ("profile-position", profile.position.clone()),
        (
            "profile-status",
            Some(value_text("status", profile.status_on(day).name(), units, locale)),
        ),
        ("profile-reviewed-on", text(profile.reviewed_on)),
        ("profile-updated-on", text(profile.updated_on)),
        (
            "profile-next-due-item",
            profile
                .next_due_item
                .map(|item| value_text("item", item.name(), units, locale)),
        ),
        ("profile-next-due-on", text(profile.next_due_on)),
    ];
    let known = all.into_iter().filter_map(|(key, value)| Some((key, value?)));
    known
        .map(|(key, value)| (locale.text(&format!("own-{key}")), value))
        .collect()
}

/// "Đã rà soát". In a held visit, the owner then sees whether the account is still held: other holds may remain, and the held
/// visit shows them.
async fn review(State(app): State<App>, through: WayOutOwner<ByProfile>) -> Response {
    let session = &through.session;
    let answer = async {
        if let Some(page) = through.once_more(&app, "profile-review").await? {
            return Ok(page);
        }
        match app.store.review_profile(&session.account).await {
            Err(StoreError::Refused(Refusal::NoProfileInService(_))) => {
                return Ok(Redirect::to("/profile").into_response());
            }
            done => done?,
        }
        if !session.held {
            return Ok(Redirect::to("/profile?done=reviewed").into_response());
        }
        through.recorded(&app).await
    };
    let answer: Result<Response> = answer.await;
    answer.unwrap_or_else(|e| ErrorPage(through.ctx.locale, e).into_response())
}
