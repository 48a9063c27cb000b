//! Taking files in. Rows are staged in short transactions and counted by nobody; one last short transaction makes them count.
//!
//! ```text
//!            health is bad                approve
//!  judged ──────────────────▶  waiting ─────────────▶ open ──── finish ────▶ applied
//!     └───────────── health is good ───────────────────▲│
//!                                                       └── dies, or aborts ──▶ discarded
//! ```

mod accounts;
mod discard;
mod health;
mod profiles;
mod references;

pub use health::HealthFault;
pub(crate) use references::{RegistryRows, notice_of, number_of, record_of};

use crate::counts::Counts;
use crate::db::{Arg, Tx};
use crate::error::{Refusal, Result, StoreError};
use crate::journal::{Act, Env, append};
use crate::keyring::{FingerprintKind, Keyring, Marker, Place};
use crate::store::Store;
use crate::tables::{fingerprint, folded_fp, start_of};
use ngomon_rules::event::{Change, Event, Subject};
use ngomon_rules::officials::Quarantined;
use ngomon_rules::quarantine::Quarantine;
use ngomon_rules::unit::UnitCode;
use ngomon_rules::values::Date;
use profiles::Known;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An open load whose process was not heard of for that long is given up: microseconds.
const SILENCE: i64 = 15_000_000;

/// A file that was judged and is to be taken in.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// `units`, `registry`, `citizens`, `officials`, `profiles`, `notices`.
    pub table: &'static str,
    /// SHA-256 of its bytes, in hexadecimal.
    pub digest: String,
    /// Rows of the file; of an extract that is full for a unit, those of that unit and below.
    pub rows: u64,
    /// Rows in quarantine, repeated ones left out.
    pub unreadable: u64,
    /// The day that it describes.
    pub as_of: Date,
    /// Who takes it in.
    pub by: String,
    /// The file is the whole extract: of that unit and below, or of everything.
    pub full: Option<Option<UnitCode>>,
}

impl Incoming {
    /// As the tables have it: `None`: not full; empty: everything.
    fn scope(&self) -> Option<String> {
        self.full
            .as_ref()
            .map(|unit| unit.as_ref().map(ToString::to_string).unwrap_or_default())
    }

    /// These are replaced by each load, so that each is the whole.
    fn is_reference(&self) -> bool {
        matches!(self.table, "units" | "registry" | "notices")
    }
}

/// What comes of a file that knocks.
pub enum Intake {
    /// Its rows may come.
    Open(Box<OpenLoad>),
    /// Its health is bad: nothing is applied until somebody approves this load.
    NeedsApproval {
        /// To be named in the approval.
        load: String,
        /// What is bad.
        faults: Vec<HealthFault>,
    },
}

/// A row that waits until somebody mends it.
#[derive(Clone, Debug)]
pub struct QuarantinedRow {
    /// Its name in the report of the file.
    pub row: String,
    /// Why.
    pub reason: Quarantine,
    /// What still tells whose it is.
    pub hints: Quarantined,
    /// Its cells by column.
    pub cells: BTreeMap<String, String>,
}

/// What is sealed of a row in quarantine.
#[derive(Serialize, Deserialize)]
pub(crate) struct QuarantinedCells {
    pub hints: Quarantined,
    pub cells: BTreeMap<String, String>,
}

impl QuarantinedCells {
    fn place(place: &[u8]) -> Place<'_> {
        Place {
            table: "quarantine",
            column: "sealed",
            row: place,
        }
    }

    /// As the table has them.
    fn seal(&self, env: &Env, load: &str, row_no: &str) -> Result<Vec<u8>> {
        let plain = serde_json::to_vec(self).map_err(|e| StoreError::corrupt("a row", e))?;
        let place = [load.as_bytes(), row_no.as_bytes()].concat();
        Ok(env.keys.seal(Self::place(&place), &plain, &env.ambient))
    }

    /// Read back.
    pub fn open(keys: &Keyring, load: &str, row_no: &str, sealed: &[u8]) -> Result<Self> {
        let place = [load.as_bytes(), row_no.as_bytes()].concat();
        let plain = keys.unseal(Self::place(&place), sealed)?;
        serde_json::from_slice(&plain).map_err(|e| StoreError::corrupt(format!("quarantine {load}/{row_no}"), e))
    }

    /// What tells whose row it is: file code, number, and, where it is neither, the name.
    pub fn fingerprints(&self, marker: &Marker) -> [Arg; 3] {
        let fp = |kind, value: Option<&str>| value.map(|value| fingerprint(marker, kind, value));
        let number = self.hints.national_id.as_ref().map(|n| n.as_str());
        let code_fp = fp(FingerprintKind::EmployeeCode, self.hints.employee_code.as_deref());
        let number_fp = fp(FingerprintKind::NationalId, number);
        let name = self.hints.person_key.as_ref();
        let name = name.filter(|_| code_fp.is_none() && number_fp.is_none());
        let name_fp = name.map(|name| folded_fp(marker, name)).unwrap_or_default();
        [code_fp.into(), number_fp.into(), name_fp.into()]
    }
}

/// A load whose rows are being staged.
pub struct OpenLoad {
    store: Store,
    id: String,
    incoming: Incoming,
    counts: Counts,
    ord: i64,
    known: Known,
    /// Keys are not rotated while a load is open.
    marker: Arc<Marker>,
    opened_at: i64,
}

