//! All that the officials' decisions read, in one snapshot: of everybody, or of some people.

use super::people::People;
use crate::db::{Arg, Row, Tx};
use crate::error::{Result, StoreError};
use crate::journal::{Env, unseal};
use crate::loads::{QuarantinedCells, notice_of, record_of};
use crate::settings;
use crate::tables::{STATED, day_of, each_of, end_of, folded_fp, hold_of, stated_of};
use crate::units;
use ngomon_rules::event::{Personal, ProfileId};
use ngomon_rules::hold::Hold;
use ngomon_rules::officials::{
    Case, Coverage, Directory, Found, KeptProfile, OfficialAccount, OfficialsPolicy, Quarantined, latest_begun,
};
use ngomon_rules::record::{AccountId, AccountKind, Notice};
use ngomon_rules::unit::{UnitCode, UnitTree};
use ngomon_rules::values::{Date, NationalId};
use std::collections::HashMap;

/// An account with what a run needs beside the decision.
pub(crate) struct Held {
    pub account: OfficialAccount,
    pub login: String,
    /// Its holds that are written and in force, sorted.
    pub holds: Vec<Hold>,
}

/// For one day, all that the decisions of these accounts read.
pub(crate) struct Facts {
    pub accounts: Vec<Held>,
    pub directory: Directory,
    pub units: UnitTree,
    pub policy: OfficialsPolicy,
    pub freeze: bool,
    pub day: Date,
    /// How many officials' accounts there are that nothing holds, whoever's facts these are.
    pub open: u64,
    /// By number, each with its place among all rows.
    notices: HashMap<NationalId, Vec<(i64, Notice)>>,
}

impl Facts {
    /// Reads what concerns these people; without people, everything.
    pub async fn read(tx: &mut Tx, env: &Env, day: Date, people: Option<&People>) -> Result<Self> {
        let accounts = accounts(tx, env, day, people).await?;
        Ok(Self {
            directory: directory(tx, env, people, &accounts).await?,
            accounts,
            units: units::tree(tx).await?,
            policy: settings::policy(tx).await?,
            freeze: settings::campaign(tx).await?.freeze,
            day,
            open: open(tx, day).await?,
            notices: notices(tx, env, people).await?,
        })
    }

    /// What the decision of an account reads.
    pub fn case<'a>(&'a self, account: &'a OfficialAccount) -> Case<'a> {
        Case {
            account,
            directory: &self.directory,
            notice: self.notice(account),
            units: &self.units,
            day: self.day,
            policy: &self.policy,
            freeze: self.freeze,
        }
    }

    /// The person's latest notice that has begun; the person's numbers are those of the profile, or else the account's.
    fn notice(&self, account: &OfficialAccount) -> Option<&Notice> {
        let numbers: Vec<NationalId> = match self.directory.find(account, &self.units, self.day) {
            Found::Profile(kept) if kept.profile.national_id.is_some() => kept
                .profile
                .national_id
                .iter()
                .chain(&kept.profile.former_ids)
                .copied()
                .collect(),
            _ => account.stated.national_id.into_iter().collect(),
        };
        let mut all: Vec<&(i64, Notice)> = numbers.iter().filter_map(|n| self.notices.get(n)).flatten().collect();
        all.sort_by_key(|(ord, _)| *ord);
        latest_begun(all.into_iter().map(|(_, notice)| notice), self.day)
    }
}

/// Of the rows of `sql`, which ends within its `WHERE`, those that are some people's by `whose`, with `{}` for what is `wanted`;
/// nothing wanted in particular: all.
async fn rows_of(
    tx: &mut Tx,
    sql: &str,
    whose: &str,
    wanted: Option<Vec<Arg>>,
    take: impl FnMut(Row) -> Result<()>,
) -> Result<()> {
    match wanted {
        None => tx.each(sql, [], take).await,
        Some(wanted) => each_of(tx, &format!("{sql} AND ({whose})"), &wanted, take).await,
    }
}

