//! Entries: written with their MAC, and read back.

use crate::context::{Attribution, StoreContext};
use crate::crypto::keyring::{Age, Keyring, commitment};
use crate::db::bound::bind;
use crate::db::{Row, SqlValue, Tx};
use crate::error::{Result, StoreError};
use crate::journal::commit::{CommitHead, digest_of};
use crate::journal::personal;
use crate::journal::personal::encrypt;
use ngomon_rules::event::{Change, Event, Subject};

/// The format version of an entry's body.
const VERSION: i64 = 1;

/// An event as the journal stores it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The commit it belongs to.
    pub commit: String,
    /// Its position in the commit.
    pub ord: i64,
    /// When it was recorded: microseconds UTC.
    pub at: i64,
    /// From when it counts: microseconds UTC.
    pub effective: i64,
    /// The actor.
    pub by: String,
    /// The run.
    pub run: Option<String>,
    /// The load that must be applied before it counts.
    pub load: Option<String>,
    /// The id of its personal value.
    pub value: Option<String>,
    /// The commitment to that value.
    pub commitment: Option<Vec<u8>>,
    /// The entry is unchanged, and its MAC is under a key that was valid when it was written.
    pub genuine: bool,
    /// The change.
    pub event: Event,
}

/// The parts of an entry, in the order in which its MAC covers them.
struct MacParts<'a> {
    commit: &'a str,
    ord: i64,
    at: i64,
    effective: i64,
    version: i64,
    texts: [&'a str; 5],
    optional: [Option<&'a str>; 3],
    commitment: Option<&'a [u8]>,
}

impl MacParts<'_> {
    /// Passes all parts that the MAC covers to `take`.
    fn parts<T>(&self, take: impl FnOnce(&[&[u8]]) -> T) -> T {
        let numbers = [self.ord, self.at, self.effective, self.version].map(i64::to_be_bytes);
        // An absent part differs from an empty one.
        let mark = |there: bool| -> &[u8] { if there { &[1] } else { &[0] } };
        let mut parts: Vec<&[u8]> = vec![b"entry", self.commit.as_bytes()];
        parts.extend(numbers.iter().map(|n| &n[..]));
        parts.extend(self.texts.iter().map(|t| t.as_bytes()));
        for text in self.optional {
            parts.extend([mark(text.is_some()), text.unwrap_or_default().as_bytes()]);
        }
        parts.extend([mark(self.commitment.is_some()), self.commitment.unwrap_or_default()]);
        take(&parts)
    }
}

/// The name of a change, which is the first field of its JSON.
fn kind_of(body: &str) -> &str {
    body.strip_prefix("{\"kind\":\"")
        .and_then(|rest| rest.split('"').next())
        .unwrap_or_default()
}

/// The clause from which a change follows.
fn clause_of(change: &Change) -> Option<String> {
    Some(match change {
        Change::HoldPlaced { hold } | Change::HoldEvidenceChanged { hold, .. } => hold.reason.clause().to_string(),
        Change::HoldLifted { reason, .. } => reason.clause().to_string(),
        Change::ClaimMade { .. } | Change::ClaimDetailsChanged { .. } => "125/C4".into(),
        Change::ProfileReviewed { .. } => "108/4".into(),
        Change::AccountJoined { .. }
        | Change::ReviewRequested { .. }
        | Change::ClaimEnded { .. }
        | Change::TakeOverProposed { .. }
        | Change::TakeOverApproved { .. }
        | Change::TakeOverDeclined { .. } => "125/C5".into(),
        Change::FormAnswered { .. } => "125/C2".into(),
        Change::ExemptionGranted { .. } | Change::ExemptionEnded => "125/C1".into(),
        // A newcomer's account succeeds no other: it follows from the policy, not from a clause.
        Change::AccountCreated { succeeds, .. } if succeeds.is_empty() => return None,
        Change::AccountCreated { .. } | Change::AccountRemoved => "108/6".into(),
        _ => return None,
    })
}

