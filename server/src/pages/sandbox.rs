//! The pages of the sandbox: the messages to its made-up people, and the simulated registry's behaviour for each. They exist
//! only where the installation began as a sandbox.

use crate::app::App;
use crate::http::{ErrorPage, Layout, RequestContext, html, not_found};
use crate::pages::component_gallery;
use askama::Template;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Form, Router};
use ngomon_feeds::RegistryBehaviour;
use ngomon_rules::values::NationalId;
use ngomon_store::Result;
use serde::Deserialize;

/// The most messages and people shown.
const MOST: u32 = 200;

/// The routes of the sandbox.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/sandbox", get(messages))
        .route("/sandbox/parts", get(component_gallery::show))
        .route("/sandbox/registry", get(registry).post(play))
}

#[derive(Template)]
#[template(path = "sandbox_messages.html")]
struct Messages {
    layout: Layout,
    messages: Vec<MessageRow>,
}

struct MessageRow {
    at: String,
    channel: String,
    to: String,
    text: String,
}

#[derive(Template)]
#[template(path = "sandbox_registry.html")]
struct Registry {
    layout: Layout,
    people: Vec<Person>,
    /// The value and the label of each behaviour.
    moods: Vec<(&'static str, String)>,
}

struct Person {
    number: String,
    name: String,
    issued_on: String,
    phone: String,
    mood: &'static str,
}

async fn messages(State(app): State<App>, ctx: RequestContext) -> Response {
    if !app.sandbox {
        return not_found(ctx).await;
    }
    let locale = ctx.locale;
    match app.store.messages(MOST).await {
        Ok(found) => {
            let messages = found.into_iter().map(|message| MessageRow {
                at: locale.instant(message.at),
                channel: locale.text(&format!("sandbox-{}", message.channel)),
                to: message.to,
                text: message.text,
            });
            let page = Messages {
                layout: ctx.layout(),
                messages: messages.collect(),
            };
            html(StatusCode::OK, &page)
        }
        Err(error) => ErrorPage(locale, error).into_response(),
    }
}

async fn registry(State(app): State<App>, ctx: RequestContext) -> Response {
    if !app.sandbox {
        return not_found(ctx).await;
    }
    let locale = ctx.locale;
    let page = async {
        let mut people = Vec::new();
        for record in app.store.sandbox_people(MOST).await? {
            let mood = app.store.sandbox_registry_behaviour(record.national_id).await?;
            let mood = mood.as_deref().and_then(RegistryBehaviour::parse).unwrap_or_default();
            people.push(Person {
                number: record.national_id.as_str().to_owned(),
                name: record.full_name.as_str().to_owned(),
                issued_on: record.issued_on.map(|day| locale.day(day)).unwrap_or_default(),
                phone: record.phone.map(|phone| phone.as_str().to_owned()).unwrap_or_default(),
                mood: mood.name(),
            });
        }
        let moods = RegistryBehaviour::ALL
            .into_iter()
            .map(|mood| (mood.name(), locale.text(&format!("sandbox-mood-{}", mood.name()))));
        Ok(html(
            StatusCode::OK,
            &Registry {
                layout: ctx.layout(),
                people,
                moods: moods.collect(),
            },
        ))
    };
    let page: Result<Response> = page.await;
    page.unwrap_or_else(|e| ErrorPage(locale, e).into_response())
}

/// The person and the behaviour to simulate.
#[derive(Deserialize)]
struct BehaviourForm {
    number: String,
    mood: String,
}

async fn play(
    State(app): State<App>,
    ctx: RequestContext,
    typed: std::result::Result<Form<BehaviourForm>, FormRejection>,
) -> Response {
    let chosen = typed.ok().and_then(|Form(play)| {
        let number = NationalId::try_from(play.number).ok()?;
        Some((number, RegistryBehaviour::parse(&play.mood)?))
    });
    let (Some((number, mood)), true) = (chosen, app.sandbox) else {
        return not_found(ctx).await;
    };
    match app.store.set_sandbox_mood(number, mood.name()).await {
        Ok(()) => Redirect::to("/sandbox/registry").into_response(),
        Err(error) => ErrorPage(ctx.locale, error).into_response(),
    }
}
