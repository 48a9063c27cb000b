//! All that the officials' decisions read, in one snapshot.

use crate::db::Tx;
use crate::error::{Result, StoreError};
use crate::journal::{Env, unseal};
use crate::loads::{QuarantinedCells, notice_place, record_of};
use crate::settings;
use crate::tables::{STATED, day_of, end_of, hold_of, stated_of};
use crate::units;
use ngomon_rules::event::{Personal, ProfileId};
use ngomon_rules::hold::Hold;
use ngomon_rules::officials::{
    Case, Coverage, Directory, Found, KeptProfile, OfficialAccount, OfficialsPolicy, latest_begun,
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

/// Everything, for one day.
pub(crate) struct Facts {
    pub accounts: Vec<Held>,
    pub directory: Directory,
    pub units: UnitTree,
    pub policy: OfficialsPolicy,
    pub freeze: bool,
    pub day: Date,
    /// In the order of their rows, by number.
    notices: HashMap<NationalId, Vec<(usize, Notice)>>,
}

impl Facts {
    /// Reads everything.
    pub async fn read(tx: &mut Tx, env: &Env, day: Date) -> Result<Self> {
        Ok(Self {
            accounts: accounts(tx, env, day).await?,
            directory: directory(tx, env).await?,
            units: units::tree(tx).await?,
            policy: settings::policy(tx).await?,
            freeze: settings::campaign(tx).await?.freeze,
            day,
            notices: notices(tx, env).await?,
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
        let mut all: Vec<&(usize, Notice)> = numbers.iter().filter_map(|n| self.notices.get(n)).flatten().collect();
        all.sort_by_key(|(ord, _)| *ord);
        latest_begun(all.into_iter().map(|(_, notice)| notice), self.day)
    }
}

async fn accounts(tx: &mut Tx, env: &Env, day: Date) -> Result<Vec<Held>> {
    let mut holds: HashMap<String, Vec<Hold>> = HashMap::new();
    let sql = "SELECT h.account, h.body FROM hold h JOIN account a ON a.id = h.account \
         WHERE a.kind IN ('official', 'unit') AND h.since < $1 AND h.until IS NULL";
    tx.each(sql, [end_of(day).into()], |row| {
        let hold = hold_of(&row.get::<String>(1)?)?;
        if hold.last_day.is_none_or(|last| day <= last) {
            holds.entry(row.get(0)?).or_default().push(hold);
        }
        Ok(())
    })
    .await?;
    let mut accounts = Vec::new();
    let sql = format!(
        "SELECT a.id, a.kind, a.login, a.unit, a.created_on, a.last_sign_in_on, {STATED} FROM account a \
         JOIN personal_value v ON v.id = a.value WHERE a.kind IN ('official', 'unit') ORDER BY a.id"
    );
    tx.each(&sql, [], |row| {
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
    Ok(accounts)
}

async fn directory(tx: &mut Tx, env: &Env) -> Result<Directory> {
    let mut profiles = Vec::new();
    let sql = "SELECT p.id, p.value, v.sealed, p.first_taken_on FROM profile p JOIN personal_value v ON v.id = p.value \
         WHERE p.gone = 0 ORDER BY p.id";
    tx.each(sql, [], |row| {
        let (id, value): (String, String) = (row.get(0)?, row.get(1)?);
        let Personal::Profile(profile) = unseal(&env.keys, &value, &row.get::<Vec<u8>>(2)?)? else {
            return Err(StoreError::corrupt(
                format!("personal_value {value}"),
                "not a profile's",
            ));
        };
        profiles.push(KeptProfile {
            id: ProfileId(id),
            profile: *profile,
            first_taken_on: day_of(&row.get::<String>(3)?)?.unwrap_or(Date::MIN),
        });
        Ok(())
    })
    .await?;
    let mut unread = Vec::new();
    let sql = "SELECT load, row_no, sealed FROM quarantine WHERE name = 'profiles' AND load IN \
         (SELECT id FROM load WHERE state = 'applied')";
    tx.each(sql, [], |row| {
        let (load, row_no): (String, String) = (row.get(0)?, row.get(1)?);
        unread.push(QuarantinedCells::open(&env.keys, &load, &row_no, &row.get::<Vec<u8>>(2)?)?.hints);
        Ok(())
    })
    .await?;
    let mut coverage = Coverage::default();
    for row in tx.rows("SELECT unit FROM coverage", []).await? {
        match row.get::<String>(0)? {
            all if all.is_empty() => coverage.whole = true,
            unit => {
                coverage.units.insert(UnitCode(unit));
            }
        }
    }
    Ok(Directory::build(
        profiles,
        unread,
        same_person(tx, env).await?,
        coverage,
    ))
}

/// Groups of numbers of one person, as far as the registry knows of former ones.
async fn same_person(tx: &mut Tx, env: &Env) -> Result<Vec<Vec<NationalId>>> {
    let mut groups = Vec::new();
    let sql = "SELECT DISTINCT g.load, g.number_fp, g.sealed FROM reference r JOIN registry_former f ON f.load = r.load \
         JOIN registry g ON g.load = f.load AND g.number_fp = f.number_fp WHERE r.name = 'registry'";
    tx.each(sql, [], |row| {
        let (load, fp): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let record = record_of(&env.keys, &load, &fp, &row.get::<Vec<u8>>(2)?)?;
        groups.push(std::iter::once(record.national_id).chain(record.former_ids).collect());
        Ok(())
    })
    .await?;
    Ok(groups)
}

async fn notices(tx: &mut Tx, env: &Env) -> Result<HashMap<NationalId, Vec<(usize, Notice)>>> {
    let mut notices: HashMap<NationalId, Vec<(usize, Notice)>> = HashMap::new();
    let mut ord = 0;
    let sql = "SELECT n.load, n.ord, n.sealed FROM notice n JOIN reference r ON r.name = 'notices' AND r.load = n.load ORDER BY n.ord";
    tx.each(sql, [], |row| {
        let (load, at): (String, i64) = (row.get(0)?, row.get(1)?);
        let place = [load.as_bytes(), &at.to_be_bytes()].concat();
        let plain = env.keys.unseal(notice_place(&place), &row.get::<Vec<u8>>(2)?)?;
        let notice: Notice = serde_json::from_slice(&plain).map_err(|e| StoreError::corrupt("notice", e))?;
        notices.entry(notice.national_id).or_default().push((ord, notice));
        ord += 1;
        Ok(())
    })
    .await?;
    Ok(notices)
}
