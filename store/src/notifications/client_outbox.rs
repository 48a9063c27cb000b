//! The outbox of security events: which clients are told what.

use crate::context::StoreContext;
use crate::crypto::keyring::Keyring;
use crate::db::bound::{NOTICE, SUBJECT, binds};
use crate::db::columns::for_each_in;
use crate::db::{Row, SqlValue, Tx};
use crate::error::{Result, StoreError};
use crate::journal::entry::Entry;
use crate::notifications::held_state::{HeldStateChanges, accounts_reported_held};
use ngomon_rules::client::{Client, ClientId};
use ngomon_rules::event::{Change, Subject};
use ngomon_rules::records::AccountId;
use std::collections::{BTreeSet, HashMap};

/// The kinds of security event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecurityEventKind {
    /// End the sessions (OpenID Connect Back-Channel Logout).
    Logout,
    /// End the sessions (CAEP session-revoked).
    SessionRevoked,
    /// The account is held (RISC account-disabled).
    AccountDisabled,
    /// Nothing holds the account any longer (RISC account-enabled).
    AccountEnabled,
}

impl SecurityEventKind {
    pub(crate) const ALL: [Self; 4] = [
        Self::Logout,
        Self::SessionRevoked,
        Self::AccountDisabled,
        Self::AccountEnabled,
    ];

    /// The name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::SessionRevoked => "session-revoked",
            Self::AccountDisabled => "account-disabled",
            Self::AccountEnabled => "account-enabled",
        }
    }
}

/// A client that is subscribed to an account, with its subject for it.
pub(crate) struct SubscribedClient {
    client: String,
    account: String,
    subject: String,
    settings: Client,
}

/// Parses the columns client, account, subject, MAC of these, settings. `None` if the MAC does not verify.
pub(crate) fn subscribed_client(keys: &Keyring, row: &Row) -> Result<Option<SubscribedClient>> {
    let [client, account, subject]: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
    let (mac, body): (Vec<u8>, String) = (row.get(3)?, row.get(4)?);
    let cells = [(&client).into(), (&account).into(), (&subject).into()];
    if !binds(keys, SUBJECT, &cells, Some(&mac)) {
        return Ok(None);
    }
    Ok(Some(SubscribedClient {
        client,
        account,
        subject,
        settings: serde_json::from_str(&body).map_err(|e| StoreError::corrupt("client", e))?,
    }))
}

pub(crate) fn row(
    ctx: &StoreContext,
    knower: &SubscribedClient,
    kind: SecurityEventKind,
    sid: Option<&str>,
) -> Vec<SqlValue> {
    let now = ctx.now();
    let cells = vec![
        ctx.id().into(),
        now.into(),
        (&knower.client).into(),
        kind.name().into(),
        (&knower.account).into(),
        (&knower.subject).into(),
        sid.into(),
    ];
    let mut row = NOTICE.row(&ctx.keys, cells);
    row.extend([now.into(), 0_i64.into(), SqlValue::Int(None), "".into()]);
    row
}

pub(crate) async fn put(
    tx: &mut Tx,
    ctx: &StoreContext,
    accounts: &BTreeSet<String>,
    rows: Vec<Vec<SqlValue>>,
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let into = "client_notice (id, at, client, kind, account, subject, sid, mac, due, tries, taken, fault)";
    tx.insert(into, rows, "").await?;
    let accounts: Vec<SqlValue> = accounts.iter().map(Into::into).collect();
    let sql = "UPDATE client_notice SET due = $1, tries = tries - 1 WHERE due > $1 AND failed < $1 AND account IN ({}) RETURNING id";
    some_of(tx, sql, ctx.now(), &accounts).await.map(drop)
}

/// Runs `sql`, which returns ids, over `wanted` in batches. `{}` stands for the placeholders of a batch, `$1` for `now`.
pub(crate) async fn some_of(tx: &mut Tx, sql: &str, now: i64, wanted: &[SqlValue]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for some in wanted.chunks(400) {
        let places: Vec<String> = (2..some.len() + 2).map(|at| format!("${at}")).collect();
        let args = std::iter::once(SqlValue::from(now)).chain(some.iter().cloned());
        for row in tx.rows(&sql.replace("{}", &places.join(",")), args).await? {
            found.push(row.get(0)?);
        }
    }
    Ok(found)
}

/// Deletes the undelivered events of a removed client.
pub(crate) async fn drop_notices(tx: &mut Tx, client: &ClientId) -> Result<()> {
    let sql = "DELETE FROM client_notice WHERE client = $1 AND due IS NOT NULL";
    tx.execute(sql, [client.as_str().into()]).await.map(drop)
}

