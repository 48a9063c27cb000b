//! The form that adds a connected system or changes its settings. Rare settings (units, its own keys, algorithms) are left to
//! the command.

use crate::app::App;
use crate::cli::error_text::refused;
use crate::desk::act_proposal::propose;
use crate::desk::confirm::{Choice, Choices, required, text_input};
use crate::desk::operator::{CheckedForm, Operator};
use crate::desk::systems::show::with_secret;
use crate::desk::url::system_address;
use crate::http::{Input, Layout, Mistake, html, mistakes};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use ngomon_rules::client::{Authentication, Client, ClientFault, Scope};
use ngomon_rules::event::ProposedAct;
use ngomon_rules::records::AccountKind;
use ngomon_store::{Refusal, RegisteredClient, StoreError};

#[derive(Template)]
#[template(path = "desk/system_add.html")]
struct AddSystemPage {
    layout: Layout,
    /// The title and the button have the message keys `systems-KEY-title` and `systems-KEY-button`.
    title: String,
    button: String,
    back: String,
    errors: Vec<Mistake>,
    fields: Vec<Input>,
    choices: [Choices; 3],
}

/// The longest list of addresses, in characters.
const LONGEST: u16 = 2_000;
const KINDS: [AccountKind; 3] = [AccountKind::Citizen, AccountKind::Official, AccountKind::Unit];
/// The reason, for a system that a second operator must approve.
const REASON: &str = "reason";
const FIELDS: [&str; 6] = [
    "name",
    "redirect_uris",
    "post_logout_uris",
    "backchannel_uri",
    "events_uri",
    "resources",
];
const TRAITS: [&str; 3] = ["public", "third-party", "client-credentials"];

fn fields(operator: &Operator, sent: Option<&CheckedForm>, wrong: Option<(&'static str, String)>) -> Vec<Input> {
    let locale = operator.ctx.locale;
    let all = FIELDS.into_iter().map(|name| Input {
        value: sent.map(|sent| sent.field(name)).unwrap_or_default().to_owned(),
        hint: locale.text(&format!("systems-hint-{}", name.replace('_', "-"))),
        error: wrong
            .as_ref()
            .filter(|(of, _)| *of == name)
            .map(|(_, text)| text.clone()),
        maxlength: LONGEST,
        ..Input::new(name, locale.text(&format!("systems-field-{}", name.replace('_', "-"))))
    });
    all.collect()
}

fn page(
    operator: &Operator,
    sent: Option<&CheckedForm>,
    wrong: Option<(&'static str, String)>,
    of: Option<&RegisteredClient>,
) -> Response {
    let locale = operator.ctx.locale;
    let (key, here, back) = match of {
        Some(known) => {
            let back = system_address(known.id.as_str());
            ("edit", format!("{back}/edit"), back)
        }
        None => ("add", "/desk/systems/new".to_owned(), "/desk/systems".to_owned()),
    };
    let ticked = |name: &str, value: &str, usual: bool| match sent {
        Some(sent) => sent.all(name).any(|one| one == value),
        None => usual,
    };
    let choices = |name: &'static str, legend: &str, options: Vec<Choice>| Choices {
        name,
        legend: locale.text(legend),
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
            label: locale.text(&format!("scope-{}", scope.name().replace('_', "-"))),
            ticked: ticked("scopes", scope.name(), *scope == Scope::Profile),
        });
    let kinds = KINDS.into_iter().map(|kind| Choice {
        value: kind.name(),
        label: locale.text(&format!("kind-{}", kind.name())),
        ticked: ticked("kinds", kind.name(), true),
    });
    let traits = TRAITS.into_iter().map(|name| Choice {
        value: name,
        label: locale.text(&format!("systems-{name}")),
        ticked: ticked("traits", name, false),
    });
    let choices = [
        choices("scopes", "column-scopes", scopes.collect()),
        choices("kinds", "systems-kinds", kinds.collect()),
        choices("traits", "systems-traits", traits.collect()),
    ];
    let mut fields = fields(operator, sent, wrong.clone());
    // The reason is asked for only where it is needed.
    if let Some((_, error)) = wrong.as_ref().filter(|(of, _)| *of == REASON) {
        fields.push(Input {
            error: Some(error.clone()),
            ..text_input(REASON, "", locale)
        });
    }
    let of_choices = choices.iter().filter_map(|one| {
        let text = one.error.clone()?;
        Some(Mistake { field: one.name, text })
    });
    let errors: Vec<Mistake> = mistakes(&fields).into_iter().chain(of_choices).collect();
    let mut layout = operator.layout(&here);
    layout.wrong = !errors.is_empty();
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    html(
        status,
        &AddSystemPage {
            layout,
            title: locale.text(&format!("systems-{key}-title")),
            button: locale.text(&format!("systems-{key}-button")),
            back,
            errors,
            fields,
            choices,
        },
    )
}

