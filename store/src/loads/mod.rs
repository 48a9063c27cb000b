//! The import of files. Short transactions stage rows that do not count yet; one last short transaction makes all of them count.
//!
//! ```text
//!            health is bad                approve
//!  judged ──────────────────▶  waiting ─────────────▶ open ──── finish ────▶ applied
//!     └───────────── health is good ───────────────────▲│
//!                                                       └── dies, or aborts ──▶ discarded
//! ```

mod accounts;
mod discard;
mod evidence;
mod health;
mod learn;
mod profiles;
mod references;

pub(crate) use discard::{AHEAD, APPLIED, close_applied_loads, forget_silent_loads};
pub(crate) use evidence::{LOAD, RowDigests, of_load, waiting};
pub use health::HealthFault;
pub(crate) use references::{RegistryRows, notice_of, number_of, record_of, rows_of as rows_of_reference};

use crate::crypto::keyring::{AssociatedData, FingerprintKind, Fingerprinter, Keyring};
use crate::db::bound;
use crate::db::{SqlValue, Tx};
use crate::error::{Refusal, Result, StoreError};
use crate::journal::entry::{Attribution, ENTRY, StoreContext, Walk, append, read_entry};
use crate::loads::profiles::KnownKeys;
use crate::maintenance::seal::{HEAD, head_of};
use crate::projections::counters::CounterDeltas;
use crate::projections::project;
use crate::store::Store;
use crate::tables::accounts::{fingerprint, folded_fp, for_each_in, start_of};
use ngomon_rules::event::{Change, Event, LoadDigests, Subject};
use ngomon_rules::officials::UnreadableProfile;
use ngomon_rules::quarantine::QuarantineReason;
use ngomon_rules::records::AccountId;
use ngomon_rules::unit::UnitCode;
use ngomon_rules::values::Date;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How long an open load may go without a heartbeat before it is discarded: 15 seconds, in microseconds.
pub(crate) const SILENCE: i64 = 15_000_000;

/// A checked file that is to be imported.
#[derive(Clone, Debug)]
pub struct LoadRequest {
    /// `units`, `registry`, `citizens`, `officials`, `profiles`, `notices`.
    pub table: &'static str,
    /// SHA-256 of its bytes, in hexadecimal.
    pub digest: String,
    /// The number of rows in the file; for the full extract of a unit, those of that unit and all below it.
    pub rows: u64,
    /// The number of rows in quarantine, without repeated ones.
    pub unreadable: u64,
    /// The day that it describes.
    pub as_of: Date,
    /// The actor.
    pub by: String,
    /// The file is the whole extract: of this unit and all below it, or of everything if the inner value is `None`.
    pub full: Option<Option<UnitCode>>,
    /// For a file of units, the codes in it.
    pub units: BTreeSet<UnitCode>,
}

impl LoadRequest {
    /// The scope as the tables store it: `None` if not full, empty for everything.
    fn scope(&self) -> Option<String> {
        self.full
            .as_ref()
            .map(|unit| unit.as_ref().map(ToString::to_string).unwrap_or_default())
    }

    /// Whether each load replaces the whole table.
    fn is_reference(&self) -> bool {
        matches!(self.table, "units" | "registry" | "notices")
    }

    /// Whether rows that the file lacks are gone from the table: from all of it, or from a unit and all below it.
    fn is_whole(&self) -> bool {
        self.is_reference() || self.full.is_some()
    }
}

/// Whether a file may be imported: at once, or only after an operator approves its health report.
pub enum LoadDecision {
    /// The load is open: its rows may be staged.
    Open(Box<OpenLoad>),
    /// The health check found faults: nothing is applied until somebody approves this load.
    NeedsApproval {
        /// The id to name in the approval.
        load: String,
        /// The faults.
        faults: Vec<HealthFault>,
    },
}

/// A row that stays in quarantine until it is corrected.
#[derive(Clone, Debug)]
pub struct QuarantinedRow {
    /// Its name in the report of the file.
    pub row: String,
    /// Why it could not be read.
    pub reason: QuarantineReason,
    /// The hints at its owner.
    pub hints: UnreadableProfile,
    /// Its cells by column.
    pub cells: BTreeMap<String, String>,
}

/// A row of the list of quarantined rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingRow {
    /// The load that brought it.
    pub load: String,
    /// Its name in the report of the file.
    pub row: String,
    /// The table.
    pub table: String,
    /// Why it could not be read.
    pub reason: String,
}

