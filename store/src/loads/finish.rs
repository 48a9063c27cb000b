//! The end of a load: all its rows count at once.

use crate::boxed;
use crate::context::StoreContext;
use crate::db::Tx;
use crate::error::Result;
use crate::journal::commit::{HEAD, Walk, head_of};
use crate::journal::entry::{ENTRY, read_entry};
use crate::loads::incoming::LoadRequest;
use crate::loads::open_load::{OpenLoad, heartbeat};
use crate::loads::{accounts, evidence, references};
use crate::projections::counters::CounterDeltas;
use crate::projections::project;
use crate::unit_of_work::append;
use ngomon_rules::event::{Change, Event, LoadDigests, Subject};
use std::collections::BTreeSet;

impl OpenLoad {
    /// Makes all rows of the load count, in one transaction.
    #[boxed]
    pub async fn finish(self) -> Result<String> {
        let id = self.id.clone();
        let (store, table) = (self.store.clone(), self.incoming.table);
        let gone = self.gone().await?;
        let (ctx, load, incoming, act, opened_at) = (
            self.store.ctx.clone(),
            self.id.clone(),
            self.incoming.clone(),
            self.act(),
            self.opened_at,
        );
        let (counted, mended) = (self.counts, self.mended);
        let (waiting, rows) = (self.waiting, self.rows);
        let rows = incoming.is_reference().then(|| rows.digest());
        store
            .db
            .transaction(move |tx| {
                let (ctx, load, incoming, act) = (ctx.clone(), load.clone(), incoming.clone(), act.clone());
                let (gone, counted, mended) = (gone.clone(), counted.clone(), mended.clone());
                let (mut waiting, rows) = (waiting.clone(), rows.clone());
                Box::pin(async move {
                    tx.rows_for_update("SELECT id FROM arrival", []).await?;
                    heartbeat(tx, &load, ctx.now()).await?;
                    tx.execute("UPDATE load SET state = 'applied' WHERE id = $1", [(&load).into()])
                        .await?;
                    match incoming.table {
                        "citizens" | "officials" => {
                            accounts::activate(tx, &ctx, &act, &load, opened_at, counted).await?;
                        }
                        "profiles" => {
                            project_staged(tx, &ctx, &load, "person_number, profile, staff_key", false).await?;
                        }
                        _ => {
                            references::activate(tx, incoming.table, &load).await?;
                            project_staged(tx, &ctx, &load, "person_number, person_link", true).await?;
                        }
                    }
                    end_quarantine(tx, &incoming, &load, &mended).await?;
                    let mut events = gone;
                    let (others, _) = evidence::waiting(tx, &ctx.keys, incoming.table, &load, None).await?;
                    waiting.merge(others);
                    let own = evidence::row_of_load(tx, &ctx.keys, &load).await?;
                    let evidence = LoadDigests {
                        load: own,
                        rows,
                        waiting: waiting.digest(),
                    };
                    events.push(applied(&incoming, &load, evidence));
                    append(tx, &ctx, &act, events).await
                })
            })
            .await?;
        if table == "registry" {
            store.forget_old_registry().await?;
        }
        Ok(id)
    }
}

/// Projects the entries that were staged with a load. `grows` names the tables whose planner statistics must be renewed meanwhile. With
/// `binds`, the resulting rows get a MAC, so the entries are checked as in a replay.
pub(crate) async fn project_staged(
    tx: &mut Tx,
    ctx: &StoreContext,
    load: &str,
    grows: &str,
    binds: bool,
) -> Result<()> {
    let mut counts = CounterDeltas::default();
    let sql = format!("SELECT {HEAD} FROM journal_commit c WHERE c.load = $1 ORDER BY c.seq");
    let commits = tx.rows(&sql, [load.into()]).await?;
    // For a few rows the planner's statistics need no update.
    let many = commits.len() > 1;
    if many {
        tx.analyze("journal, journal_commit, personal_value, account_row")
            .await?;
    }
    let mut walk = Walk::default();
    for (at, commit) in (1_usize..).zip(commits) {
        let (head, mac) = head_of(&commit)?;
        let age = binds.then(|| walk.age_of(&ctx.keys, &head, &mac)).flatten();
        let mut entries = Vec::new();
        let sql = format!("{ENTRY} WHERE j.commit_id = $1 ORDER BY j.ord");
        tx.for_each_row(&sql, [head.id.into()], |row| {
            entries.push(read_entry(&ctx.keys, age, &row)?.entry);
            Ok(())
        })
        .await?;
        project(tx, ctx, &entries, &mut counts).await?;
        if many && at.is_power_of_two() {
            tx.analyze(grows).await?;
        }
    }
    counts.flush(tx, ctx.environment.bytes::<1>()[0]).await
}

pub(crate) fn applied(incoming: &LoadRequest, load: &str, evidence: LoadDigests) -> Event {
    Event {
        subject: Subject::Load(load.to_owned()),
        change: Change::LoadApplied {
            table: incoming.table.to_owned(),
            digest: incoming.digest.clone(),
            rows: incoming.rows,
            quarantined: incoming.unreadable,
            full: incoming.scope(),
            evidence: Some(evidence),
        },
        personal: None,
    }
}

/// Ends the quarantine of rows from earlier loads. A full extract ends it for all rows of its scope; another file for the rows that it
/// brings again, readable or not. A profile's row is kept, marked as ended, so that the next run sees whom it affected.
pub(crate) async fn end_quarantine(
    tx: &mut Tx,
    incoming: &LoadRequest,
    load: &str,
    mended: &BTreeSet<(String, String)>,
) -> Result<()> {
    let end = match incoming.table {
        "profiles" => "UPDATE quarantine SET ended_by = $2",
        _ => "DELETE FROM quarantine",
    };
    let waiting = format!("{end} WHERE name = $1 AND load <> $2 AND ended_by IS NULL");
    let whole = incoming.is_reference() || incoming.scope().is_some_and(|unit| unit.is_empty());
    if whole {
        tx.execute(&waiting, [incoming.table.into(), load.into()]).await?;
        return Ok(());
    }
    if let Some(unit) = incoming.scope() {
        tx.execute(
            &format!("{waiting} AND load IN (SELECT id FROM load WHERE scope = $3)"),
            [incoming.table.into(), load.into(), unit.into()],
        )
        .await?;
    }
    for column in ["code_fp", "number_fp"] {
        let sql = format!("{waiting} AND {column} IN (SELECT {column} FROM quarantine WHERE load = $2)");
        tx.execute(&sql, [incoming.table.into(), load.into()]).await?;
    }
    for (of, row) in mended {
        let sql = format!("{waiting} AND load = $3 AND row_no = $4");
        let args = [incoming.table.into(), load.into(), of.into(), row.into()];
        tx.execute(&sql, args).await?;
    }
    Ok(())
}
