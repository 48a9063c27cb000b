//! The command `ngomon client`: the connected systems that sign users in here.

use crate::cli::args::{ClientOptions, ClientVerb, EditClient, GrantArg};
use crate::cli::error_text::{CommandError, Result};
use crate::commands::context::{CommandContext, ExitStatus};
use crate::desk::systems::subjects_file::subjects;
use crate::export::{Format, Table};
use crate::i18n::notice_fault;
use ngomon_rules::client::{Algorithm, Authentication, Client, Scope, SubjectKind};
use ngomon_rules::records::AccountKind;
use ngomon_rules::unit::UnitCode;
use ngomon_store::{NewClient, Refusal, RegisteredClient, Store};
use std::path::Path;

/// The most deliveries that are listed.
const MOST: u32 = 200;
/// The columns of the list of clients.
const LISTED: [&str; 7] = [
    "client_id",
    "client",
    "enabled",
    "last_use",
    "redirect_uris",
    "scopes",
    "resources",
];

/// Adds, edits, lists, rotates, disables or removes clients; lists their security events and sends them again.
pub async fn run(ctx: &CommandContext, verb: ClientVerb) -> Result<ExitStatus> {
    match verb {
        ClientVerb::Add(args) => {
            let client = stated(args.options, Client::new(&args.name, Vec::new()))?;
            let store = ctx.open_or_create().await?;
            has_its_units(&store, &client).await?;
            let new = store.add_client(client, &ctx.by).await?;
            shown_once(ctx, &new);
            ctx.warn("client-discovery", &[]);
            ctx.seal(&store).await;
        }
        ClientVerb::Edit(args) => edit(ctx, *args).await?,
        ClientVerb::Subjects { client, file } => take_over(ctx, &client, &file).await?,
        ClientVerb::List(format) => {
            let mut table = Table::new(&LISTED);
            for known in ctx.open().await?.clients().await? {
                table.push(line(ctx, format.format, &known));
            }
            ctx.print(&table, format.format);
        }
        ClientVerb::Rotate { client, overlap } => {
            let store = ctx.open_to_change().await?;
            let new = store
                .rotate_client(&client, i64::from(overlap) * 3_600, &ctx.by)
                .await?;
            shown_once(ctx, &new);
            ctx.seal(&store).await;
        }
        ClientVerb::Disable { client } => {
            let store = ctx.open_to_change().await?;
            store.disable_client(&client, &ctx.by).await?;
            ctx.seal(&store).await;
            ctx.print_text("client-disabled", &[("name", &client)]);
        }
        ClientVerb::Enable { client } => {
            let store = ctx.open_to_change().await?;
            store.enable_client(&client, &ctx.by).await?;
            ctx.seal(&store).await;
            ctx.print_text("client-enabled", &[("name", &client)]);
        }
        ClientVerb::Remove { client } => {
            let store = ctx.open_to_change().await?;
            store.remove_client(&client, &ctx.by).await?;
            ctx.seal(&store).await;
            ctx.print_text("client-removed", &[("name", &client)]);
        }
        ClientVerb::Notices {
            resend,
            untaken,
            format,
        } => {
            let store = ctx.open().await?;
            if let Some(notice) = resend {
                if !store.resend_notice(&notice, &ctx.by).await? {
                    return Err(CommandError::error_text("client-no-notice", &[("notice", &notice)]));
                }
                ctx.seal(&store).await;
                ctx.print_text("client-resent", &[("notice", &notice)]);
                return Ok(ExitStatus::Yes);
            }
            let mut table = Table::new(&["notice", "at", "client", "what", "account", "taken", "tries", "fault"]);
            let lines = if untaken {
                store.untaken_notices().await?
            } else {
                store.notices(MOST).await?
            };
            for one in lines {
                let taken = match (one.taken, one.waits) {
                    (Some(at), _) => instant(ctx, format.format, at),
                    (None, true) => ctx.locale.text("notice-waits"),
                    (None, false) => ctx.locale.text("notice-given-up"),
                };
                let at = instant(ctx, format.format, one.at);
                let (account, tries) = (one.account.to_string(), one.tries.to_string());
                let fault = match format.format {
                    Format::Table => notice_fault(ctx.locale, &one.fault),
                    _ => one.fault,
                };
                table.push([one.id, at, one.client, one.kind, account, taken, tries, fault]);
            }
            ctx.print(&table, format.format);
        }
    }
    Ok(ExitStatus::Yes)
}

async fn edit(ctx: &CommandContext, args: EditClient) -> Result<()> {
    let store = ctx.open_to_change().await?;
    let known = known(&store, &args.client).await?;
    let mut base = known.client.clone();
    base.name = args.name.unwrap_or(base.name);
    let client = stated(args.options, base)?;
    has_its_units(&store, &client).await?;
    let new = store.edit_client(&known.id, &known.client, client, &ctx.by).await?;
    shown_once(ctx, &new);
    ctx.seal(&store).await;
    ctx.print_text("client-edited", &[("name", &known.client.name)]);
    Ok(())
}

