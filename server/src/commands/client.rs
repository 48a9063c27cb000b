//! `ngomon client`: the connected systems that sign people in here.

use super::{Desk, Done};
use crate::cli::{AddClient, ClientVerb, GrantArg};
use crate::failure::{Failure, Result};
use crate::output::{Format, Table};
use ngomon_rules::client::{Algorithm, Authentication, Client, ClientFault, Scope, SubjectKind};
use ngomon_rules::record::AccountKind;
use ngomon_rules::unit::UnitCode;
use ngomon_store::{KnownClient, NewClient, Refusal};

/// So many notices are listed.
const MOST: u32 = 200;
/// What is listed of a client.
const LISTED: [&str; 7] = [
    "client_id",
    "client",
    "enabled",
    "last_use",
    "redirect_uris",
    "scopes",
    "resources",
];

/// Adds, lists, rotates, disables, removes; lists what clients were told, and tells it again.
pub async fn run(desk: &Desk, verb: ClientVerb) -> Result<Done> {
    match verb {
        ClientVerb::Add(args) => {
            let client = client(*args)?;
            let store = desk.open_or_create().await?;
            let units = store.units().await?;
            if let Some(unknown) = client.units.iter().find(|code| units.get(code).is_none()) {
                return Err(Failure::Store(Refusal::UnknownUnit(unknown.to_string()).into()));
            }
            let new = store.add_client(client, &desk.by).await?;
            store.seal().await?;
            shown_once(desk, &new);
        }
        ClientVerb::List(format) => {
            let mut table = Table::new(&LISTED);
            for known in desk.open().await?.clients().await? {
                table.push(line(desk, format.format, &known));
            }
            desk.print(&table, format.format)?;
        }
        ClientVerb::Rotate { client, overlap } => {
            let store = desk.open().await?;
            let new = store
                .rotate_client(&client, i64::from(overlap) * 3_600, &desk.by)
                .await?;
            store.seal().await?;
            shown_once(desk, &new);
        }
        ClientVerb::Disable { client } => {
            let store = desk.open().await?;
            store.disable_client(&client, &desk.by).await?;
            store.seal().await?;
            desk.tell("client-disabled", &[("name", &client)]);
        }
        ClientVerb::Enable { client } => {
            let store = desk.open().await?;
            store.enable_client(&client, &desk.by).await?;
            store.seal().await?;
            desk.tell("client-enabled", &[("name", &client)]);
        }
        ClientVerb::Remove { client } => {
            let store = desk.open().await?;
            store.remove_client(&client, &desk.by).await?;
            store.seal().await?;
            desk.tell("client-removed", &[("name", &client)]);
        }
        ClientVerb::Notices { resend, format } => {
            let store = desk.open().await?;
            if let Some(notice) = resend {
                if !store.resend_notice(&notice, &desk.by).await? {
                    return Err(Failure::said("client-no-notice", &[("notice", &notice)]));
                }
                store.seal().await?;
                desk.tell("client-resent", &[("notice", &notice)]);
                return Ok(Done::Yes);
            }
            let mut table = Table::new(&["notice", "at", "client", "what", "account", "taken", "tries", "fault"]);
            for one in store.notices(MOST).await? {
                let taken = match (one.taken, one.waits) {
                    (Some(at), _) => instant(desk, format.format, at),
                    (None, true) => desk.words.say("notice-waits"),
                    (None, false) => desk.words.say("notice-given-up"),
                };
                let at = instant(desk, format.format, one.at);
                let (account, tries) = (one.account.to_string(), one.tries.to_string());
                table.push([one.id, at, one.client, one.kind, account, taken, tries, one.fault]);
            }
            desk.print(&table, format.format)?;
        }
    }
    Ok(Done::Yes)
}

/// What scripts read.
fn shown_once(desk: &Desk, new: &NewClient) {
    println!("client_id: {}", new.id);
    if let Some(secret) = &new.secret {
        println!("client_secret: {secret}");
        eprintln!("{}", desk.words.say("client-secret-once"));
    }
}

/// For people as they read it, for scripts as RFC 3339.
fn instant(desk: &Desk, format: Format, at: i64) -> String {
    match (format, jiff::Timestamp::from_microsecond(at)) {
        (Format::Csv | Format::Json, Ok(at)) => at.to_string(),
        _ => desk.words.instant(at),
    }
}

fn line(desk: &Desk, format: Format, known: &KnownClient) -> [String; LISTED.len()] {
    [
        known.id.to_string(),
        known.client.name.clone(),
        if known.enabled { "yes" } else { "no" }.to_owned(),
        known.last_use.map(|at| instant(desk, format, at)).unwrap_or_default(),
        known.client.redirect_uris.join(" "),
        Scope::words(&known.client.scopes),
        known.client.resources.join(" "),
    ]
}

fn client(args: AddClient) -> Result<Client> {
    let bad = |fault| Failure::Store(Refusal::Client(fault).into());
    let jwks = args.jwks.as_ref().map(std::fs::read_to_string).transpose();
    let jwks = jwks.map_err(|error| Failure::said("error-jwks", &[("why", &error.to_string())]))?;
    if let Some(text) = &jwks {
        let set = serde_json::from_str::<jsonwebtoken::jwk::JwkSet>(text);
        set.map_err(|error| Failure::said("error-jwks", &[("why", &error.to_string())]))?;
    }
    let usual = Client::new(&args.name, args.redirect_uri);
    let client = Client {
        post_logout_redirect_uris: args.post_logout_redirect_uri,
        backchannel_logout_uri: args.backchannel_logout_uri,
        events_uri: args.events_uri,
        resources: args.resource,
        authentication: match (args.public, &jwks) {
            (true, _) => Authentication::None,
            (false, Some(_)) => Authentication::PrivateKey,
            (false, None) => Authentication::Secret,
        },
        jwks,
        client_credentials: args.grant.contains(&GrantArg::ClientCredentials),
        scopes: if args.scope.is_empty() {
            usual.scopes
        } else {
            args.scope.iter().filter_map(|word| Scope::parse(word)).collect()
        },
        subjects: SubjectKind::parse(&args.subject).unwrap_or(usual.subjects),
        algorithm: Algorithm::parse(&args.algorithm).unwrap_or(usual.algorithm),
        kinds: if args.kind.is_empty() {
            usual.kinds
        } else {
            args.kind.iter().filter_map(|word| AccountKind::parse(word)).collect()
        },
        units: args.unit.into_iter().map(UnitCode).collect(),
        third_party: args.third_party,
        without_pkce: args.without_pkce,
        hr: args.hr,
        ..Client::new(&usual.name, usual.redirect_uris)
    };
    client.check().map_err(|fault: ClientFault| bad(fault))?;
    Ok(client)
}