async fn accounts(tx: &mut Tx, env: &Env, day: Date, people: Option<&People>) -> Result<Vec<Held>> {
    let mut holds: HashMap<String, Vec<Hold>> = HashMap::new();
    let end = end_of(day);
    let sql = "SELECT h.account, h.body, h.since FROM hold h JOIN account a ON a.id = h.account \
         WHERE a.kind IN ('official', 'unit') AND h.until IS NULL";
    rows_of(tx, sql, "h.account IN ({})", people.map(People::accounts), |row| {
        let hold = hold_of(&row.get::<String>(1)?)?;
        if row.get::<i64>(2)? < end && hold.last_day.is_none_or(|last| day <= last) {
            holds.entry(row.get(0)?).or_default().push(hold);
        }
        Ok(())
    })
    .await?;
    let mut accounts = Vec::new();
    let sql = format!(
        "SELECT a.id, a.kind, a.login, a.unit, a.created_on, a.last_sign_in_on, {STATED} FROM account a \
         JOIN personal_value v ON v.id = a.value WHERE a.kind IN ('official', 'unit')"
    );
    rows_of(tx, &sql, "a.id IN ({})", people.map(People::accounts), |row| {
        let [id, kind, login, unit]: [String; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
        let day = |at| -> Result<Option<Date>> { day_of(&row.get::<Option<String>>(at)?.unwrap_or_default()) };
        let mut held = holds.remove(&id).unwrap_or_default();
        held.sort();
        accounts.push(Held {
            login,
            holds: held,
            account: OfficialAccount {
                id: AccountId(id),
                kind: AccountKind::parse(&kind).ok_or_else(|| StoreError::corrupt("account", "no such kind"))?,
                stated: stated_of(&env.keys, &row, 6)?,
                unit: UnitCode(unit),
                created_on: day(4)?,
                last_sign_in_on: day(5)?,
            },
        });
        Ok(())
    })
    .await?;
    accounts.sort_by(|a, b| a.account.id.cmp(&b.account.id));
    Ok(accounts)
}

async fn directory(tx: &mut Tx, env: &Env, people: Option<&People>, accounts: &[Held]) -> Result<Directory> {
    let mut profiles = Vec::new();
    let sql = "SELECT p.id, p.value, v.sealed, p.first_taken_on, p.reviewed_on FROM profile p JOIN personal_value v ON v.id = p.value \
         WHERE p.gone = 0";
    rows_of(tx, sql, "p.id IN ({})", people.map(People::profiles), |row| {
        let (id, value): (String, String) = (row.get(0)?, row.get(1)?);
        let Personal::Profile(mut profile) = unseal(&env.keys, &value, &row.get::<Vec<u8>>(2)?)? else {
            return Err(StoreError::corrupt(
                format!("personal_value {value}"),
                "not a profile's",
            ));
        };
        // A review made here counts beside those that HR knows of: an extract that lacks it does not take it back.
        profile.reviewed_on = profile.reviewed_on.max(day_of(&row.get::<String>(4)?)?);
        profiles.push(KeptProfile {
            id: ProfileId(id),
            profile: *profile,
            first_taken_on: day_of(&row.get::<String>(3)?)?.unwrap_or(Date::MIN),
        });
        Ok(())
    })
    .await?;
    profiles.sort_by(|a, b| a.id.cmp(&b.id));
    let unread = unread(tx, env, people, accounts).await?;
    let mut coverage = Coverage::default();
    for row in tx.rows("SELECT unit FROM coverage", []).await? {
        match row.get::<String>(0)? {
            all if all.is_empty() => coverage.whole = true,
            unit => {
                coverage.units.insert(UnitCode(unit));
            }
        }
    }
    let same_person = same_person(tx, env, people).await?;
    Ok(Directory::build(profiles, unread, same_person, coverage))
}

/// What tells whose the rows are that could not be read.
async fn unread(tx: &mut Tx, env: &Env, people: Option<&People>, accounts: &[Held]) -> Result<Vec<Quarantined>> {
    let names = accounts
        .iter()
        .filter_map(|held| held.account.stated.full_name.as_ref());
    let marker = env.marker(tx).await?;
    let names = names.map(|name| folded_fp(&marker, &name.person_key()).into());
    let asked = match people {
        None => vec![("", None)],
        Some(people) => vec![
            ("code_fp IN ({})", Some(people.keys())),
            ("number_fp IN ({})", Some(people.keys())),
            ("name_fp IN ({}) OR name_fp IS NULL", Some(names.collect())),
        ],
    };
    let mut unread = Vec::new();
    let sql = "SELECT load, row_no, sealed FROM quarantine q WHERE name = 'profiles' AND ended_by IS NULL \
         AND EXISTS (SELECT 1 FROM load l WHERE l.id = q.load AND l.state = 'applied')";
    for (whose, wanted) in asked {
        rows_of(tx, sql, whose, wanted, |row| {
            let (load, row_no): (String, String) = (row.get(0)?, row.get(1)?);
            unread.push(QuarantinedCells::open(&env.keys, &load, &row_no, &row.get::<Vec<u8>>(2)?)?.hints);
            Ok(())
        })
        .await?;
    }
    Ok(unread)
}

/// Groups of numbers of one person, as far as the registry knows of former ones.
async fn same_person(tx: &mut Tx, env: &Env, people: Option<&People>) -> Result<Vec<Vec<NationalId>>> {
    let mut groups = Vec::new();
    let sql = "SELECT DISTINCT g.load, g.number_fp, g.sealed FROM reference r JOIN registry_former f ON f.load = r.load \
         JOIN registry g ON g.load = f.load AND g.number_fp = f.number_fp WHERE r.name = 'registry'";
    rows_of(tx, sql, "f.number_fp IN ({})", people.map(People::keys), |row| {
        let (load, fp): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let record = record_of(&env.keys, &load, &fp, &row.get::<Vec<u8>>(2)?)?;
        groups.push(std::iter::once(record.national_id).chain(record.former_ids).collect());
        Ok(())
    })
    .await?;
    Ok(groups)
}

async fn notices(tx: &mut Tx, env: &Env, people: Option<&People>) -> Result<HashMap<NationalId, Vec<(i64, Notice)>>> {
    let mut notices: HashMap<NationalId, Vec<(i64, Notice)>> = HashMap::new();
    let mut take = |row: Row| {
        let (load, ord): (String, i64) = (row.get(0)?, row.get(1)?);
        let notice = notice_of(&env.keys, &load, ord, &row.get::<Vec<u8>>(2)?)?;
        notices.entry(notice.national_id).or_default().push((ord, notice));
        Ok(())
    };
    let sql =
        "SELECT n.load, n.ord, n.sealed FROM reference r JOIN notice n ON n.load = r.load WHERE r.name = 'notices'";
    rows_of(tx, sql, "n.number_fp IN ({})", people.map(People::keys), &mut take).await?;
    if people.is_some() {
        // Those of an earlier version do not say whose they are.
        tx.each(&format!("{sql} AND n.number_fp IS NULL"), [], take).await?;
    }
    Ok(notices)
}

/// The officials' accounts that nothing holds on the day.
async fn open(tx: &mut Tx, day: Date) -> Result<u64> {
    let sql = "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM staff_counter WHERE held_to < $1";
    let row = tx.row(sql, [day.to_string().into()]).await?;
    let open: i64 = row.map(|row| row.get(0)).transpose()?.unwrap_or_default();
    Ok(open.unsigned_abs())
}
