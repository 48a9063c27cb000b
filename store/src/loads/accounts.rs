//! Accounts taken over once from the previous systems. An account that already exists stays as it is; none is removed.

use crate::boxed;
use crate::context::{Attribution, StoreContext};
use crate::crypto::keyring::FingerprintKind;
use crate::db::columns::{for_each_in, placeholders};
use crate::db::{SqlValue, Tx};
use crate::error::Result;
use crate::journal::entry::write;
use crate::loads::open_load::{OpenLoad, heartbeat};
use crate::loads::profiles::waiting_rows;
use crate::projections::counters::CounterDeltas;
use crate::projections::{officials_of, project};
use crate::tables::accounts::{citizen, claim_of, fingerprint};
use crate::tables::numbers::ever_held;
use crate::unit_of_work::append;
use ngomon_rules::citizens::on_arrival;
use ngomon_rules::event::{Change, Event, LoginId, Personal};
use ngomon_rules::hold::{Cause, Hold, Reason, evidence};
use ngomon_rules::records::AccountRow;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

impl OpenLoad {
    /// Stages accounts. A row in quarantine under the id of one of them is corrected by it.
    #[boxed]
    pub async fn accounts(&mut self, rows: Vec<AccountRow>) -> Result<()> {
        let key = |row: &AccountRow| fingerprint(&self.marker, FingerprintKind::EmployeeCode, row.account.as_str());
        let keys = rows.iter().map(|row| key(row).into()).collect();
        let waiting = waiting_rows(&self.store, (self.incoming.table, &self.id), keys).await?;
        self.mended.extend(waiting);
        let (ctx, act, load) = (self.store.ctx.clone(), self.act(), self.id.clone());
        let rows = Arc::new(rows);
        let counts = self
            .store
            .db
            .transaction(move |tx| {
                let (ctx, act, load, rows) = (ctx.clone(), act.clone(), load.clone(), Arc::clone(&rows));
                Box::pin(async move {
                    heartbeat(tx, &load, ctx.now()).await?;
                    let events = new_ones(tx, &ctx, &rows).await?;
                    let mut counts = CounterDeltas::default();
                    if !events.is_empty() {
                        let entries = write(tx, &ctx, &act, events, Some(&load)).await?;
                        project(tx, &ctx, &entries, &mut counts).await?;
                    }
                    Ok(counts)
                })
            })
            .await?;
        self.counts.merge(counts);
        Ok(())
    }
}

async fn new_ones(tx: &mut Tx, ctx: &StoreContext, rows: &[AccountRow]) -> Result<Vec<Event>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT id FROM account_row WHERE id IN ({})", placeholders(rows.len()));
    let there = tx
        .rows(&sql, rows.iter().map(|row| SqlValue::from(row.account.as_str())))
        .await?;
    let there = there
        .iter()
        .map(|row| row.get(0))
        .collect::<Result<HashSet<String>>>()?;
    let (mut arrivals, mut held) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows.iter().filter(|row| !there.contains(row.account.as_str())) {
        let change = Change::AccountTakenOver {
            account_kind: row.kind,
            unit: row.unit.clone(),
            created_on: row.created_on,
            last_sign_in_on: row.last_sign_in_on,
            login: LoginId(ctx.id()),
        };
        let personal = Personal::Account {
            stated: row.stated.clone(),
            password_hash: row.password_hash.clone(),
        };
        arrivals.push(Event::of_account(&row.account, change).with(personal));
        if let Some(text) = &row.held_reason {
            let hold = Hold {
                reason: Reason::ByOrder,
                cause: Cause::order("taken-over"),
                evidence: evidence([("text", text.clone())]),
                last_day: None,
            };
            held.push(Event::of_account(&row.account, Change::HoldPlaced { hold }));
        }
    }
    arrivals.extend(held);
    Ok(arrivals)
}

/// Activates the accounts of a load: counts them, and checks them against the claims that are in force (C4).
pub(crate) async fn activate(
    tx: &mut Tx,
    ctx: &StoreContext,
    act: &Attribution,
    load: &str,
    opened_at: i64,
    mut counts: CounterDeltas,
) -> Result<()> {
    // Claims that were made while the rows were staged may have added numbers.
    let taught = tx
        .rows(
            "SELECT n.fp FROM claim c JOIN person_number n ON n.person = c.person WHERE c.ord >= $1",
            [opened_at.into()],
        )
        .await?;
    let taught = taught.iter().map(|row| row.get(0)).collect::<Result<Vec<_>>>()?;
    officials_of(tx, taught, &mut counts).await?;
    counts.flush(tx, ctx.environment.bytes::<1>()[0]).await?;

    let mut found = BTreeSet::new();
    for sql in [
        "SELECT a.id, c.person FROM claim c JOIN person_number n ON n.person = c.person JOIN account_row a ON a.number_fp = n.fp \
         WHERE c.until IS NULL AND a.load = $1 AND a.kind = 'citizen'",
        "SELECT a.id, c.person FROM claim c JOIN account_row a ON a.phone_fp = c.phone_fp \
         WHERE c.until IS NULL AND a.load = $1 AND a.kind = 'citizen' AND a.number_fp IS NULL",
    ] {
        for row in tx.rows(sql, [load.into()]).await? {
            found.insert((row.get::<String>(0)?, row.get::<String>(1)?));
        }
    }
    // Persons who are known under another number as well.
    let renewed = "SELECT DISTINCT a.id, a.number_fp FROM account_row a JOIN person_link l ON l.fp = a.number_fp \
         WHERE a.load = $1 AND a.kind = 'citizen'";
    for row in tx.rows(renewed, [load.into()]).await? {
        let id: String = row.get(0)?;
        let numbers = ever_held(tx, [row.get::<Vec<u8>>(1)?]).await?;
        let numbers: Vec<SqlValue> = numbers.into_iter().map(SqlValue::from).collect();
        let sql = "SELECT c.person FROM person_number n JOIN claim c ON c.person = n.person WHERE c.until IS NULL AND n.fp IN ({})";
        for_each_in(tx, sql, &numbers, |row| {
            found.insert((id.clone(), row.get(0)?));
            Ok(())
        })
        .await?;
    }
    let mut events = Vec::new();
    for (id, person) in found {
        let (Some(account), Some(mut claim)) = (citizen(tx, ctx, &id).await?, claim_of(tx, ctx, &person).await?) else {
            continue;
        };
        // The account's number belongs to the person, but the registry did not name it when the claim was made.
        if let Some(number) = account.stated.national_id.filter(|n| !claim.numbers.contains(n)) {
            claim.numbers.push(number);
        }
        events.extend(on_arrival(&account, &[claim]));
    }
    append(tx, ctx, act, events).await
}
