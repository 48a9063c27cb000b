//! The changes since the last run over everybody, from the journal.

use crate::db::columns::for_each_in;
use crate::db::{SqlValue, Tx};
use crate::error::{Result, StoreError};
use crate::officials::affected::AffectedKeys;
use ngomon_rules::event::Subject;
use ngomon_rules::records::AccountId;
use ngomon_rules::values::Date;

/// Why an incremental run was widened to everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FullRunReason {
    /// There was no run over everybody before.
    FirstRun,
    /// The last run was as of another day, and each decision depends on its day.
    OtherDay,
    /// A run was undone since.
    Undone,
    /// A setting that decisions read has another value.
    Setting(String),
    /// A table was loaded that affects everybody: `units`, `registry`, `notices`.
    Load(String),
    /// A full extract covers a unit that no extract covered before.
    Coverage,
}

/// The scope of an incremental run.
pub(crate) enum ChangeScope {
    Only(AffectedKeys),
    Everybody(FullRunReason),
}

/// The commits after the journal position of the last run over everybody. They include that run's own commit, because it changes the
/// facts.
const COMMITS: &str = "SELECT c.id FROM journal_commit c LEFT JOIN load l ON l.id = c.load \
     WHERE (c.position > $1 OR c.position IS NULL) AND (l.id IS NULL OR (l.name <> 'citizens' AND (l.state = 'applied' OR c.position IS NOT NULL)))";

/// The changes in these commits. Left out are changes of citizens alone, and changes that decide nothing: a sign-in can only end a hold,
/// which is an entry of its own.
const CHANGES: &str = "SELECT DISTINCT kind, subject_kind, subject FROM journal WHERE commit_id IN ({}) AND kind NOT IN \
     ('form-answered', 'claim-details-changed', 'claim-ended', 'exemption-granted', 'exemption-ended', 'password-rehashed', 'password-changed', \
     'sessions-ended', 'subject-named', 'notice-resent', 'signed-in')";

/// Reads the changes since the last applied run over everybody.
pub(crate) async fn since_last_run(tx: &mut Tx, day: Date) -> Result<ChangeScope> {
    let sql = "SELECT as_of, seen FROM run WHERE state = 'applied' AND seen IS NOT NULL ORDER BY seen DESC LIMIT 1";
    let Some(last) = tx.row(sql, []).await? else {
        return Ok(ChangeScope::Everybody(FullRunReason::FirstRun));
    };
    if last.get::<String>(0)? != day.to_string() {
        return Ok(ChangeScope::Everybody(FullRunReason::OtherDay));
    }
    let mut commits: Vec<SqlValue> = Vec::new();
    tx.for_each_row(COMMITS, [last.get::<i64>(1)?.into()], |row| {
        commits.push(row.get::<String>(0)?.into());
        Ok(())
    })
    .await?;
    let (mut concerned, mut loads, mut widened) = (AffectedKeys::default(), Vec::new(), None);
    let mut claimed: Vec<SqlValue> = Vec::new();
    for_each_in(tx, CHANGES, &commits, |row| {
        let [kind, subject_kind, subject]: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
        match Subject::from_parts(&subject_kind, &subject) {
            Some(Subject::Account(id)) if kind == "claim-made" => claimed.push(id.0.into()),
            Some(Subject::Account(id)) => drop(concerned.accounts.insert(id)),
            Some(Subject::Profile(id)) => drop(concerned.profiles.insert(id)),
            Some(Subject::Load(id)) => loads.push(id.into()),
            Some(Subject::Setting(key)) if decides(&key) => widened = Some(FullRunReason::Setting(key)),
            Some(Subject::Run(_)) if kind == "run-undone" => widened = Some(FullRunReason::Undone),
            Some(
                Subject::Person(_) | Subject::Operator(_) | Subject::Client(_) | Subject::Setting(_) | Subject::Run(_),
            ) => {}
            None => return Err(StoreError::corrupt("journal", "no such subject")),
        }
        Ok(())
    })
    .await?;
    // A claim may link the numbers of a person who is an official.
    let renewed = "SELECT l.fp FROM claim c JOIN person_number n ON n.person = c.person JOIN person_link l ON l.fp = n.fp \
         WHERE c.account IN ({})";
    for_each_in(tx, renewed, &claimed, |row| {
        concerned.keys.insert(row.get(0)?);
        Ok(())
    })
    .await?;
    if widened.is_none() {
        widened = by_loads(tx, &loads, &mut concerned).await?;
    }
    Ok(widened.map_or(ChangeScope::Only(concerned), ChangeScope::Everybody))
}

/// Whether decisions read the setting. The guard's limits are read by the guard alone.
fn decides(setting: &str) -> bool {
    setting == "campaign.freeze" || (setting.starts_with("policy.") && !setting.starts_with("policy.brake."))
}

/// Adds the people whom these loads affect beyond the changes in the journal: by unreadable rows of HR's extract, new ones or ones that
/// the loads ended. Returns why the run must be widened, if it must.
async fn by_loads(tx: &mut Tx, loads: &[SqlValue], concerned: &mut AffectedKeys) -> Result<Option<FullRunReason>> {
    let mut widened = None;
    let references = "SELECT name FROM load WHERE name IN ('units', 'registry', 'notices') AND id IN ({})";
    for_each_in(tx, references, loads, |row| {
        widened = Some(FullRunReason::Load(row.get(0)?));
        Ok(())
    })
    .await?;
    for_each_in(tx, "SELECT unit FROM coverage WHERE load IN ({})", loads, |_| {
        widened.get_or_insert(FullRunReason::Coverage);
        Ok(())
    })
    .await?;
    let mut names: Vec<SqlValue> = Vec::new();
    let rows = "SELECT code_fp, number_fp, name_fp FROM quarantine WHERE name = 'profiles' AND (load IN ({}) OR ended_by IN ({}))";
    for_each_in(tx, rows, loads, |row| {
        let keys: [Option<Vec<u8>>; 2] = [row.get(0)?, row.get(1)?];
        let name: Option<Vec<u8>> = row.get(2)?;
        if name.is_none() && keys.iter().all(Option::is_none) {
            // The row is from an earlier version and has no fingerprints.
            widened.get_or_insert_with(|| FullRunReason::Load("profiles".into()));
        }
        concerned.keys.extend(keys.into_iter().flatten());
        names.extend(name.map(SqlValue::from));
        Ok(())
    })
    .await?;
    let called = "SELECT holder FROM staff_key WHERE kind = 'name' AND fp IN ({})";
    for_each_in(tx, called, &names, |row| {
        concerned.accounts.insert(AccountId(row.get(0)?));
        Ok(())
    })
    .await?;
    Ok(widened)
}