impl Store {
    /// Opens a load, or says why it needs approval. `approve` names a load that waited, and whose file this is.
    pub async fn begin_load(&self, incoming: Incoming, approve: Option<&str>) -> Result<Intake> {
        self.give_up_silent_loads().await?;
        let (env, asked) = (self.env.clone(), incoming.clone());
        let approve = approve.map(str::to_owned);
        let (id, faults, marker) = self
            .db
            .write(move |tx| {
                let (env, asked, approve) = (env.clone(), asked.clone(), approve.clone());
                Box::pin(async move {
                    let (id, faults) = open(tx, &env, &asked, approve).await?;
                    Ok((id, faults, env.marker(tx).await?))
                })
            })
            .await?;
        if !faults.is_empty() {
            return Ok(Intake::NeedsApproval { load: id, faults });
        }
        let known = match incoming.table {
            // What of them an extract does not have any more shows at its end.
            "profiles" if incoming.full.is_some() => Known::read(self, None).await?,
            _ => Known::default(),
        };
        Ok(Intake::Open(Box::new(OpenLoad {
            store: self.clone(),
            id,
            incoming,
            counts: Counts::default(),
            ord: 0,
            known,
            marker,
            opened_at: self.env.now(),
        })))
    }
}

async fn open(tx: &mut Tx, env: &Env, asked: &Incoming, approve: Option<String>) -> Result<(String, Vec<HealthFault>)> {
    // One import at a time.
    tx.rows_locked("SELECT id FROM arrival", []).await?;
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
        return if done == 1 {
            Ok((id, Vec::new()))
        } else {
            Err(Refusal::UnknownLoad(id).into())
        };
    }
    let faults = health::judge(tx, asked).await?;
    let id = env.id();
    let state = if faults.is_empty() { "open" } else { "waiting" };
    tx.execute(
        "INSERT INTO load (id, name, digest, at, as_of, by_whom, scope, row_count, unreadable, state, beat) \
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$4)",
        [
            (&id).into(),
            asked.table.into(),
            (&asked.digest).into(),
            env.now().into(),
            asked.as_of.to_string().into(),
            (&asked.by).into(),
            asked.scope().into(),
            number(asked.rows).into(),
            number(asked.unreadable).into(),
            state.into(),
        ],
    )
    .await?;
    Ok((id, faults))
}

pub(crate) fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl OpenLoad {
    /// Its id, told to the operator.
    pub fn id(&self) -> &str {
        &self.id
    }

    fn act(&self) -> Act {
        Act {
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
                .see(&self.marker, row.hints.employee_code.as_deref(), row.hints.national_id);
            let inside = QuarantinedCells {
                hints: row.hints,
                cells: row.cells,
            };
            let [code_fp, number_fp, name_fp] = inside.fingerprints(&self.marker);
            let sealed = inside.seal(&self.store.env, &self.id, &row.row)?;
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
    async fn stage(&self, into: &'static str, rows: Vec<Vec<Arg>>) -> Result<()> {
        let (id, env) = (self.id.clone(), self.store.env.clone());
        self.store
            .db
            .write(move |tx| {
                let (id, rows, now) = (id.clone(), rows.clone(), env.now());
                Box::pin(async move {
                    beat(tx, &id, now).await?;
                    tx.insert(into, rows, "").await
                })
            })
            .await?;
        Ok(())
    }

    /// Makes everything count, in one transaction.
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
        let counted = self.counts;
        store
            .db
            .write(move |tx| {
                let (env, load, incoming, act) = (env.clone(), load.clone(), incoming.clone(), act.clone());
                let (gone, counted) = (gone.clone(), counted.clone());
                Box::pin(async move {
                    tx.rows_locked("SELECT id FROM arrival", []).await?;
                    beat(tx, &load, env.now()).await?;
                    tx.execute("UPDATE load SET state = 'applied' WHERE id = $1", [(&load).into()])
                        .await?;
                    match incoming.table {
                        "citizens" | "officials" => {
                            accounts::arrive(tx, &env, &act, &load, opened_at, counted).await?;
                        }
                        "profiles" => profiles::arrive(tx, &env, &load).await?,
                        _ => references::arrive(tx, incoming.table, &load).await?,
                    }
                    end_quarantine(tx, &incoming, &load).await?;
                    let mut events = gone;
                    events.push(applied(&incoming, &load));
                    append(tx, &env, &act, events).await
                })
            })
            .await?;
        if table == "registry" {
            store.forget_old_registry().await?;
        }
        store.seal().await?;
        Ok(id)
    }
}

fn applied(incoming: &Incoming, load: &str) -> Event {
    Event {
        subject: Subject::Load(load.to_owned()),
        change: Change::LoadApplied {
            table: incoming.table.to_owned(),
            digest: incoming.digest.clone(),
            rows: incoming.rows,
            quarantined: incoming.unreadable,
            full: incoming.scope(),
        },
        personal: None,
    }
}

/// The load is still ours: nobody gave it up meanwhile.
async fn beat(tx: &mut Tx, load: &str, now: i64) -> Result<()> {
    let ours = tx
        .execute(
            "UPDATE load SET beat = $2 WHERE id = $1 AND state = 'open'",
            [load.into(), now.into()],
        )
        .await?;
    if ours == 1 {
        Ok(())
    } else {
        Err(Refusal::ImportAtWork.into())
    }
}

/// Rows that waited before, and wait no more: a full extract ends the quarantine of rows that it no longer has; another file that of
/// the rows that it brings again. A profile's row stays for the next run to see whom it leaves.
async fn end_quarantine(tx: &mut Tx, incoming: &Incoming, load: &str) -> Result<()> {
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
        let sql = format!(
            "{waiting} AND ({column} IN (SELECT {column} FROM quarantine WHERE load = $2) \
             OR {column} IN (SELECT p.{column} FROM journal_commit c JOIN journal j ON j.commit_id = c.id \
             JOIN profile p ON p.id = j.subject AND p.value = j.value WHERE c.load = $2))"
        );
        tx.execute(&sql, [incoming.table.into(), load.into()]).await?;
    }
    Ok(())
}