async fn take_over(ctx: &CommandContext, client: &str, file: &Path) -> Result<()> {
    let path = file.display().to_string();
    let text = std::fs::read_to_string(file);
    let text =
        text.map_err(|e| CommandError::error_text("error-subjects", &[("path", &path), ("why", &e.to_string())]))?;
    let wrong =
        |row: usize| CommandError::error_text("error-subjects-row", &[("path", &path), ("row", &row.to_string())]);
    let subjects = subjects(&text).map_err(wrong)?;
    let store = ctx.open_to_change().await?;
    let new = store.name_subjects(client, subjects, &ctx.by).await?;
    ctx.seal(&store).await;
    ctx.print_text("client-subjects", &[("name", client), ("n", &new.to_string())]);
    Ok(())
}

/// Prints the client's id and secret in a form that scripts can read.
fn shown_once(ctx: &CommandContext, new: &NewClient) {
    let mut lines = vec![format!("client_id: {}", new.id)];
    lines.extend(new.secret.iter().map(|secret| format!("client_secret: {secret}")));
    ctx.once(&lines);
    if new.secret.is_some() {
        ctx.warn("client-secret-once", &[]);
    }
}

/// An instant: in words for people, as RFC 3339 for scripts.
pub fn instant(ctx: &CommandContext, format: Format, at: i64) -> String {
    match (format, jiff::Timestamp::from_microsecond(at)) {
        (Format::Csv | Format::Json, Ok(at)) => at.to_string(),
        _ => ctx.locale.instant(at),
    }
}

fn line(ctx: &CommandContext, format: Format, known: &RegisteredClient) -> [String; LISTED.len()] {
    [
        known.id.to_string(),
        known.client.name.clone(),
        if known.enabled { "yes" } else { "no" }.to_owned(),
        known.last_use.map(|at| instant(ctx, format, at)).unwrap_or_default(),
        known.client.redirect_uris.join(" "),
        Scope::words(&known.client.scopes),
        known.client.resources.join(" "),
    ]
}

async fn known(store: &Store, id_or_name: &str) -> Result<RegisteredClient> {
    let all = store.clients().await?;
    let known = all
        .into_iter()
        .find(|one| one.id.as_str() == id_or_name || one.client.name == id_or_name);
    known.ok_or_else(|| CommandError::Store(Refusal::UnknownClient(id_or_name.to_owned()).into()))
}

async fn has_its_units(store: &Store, client: &Client) -> Result<()> {
    let units = store.units().await?;
    match client.units.iter().find(|code| units.get(code).is_none()) {
        Some(unknown) => Err(CommandError::Store(Refusal::UnknownUnit(unknown.to_string()).into())),
        None => Ok(()),
    }
}

fn several(given: Option<Vec<String>>, before: Vec<String>) -> Vec<String> {
    let given = given.map(|all| all.into_iter().filter(|one| !one.is_empty()).collect());
    given.unwrap_or(before)
}

fn one(given: Option<String>, before: Option<String>) -> Option<String> {
    match given {
        Some(given) => Some(given).filter(|given| !given.is_empty()),
        None => before,
    }
}

/// The client with the given options applied; the others stay as they were.
fn stated(options: ClientOptions, base: Client) -> Result<Client> {
    let jwks = options.jwks.as_ref().map(std::fs::read_to_string).transpose();
    let jwks = jwks.map_err(|error| CommandError::error_text("error-jwks", &[("why", &error.to_string())]))?;
    if let Some(text) = &jwks {
        let set = serde_json::from_str::<jsonwebtoken::jwk::JwkSet>(text);
        set.map_err(|error| CommandError::error_text("error-jwks", &[("why", &error.to_string())]))?;
    }
    let authentication = match (options.public, &jwks) {
        (Some(true), _) => Authentication::None,
        (_, Some(_)) => Authentication::PrivateKey,
        (Some(false), None) if base.authentication == Authentication::None => Authentication::Secret,
        (_, None) => base.authentication,
    };
    let scopes = options
        .scope
        .map(|names| names.iter().filter_map(|word| Scope::parse(word)).collect());
    let kinds = options
        .kind
        .map(|names| names.iter().filter_map(|word| AccountKind::parse(word)).collect());
    let units = base.units.into_iter().map(|unit| unit.0).collect();
    let client = Client {
        redirect_uris: several(options.redirect_uri, base.redirect_uris),
        post_logout_redirect_uris: several(options.post_logout_redirect_uri, base.post_logout_redirect_uris),
        backchannel_logout_uri: one(options.backchannel_logout_uri, base.backchannel_logout_uri),
        events_uri: one(options.events_uri, base.events_uri),
        resources: several(options.resource, base.resources),
        jwks: jwks
            .or(base.jwks)
            .filter(|_| authentication == Authentication::PrivateKey),
        authentication,
        client_credentials: match options.grant {
            Some(grants) => grants.contains(&GrantArg::ClientCredentials),
            None => base.client_credentials,
        },
        scopes: scopes.unwrap_or(base.scopes),
        subjects: options
            .subject
            .and_then(|word| SubjectKind::parse(&word))
            .unwrap_or(base.subjects),
        algorithm: options
            .algorithm
            .and_then(|word| Algorithm::parse(&word))
            .unwrap_or(base.algorithm),
        kinds: kinds.unwrap_or(base.kinds),
        units: several(options.unit, units).into_iter().map(UnitCode).collect(),
        third_party: options.third_party.unwrap_or(base.third_party),
        without_pkce: options.without_pkce.unwrap_or(base.without_pkce),
        hr: options.hr.unwrap_or(base.hr),
        name: base.name,
    };
    client
        .check()
        .map_err(|fault| CommandError::Store(Refusal::Client(fault).into()))?;
    Ok(client)
}
