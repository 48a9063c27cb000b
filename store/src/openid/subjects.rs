//! The subject of an account at a client: assigned at the first sign-in, never changed (C3: "the same after as before").

use crate::boxed;
use crate::context::{Attribution, StoreContext};
use crate::crypto::keyring::Keyring;
use crate::db::bound::{SUBJECT, SUCCESSION, binds};
use crate::db::{Row, Tx};
use crate::error::{Refusal, Result};
use crate::openid::clients::{CLIENT_COLUMNS, CLIENT_USE, RegisteredClient, find, known_client};
use crate::store::Store;
use crate::unit_of_work::append;
use ngomon_rules::client::{ClientId, SubjectKind};
use ngomon_rules::event::{Change, Event};
use ngomon_rules::records::AccountId;
use std::collections::{HashMap, HashSet};

/// Assigns and journals the client's subject for an account that has none yet. The account's row must be locked.
pub(crate) async fn assign_subject(
    tx: &mut Tx,
    ctx: &StoreContext,
    known: &RegisteredClient,
    account: &AccountId,
) -> Result<()> {
    let subject = match known.client.subjects {
        SubjectKind::Account => account.as_str().to_owned(),
        SubjectKind::Public => match public(tx, &ctx.keys, account).await? {
            Some(known) => known,
            None => ctx.environment.hex::<16>(),
        },
        SubjectKind::Pairwise => ctx.environment.hex::<16>(),
    };
    let change = Change::SubjectNamed {
        client: known.id.clone(),
        name: known.client.name.clone(),
        subject,
        taken_over: false,
    };
    let act = Attribution::new(&format!("client:{}", known.id), ctx.environment.now());
    append(tx, ctx, &act, vec![Event::of_account(account, change)]).await
}

/// The subject of the account at another client with public subjects.
async fn public(tx: &mut Tx, keys: &Keyring, account: &AccountId) -> Result<Option<String>> {
    let sql = format!(
        "SELECT s.client, s.subject, s.mac, {CLIENT_COLUMNS} FROM client_subject s \
         JOIN client c ON c.id = s.client {CLIENT_USE} WHERE s.account = $1 AND s.taken_over = 0"
    );
    for row in tx.rows(&sql, [account.as_str().into()]).await? {
        let client: String = row.get(0)?;
        let subject = bound_subject(keys, &row, [&client, account.as_str()], 1)?;
        if subject.is_some() && known_client(keys, &row, 3)?.client.subjects == SubjectKind::Public {
            return Ok(subject);
        }
    }
    Ok(None)
}

/// The subject at `at`, whose MAC is in the next column. `None` if the MAC does not verify for this client and account.
fn bound_subject(keys: &Keyring, row: &Row, [client, account]: [&str; 2], at: usize) -> Result<Option<String>> {
    let subject: String = row.get(at)?;
    let cells = [client.into(), account.into(), (&subject).into()];
    let is_bound = binds(keys, SUBJECT, &cells, Some(&row.get::<Vec<u8>>(at + 1)?));
    Ok(is_bound.then_some(subject))
}

