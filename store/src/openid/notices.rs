//! What clients are yet to be told: written in the transaction of the change that it tells of, sent afterwards until it is taken.
//!
//! ```text
//!   waits ── taken by the client ──▶ done
//!     ├──── not taken ──▶ waits, twice as long ── twelve times, an hour or so ──▶ given up; it can be sent again by hand
//! ```

use super::told::{Turn, told_of};
use crate::db::{Arg, Row, Tx};
use crate::error::{Result, StoreError};
use crate::journal::{Act, Entry, Env, append};
use crate::store::Store;
use crate::tables::each_of;
use ngomon_rules::client::{Client, ClientId};
use ngomon_rules::event::{Change, Event, Subject};
use ngomon_rules::record::AccountId;
use std::collections::{BTreeSet, HashMap};

/// Whoever takes a notice up has so many microseconds to send it; then it is due again.
const TURN: i64 = 30 * 1_000_000;
/// After so many tries a notice is given up.
const TRIES: i64 = 12;

/// What a client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// End the sessions (OpenID Connect Back-Channel Logout).
    Logout,
    /// End the sessions (CAEP session-revoked).
    SessionRevoked,
    /// The account is held (RISC account-disabled).
    AccountDisabled,
    /// Nothing holds the account any more (RISC account-enabled).
    AccountEnabled,
}

impl NoticeKind {
    const ALL: [Self; 4] = [
        Self::Logout,
        Self::SessionRevoked,
        Self::AccountDisabled,
        Self::AccountEnabled,
    ];

    /// The word in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::SessionRevoked => "session-revoked",
            Self::AccountDisabled => "account-disabled",
            Self::AccountEnabled => "account-enabled",
        }
    }
}

/// A notice whose turn it is.
#[derive(Clone, Debug)]
pub struct DueNotice {
    /// Also the `jti` of its token.
    pub id: String,
    /// When it happened: microseconds UTC.
    pub at: i64,
    /// What.
    pub kind: NoticeKind,
    /// Whom to tell.
    pub client: ClientId,
    /// As it stands now.
    pub settings: Client,
    /// What the client calls the account.
    pub subject: String,
    /// One session only.
    pub sid: Option<String>,
}

/// A notice as an operator reads it.
#[derive(Clone, Debug)]
pub struct NoticeLine {
    /// Which.
    pub id: String,
    /// When it happened: microseconds UTC.
    pub at: i64,
    /// To whom, by name.
    pub client: String,
    /// What, as the table has it.
    pub kind: String,
    /// Of which account.
    pub account: AccountId,
    /// When it was taken: microseconds UTC.
    pub taken: Option<i64>,
    /// It is still tried.
    pub waits: bool,
    /// How often it was tried.
    pub tries: i64,
    /// What came of the last try.
    pub fault: String,
}

/// Who knows of an account.
struct Knower {
    client: String,
    account: String,
    subject: String,
    settings: Client,
}

fn knower(row: &Row) -> Result<Knower> {
    let body: String = row.get(3)?;
    Ok(Knower {
        client: row.get(0)?,
        account: row.get(1)?,
        subject: row.get(2)?,
        settings: serde_json::from_str(&body).map_err(|e| StoreError::corrupt("client", e))?,
    })
}

fn row(env: &Env, knower: &Knower, kind: NoticeKind, sid: Option<&str>) -> Vec<Arg> {
    let now = env.now();
    vec![
        env.id().into(),
        now.into(),
        (&knower.client).into(),
        kind.name().into(),
        (&knower.account).into(),
        (&knower.subject).into(),
        sid.into(),
        now.into(),
        0_i64.into(),
        Arg::Int(None),
        "".into(),
    ]
}

async fn put(tx: &mut Tx, rows: Vec<Vec<Arg>>) -> Result<()> {
    let into = "client_notice (id, at, client, kind, account, subject, sid, due, tries, taken, fault)";
    tx.insert(into, rows, "").await.map(drop)
}

/// Sessions are over: each client that had part in one is told.
pub(crate) async fn signed_out(tx: &mut Tx, env: &Env, had: BTreeSet<[String; 3]>) -> Result<()> {
    let sql = "SELECT s.client, s.account, s.subject, c.body FROM client_subject s JOIN client c ON c.id = s.client \
         WHERE s.client = $1 AND s.account = $2";
    let mut rows = Vec::new();
    for [client, account, sid] in had {
        let Some(found) = tx.row(sql, [client.into(), account.into()]).await? else {
            continue;
        };
        let knower = knower(&found)?;
        if knower.settings.backchannel_logout_uri.is_some() {
            rows.push(row(env, &knower, NoticeKind::Logout, Some(&sid)));
        }
        if knower.settings.events_uri.is_some() {
            rows.push(row(env, &knower, NoticeKind::SessionRevoked, Some(&sid)));
        }
    }
    put(tx, rows).await
}

