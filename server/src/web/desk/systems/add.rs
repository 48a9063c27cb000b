//! A connected system is added. What is rare (units, keys of its own, algorithms) is left to the command.

use super::show::with_secret;
use crate::failure::refused;
use crate::web::App;
use crate::web::desk::act::{Choice, Choices};
use crate::web::desk::{Operator, Sent};
use crate::web::page::{Input, Mistake, Shell, html, mistakes};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use ngomon_rules::client::{Authentication, Client, ClientFault, Scope};
use ngomon_rules::record::AccountKind;
use ngomon_store::{Refusal, StoreError};

#[derive(Template)]
#[template(path = "desk/system_add.html")]
struct Page {
    shell: Shell,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
    choices: [Choices; 3],
}

/// The longest addresses together, in characters.
const LONGEST: u16 = 2_000;
const KINDS: [AccountKind; 3] = [AccountKind::Citizen, AccountKind::Official, AccountKind::Unit];
const FIELDS: [&str; 6] = [
    "name",
    "redirect_uris",
    "post_logout_uris",
    "backchannel_uri",
    "events_uri",
    "resources",
];
const TRAITS: [&str; 3] = ["public", "third-party", "client-credentials"];

fn fields(operator: &Operator, sent: Option<&Sent>, wrong: Option<(&'static str, String)>) -> Vec<Input> {
    let words = operator.asker.words;
    let all = FIELDS.into_iter().map(|name| Input {
        value: sent.map(|sent| sent.text(name)).unwrap_or_default().to_owned(),
        hint: words.say(&format!("systems-hint-{}", name.replace('_', "-"))),
        error: wrong
            .as_ref()
            .filter(|(of, _)| *of == name)
            .map(|(_, text)| text.clone()),
        maxlength: LONGEST,
        ..Input::new(name, words.say(&format!("systems-field-{}", name.replace('_', "-"))))
    });
    all.collect()
}

fn page(operator: &Operator, sent: Option<&Sent>, wrong: Option<(&'static str, String)>) -> Response {
    let words = operator.asker.words;
    let ticked = |name: &str, value: &str, usual: bool| match sent {
        Some(sent) => sent.all(name).any(|one| one == value),
        None => usual,
    };
    let choices = |name: &'static str, legend: &str, options: Vec<Choice>| Choices {
        name,
        legend: words.say(legend),
        error: wrong
            .as_ref()
            .filter(|(of, _)| *of == name)
            .map(|(_, text)| text.clone()),
        kind: "checkboxes",
        options,
    };
    let scopes = Scope::ALL
        .iter()
        .filter(|scope| **scope != Scope::Openid)
        .map(|scope| Choice {
            value: scope.name(),
            label: words.say(&format!("scope-{}", scope.name().replace('_', "-"))),
            ticked: ticked("scopes", scope.name(), *scope == Scope::Profile),
        });
    let kinds = KINDS.into_iter().map(|kind| Choice {
        value: kind.name(),
        label: words.say(&format!("kind-{}", kind.name())),
        ticked: ticked("kinds", kind.name(), true),
    });
    let traits = TRAITS.into_iter().map(|name| Choice {
        value: name,
        label: words.say(&format!("systems-{name}")),
        ticked: ticked("traits", name, false),
    });
    let choices = [
        choices("scopes", "column-scopes", scopes.collect()),
        choices("kinds", "systems-kinds", kinds.collect()),
        choices("traits", "systems-traits", traits.collect()),
    ];
    let fields = fields(operator, sent, wrong.clone());
    let of_choices = choices.iter().filter_map(|one| {
        let text = one.error.clone()?;
        Some(Mistake { field: one.name, text })
    });
    let errors: Vec<Mistake> = mistakes(&fields).into_iter().chain(of_choices).collect();
    let mut shell = operator.shell("/desk/systems/new");
    shell.wrong = !errors.is_empty();
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    html(
        status,
        &Page {
            shell,
            errors,
            fields,
            choices,
        },
    )
}

/// The form.
pub async fn show(operator: Operator) -> Response {
    page(&operator, None, None)
}

fn client(sent: &Sent) -> Client {
    let several = |name: &str| {
        sent.text(name)
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let one = |name: &str| Some(sent.text(name).to_owned()).filter(|text| !text.is_empty());
    let is = |name: &str| sent.all("traits").any(|one| one == name);
    Client {
        post_logout_redirect_uris: several("post_logout_uris"),
        backchannel_logout_uri: one("backchannel_uri"),
        events_uri: one("events_uri"),
        resources: several("resources"),
        authentication: if is("public") {
            Authentication::None
        } else {
            Authentication::Secret
        },
        client_credentials: is("client-credentials"),
        third_party: is("third-party"),
        scopes: sent.all("scopes").filter_map(Scope::parse).collect(),
        kinds: sent
            .all("kinds")
            .filter_map(AccountKind::parse)
            .filter(|kind| KINDS.contains(kind))
            .collect(),
        ..Client::new(sent.text("name"), several("redirect_uris"))
    }
}

/// At which field a fault is to be mended.
fn field_of(fault: &ClientFault, sent: &Sent) -> &'static str {
    match fault {
        ClientFault::Uri(uri) => FIELDS
            .into_iter()
            .find(|name| {
                sent.text(name)
                    .split_whitespace()
                    .any(|one| one.starts_with(uri.as_str()))
            })
            .unwrap_or("redirect_uris"),
        ClientFault::Twice(_) => "resources",
        ClientFault::NoRedirect => "redirect_uris",
        ClientFault::NoKind => "kinds",
        ClientFault::Public | ClientFault::Keys | ClientFault::NoSecret => "traits",
        ClientFault::Name => "name",
    }
}

/// It is added, and its secret shown once.
pub async fn add(State(app): State<App>, operator: Operator, sent: Sent) -> Response {
    let words = operator.asker.words;
    operator
        .answer(async {
            let new = match app.store.add_client(client(&sent), operator.permit.by()).await {
                Ok(new) => new,
                Err(StoreError::Refused(refusal)) => {
                    let field = match &refusal {
                        Refusal::Client(fault) => field_of(fault, &sent),
                        Refusal::ResourceExists(_) => "resources",
                        _ => "name",
                    };
                    return Ok(page(&operator, Some(&sent), Some((field, refused(&refusal, words)))));
                }
                Err(error) => return Err(error),
            };
            app.store.seal().await?;
            let known = app.store.client(new.id.as_str()).await?;
            let known = known.ok_or_else(|| Refusal::UnknownClient(new.id.to_string()))?;
            Ok(with_secret(&operator, known, new, "add"))
        })
        .await
}