/// OpenID Connect Core 2: `sub` is ASCII of at most 255 characters.
fn may_be_subject(subject: &str) -> bool {
    (1..=255).contains(&subject.len()) && subject.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

/// Imports the client's own user ids as subjects of accounts that have not signed in there yet. All of them, or none. Returns the number of
/// new ones.
pub(crate) async fn take_over_subjects(
    tx: &mut Tx,
    ctx: &StoreContext,
    act: &Attribution,
    id_or_name: &str,
    subjects: &[(AccountId, String)],
) -> Result<u64> {
    let known = find(tx, &ctx.keys, id_or_name).await?;
    let known = known.ok_or_else(|| Refusal::UnknownClient(id_or_name.to_owned()))?;
    tx.rows_for_update("SELECT id FROM client WHERE id = $1", [known.id.as_str().into()])
        .await?;
    let sql = "SELECT account, subject FROM client_subject WHERE client = $1";
    let (mut names, mut taken) = (HashMap::new(), HashSet::new());
    tx.for_each_row(sql, [known.id.as_str().into()], |row| {
        let (account, subject): (String, String) = (row.get(0)?, row.get(1)?);
        taken.insert(subject.clone());
        names.insert(account, subject);
        Ok(())
    })
    .await?;
    let mut events = Vec::new();
    for (account, subject) in subjects {
        if names.get(account.as_str()) == Some(subject) {
            continue;
        }
        if names.contains_key(account.as_str()) {
            return Err(Refusal::SubjectKnown(account.0.clone()).into());
        }
        if !may_be_subject(subject) || !taken.insert(subject.clone()) {
            return Err(Refusal::Subject {
                account: account.0.clone(),
                subject: subject.clone(),
            }
            .into());
        }
        let sql = "SELECT id FROM account WHERE id = $1";
        if tx.row(sql, [account.as_str().into()]).await?.is_none() {
            return Err(Refusal::UnknownAccount(account.0.clone()).into());
        }
        names.insert(account.0.clone(), subject.clone());
        let change = Change::SubjectNamed {
            client: known.id.clone(),
            name: known.client.name.clone(),
            subject: subject.clone(),
            taken_over: true,
        };
        events.push(Event::of_account(account, change));
    }
    let new = events.len() as u64;
    if new > 0 {
        append(tx, ctx, act, events).await?;
    }
    Ok(new)
}

impl Store {
    /// Imports the client's own user ids as subjects of accounts that have not signed in there yet. All of them, or none. Returns the
    /// number of new ones.
    #[boxed]
    pub async fn name_subjects(&self, id_or_name: &str, subjects: Vec<(AccountId, String)>, by: &str) -> Result<u64> {
        let (ctx, act, name) = (
            self.ctx.clone(),
            Attribution::new(by, self.now()),
            id_or_name.to_owned(),
        );
        self.db
            .transaction(move |tx| {
                let (ctx, act, name, subjects) = (ctx.clone(), act.clone(), name.clone(), subjects.clone());
                Box::pin(async move { take_over_subjects(tx, &ctx, &act, &name, &subjects).await })
            })
            .await
    }

    /// The client's subject for the account; `None` if it has none.
    #[boxed]
    pub async fn subject_of(&self, client: &ClientId, account: &AccountId) -> Result<Option<String>> {
        self.db
            .query(async |tx| subject(tx, &self.ctx.keys, client, account).await)
            .await
    }
}

pub(crate) async fn subject(
    tx: &mut Tx,
    keys: &Keyring,
    client: &ClientId,
    account: &AccountId,
) -> Result<Option<String>> {
    let sql = "SELECT subject, mac FROM client_subject WHERE client = $1 AND account = $2";
    match tx.row(sql, [client.as_str().into(), account.as_str().into()]).await? {
        Some(row) => bound_subject(keys, &row, [client.as_str(), account.as_str()], 0),
        None => Ok(None),
    }
}

/// The client's subjects for the accounts that this one succeeds, by a transfer or a join: the client moves its own data over.
pub(crate) async fn previous_subjects(
    tx: &mut Tx,
    keys: &Keyring,
    client: &ClientId,
    account: &AccountId,
) -> Result<Vec<String>> {
    let sql = "SELECT f.succeeds, f.mac, s.subject, s.mac FROM succession f JOIN client_subject s ON s.account = f.succeeds \
         WHERE f.account = $1 AND s.client = $2 ORDER BY s.account";
    let mut former = Vec::new();
    for row in tx.rows(sql, [account.as_str().into(), client.as_str().into()]).await? {
        let succeeds: String = row.get(0)?;
        let cells = [account.as_str().into(), (&succeeds).into()];
        if binds(keys, SUCCESSION, &cells, Some(&row.get::<Vec<u8>>(1)?)) {
            former.extend(bound_subject(keys, &row, [client.as_str(), &succeeds], 2)?);
        }
    }
    Ok(former)
}