/// What follows for clients from entries that were just written, in the same transaction. A replay writes none of it again.
pub(crate) async fn after(tx: &mut Tx, env: &Env, entries: &[Entry]) -> Result<()> {
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
    // Nobody is told of an end who was not told of a beginning.
    let mut asked = told_of(tx, &ends).await?;
    asked.extend(ended.iter().cloned());
    asked.append(&mut begins);
    let turn = Turn::of(tx, env, &asked).await?;
    tell(tx, env, &ended, turn).await
}

/// Tells clients of accounts whose turn it is, and ends what is open of those that are held and of those whose hold is `ended`.
pub(super) async fn tell(tx: &mut Tx, env: &Env, ended: &BTreeSet<String>, turn: Turn) -> Result<()> {
    let ended: BTreeSet<&String> = ended.union(&turn.begun).collect();
    let all: Vec<Arg> = ended.iter().copied().chain(&turn.over).map(Into::into).collect();
    if all.is_empty() {
        return Ok(());
    }
    // What was given before is worth nothing any more; its sessions are named to the clients one by one besides, for libraries that find
    // a session by its `sid` only.
    let mut sessions: HashMap<[String; 2], BTreeSet<String>> = HashMap::new();
    let wanted: Vec<Arg> = ended.iter().copied().map(Into::into).collect();
    let sql = "DELETE FROM client_grant WHERE account IN ({}) RETURNING client, account, sid";
    each_of(tx, sql, &wanted, |row| {
        sessions
            .entry([row.get(0)?, row.get(1)?])
            .or_default()
            .insert(row.get(2)?);
        Ok(())
    })
    .await?;
    let (mut rows, mut known) = (Vec::new(), BTreeSet::new());
    let sql = "SELECT s.client, s.account, s.subject, c.body FROM client_subject s JOIN client c ON c.id = s.client \
         WHERE s.account IN ({}) ORDER BY s.account, s.client";
    each_of(tx, sql, &all, |found| {
        let knower = knower(&found)?;
        let account = &knower.account;
        if ended.contains(account) && knower.settings.backchannel_logout_uri.is_some() {
            rows.push(row(env, &knower, NoticeKind::Logout, None));
            let named = sessions.get(&[knower.client.clone(), account.clone()]);
            for sid in named.into_iter().flatten() {
                rows.push(row(env, &knower, NoticeKind::Logout, Some(sid)));
            }
        }
        if knower.settings.events_uri.is_some() {
            for (kind, is_told) in [
                (NoticeKind::SessionRevoked, ended.contains(account)),
                (NoticeKind::AccountDisabled, turn.begun.contains(account)),
                (NoticeKind::AccountEnabled, turn.over.contains(account)),
            ] {
                rows.extend(is_told.then(|| row(env, &knower, kind, None)));
            }
        }
        known.insert(knower.account);
        Ok(())
    })
    .await?;
    turn.mark(tx, env, &known).await?;
    put(tx, rows).await
}

impl Store {
    /// The clients that are to be told something now.
    pub async fn clients_to_tell(&self) -> Result<Vec<ClientId>> {
        let (sql, now) = (
            "SELECT DISTINCT client FROM client_notice WHERE due <= $1",
            self.env.now(),
        );
        let rows = self.db.ask(async |tx| tx.rows(sql, [now.into()]).await).await?;
        rows.iter().map(|row| row.get(0).map(ClientId)).collect()
    }

    /// Notices to a client whose turn it is, taken up by the caller for half a minute: at most one an account, the first one, so that they
    /// arrive in order.
    pub async fn due_notices(&self, client: &ClientId, most: u32) -> Result<Vec<DueNotice>> {
        let (client, now) = (client.clone(), self.env.now());
        let rows = self
            .db
            .write(move |tx| {
                let client = client.clone();
                Box::pin(async move {
                    let sql = "SELECT n.id FROM client_notice n WHERE n.due <= $1 AND n.client = $3 AND NOT EXISTS (SELECT 1 FROM client_notice o \
                         WHERE o.client = n.client AND o.account = n.account AND o.due IS NOT NULL AND o.seq < n.seq) ORDER BY n.due LIMIT $2";
                    let mut taken = Vec::new();
                    for row in tx.rows_locked(sql, [now.into(), most.into(), client.as_str().into()]).await? {
                        let id: String = row.get(0)?;
                        // Asked again: another server may have taken it up while this one waited for the row.
                        let sql = "UPDATE client_notice SET due = $3 WHERE id = $1 AND due <= $2";
                        if tx.execute(sql, [(&id).into(), now.into(), (now + TURN).into()]).await? > 0 {
                            taken.push(id);
                        }
                    }
                    let wanted: Vec<Arg> = taken.iter().map(Into::into).collect();
                    let sql = "SELECT n.id, n.at, n.kind, n.client, n.subject, n.sid, c.body FROM client_notice n \
                         LEFT JOIN client c ON c.id = n.client AND c.enabled = 1 WHERE n.id IN ({})";
                    let mut found = Vec::new();
                    each_of(tx, sql, &wanted, |row| {
                        found.push(row);
                        Ok(())
                    })
                    .await?;
                    Ok(found)
                })
            })
            .await?;
        let mut due = HashMap::new();
        for row in &rows {
            let id: String = row.get(0)?;
            let kind: String = row.get(2)?;
            let Some(body) = row.get::<Option<String>>(6)? else {
                self.notice_failed(&id, "the client is disabled or gone").await?;
                continue;
            };
            let notice = DueNotice {
                at: row.get(1)?,
                kind: NoticeKind::ALL
                    .into_iter()
                    .find(|one| one.name() == kind)
                    .ok_or_else(|| StoreError::corrupt("client_notice", "no such kind"))?,
                client: ClientId(row.get(3)?),
                settings: serde_json::from_str(&body).map_err(|e| StoreError::corrupt("client", e))?,
                subject: row.get(4)?,
                sid: row.get(5)?,
                id: id.clone(),
            };
            due.insert(id, notice);
        }
        let mut due: Vec<DueNotice> = due.into_values().collect();
        due.sort_by_key(|notice| notice.at);
        Ok(due)
    }

