//! The outbox of security events. An event is written in the transaction of the change that it reports. It is delivered later, with
//! retries, until the client accepts it.
//!
//! ```text
//!   waits ── accepted by the client ──▶ done
//!     ├──── not accepted ──▶ waits, twice as long ── twelve times, an hour or so ──▶ given up; an operator can resend it
//!     └──── refused (400) ──▶ given up at once
//! ```
//!
//! No event waits for another, except that *held* and *open again* of an account are delivered in order. A waiting event becomes due at
//! once when a newer event of the account is queued, or when the client accepts another one. That does not bring the last attempt nearer.

use crate::boxed;
use crate::context::Attribution;
use crate::db::bound::{CLIENT, NOTICE, binds};
use crate::db::columns::for_each_in;
use crate::db::{Row, SqlValue, Tx};
use crate::error::{Result, StoreError};
use crate::notifications::client_outbox::{SecurityEventKind, some_of};
use crate::projections::client_cells;
use crate::store::Store;
use crate::unit_of_work::append;
use ngomon_rules::client::{Client, ClientId};
use ngomon_rules::event::{Change, Event};
use ngomon_rules::records::AccountId;
use std::collections::HashMap;

/// Microseconds that a server has to deliver an event that it took up: 30 seconds; then the event is due again.
const TURN: i64 = 30 * 1_000_000;
/// Number of attempts before an event is given up.
const TRIES: i64 = 12;
/// Minimum interval between the early retries to a client that accepts some events and not others: 30 seconds in microseconds.
const APART: i64 = 30 * 1_000_000;
/// The kinds that must be delivered in order: the later one is wrong without the earlier one.
const ORDERED: &str = "('account-disabled', 'account-enabled')";

/// An event that is due.
#[derive(Clone, Debug)]
pub struct PendingDelivery {
    /// Event id, also the `jti` of its token.
    pub id: String,
    /// When it happened: microseconds UTC.
    pub at: i64,
    /// The kind of event.
    pub kind: SecurityEventKind,
    /// The receiving client.
    pub client: ClientId,
    /// The client's settings as of now.
    pub settings: Client,
    /// The client's subject for the account.
    pub subject: String,
    /// The session that it is about; `None` if it is about all of them.
    pub sid: Option<String>,
    /// Number of failed attempts.
    tries: i64,
}

/// The result of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The client accepted it.
    Taken,
    /// The client rejects it for good.
    Refused(String),
    /// The client did not accept it, but may later.
    Failed(String),
    /// No attempt was made.
    Untried,
}

/// An event in the operators' list.
#[derive(Clone, Debug)]
pub struct DeliverySummary {
    /// Event id.
    pub id: String,
    /// When it happened: microseconds UTC.
    pub at: i64,
    /// Name of the client.
    pub client: String,
    /// The kind, as stored.
    pub kind: String,
    /// The account.
    pub account: AccountId,
    /// When the client accepted it: microseconds UTC.
    pub taken: Option<i64>,
    /// `true` while it will be tried again.
    pub waits: bool,
    /// Number of attempts.
    pub tries: i64,
    /// Error of the last attempt.
    pub fault: String,
}

/// Marks due events as being delivered. Returns their ids in the order of delivery, and their rows joined with the client.
async fn take_up(tx: &mut Tx, client: &ClientId, most: u32, now: i64) -> Result<(Vec<String>, Vec<Row>)> {
    let sql = format!(
        "SELECT n.id FROM client_notice n WHERE n.due <= $1 AND COALESCE(n.in_hand, 0) <= $1 AND n.client = $3 \
         AND (n.kind NOT IN {ORDERED} OR NOT EXISTS (SELECT 1 FROM client_notice o WHERE o.client = n.client \
         AND o.account = n.account AND o.due IS NOT NULL AND o.seq < n.seq AND o.kind IN {ORDERED})) \
         ORDER BY n.tries, n.due, n.seq LIMIT $2"
    );
    let args = [now.into(), most.into(), client.as_str().into()];
    let rows = tx.rows_for_update(&sql, args).await?;
    let order: Vec<String> = rows.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
    let wanted: Vec<SqlValue> = order.iter().map(Into::into).collect();
    // Checks again: another server may have taken the event while this one waited for the row.
    let sql = format!(
        "UPDATE client_notice SET in_hand = $1 + {TURN} WHERE due <= $1 AND COALESCE(in_hand, 0) <= $1 AND id IN ({{}}) RETURNING id"
    );
    let taken = some_of(tx, &sql, now, &wanted).await?;
    let taken: Vec<SqlValue> = taken.iter().map(Into::into).collect();
    let sql = format!(
        "SELECT {}, c.id, c.body, c.secret, c.old_secret, c.old_until, c.enabled, c.generation, c.mac, n.seq, n.tries \
         FROM client_notice n LEFT JOIN client c ON c.id = n.client WHERE n.id IN ({{}})",
        NOTICE.columns("n")
    );
    let mut found = Vec::new();
    for_each_in(tx, &sql, &taken, |row| {
        found.push(row);
        Ok(())
    })
    .await?;
    Ok((order, found))
}

