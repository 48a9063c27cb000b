//! Check of loads and runs against their journal entries.

use crate::boxed;
use crate::context::StoreContext;
use crate::db::Tx;
use crate::error::Result;
use crate::journal::commit::CommitHead;
use crate::journal::entry::Entry;
use crate::loads::{AHEAD, LOAD, SILENCE, of_load, rows_of_reference, waiting};
use crate::maintenance::verify::findings::{Check, UnfinishedLoad, Verified};
use crate::officials::lines_of;
use ngomon_rules::event::{Change, LoadDigests, Subject};
use std::collections::BTreeMap;

/// An applied load, as journalled.
struct AppliedLoad {
    table: String,
    digest: String,
    evidence: Option<LoadDigests>,
}

/// An applied run, as journalled.
struct AppliedRun {
    by: String,
    as_of: String,
    newly_held: u64,
    approved: bool,
    lines: Option<String>,
    undone: bool,
}

/// The journal's entries about loads and runs.
#[derive(Default)]
pub(crate) struct Loads {
    applied: BTreeMap<String, AppliedLoad>,
    /// The last load of each table.
    last: BTreeMap<String, String>,
    /// For each load a commit that names it, preferably a sealed one.
    named: BTreeMap<String, (bool, String)>,
    ran: BTreeMap<String, AppliedRun>,
}

impl Loads {
    /// Notes an entry about a load or a run.
    pub fn hear(&mut self, entry: &Entry) {
        match (&entry.event.subject, &entry.event.change) {
            (
                Subject::Load(load),
                Change::LoadApplied {
                    table,
                    digest,
                    evidence,
                    ..
                },
            ) => {
                self.last.insert(table.clone(), load.clone());
                let applied = AppliedLoad {
                    table: table.clone(),
                    digest: digest.clone(),
                    evidence: evidence.clone(),
                };
                self.applied.insert(load.clone(), applied);
            }
            (
                Subject::Run(run),
                Change::RunApplied {
                    as_of,
                    newly_held,
                    approved,
                    lines,
                },
            ) => {
                let ran = AppliedRun {
                    by: entry.by.clone(),
                    as_of: as_of.to_string(),
                    newly_held: *newly_held,
                    approved: *approved,
                    lines: lines.clone(),
                    undone: false,
                };
                self.ran.insert(run.clone(), ran);
            }
            (Subject::Run(run), Change::RunUndone) => {
                if let Some(ran) = self.ran.get_mut(run) {
                    ran.undone = true;
                }
            }
            _ => {}
        }
    }

    /// Notes the load that a commit names.
    pub fn name(&mut self, head: &CommitHead, sealed: bool) {
        if let Some(load) = &head.load {
            let named = self
                .named
                .entry(load.clone())
                .or_insert_with(|| (sealed, head.id.clone()));
            if sealed && !named.0 {
                *named = (true, head.id.clone());
            }
        }
    }

    /// Runs all checks of loads and runs.
    #[boxed]
    pub async fn check(mut self, tx: &mut Tx, ctx: &StoreContext, found: &mut Verified) -> Result<()> {
        self.references(tx, ctx, found).await?;
        self.waiting(tx, ctx, found).await?;
        self.runs(tx, ctx, found).await?;
        self.loads(tx, ctx, found).await
    }

    /// Checks the rows of the loads.
    async fn loads(&mut self, tx: &mut Tx, ctx: &StoreContext, found: &mut Verified) -> Result<()> {
        let now = ctx.now();
        let sql = format!("SELECT state, beat, {LOAD} FROM load ORDER BY id");
        for row in tx.rows(&sql, []).await? {
            let (state, beat): (String, i64) = (row.get(0)?, row.get(1)?);
            let [id, name, digest]: [String; 3] = [row.get(2)?, row.get(3)?, row.get(4)?];
            let at: i64 = row.get(5)?;
            let applied = self.applied.remove(&id);
            let named = self.named.remove(&id);
            let fault = match (state.as_str(), &applied) {
                ("applied", Some(applied)) if (&applied.table, &applied.digest) != (&name, &digest) => {
                    Some("is of another file than the journal says")
                }
                ("applied", Some(applied)) => {
                    let own = of_load(&ctx.keys, &row, 2)?;
                    let differs = applied.evidence.as_ref().is_some_and(|evidence| evidence.load != own);
                    differs.then_some("is not as the journal says")
                }
                ("applied", None) => Some("is applied, and the journal does not say so"),
                ("waiting" | "open", Some(_)) => Some("is not applied, and the journal says so"),
                ("open", None) if named.as_ref().is_some_and(|(sealed, _)| *sealed) => {
                    Some("is open, and commits of it are sealed")
                }
                ("open", None) if beat > now + AHEAD => Some("is open, and its process was heard of in days to come"),
                ("open", None) if beat < now - SILENCE => {
                    found.unfinished.push(UnfinishedLoad {
                        table: name.clone(),
                        at,
                    });
                    None
                }
                ("open" | "waiting", None) => None,
                _ => Some("is in no state that there is"),
            };
            found.saw(Check::Loads, 1);
            if let Some(fault) = fault {
                found.fault(Check::Loads, format!("load {id} {fault}"));
            }
        }
        for load in self.applied.keys() {
            found.fault(Check::Loads, format!("load {load} was applied, and is not there"));
        }
        for (load, (_, commit)) in &self.named {
            found.fault(Check::Loads, format!("{commit} names load {load}, which is not there"));
        }
        Ok(())
    }