/// Shows the empty form.
pub async fn show(operator: Operator) -> Response {
    page(&operator, None, None, None)
}

/// Shows the form with a system's present settings.
pub async fn show_edit(State(app): State<App>, operator: Operator, Path(id): Path<String>) -> Response {
    operator
        .answer(async {
            let known = app.store.client(&id).await?.ok_or(Refusal::UnknownClient(id))?;
            Ok(page(&operator, Some(&of(&known.client)), None, Some(&known)))
        })
        .await
}

/// The settings, as the form would send them.
fn of(client: &Client) -> CheckedForm {
    let one = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut sent = vec![
        ("name".to_owned(), client.name.clone()),
        ("redirect_uris".to_owned(), client.redirect_uris.join(" ")),
        (
            "post_logout_uris".to_owned(),
            client.post_logout_redirect_uris.join(" "),
        ),
        ("backchannel_uri".to_owned(), one(&client.backchannel_logout_uri)),
        ("events_uri".to_owned(), one(&client.events_uri)),
        ("resources".to_owned(), client.resources.join(" ")),
    ];
    let mut tick = |name: &str, value: &str| sent.push((name.to_owned(), value.to_owned()));
    client.scopes.iter().for_each(|scope| tick("scopes", scope.name()));
    client.kinds.iter().for_each(|kind| tick("kinds", kind.name()));
    for (is, name) in [
        (client.authentication == Authentication::None, "public"),
        (client.third_party, "third-party"),
        (client.client_credentials, "client-credentials"),
    ] {
        if is {
            tick("traits", name);
        }
    }
    CheckedForm::of(sent)
}

/// The settings that the form states. What it does not state stays as in `base`.
fn client(sent: &CheckedForm, base: Client) -> Client {
    let several = |name: &str| {
        sent.field(name)
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let one = |name: &str| Some(sent.field(name).to_owned()).filter(|text| !text.is_empty());
    let is = |name: &str| sent.all("traits").any(|one| one == name);
    Client {
        post_logout_redirect_uris: several("post_logout_uris"),
        backchannel_logout_uri: one("backchannel_uri"),
        events_uri: one("events_uri"),
        resources: several("resources"),
        authentication: match base.authentication {
            _ if is("public") => Authentication::None,
            Authentication::None => Authentication::Secret,
            before => before,
        },
        jwks: base.jwks.filter(|_| !is("public")),
        client_credentials: is("client-credentials"),
        third_party: is("third-party"),
        // Settings that the form does not ask for stay as they are.
        scopes: Scope::ALL
            .iter()
            .copied()
            .filter(|scope| match scope {
                Scope::Openid => base.scopes.contains(scope),
                _ => sent.all("scopes").any(|one| one == scope.name()),
            })
            .collect(),
        kinds: [
            AccountKind::Citizen,
            AccountKind::Official,
            AccountKind::Unit,
            AccountKind::Operator,
        ]
        .into_iter()
        .filter(|kind| {
            if KINDS.contains(kind) {
                sent.all("kinds").any(|one| one == kind.name())
            } else {
                base.kinds.contains(kind)
            }
        })
        .collect(),
        name: sent.field("name").to_owned(),
        redirect_uris: several("redirect_uris"),
        ..base
    }
}

/// The field at which a fault must be corrected.
fn field_of(fault: &ClientFault, sent: &CheckedForm) -> &'static str {
    match fault {
        ClientFault::Uri(uri) => FIELDS
            .into_iter()
            .find(|name| {
                sent.field(name)
                    .split_whitespace()
                    .any(|one| one.starts_with(uri.as_str()))
            })
            .unwrap_or("redirect_uris"),
        ClientFault::Twice(_) => "resources",
        ClientFault::NoRedirect => "redirect_uris",
        ClientFault::NoKind => "kinds",
        ClientFault::Public | ClientFault::Keys | ClientFault::NoSecret | ClientFault::Subjects => "traits",
        ClientFault::Name => "name",
    }
}