async fn settle(tx: &mut Tx, now: i64, client: &ClientId, told: Vec<(PendingDelivery, Delivery)>) -> Result<()> {
    let (mut taken, mut untried, mut newest): (Vec<SqlValue>, Vec<SqlValue>, _) = (Vec::new(), Vec::new(), None);
    for (notice, delivery) in told {
        match delivery {
            Delivery::Taken => {
                newest = newest.max(Some(notice.at));
                taken.push(notice.id.into());
            }
            Delivery::Untried => untried.push(notice.id.into()),
            Delivery::Failed(fault) => failed(tx, now, notice.id, notice.tries, fault).await?,
            Delivery::Refused(fault) => {
                let sql = "UPDATE client_notice SET due = NULL, in_hand = NULL, failed = $2, tries = tries + 1, fault = $3 \
                     WHERE id = $1";
                tx.execute(sql, [notice.id.into(), now.into(), short(&fault).into()])
                    .await?;
            }
        }
    }
    let sql = "UPDATE client_notice SET due = NULL, in_hand = NULL, taken = $1, tries = tries + 1, fault = '' WHERE id IN ({}) RETURNING id";
    some_of(tx, sql, now, &taken).await?;
    let sql = "UPDATE client_notice SET in_hand = NULL WHERE due <= $1 AND id IN ({}) RETURNING id";
    some_of(tx, sql, now, &untried).await?;
    if let Some(newest) = newest {
        let sql = "UPDATE client_notice SET due = $2, tries = tries - 1 WHERE client = $1 AND due > $2 AND failed < $3";
        let since = newest.max(now - APART);
        tx.execute(sql, [client.as_str().into(), now.into(), since.into()])
            .await?;
    }
    Ok(())
}

async fn failed(tx: &mut Tx, now: i64, id: String, tries: i64, fault: String) -> Result<()> {
    let tries = tries + 1;
    let due = (tries < TRIES).then_some(now + (1_000_000_i64 << tries.clamp(0, TRIES)));
    let sql = "UPDATE client_notice SET due = $2, in_hand = NULL, failed = $3, tries = $4, fault = $5 WHERE id = $1";
    let args = [id.into(), due.into(), now.into(), tries.into(), short(&fault).into()];
    tx.execute(sql, args).await.map(drop)
}

fn short(fault: &str) -> String {
    fault.chars().take(200).collect()
}

impl Store {
    /// The clients with events that are due.
    #[boxed]
    pub async fn clients_to_tell(&self) -> Result<Vec<ClientId>> {
        let (sql, now) = (
            "SELECT DISTINCT client FROM client_notice WHERE due <= $1 AND COALESCE(in_hand, 0) <= $1",
            self.ctx.now(),
        );
        let rows = self.db.query(async |tx| tx.rows(sql, [now.into()]).await).await?;
        rows.iter().map(|row| row.get(0).map(ClientId)).collect()
    }

    /// Takes up to `most` due events of a client for half a minute. Those with the fewest attempts come first.
    #[boxed]
    pub async fn due_notices(&self, client: &ClientId, most: u32) -> Result<Vec<PendingDelivery>> {
        let (client, now) = (client.clone(), self.ctx.now());
        let (order, rows) = self
            .db
            .transaction(move |tx| {
                let client = client.clone();
                Box::pin(async move { take_up(tx, &client, most, now).await })
            })
            .await?;
        let (mut due, mut dead) = (HashMap::new(), Vec::new());
        for row in &rows {
            match self.due_notice(row)? {
                Ok(notice) => drop(due.insert(notice.id.clone(), notice)),
                Err(fault) => dead.push((row.get(0)?, row.get::<i64>(NOTICE.width() + 9)?, fault)),
            }
        }
        if !dead.is_empty() {
            self.db
                .transaction(move |tx| {
                    let dead = dead.clone();
                    Box::pin(async move {
                        for (id, tries, fault) in dead {
                            failed(tx, now, id, tries, fault).await?;
                        }
                        Ok(())
                    })
                })
                .await?;
        }
        Ok(order.iter().filter_map(|id| due.remove(id)).collect())
    }