impl Store {
    /// The rows in quarantine that are not corrected yet.
    pub async fn quarantine(&self) -> Result<Vec<WaitingRow>> {
        self.db
            .read(async |tx| {
                let sql = "SELECT q.load, q.row_no, q.name, q.reason FROM quarantine q JOIN load l ON l.id = q.load \
                     WHERE q.ended_by IS NULL AND l.state = 'applied' ORDER BY q.name, l.at, q.load, LENGTH(q.row_no), q.row_no";
                let rows = tx.rows(sql, []).await?;
                let line = |row: &crate::db::Row| {
                    Ok(WaitingRow {
                        load: row.get(0)?,
                        row: row.get(1)?,
                        table: row.get(2)?,
                        reason: row.get(3)?,
                    })
                };
                rows.iter().map(line).collect()
            })
            .await
    }

    /// Whether there is any account.
    pub async fn has_accounts(&self) -> Result<bool> {
        self.db
            .read(async |tx| Ok(tx.row("SELECT 1 FROM account LIMIT 1", []).await?.is_some()))
            .await
    }

    /// The accounts among `ids` that exist.
    pub async fn known_accounts(&self, ids: &[AccountId]) -> Result<BTreeSet<AccountId>> {
        let wanted: Vec<SqlValue> = ids.iter().map(|id| id.as_str().into()).collect();
        self.db
            .read(async |tx| {
                let mut there = BTreeSet::new();
                for_each_in(tx, "SELECT id FROM account WHERE id IN ({})", &wanted, |row| {
                    there.insert(AccountId(row.get(0)?));
                    Ok(())
                })
                .await?;
                Ok(there)
            })
            .await
    }
}

/// The encrypted part of a row in quarantine.
#[derive(Serialize, Deserialize)]
pub(crate) struct QuarantinedCells {
    pub hints: UnreadableProfile,
    pub cells: BTreeMap<String, String>,
}

impl QuarantinedCells {
    fn place(place: &[u8]) -> AssociatedData<'_> {
        AssociatedData {
            table: "quarantine",
            column: "sealed",
            row: place,
        }
    }

    /// Encrypts it for the table.
    fn seal(&self, env: &StoreContext, load: &str, row_no: &str) -> Result<Vec<u8>> {
        let plain = serde_json::to_vec(self).map_err(|e| StoreError::corrupt("a row", e))?;
        let place = [load.as_bytes(), row_no.as_bytes()].concat();
        Ok(env.keys.encrypt(Self::place(&place), &plain, &env.ambient))
    }

    /// Decrypts it.
    pub fn open(keys: &Keyring, load: &str, row_no: &str, sealed: &[u8]) -> Result<Self> {
        let place = [load.as_bytes(), row_no.as_bytes()].concat();
        let plain = keys.decrypt(Self::place(&place), sealed)?;
        serde_json::from_slice(&plain).map_err(|e| StoreError::corrupt(format!("quarantine {load}/{row_no}"), e))
    }

    /// The fingerprints that identify the owner of the row, for the columns of the table.
    pub fn fingerprints(&self, marker: &Fingerprinter) -> [SqlValue; 3] {
        self.keys(marker).map(SqlValue::Bytes)
    }

    /// The fingerprints of file code and number; if it has neither, that of the name.
    pub fn keys(&self, marker: &Fingerprinter) -> [Option<Vec<u8>>; 3] {
        let fp = |kind, value: Option<&str>| value.map(|value| fingerprint(marker, kind, value));
        let number = self.hints.national_id.as_ref().map(|n| n.as_str());
        let code_fp = fp(FingerprintKind::EmployeeCode, self.hints.employee_code.as_deref());
        let number_fp = fp(FingerprintKind::NationalId, number);
        let name = self.hints.person_key.as_ref();
        let name = name.filter(|_| code_fp.is_none() && number_fp.is_none());
        let name_fp = name.map(|name| folded_fp(marker, name)).unwrap_or_default();
        [code_fp, number_fp, Some(name_fp)]
    }
}

/// A load whose rows are being staged.
pub struct OpenLoad {
    store: Store,
    id: String,
    incoming: LoadRequest,
    counts: CounterDeltas,
    ord: i64,
    known: KnownKeys,
    /// The digests of the rows of a reference, and of the rows in quarantine.
    rows: RowDigests,
    waiting: RowDigests,
    /// Rows in quarantine that this file corrects: load and row.
    mended: BTreeSet<(String, String)>,
    /// The key for fingerprints; keys are not rotated while a load is open.
    marker: Arc<Fingerprinter>,
    opened_at: i64,
}