    /// Checks the load of each current reference, and its rows.
    async fn references(&self, tx: &mut Tx, ctx: &StoreContext, found: &mut Verified) -> Result<()> {
        let mut counts = BTreeMap::new();
        for row in tx.rows("SELECT name, load FROM reference", []).await? {
            counts.insert(row.get::<String>(0)?, row.get::<String>(1)?);
        }
        for table in ["units", "registry", "notices"] {
            let (counts, last) = (counts.remove(table), self.last.get(table));
            if counts.as_ref() != last {
                found.fault(Check::Loads, format!("{table}: another load counts than the last"));
            }
            let Some(load) = last else { continue };
            let rows = match rows_of_reference(tx, ctx, table, load).await {
                Ok((rows, fault)) => {
                    found.saw(Check::Loads, rows.len());
                    if let Some(fault) = fault {
                        found.fault(Check::Loads, format!("{table}: {fault}"));
                    }
                    rows.digest()
                }
                Err(error) => {
                    found.fault(Check::Loads, format!("{table}: {error}"));
                    continue;
                }
            };
            let evidence = self.applied.get(load).and_then(|applied| applied.evidence.as_ref());
            let as_said = evidence.and_then(|evidence| evidence.rows.as_ref());
            if as_said.is_some_and(|as_said| *as_said != rows) {
                found.fault(
                    Check::Loads,
                    format!("{table}: its rows are not those that were taken in"),
                );
            }
        }
        if !counts.is_empty() {
            found.fault(Check::Loads, "a reference that there is not counts");
        }
        Ok(())
    }

    /// Checks the rows in quarantine.
    async fn waiting(&self, tx: &mut Tx, ctx: &StoreContext, found: &mut Verified) -> Result<()> {
        let marker = ctx.marker(tx).await?;
        for (table, load) in &self.last {
            let evidence = self.applied.get(load).and_then(|applied| applied.evidence.as_ref());
            let Some(evidence) = evidence else { continue };
            match waiting(tx, &ctx.keys, table, "", Some(&marker)).await {
                Ok((rows, by_what_they_say)) => {
                    found.saw(Check::Loads, rows.len());
                    if !by_what_they_say || rows.digest() != evidence.waiting {
                        found.fault(
                            Check::Loads,
                            format!("{table}: the rows that wait are not those that the journal says"),
                        );
                    }
                }
                Err(error) => found.fault(Check::Loads, format!("{table}: {error}")),
            }
        }
        Ok(())
    }

    /// Checks the applied runs, with their lines.
    async fn runs(&mut self, tx: &mut Tx, ctx: &StoreContext, found: &mut Verified) -> Result<()> {
        let sql = "SELECT id, state, as_of, by_whom, approved, newly_held FROM run ORDER BY id";
        for row in tx.rows(sql, []).await? {
            let [id, state, as_of, by]: [String; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
            let (approved, newly_held): (i64, i64) = (row.get(4)?, row.get(5)?);
            found.saw(Check::Loads, 1);
            let ran = self.ran.remove(&id);
            let as_said = match &ran {
                None => state == "waiting",
                Some(ran) => {
                    let lines = match &ran.lines {
                        Some(lines) => *lines == lines_of(tx, ctx, &id).await?,
                        None => true,
                    };
                    lines
                        && state == if ran.undone { "undone" } else { "applied" }
                        && (as_of, by) == (ran.as_of.clone(), ran.by.clone())
                        && (approved != 0) == ran.approved
                        && u64::try_from(newly_held).ok() == Some(ran.newly_held)
                }
            };
            if !as_said {
                found.fault(Check::Loads, format!("run {id} is not as the journal says"));
            }
        }
        for run in self.ran.keys() {
            found.fault(Check::Loads, format!("run {run} was applied, and is not there"));
        }
        let sql = "SELECT COUNT(*) FROM run_line l WHERE NOT EXISTS (SELECT 1 FROM run r WHERE r.id = l.run)";
        let stray: i64 = tx.row(sql, []).await?.map_or(Ok(0), |row| row.get(0))?;
        if stray > 0 {
            found.fault(Check::Loads, format!("{stray} lines of no run"));
        }
        Ok(())
    }
}