    /// Parses an event that was taken up, or returns why it cannot be delivered.
    fn due_notice(&self, row: &Row) -> Result<std::result::Result<PendingDelivery, String>> {
        let (keys, at_client) = (&self.ctx.keys, NOTICE.width());
        let Some(body) = row.get::<Option<String>>(at_client + 1)? else {
            return Ok(Err("gone".into()));
        };
        let mac: Vec<u8> = row.get(at_client + 7)?;
        // Against an attacker who writes the database: no forged event is signed, and none is sent to a forged address.
        if !NOTICE.is_genuine(keys, row, 0)? || !binds(keys, CLIENT, &client_cells(row, at_client)?, Some(&mac)) {
            return Ok(Err("not-genuine".into()));
        }
        if row.get::<i64>(at_client + 5)? == 0 {
            return Ok(Err("disabled".into()));
        }
        let kind: String = row.get(3)?;
        Ok(Ok(PendingDelivery {
            id: row.get(0)?,
            at: row.get(1)?,
            kind: SecurityEventKind::ALL
                .into_iter()
                .find(|one| one.name() == kind)
                .ok_or_else(|| StoreError::corrupt("client_notice", "no such kind"))?,
            client: ClientId(row.get(2)?),
            settings: serde_json::from_str(&body).map_err(|e| StoreError::corrupt("client", e))?,
            subject: row.get(5)?,
            sid: row.get(6)?,
            tries: row.get(at_client + 9)?,
        }))
    }

    /// Records the results of delivery to a client. An event that was not accepted is tried again after 2 s, 4 s, 8 s and so on, twelve
    /// times in all.
    #[boxed]
    pub async fn settle_notices(&self, client: &ClientId, told: Vec<(PendingDelivery, Delivery)>) -> Result<()> {
        let (client, now) = (client.clone(), self.ctx.now());
        self.db
            .transaction(move |tx| {
                let (client, told) = (client.clone(), told.clone());
                Box::pin(async move { settle(tx, now, &client, told).await })
            })
            .await
    }

    /// Queues an event again with all its attempts, and journals who ordered it. `false` if there is no such event.
    #[boxed]
    pub async fn resend_notice(&self, id: &str, by: &str) -> Result<bool> {
        let (ctx, id, act) = (self.ctx.clone(), id.to_owned(), Attribution::new(by, self.now()));
        self.db
            .transaction(move |tx| {
                let (ctx, id, act) = (ctx.clone(), id.clone(), act.clone());
                Box::pin(async move {
                    let sql = "UPDATE client_notice SET due = $2, tries = 0, taken = NULL, failed = NULL WHERE id = $1 RETURNING client, account, \
                         (SELECT c.name FROM client c WHERE c.id = client_notice.client)";
                    let Some(row) = tx.row(sql, [(&id).into(), ctx.now().into()]).await? else {
                        return Ok(false);
                    };
                    let (client, name): (String, Option<String>) = (row.get(0)?, row.get(2)?);
                    let change = Change::NoticeResent {
                        name: name.unwrap_or_else(|| client.clone()),
                        client: ClientId(client),
                        notice: id,
                    };
                    let event = Event::of_account(&AccountId(row.get(1)?), change);
                    append(tx, &ctx, &act, vec![event]).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// The latest events, the newest first.
    #[boxed]
    pub async fn notices(&self, most: u32) -> Result<Vec<DeliverySummary>> {
        self.notice_lines("1 = 1", most).await
    }

    /// All events that no client has accepted, the newest first.
    #[boxed]
    pub async fn untaken_notices(&self) -> Result<Vec<DeliverySummary>> {
        self.notice_lines("n.taken IS NULL", u32::MAX).await
    }

    async fn notice_lines(&self, which: &str, most: u32) -> Result<Vec<DeliverySummary>> {
        let sql = format!(
            "SELECT n.id, n.at, COALESCE(c.name, n.client), n.kind, n.account, n.taken, n.due, n.tries, n.fault \
             FROM client_notice n LEFT JOIN client c ON c.id = n.client WHERE {which} ORDER BY n.seq DESC LIMIT $1"
        );
        let mut lines = Vec::new();
        self.db
            .read_long(async |tx| {
                tx.for_each_row(&sql, [most.into()], |row| {
                    lines.push(DeliverySummary {
                        id: row.get(0)?,
                        at: row.get(1)?,
                        client: row.get(2)?,
                        kind: row.get(3)?,
                        account: AccountId(row.get(4)?),
                        taken: row.get(5)?,
                        waits: row.get::<Option<i64>>(6)?.is_some(),
                        tries: row.get(7)?,
                        fault: row.get(8)?,
                    });
                    Ok(())
                })
                .await
            })
            .await?;
        Ok(lines)
    }
}