impl Store {
    /// Opens a load, or returns why it needs approval. `approve` names a waiting load, which must be for this file.
    pub async fn begin_load(&self, incoming: LoadRequest, approve: Option<&str>) -> Result<LoadDecision> {
        self.discard_stale_loads().await?;
        let (env, asked) = (self.env.clone(), incoming.clone());
        let approve = approve.map(str::to_owned);
        let (id, faults, marker) = self
            .db
            .transaction(move |tx| {
                let (env, asked, approve) = (env.clone(), asked.clone(), approve.clone());
                Box::pin(async move {
                    let (id, faults) = open(tx, &env, &asked, approve).await?;
                    Ok((id, faults, env.marker(tx).await?))
                })
            })
            .await?;
        if !faults.is_empty() {
            return Ok(LoadDecision::NeedsApproval { load: id, faults });
        }
        let known = match incoming.table {
            // The profiles that a full extract lacks are determined at its end.
            "profiles" if incoming.full.is_some() => KnownKeys::read(self, None).await?,
            _ => KnownKeys::default(),
        };
        Ok(LoadDecision::Open(Box::new(OpenLoad {
            store: self.clone(),
            id,
            incoming,
            counts: CounterDeltas::default(),
            ord: 0,
            known,
            rows: RowDigests::default(),
            waiting: RowDigests::default(),
            mended: BTreeSet::new(),
            marker,
            opened_at: self.env.now(),
        })))
    }
}

async fn open(
    tx: &mut Tx,
    env: &StoreContext,
    asked: &LoadRequest,
    approve: Option<String>,
) -> Result<(String, Vec<HealthFault>)> {
    // One import at a time.
    tx.rows_for_update("SELECT id FROM arrival", []).await?;
    if tx.row("SELECT 1 FROM load WHERE state = 'open'", []).await?.is_some() {
        return Err(Refusal::ImportAtWork.into());
    }
    if let Some(id) = approve {
        let done = tx
            .execute(
                "UPDATE load SET state = 'open', beat = $4 WHERE id = $1 AND name = $2 AND digest = $3 AND state = 'waiting'",
                [
                    (&id).into(),
                    asked.table.into(),
                    (&asked.digest).into(),
                    env.now().into(),
                ],
            )
            .await?;
        if done != 1 {
            return Err(Refusal::UnknownLoad(id).into());
        }
        // A waiting load from before loads had a MAC gets one now: the approver has exactly its file.
        let sql = format!("SELECT {LOAD} FROM load WHERE id = $1");
        for row in tx.rows(&sql, [(&id).into()]).await? {
            let mac = bound::LOAD.mac(&env.keys, &bound::LOAD.cells(&row, 0)?);
            tx.execute("UPDATE load SET mac = $2 WHERE id = $1", [(&id).into(), mac])
                .await?;
        }
        return Ok((id, Vec::new()));
    }
    let faults = health::judge(tx, env, asked).await?;
    let id = env.id();
    let state = if faults.is_empty() { "open" } else { "waiting" };
    let cells = vec![
        (&id).into(),
        asked.table.into(),
        (&asked.digest).into(),
        env.now().into(),
        asked.as_of.to_string().into(),
        (&asked.by).into(),
        asked.scope().into(),
        number(asked.rows).into(),
        number(asked.unreadable).into(),
    ];
    let mut row = bound::LOAD.row(&env.keys, cells);
    row.push(state.into());
    tx.execute(
        "INSERT INTO load (id, name, digest, at, as_of, by_whom, scope, row_count, unreadable, mac, state, beat) \
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$4)",
        row,
    )
    .await?;
    Ok((id, faults))
}

