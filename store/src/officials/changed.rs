//! What changed since the last run over everybody, as the journal tells it.

use super::people::Concerned;
use crate::db::{Arg, Tx};
use crate::error::{Result, StoreError};
use crate::tables::each_of;
use ngomon_rules::event::Subject;
use ngomon_rules::record::AccountId;
use ngomon_rules::values::Date;

/// Why a run that was asked for what changed looks at everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Widened {
    /// None was over everybody before.
    FirstRun,
    /// The last one was of another day, and each decision is one of its day.
    OtherDay,
    /// A run was undone since.
    Undone,
    /// A setting that decisions read has another value.
    Setting(String),
    /// A table was taken in that concerns everybody: `units`, `registry`, `notices`.
    Load(String),
    /// A full extract covers a unit that none covered before.
    Coverage,
}

/// What a run over what changed has to look at.
pub(super) enum Since {
    Only(Concerned),
    Everybody(Widened),
}

/// What of the journal is not covered by the last run over everybody, and that run's own entries, which change what is found.
const SINCE: &str = "SELECT DISTINCT j.kind, j.subject_kind, j.subject, l.name FROM journal_commit c JOIN journal j ON j.commit_id = c.id \
     LEFT JOIN load l ON j.subject_kind = 'load' AND l.id = j.subject \
     LEFT JOIN account_row a ON j.subject_kind = 'account' AND a.id = j.subject \
     WHERE (c.position > $1 OR c.position IS NULL) AND (a.id IS NULL OR a.kind <> 'citizen') \
     AND NOT EXISTS (SELECT 1 FROM load o WHERE o.id = c.load AND o.state = 'open')";

/// Reads what changed since the last run over everybody that is applied.
pub(super) async fn since_last_run(tx: &mut Tx, day: Date) -> Result<Since> {
    let sql = "SELECT as_of, seen FROM run WHERE state = 'applied' AND seen IS NOT NULL ORDER BY seen DESC LIMIT 1";
    let Some(last) = tx.row(sql, []).await? else {
        return Ok(Since::Everybody(Widened::FirstRun));
    };
    if last.get::<String>(0)? != day.to_string() {
        return Ok(Since::Everybody(Widened::OtherDay));
    }
    let mut concerned = Concerned::default();
    let mut loads: Vec<Arg> = Vec::new();
    for row in tx.rows(SINCE, [last.get::<i64>(1)?.into()]).await? {
        let [kind, subject_kind, subject]: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
        let subject = Subject::from_parts(&subject_kind, &subject)
            .ok_or_else(|| StoreError::corrupt("journal", "no such subject"))?;
        let widened = match subject {
            Subject::Account(id) => {
                concerned.accounts.insert(id);
                None
            }
            Subject::Profile(id) => {
                concerned.profiles.insert(id);
                None
            }
            Subject::Load(id) => match row.get::<Option<String>>(3)?.unwrap_or_default() {
                table if matches!(table.as_str(), "units" | "registry" | "notices") => Some(Widened::Load(table)),
                table => {
                    loads.extend((table == "profiles").then(|| Arg::from(id)));
                    None
                }
            },
            Subject::Setting(key) => decides(&key).then_some(Widened::Setting(key)),
            Subject::Run(_) => (kind == "run-undone").then_some(Widened::Undone),
            Subject::Person(_) | Subject::Operator(_) => None,
        };
        if let Some(widened) = widened {
            return Ok(Since::Everybody(widened));
        }
    }
    if covers_more(tx, &loads).await? {
        return Ok(Since::Everybody(Widened::Coverage));
    }
    if !unread(tx, &loads, &mut concerned).await? {
        return Ok(Since::Everybody(Widened::Load("profiles".into())));
    }
    Ok(Since::Only(concerned))
}

/// Do decisions read the setting? The guard's limits are read by the guard alone.
fn decides(setting: &str) -> bool {
    setting == "campaign.freeze" || (setting.starts_with("policy.") && !setting.starts_with("policy.brake."))
}

async fn covers_more(tx: &mut Tx, loads: &[Arg]) -> Result<bool> {
    let mut more = false;
    each_of(tx, "SELECT unit FROM coverage WHERE load IN ({})", loads, |_| {
        more = true;
        Ok(())
    })
    .await?;
    Ok(more)
}

/// Whose rows these loads could not read, and whose they ended. `false`: a row does not tell.
async fn unread(tx: &mut Tx, loads: &[Arg], concerned: &mut Concerned) -> Result<bool> {
    let (mut names, mut all_tell) = (Vec::new(), true);
    let sql = "SELECT code_fp, number_fp, name_fp FROM quarantine WHERE name = 'profiles' AND (load IN ({}) OR ended_by IN ({}))";
    each_of(tx, sql, loads, |row| {
        let known: [Option<Vec<u8>>; 2] = [row.get(0)?, row.get(1)?];
        let name = row.get::<Option<Vec<u8>>>(2)?;
        all_tell &= name.is_some() || known.iter().any(Option::is_some);
        concerned.keys.extend(known.into_iter().flatten());
        names.extend(name.map(Arg::from));
        Ok(())
    })
    .await?;
    let sql = "SELECT holder FROM staff_key WHERE kind = 'name' AND fp IN ({})";
    each_of(tx, sql, &names, |row| {
        concerned.accounts.insert(AccountId(row.get(0)?));
        Ok(())
    })
    .await?;
    Ok(all_tell)
}
