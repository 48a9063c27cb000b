//! One connected system: its settings and the possible acts.

use super::address;
use crate::openid::told;
use crate::web::App;
use crate::web::desk::Operator;
use crate::web::page::{Shell, html};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use ngomon_rules::client::Authentication;
use ngomon_store::{KnownClient, NewClient, Refusal};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "desk/system.html")]
struct Page {
    shell: Shell,
    done: Option<String>,
    title: String,
    /// The client id and the new secret, shown only this once.
    secret: Option<(String, String)>,
    rows: Vec<(String, String)>,
    acts: Vec<(String, String)>,
}

/// What was just done.
#[derive(Deserialize)]
pub struct Done {
    #[serde(default)]
    done: String,
}

/// Shows the system.
pub async fn show(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
    Query(Done { done }): Query<Done>,
) -> Response {
    operator
        .answer(async {
            let known = app.store.client(&id).await?.ok_or(Refusal::UnknownClient(id))?;
            let said = ["disable", "enable", "edit", "subjects"].contains(&done.as_str());
            let said = said.then(|| operator.asker.words.say(&format!("systems-done-{done}")));
            Ok(page(&app, &operator, known, said, None))
        })
        .await
}

/// The page with a new secret, which is shown only this once.
pub fn with_secret(app: &App, operator: &Operator, known: KnownClient, new: NewClient, done: &str) -> Response {
    let done = operator.asker.words.say(&format!("systems-done-{done}"));
    let secret = new.secret.map(|secret| (new.id.to_string(), secret));
    page(app, operator, known, Some(done), secret)
}

fn page(
    app: &App,
    operator: &Operator,
    known: KnownClient,
    done: Option<String>,
    secret: Option<(String, String)>,
) -> Response {
    let words = operator.asker.words;
    let client = &known.client;
    let at = address(known.id.as_str());
    let mut acts: Vec<&str> = vec!["edit", "subjects"];
    if client.authentication == Authentication::Secret {
        acts.push("rotate");
    }
    acts.push(if known.enabled { "disable" } else { "enable" });
    acts.push("remove");
    let acts = acts
        .into_iter()
        .map(|act| (format!("{at}/{act}"), words.say(&format!("systems-{act}-title"))));
    let state = if known.enabled {
        "systems-enabled"
    } else {
        "systems-disabled"
    };
    let kinds = client
        .kinds
        .iter()
        .map(|kind| words.say(&format!("kind-{}", kind.name())));
    let units = client.units.iter().map(|unit| unit.as_str());
    let or_none = |text: Option<&String>| text.cloned().unwrap_or_else(|| words.say("systems-none"));
    let proof = format!("systems-proof-{}", client.authentication.name().replace('_', "-"));
    let scopes = match told(&client.scopes, words) {
        told if told.is_empty() => words.say("systems-nothing"),
        told => told.join("; "),
    };
    let mut rows = vec![
        (words.say("systems-issuer"), app.issuer().to_owned()),
        (words.say("column-client_id"), known.id.to_string()),
        (words.say("desk-state"), words.say(state)),
        (words.say("systems-proof"), words.say(&proof)),
        (words.say("column-redirect_uris"), client.redirect_uris.join(" ")),
        (
            words.say("systems-backchannel"),
            or_none(client.backchannel_logout_uri.as_ref()),
        ),
        (words.say("systems-events"), or_none(client.events_uri.as_ref())),
        (words.say("column-scopes"), scopes),
        (words.say("systems-kinds"), kinds.collect::<Vec<_>>().join("; ")),
        (
            words.say("systems-subjects"),
            words.say(&format!("systems-subjects-{}", client.subjects.name())),
        ),
        (words.say("systems-algorithm"), client.algorithm.name().to_owned()),
    ];
    if !client.resources.is_empty() {
        rows.push((words.say("column-resources"), client.resources.join(" ")));
    }
    if !client.units.is_empty() {
        rows.push((words.say("desk-unit"), units.collect::<Vec<_>>().join(" ")));
    }
    for (is, key) in [
        (client.third_party, "systems-third-party"),
        (client.without_pkce, "systems-without-pkce"),
        (client.client_credentials, "systems-client-credentials"),
        (client.hr, "systems-hr"),
    ] {
        if is {
            rows.push((words.say(key), words.say("systems-yes")));
        }
    }
    html(
        StatusCode::OK,
        &Page {
            shell: operator.shell(&at),
            done,
            title: client.name.clone(),
            secret,
            rows,
            acts: acts.collect(),
        },
    )
}