    /// The client took it.
    pub async fn notice_taken(&self, id: &str) -> Result<()> {
        let (id, now) = (id.to_owned(), self.env.now());
        self.db
            .write(move |tx| {
                let id = id.clone();
                Box::pin(async move {
                    let sql =
                        "UPDATE client_notice SET due = NULL, taken = $2, tries = tries + 1, fault = '' WHERE id = $1";
                    tx.execute(sql, [id.into(), now.into()]).await.map(drop)
                })
            })
            .await
    }

    /// The client did not take it: it is tried again, after 2 s, 4 s, 8 s and so on, and after twelve tries no more.
    pub async fn notice_failed(&self, id: &str, fault: &str) -> Result<()> {
        let (id, now) = (id.to_owned(), self.env.now());
        let fault: String = fault.chars().take(200).collect();
        self.db
            .write(move |tx| {
                let (id, fault) = (id.clone(), fault.clone());
                Box::pin(async move {
                    let sql = "UPDATE client_notice SET tries = tries + 1, fault = $2 WHERE id = $1 RETURNING tries";
                    let row = tx.row(sql, [(&id).into(), fault.into()]).await?;
                    let tries: i64 = row.map_or(Ok(TRIES), |row| row.get(0))?;
                    let wait = 1_000_000_i64 << tries.clamp(0, TRIES);
                    let due = (tries < TRIES).then_some(now + wait);
                    let sql = "UPDATE client_notice SET due = $2 WHERE id = $1";
                    tx.execute(sql, [id.into(), due.into()]).await.map(drop)
                })
            })
            .await
    }

    /// Sends a notice again, from the first try on; an entry says who wanted it. `false`: there is none.
    pub async fn resend_notice(&self, id: &str, by: &str) -> Result<bool> {
        let (env, id, act) = (self.env.clone(), id.to_owned(), Act::new(by, self.now()));
        self.db
            .write(move |tx| {
                let (env, id, act) = (env.clone(), id.clone(), act.clone());
                Box::pin(async move {
                    let sql = "UPDATE client_notice SET due = $2, tries = 0, taken = NULL WHERE id = $1 RETURNING client, account, \
                         (SELECT c.name FROM client c WHERE c.id = client_notice.client)";
                    let Some(row) = tx.row(sql, [(&id).into(), env.now().into()]).await? else {
                        return Ok(false);
                    };
                    let (client, name): (String, Option<String>) = (row.get(0)?, row.get(2)?);
                    let change = Change::NoticeResent {
                        name: name.unwrap_or_else(|| client.clone()),
                        client: ClientId(client),
                        notice: id,
                    };
                    let event = Event::of_account(&AccountId(row.get(1)?), change);
                    append(tx, &env, &act, vec![event]).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// The newest notices, the newest first.
    pub async fn notices(&self, most: u32) -> Result<Vec<NoticeLine>> {
        self.db
            .read(async |tx| {
                let sql = "SELECT n.id, n.at, COALESCE(c.name, n.client), n.kind, n.account, n.taken, n.due, n.tries, n.fault \
                     FROM client_notice n LEFT JOIN client c ON c.id = n.client ORDER BY n.seq DESC LIMIT $1";
                let rows = tx.rows(sql, [most.into()]).await?;
                let line = |row: &Row| {
                    Ok(NoticeLine {
                        id: row.get(0)?,
                        at: row.get(1)?,
                        client: row.get(2)?,
                        kind: row.get(3)?,
                        account: AccountId(row.get(4)?),
                        taken: row.get(5)?,
                        waits: row.get::<Option<i64>>(6)?.is_some(),
                        tries: row.get(7)?,
                        fault: row.get(8)?,
                    })
                };
                rows.iter().map(line).collect()
            })
            .await
    }
}