pub(crate) fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl OpenLoad {
    /// Its id, for the operator.
    pub fn id(&self) -> &str {
        &self.id
    }

    fn act(&self) -> Attribution {
        Attribution {
            by: self.incoming.by.clone(),
            effective: start_of(self.incoming.as_of),
            run: None,
        }
    }

    /// Stages rows that could not be read.
    pub async fn quarantined(&mut self, rows: Vec<QuarantinedRow>) -> Result<()> {
        let mut cells = Vec::with_capacity(rows.len());
        for row in rows {
            self.known
                .see_unread(&self.marker, row.hints.employee_code.as_deref(), row.hints.national_id);
            let inside = QuarantinedCells {
                hints: row.hints,
                cells: row.cells,
            };
            let [code_fp, number_fp, name_fp] = inside.fingerprints(&self.marker);
            let sealed = inside.seal(&self.store.env, &self.id, &row.row)?;
            let plain = serde_json::to_vec(&inside).map_err(|e| StoreError::corrupt("a row", e))?;
            let named = [&self.id, row.row.as_str(), self.incoming.table, row.reason.name()];
            evidence::add_waiting(&mut self.waiting, &self.store.env.keys, named, &plain);
            cells.push(vec![
                self.id.as_str().into(),
                row.row.into(),
                self.incoming.table.into(),
                row.reason.name().into(),
                code_fp,
                number_fp,
                sealed.into(),
                name_fp,
            ]);
        }
        self.stage(
            "quarantine (load, row_no, name, reason, code_fp, number_fp, sealed, name_fp)",
            cells,
        )
        .await
    }

    /// Inserts rows of a reference.
    async fn stage(&self, into: &'static str, rows: Vec<Vec<SqlValue>>) -> Result<()> {
        let (id, env) = (self.id.clone(), self.store.env.clone());
        self.store
            .db
            .transaction(move |tx| {
                let (id, rows, now) = (id.clone(), rows.clone(), env.now());
                Box::pin(async move {
                    heartbeat(tx, &id, now).await?;
                    tx.insert(into, rows, "").await
                })
            })
            .await?;
        Ok(())
    }

    /// Makes all rows of the load count, in one transaction.
    pub async fn finish(self) -> Result<String> {
        let id = self.id.clone();
        let (store, table) = (self.store.clone(), self.incoming.table);
        let gone = self.gone().await?;
        let (env, load, incoming, act, opened_at) = (
            self.store.env.clone(),
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
                let (env, load, incoming, act) = (env.clone(), load.clone(), incoming.clone(), act.clone());
                let (gone, counted, mended) = (gone.clone(), counted.clone(), mended.clone());
                let (mut waiting, rows) = (waiting.clone(), rows.clone());
                Box::pin(async move {
                    tx.rows_for_update("SELECT id FROM arrival", []).await?;
                    heartbeat(tx, &load, env.now()).await?;
                    tx.execute("UPDATE load SET state = 'applied' WHERE id = $1", [(&load).into()])
                        .await?;
                    match incoming.table {
                        "citizens" | "officials" => {
                            accounts::activate(tx, &env, &act, &load, opened_at, counted).await?;
                        }
                        "profiles" => {
                            project_staged(tx, &env, &load, "person_number, profile, staff_key", false).await?;
                        }
                        _ => {
                            references::activate(tx, incoming.table, &load).await?;
                            project_staged(tx, &env, &load, "person_number, person_link", true).await?;
                        }
                    }
                    end_quarantine(tx, &incoming, &load, &mended).await?;
                    let mut events = gone;
                    let (others, _) = evidence::waiting(tx, &env.keys, incoming.table, &load, None).await?;
                    waiting.merge(others);
                    let own = evidence::row_of_load(tx, &env.keys, &load).await?;
                    let evidence = LoadDigests {
                        load: own,
                        rows,
                        waiting: waiting.digest(),
                    };
                    events.push(applied(&incoming, &load, evidence));
                    append(tx, &env, &act, events).await
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
async fn project_staged(tx: &mut Tx, env: &StoreContext, load: &str, grows: &str, binds: bool) -> Result<()> {
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
        let age = binds.then(|| walk.age_of(&env.keys, &head, &mac)).flatten();
        let mut entries = Vec::new();
        let sql = format!("{ENTRY} WHERE j.commit_id = $1 ORDER BY j.ord");
        tx.for_each_row(&sql, [head.id.into()], |row| {
            entries.push(read_entry(&env.keys, age, &row)?.entry);
            Ok(())
        })
        .await?;
        project(tx, env, &entries, &mut counts).await?;
        if many && at.is_power_of_two() {
            tx.analyze(grows).await?;
        }
    }
    counts.flush(tx, env.ambient.bytes::<1>()[0]).await
}

fn applied(incoming: &LoadRequest, load: &str, evidence: LoadDigests) -> Event {
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

/// Sends a heartbeat; fails if somebody has discarded the load meanwhile.
async fn heartbeat(tx: &mut Tx, load: &str, now: i64) -> Result<()> {
    let ours = tx
        .execute(
            "UPDATE load SET beat = $2 WHERE id = $1 AND state = 'open' AND beat > 0",
            [load.into(), now.into()],
        )
        .await?;
    if ours == 1 {
        Ok(())
    } else {
        Err(Refusal::ImportAtWork.into())
    }
}

/// Ends the quarantine of rows from earlier loads. A full extract ends it for all rows of its scope; another file for the rows that it
/// brings again, readable or not. A profile's row is kept, marked as ended, so that the next run sees whom it affected.
async fn end_quarantine(
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