/// Writes a commit of the journal without touching the projections. With a `load`, it counts once that load is applied.
pub(crate) async fn write(
    tx: &mut Tx,
    ctx: &StoreContext,
    act: &Attribution,
    events: Vec<Event>,
    load: Option<&str>,
) -> Result<Vec<Entry>> {
    let (commit, at) = (ctx.id(), ctx.now());
    let mark = ctx.marker(tx).await?.key_id();
    let age = ctx.keys.age_of(mark.version());
    let mut entries = Vec::with_capacity(events.len());
    let mut journal = Vec::with_capacity(events.len());
    let mut values = Vec::new();
    let mut macs = Vec::with_capacity(events.len());
    for (ord, event) in (0..).zip(events) {
        let body = serde_json::to_string(&event.change).map_err(|e| StoreError::corrupt("an event", e))?;
        let sealed = event.personal.as_ref().map(|p| encrypt(ctx, p)).transpose()?;
        let (subject_kind, subject) = event.subject.parts();
        let clause = clause_of(&event.change);
        let kind = kind_of(&body);
        let signed = MacParts {
            commit: &commit,
            ord,
            at,
            effective: act.effective,
            version: VERSION,
            texts: [kind, subject_kind, subject, &act.by, &body],
            optional: [
                act.run.as_deref(),
                clause.as_deref(),
                sealed.as_ref().map(|s| s.id.as_str()),
            ],
            commitment: sealed.as_ref().map(|s| &s.commitment[..]),
        };
        let mac = signed.parts(|parts| ctx.keys.journal_mac(age, parts));
        journal.push(vec![
            commit.as_str().into(),
            ord.into(),
            at.into(),
            act.effective.into(),
            kind.into(),
            VERSION.into(),
            subject_kind.into(),
            subject.into(),
            act.by.as_str().into(),
            act.run.clone().into(),
            clause.clone().into(),
            body.as_str().into(),
            sealed.as_ref().map(|s| s.id.as_str()).into(),
            sealed.as_ref().map(|s| s.commitment.to_vec()).into(),
            mac.into(),
        ]);
        macs.push(mac);
        let (value, commitment) = sealed
            .map(|s| {
                values.push(vec![s.id.as_str().into(), s.salt.into(), s.sealed.into()]);
                (s.id, s.commitment.to_vec())
            })
            .unzip();
        entries.push(Entry {
            commit: commit.clone(),
            ord,
            at,
            effective: act.effective,
            by: act.by.clone(),
            run: act.run.clone(),
            load: load.map(str::to_owned),
            value,
            commitment,
            genuine: true,
            event,
        });
    }
    let into = "journal (commit_id, ord, at, effective, kind, version, subject_kind, subject, by_whom, run, clause, body, value, commitment, mac)";
    tx.insert("personal_value (id, salt, sealed)", values, "").await?;
    tx.insert(into, journal, "").await?;
    let head = CommitHead {
        id: commit,
        at,
        entries: i64::try_from(macs.len()).unwrap_or(i64::MAX),
        digest: digest_of(&macs).to_vec(),
        load: load.map(str::to_owned),
    };
    let mac = head.mac(&ctx.keys, age);
    tx.execute(
        "INSERT INTO journal_commit (id, at, entries, digest, mac, load) VALUES ($1,$2,$3,$4,$5,$6)",
        [
            head.id.into(),
            at.into(),
            head.entries.into(),
            head.digest.into(),
            mac.into(),
            load.into(),
        ],
    )
    .await?;
    Ok(entries)
}

/// The `SELECT` for [`read_entry`], without its conditions.
pub(crate) const ENTRY: &str = "SELECT j.commit_id, j.ord, j.at, j.effective, j.kind, j.version, j.subject_kind, j.subject, j.by_whom, \
     j.run, j.clause, j.body, j.value, j.commitment, j.mac, v.salt, v.sealed, c.load \
     FROM journal j JOIN journal_commit c ON c.id = j.commit_id LEFT JOIN personal_value v ON v.id = j.value";

/// An entry read back, and whether all of it is as it was written.
pub(crate) struct ReadEntry {
    pub entry: Entry,
    pub clause: Option<String>,
}

/// Reads an entry back. If `age` is given, its MAC and the commitment of its value are checked; otherwise the entry counts as not
/// genuine.
pub(crate) fn read_entry(keys: &Keyring, age: Option<Age>, row: &Row) -> Result<ReadEntry> {
    let (commit, ord): (String, i64) = (row.get(0)?, row.get(1)?);
    let place = || format!("journal {commit}/{ord}");
    let (at, effective, version): (i64, i64, i64) = (row.get(2)?, row.get(3)?, row.get(5)?);
    let [kind, subject_kind, subject, by, body]: [String; 5] =
        [row.get(4)?, row.get(6)?, row.get(7)?, row.get(8)?, row.get(11)?];
    let [run, clause, value]: [Option<String>; 3] = [row.get(9)?, row.get(10)?, row.get(12)?];
    let promised: Option<Vec<u8>> = row.get(13)?;
    let mac: Vec<u8> = row.get(14)?;
    let signed = MacParts {
        commit: &commit,
        ord,
        at,
        effective,
        version,
        texts: [&kind, &subject_kind, &subject, &by, &body],
        optional: [run.as_deref(), clause.as_deref(), value.as_deref()],
        commitment: promised.as_deref(),
    };
    let vouched = |age| signed.parts(|parts| keys.is_journal_mac(age, parts, &mac));
    let mut genuine = version == VERSION && age.is_some_and(vouched);
    let change: Change = serde_json::from_str(&body).map_err(|e| StoreError::corrupt(place(), e))?;
    let subject =
        Subject::from_parts(&subject_kind, &subject).ok_or_else(|| StoreError::corrupt(place(), "no such subject"))?;
    let personal = match (&value, row.get::<Option<Vec<u8>>>(16)?) {
        (Some(id), Some(sealed)) => {
            let plain = keys.decrypt(personal::place(id), &sealed)?;
            let salt: Option<Vec<u8>> = row.get(15)?;
            let salt: Option<[u8; 16]> = salt.and_then(|s| s.try_into().ok());
            genuine &= salt.is_some_and(|salt| promised.as_deref() == Some(&commitment(&salt, &plain)));
            Some(serde_json::from_slice(&plain).map_err(|e| StoreError::corrupt(place(), e))?)
        }
        (Some(_), None) => {
            genuine = false;
            None
        }
        (None, _) => None,
    };
    Ok(ReadEntry {
        entry: Entry {
            commit,
            ord,
            at,
            effective,
            by,
            run,
            load: row.get(17)?,
            value,
            commitment: promised,
            genuine,
            event: Event {
                subject,
                change,
                personal,
            },
        },
        clause,
    })
}

impl Entry {
    /// The MAC over these cells, if the entry from which they are projected is genuine.
    pub(crate) fn bind(&self, keys: &Keyring, what: &str, cells: &[SqlValue]) -> SqlValue {
        if self.genuine {
            bind(keys, what, cells)
        } else {
            SqlValue::Bytes(Some(Vec::new()))
        }
    }
}