/// Adds the system and shows its secret once.
pub async fn add(State(app): State<App>, operator: Operator, sent: CheckedForm) -> Response {
    let usual = Client {
        scopes: Vec::new(),
        kinds: Vec::new(),
        ..Client::new("", Vec::new())
    };
    decided(&app, &operator, &sent, usual, None).await
}

/// Changes the settings of a system.
pub async fn edit(State(app): State<App>, operator: Operator, Path(id): Path<String>, sent: CheckedForm) -> Response {
    match app.store.client(&id).await {
        Ok(Some(known)) => decided(&app, &operator, &sent, known.client.clone(), Some(known)).await,
        Ok(None) => operator.answer(async { Err(Refusal::UnknownClient(id).into()) }).await,
        Err(error) => operator.answer(async { Err(error) }).await,
    }
}

async fn decided(
    app: &App,
    operator: &Operator,
    sent: &CheckedForm,
    base: Client,
    of: Option<RegisteredClient>,
) -> Response {
    let locale = operator.ctx.locale;
    operator
        .answer(async {
            let asked = client(sent, base);
            // An operator with a browser cannot make the server call addresses on its own machine (server-side request
            // forgery); the command line can.
            let on_machine = asked.told_on_this_machine().filter(|_| !app.sandbox);
            let on_machine = on_machine
                .filter(|uri| of.as_ref().and_then(|known| known.client.told_on_this_machine()) != Some(*uri));
            let done = match (on_machine, &of) {
                (Some(uri), _) => Err(Refusal::from(ClientFault::Uri(uri.to_owned())).into()),
                (None, None) => app.store.add_client_alone(&operator.permit, asked.clone()).await,
                (None, Some(known)) => {
                    let before = &known.client;
                    app.store
                        .edit_client_alone(&operator.permit, &known.id, before, asked.clone())
                        .await
                }
            };
            let new = match done {
                Ok(new) => new,
                Err(StoreError::Refused(Refusal::NeedsTwo)) => {
                    let why = required(REASON, sent.field(REASON), locale);
                    if let Some(error) = why.error {
                        let text = format!("{} {error}", locale.text("systems-needs-two"));
                        return Ok(page(operator, Some(sent), Some((REASON, text)), of.as_ref()));
                    }
                    let act = match of {
                        Some(known) => ProposedAct::EditClient {
                            id: known.id,
                            before: Box::new(known.client),
                            client: Box::new(asked),
                        },
                        None => ProposedAct::AddClient {
                            id: app.store.new_client_id(),
                            client: Box::new(asked),
                        },
                    };
                    return propose(app, operator, act, &why.value).await;
                }
                Err(StoreError::Refused(refusal)) => {
                    let field = match &refusal {
                        Refusal::Client(fault) => field_of(fault, sent),
                        Refusal::ResourceExists(_) => "resources",
                        _ => "name",
                    };
                    let wrong = Some((field, refused(&refusal, locale)));
                    return Ok(page(operator, Some(sent), wrong, of.as_ref()));
                }
                Err(error) => return Err(error),
            };
            if of.is_some() && new.secret.is_none() {
                return Ok(Redirect::to(&format!("{}?done=edit", system_address(new.id.as_str()))).into_response());
            }
            let known = app.store.client(new.id.as_str()).await?;
            let known = known.ok_or_else(|| Refusal::UnknownClient(new.id.to_string()))?;
            let done = if of.is_some() { "edit" } else { "add" };
            Ok(with_secret(app, operator, known, new, done))
        })
        .await
}
