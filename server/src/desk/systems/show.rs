//! One connected system: its settings and the possible acts.

use crate::app::App;
use crate::desk::operator::Operator;
use crate::desk::url::system_address;
use crate::http::{Layout, html};
use crate::i18n::scope_labels;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use ngomon_rules::client::Authentication;
use ngomon_store::{NewClient, Refusal, RegisteredClient};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "desk/system.html")]
struct SystemPage {
    layout: Layout,
    done: Option<String>,
    title: String,
    /// The client id and the new secret, shown only this once.
    secret: Option<(String, String)>,
    rows: Vec<(String, String)>,
    acts: Vec<(String, String)>,
}

/// What was just done.
#[derive(Deserialize)]
pub struct SystemQuery {
    #[serde(default)]
    done: String,
}

/// Shows the system.
pub async fn show(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
    Query(SystemQuery { done }): Query<SystemQuery>,
) -> Response {
    operator
        .answer(async {
            let known = app.store.client(&id).await?.ok_or(Refusal::UnknownClient(id))?;
            let said = ["disable", "enable", "edit", "subjects"].contains(&done.as_str());
            let said = said.then(|| operator.ctx.locale.text(&format!("systems-done-{done}")));
            Ok(page(&app, &operator, known, said, None))
        })
        .await
}

/// The page with a new secret, which is shown only this once.
pub fn with_secret(app: &App, operator: &Operator, known: RegisteredClient, new: NewClient, done: &str) -> Response {
    let done = operator.ctx.locale.text(&format!("systems-done-{done}"));
    let secret = new.secret.map(|secret| (new.id.to_string(), secret));
    page(app, operator, known, Some(done), secret)
}

fn page(
    app: &App,
    operator: &Operator,
    known: RegisteredClient,
    done: Option<String>,
    secret: Option<(String, String)>,
) -> Response {
    let locale = operator.ctx.locale;
    let client = &known.client;
    let at = system_address(known.id.as_str());
    let mut acts: Vec<&str> = vec!["edit", "subjects"];
    if client.authentication == Authentication::Secret {
        acts.push("rotate");
    }
    acts.push(if known.enabled { "disable" } else { "enable" });
    acts.push("remove");
    let acts = acts
        .into_iter()
        .map(|act| (format!("{at}/{act}"), locale.text(&format!("systems-{act}-title"))));
    let state = if known.enabled {
        "systems-enabled"
    } else {
        "systems-disabled"
    };
    let kinds = client
        .kinds
        .iter()
        .map(|kind| locale.text(&format!("kind-{}", kind.name())));
    let units = client.units.iter().map(|unit| unit.as_str());
    let or_none = |text: Option<&String>| text.cloned().unwrap_or_else(|| locale.text("systems-none"));
    let proof = format!("systems-proof-{}", client.authentication.name().replace('_', "-"));
    let scopes = match scope_labels(&client.scopes, locale) {
        labels if labels.is_empty() => locale.text("systems-nothing"),
        labels => labels.join("; "),
    };
    let mut rows = vec![
        (locale.text("systems-issuer"), app.issuer().to_owned()),
        (locale.text("column-client_id"), known.id.to_string()),
        (locale.text("desk-state"), locale.text(state)),
        (locale.text("systems-proof"), locale.text(&proof)),
        (locale.text("column-redirect_uris"), client.redirect_uris.join(" ")),
        (
            locale.text("systems-backchannel"),
            or_none(client.backchannel_logout_uri.as_ref()),
        ),
        (locale.text("systems-events"), or_none(client.events_uri.as_ref())),
        (locale.text("column-scopes"), scopes),
        (locale.text("systems-kinds"), kinds.collect::<Vec<_>>().join("; ")),
        (
            locale.text("systems-subjects"),
            locale.text(&format!("systems-subjects-{}", client.subjects.name())),
        ),
        (locale.text("systems-algorithm"), client.algorithm.name().to_owned()),
    ];
    if !client.resources.is_empty() {
        rows.push((locale.text("column-resources"), client.resources.join(" ")));
    }
    if !client.units.is_empty() {
        rows.push((locale.text("desk-unit"), units.collect::<Vec<_>>().join(" ")));
    }
    for (is, key) in [
        (client.third_party, "systems-third-party"),
        (client.without_pkce, "systems-without-pkce"),
        (client.client_credentials, "systems-client-credentials"),
        (client.hr, "systems-hr"),
    ] {
        if is {
            rows.push((locale.text(key), locale.text("systems-yes")));
        }
    }
    html(
        StatusCode::OK,
        &SystemPage {
            layout: operator.layout(&at),
            done,
            title: client.name.clone(),
            secret,
            rows,
            acts: acts.collect(),
        },
    )
}