/// Queues the logout events of ended sessions for each client that had a grant in one.
pub(crate) async fn enqueue_logout(tx: &mut Tx, ctx: &StoreContext, had: BTreeSet<[String; 3]>) -> Result<()> {
    let sql = "SELECT s.client, s.account, s.subject, s.mac, c.body FROM client_subject s JOIN client c ON c.id = s.client \
         WHERE s.client = $1 AND s.account = $2";
    let (mut rows, mut accounts) = (Vec::new(), BTreeSet::new());
    for [client, account, sid] in had {
        let Some(found) = tx.row(sql, [client.into(), account.into()]).await? else {
            continue;
        };
        let Some(knower) = subscribed_client(&ctx.keys, &found)? else {
            continue;
        };
        if knower.settings.backchannel_logout_uri.is_some() {
            rows.push(row(ctx, &knower, SecurityEventKind::Logout, Some(&sid)));
        }
        if knower.settings.events_uri.is_some() {
            rows.push(row(ctx, &knower, SecurityEventKind::SessionRevoked, Some(&sid)));
        }
        accounts.insert(knower.account);
    }
    put(tx, ctx, &accounts, rows).await
}

/// Queues the events that follow from new journal entries, in the same transaction. A replay queues none again.
pub(crate) async fn enqueue_for_events(tx: &mut Tx, ctx: &StoreContext, entries: &[Entry]) -> Result<()> {
    let (mut ended, mut begins, mut ends) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for entry in entries {
        match (&entry.event.subject, &entry.event.change) {
            (Subject::Account(id), Change::HoldPlaced { .. } | Change::AccountRemoved) => ended.insert(id.0.clone()),
            (Subject::Operator(name), Change::OperatorRemoved) => ended.insert(AccountId::of_operator(name).0),
            (Subject::Account(id), Change::ClaimEnded { .. } | Change::ExemptionEnded) => begins.insert(id.0.clone()),
            (
                Subject::Account(id),
                Change::HoldLifted { .. } | Change::ClaimMade { .. } | Change::ExemptionGranted { .. },
            ) => ends.insert(id.0.clone()),
            _ => false,
        };
    }
    // A client that got no *held* event gets no *open again*.
    let mut asked = accounts_reported_held(tx, &ends).await?;
    asked.extend(ended.iter().cloned());
    asked.append(&mut begins);
    let turn = HeldStateChanges::since_last_report(tx, ctx, &asked).await?;
    enqueue_held_events(tx, ctx, &ended, turn).await
}

/// Queues the events of accounts whose held state changed. Revokes the grants of those that are held and of the accounts in `ended`.
pub(crate) async fn enqueue_held_events(
    tx: &mut Tx,
    ctx: &StoreContext,
    ended: &BTreeSet<String>,
    turn: HeldStateChanges,
) -> Result<()> {
    let ended: BTreeSet<&String> = ended.union(&turn.begun).collect();
    let all: Vec<SqlValue> = ended.iter().copied().chain(&turn.over).map(Into::into).collect();
    if all.is_empty() {
        return Ok(());
    }
    // The sessions are also named one by one, for libraries that find a session only by its `sid`.
    let mut sessions: HashMap<[String; 2], BTreeSet<String>> = HashMap::new();
    let wanted: Vec<SqlValue> = ended.iter().copied().map(Into::into).collect();
    let sql = "DELETE FROM client_grant WHERE account IN ({}) RETURNING client, account, sid";
    for_each_in(tx, sql, &wanted, |row| {
        sessions
            .entry([row.get(0)?, row.get(1)?])
            .or_default()
            .insert(row.get(2)?);
        Ok(())
    })
    .await?;
    let (mut rows, mut known) = (Vec::new(), BTreeSet::new());
    let sql = "SELECT s.client, s.account, s.subject, s.mac, c.body FROM client_subject s JOIN client c ON c.id = s.client \
         WHERE s.account IN ({}) ORDER BY s.account, s.client";
    for_each_in(tx, sql, &all, |found| {
        let Some(knower) = subscribed_client(&ctx.keys, &found)? else {
            return Ok(());
        };
        let account = &knower.account;
        if ended.contains(account) && knower.settings.backchannel_logout_uri.is_some() {
            rows.push(row(ctx, &knower, SecurityEventKind::Logout, None));
            let named = sessions.get(&[knower.client.clone(), account.clone()]);
            for sid in named.into_iter().flatten() {
                rows.push(row(ctx, &knower, SecurityEventKind::Logout, Some(sid)));
            }
        }
        if knower.settings.events_uri.is_some() {
            for (kind, is_told) in [
                (SecurityEventKind::SessionRevoked, ended.contains(account)),
                (SecurityEventKind::AccountDisabled, turn.begun.contains(account)),
                (SecurityEventKind::AccountEnabled, turn.over.contains(account)),
            ] {
                rows.extend(is_told.then(|| row(ctx, &knower, kind, None)));
            }
        }
        known.insert(knower.account);
        Ok(())
    })
    .await?;
    turn.record(tx, ctx, &known).await?;
    put(tx, ctx, &known, rows).await
}
