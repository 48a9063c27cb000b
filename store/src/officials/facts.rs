//! The facts that the officials' decisions read, in one snapshot: of everybody, or of some people.

use crate::boxed;
use crate::context::StoreContext;
use crate::db::columns::{day_of, end_of, for_each_in};
use crate::db::{Row, SqlValue, Tx};
use crate::error::{Result, StoreError};
use crate::journal::personal::decrypt;
use crate::officials::affected::AffectedSet;
use crate::tables::accounts::{STATED, STATED_WIDTH, folded_fp, stated_of};
use crate::tables::holds::hold_of;
use crate::tables::numbers::one_persons;
use crate::tables::quarantine::QuarantinedCells;
use crate::tables::references::notice_of;
use crate::tables::settings::{campaign, policy};
use crate::tables::units;
use ngomon_rules::event::{Personal, ProfileId};
use ngomon_rules::hold::Hold;
use ngomon_rules::officials::{
    Coverage, DecisionInput, Directory, OfficialAccount, OfficialsPolicy, ProfileMatch, StoredProfile,
    UnreadableProfile, latest_begun,
};
use ngomon_rules::records::{AccountId, AccountKind, Notice};
use ngomon_rules::unit::{UnitCode, UnitTree};
use ngomon_rules::values::{Date, NationalId};
use std::collections::HashMap;

/// An account with the data that a run needs besides the decision.
pub(crate) struct AccountWithHolds {
    pub account: OfficialAccount,
    /// The login in the account's row, for explanations only: what is written follows the login that has a MAC.
    pub login: String,
    /// Its recorded holds in force, sorted.
    pub holds: Vec<Hold>,
}

/// All facts that the decisions of these accounts read, for one day.
pub(crate) struct Facts {
    pub accounts: Vec<AccountWithHolds>,
    pub directory: Directory,
    pub units: UnitTree,
    pub policy: OfficialsPolicy,
    pub freeze: bool,
    pub day: Date,
    /// The number of officials' accounts in all that nothing holds, whatever the scope of these facts.
    pub open: u64,
    /// The notices by person, each with its position among all rows.
    notices: HashMap<PersonKey, Vec<(i64, Notice)>>,
}

/// The key of a person, as [`Directory::person_key`] returns it.
type PersonKey = std::result::Result<u32, NationalId>;

impl Facts {
    /// Reads the facts of these people, or of everybody if `None`.
    #[boxed]
    pub async fn read(tx: &mut Tx, ctx: &StoreContext, day: Date, people: Option<&AffectedSet>) -> Result<Self> {
        let accounts = accounts(tx, ctx, day, people).await?;
        let read = notices(tx, ctx, people).await?;
        let directory = directory(tx, ctx, people, &accounts, &read).await?;
        let mut notices: HashMap<PersonKey, Vec<(i64, Notice)>> = HashMap::new();
        for (ord, notice) in read {
            let person = directory.person_key(notice.national_id);
            notices.entry(person).or_default().push((ord, notice));
        }
        Ok(Self {
            directory,
            accounts,
            units: units::tree(tx).await?,
            policy: policy(tx).await?,
            freeze: campaign(tx).await?.freeze,
            day,
            open: open(tx, day).await?,
            notices,
        })
    }

    /// The input of an account's decision.
    pub fn case<'a>(&'a self, account: &'a OfficialAccount) -> DecisionInput<'a> {
        self.case_on(account, self.day)
    }

    /// The input of its decision on a later day, if the facts stay as they are.
    pub fn case_on<'a>(&'a self, account: &'a OfficialAccount, day: Date) -> DecisionInput<'a> {
        DecisionInput {
            account,
            directory: &self.directory,
            notice: self.notice(account, day),
            units: &self.units,
            day,
            policy: &self.policy,
            freeze: self.freeze,
        }
    }

    /// The latest notice in effect of the profile's person, or else of the account's.
    fn notice(&self, account: &OfficialAccount, day: Date) -> Option<&Notice> {
        let number = match self.directory.find(account, &self.units, day) {
            ProfileMatch::Profile(kept) => kept.profile.national_id.or(account.stated.national_id),
            ProfileMatch::Nothing | ProfileMatch::Undecided(_) => account.stated.national_id,
        };
        let all = self.notices.get(&self.directory.person_key(number?))?;
        latest_begun(all.iter().map(|(_, notice)| notice), day)
    }
}

/// Reads the rows of `sql`, which ends within its `WHERE`: those for which `whose` holds, with the values `wanted` in place of its `{}`,
/// or all rows if `None`.
async fn rows_of(
    tx: &mut Tx,
    sql: &str,
    whose: &str,
    wanted: Option<Vec<SqlValue>>,
    take: impl FnMut(Row) -> Result<()>,
) -> Result<()> {
    match wanted {
        None => tx.for_each_row(sql, [], take).await,
        Some(wanted) => for_each_in(tx, &format!("{sql} AND ({whose})"), &wanted, take).await,
    }
}

async fn accounts(
    tx: &mut Tx,
    ctx: &StoreContext,
    day: Date,
    people: Option<&AffectedSet>,
) -> Result<Vec<AccountWithHolds>> {
    let mut holds: HashMap<String, Vec<Hold>> = HashMap::new();
    let end = end_of(day);
    let sql = "SELECT h.account, h.body, h.since FROM hold h JOIN account a ON a.id = h.account \
         WHERE a.kind IN ('official', 'unit') AND h.until IS NULL";
    rows_of(tx, sql, "h.account IN ({})", people.map(AffectedSet::accounts), |row| {
        let hold = hold_of(&row.get::<String>(1)?)?;
        if row.get::<i64>(2)? < end && hold.last_day.is_none_or(|last| day <= last) {
            holds.entry(row.get(0)?).or_default().push(hold);
        }
        Ok(())
    })
    .await?;
    let mut accounts = Vec::new();
    let sql = format!(
        "SELECT a.id, a.kind, a.unit, a.created_on, a.last_sign_in_on, {STATED}, a.login FROM account a \
         JOIN personal_value v ON v.id = a.value WHERE a.kind IN ('official', 'unit')"
    );
    rows_of(tx, &sql, "a.id IN ({})", people.map(AffectedSet::accounts), |row| {
        let [id, kind, unit]: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
        let day = |at| -> Result<Option<Date>> { day_of(&row.get::<Option<String>>(at)?.unwrap_or_default()) };
        let mut held = holds.remove(&id).unwrap_or_default();
        held.sort();
        accounts.push(AccountWithHolds {
            login: row.get(5 + STATED_WIDTH)?,
            holds: held,
            account: OfficialAccount {
                id: AccountId(id),
                kind: AccountKind::parse(&kind).ok_or_else(|| StoreError::corrupt("account", "no such kind"))?,
                stated: stated_of(&ctx.keys, &row, 5)?,
                unit: UnitCode(unit),
                created_on: day(3)?,
                last_sign_in_on: day(4)?,
            },
        });
        Ok(())
    })
    .await?;
    accounts.sort_by(|a, b| a.account.id.cmp(&b.account.id));
    Ok(accounts)
}

async fn directory(
    tx: &mut Tx,
    ctx: &StoreContext,
    people: Option<&AffectedSet>,
    accounts: &[AccountWithHolds],
    notices: &[(i64, Notice)],
) -> Result<Directory> {
    let mut profiles = Vec::new();
    let sql = "SELECT p.id, p.value, v.sealed, p.first_taken_on, p.reviewed_on FROM profile p JOIN personal_value v ON v.id = p.value \
         WHERE p.gone = 0";
    rows_of(tx, sql, "p.id IN ({})", people.map(AffectedSet::profiles), |row| {
        let (id, value): (String, String) = (row.get(0)?, row.get(1)?);
        let Personal::Profile(mut profile) = decrypt(&ctx.keys, &value, &row.get::<Vec<u8>>(2)?)? else {
            return Err(StoreError::corrupt(
                format!("personal_value {value}"),
                "not a profile's",
            ));
        };
        // A review made here counts besides those that HR has recorded: an extract without it does not revert it.
        profile.reviewed_on = profile.reviewed_on.max(day_of(&row.get::<String>(4)?)?);
        profiles.push(StoredProfile {
            id: ProfileId(id),
            profile: *profile,
            first_taken_on: day_of(&row.get::<String>(3)?)?.unwrap_or(Date::MIN),
        });
        Ok(())
    })
    .await?;
    profiles.sort_by(|a, b| a.id.cmp(&b.id));
    let unread = unread(tx, ctx, people, accounts).await?;
    let mut coverage = Coverage::default();
    for row in tx.rows("SELECT unit FROM coverage", []).await? {
        match row.get::<String>(0)? {
            all if all.is_empty() => coverage.whole = true,
            unit => {
                coverage.units.insert(UnitCode(unit));
            }
        }
    }
    let known = accounts.iter().filter_map(|held| held.account.stated.national_id);
    let known = known.chain(notices.iter().map(|(_, notice)| notice.national_id));
    let known = known.chain(unread.iter().filter_map(|row| row.national_id));
    let of_profiles = profiles.iter().map(|kept| &kept.profile);
    let of_profiles = of_profiles.flat_map(|profile| profile.national_id.iter().chain(&profile.former_ids).copied());
    let known = known.chain(of_profiles).collect();
    let same_person = one_persons(tx, ctx, people.map(AffectedSet::keys), known).await?;
    Ok(Directory::build(profiles, unread, same_person, coverage))
}

/// The hints at the owners of rows that could not be read.
async fn unread(
    tx: &mut Tx,
    ctx: &StoreContext,
    people: Option<&AffectedSet>,
    accounts: &[AccountWithHolds],
) -> Result<Vec<UnreadableProfile>> {
    let names = accounts
        .iter()
        .filter_map(|held| held.account.stated.full_name.as_ref());
    let marker = ctx.marker(tx).await?;
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
            unread.push(QuarantinedCells::open(&ctx.keys, &load, &row_no, &row.get::<Vec<u8>>(2)?)?.hints);
            Ok(())
        })
        .await?;
    }
    Ok(unread)
}

/// The notices, in the order of their rows.
async fn notices(tx: &mut Tx, ctx: &StoreContext, people: Option<&AffectedSet>) -> Result<Vec<(i64, Notice)>> {
    let mut notices = Vec::new();
    let mut take = |row: Row| {
        let (load, ord): (String, i64) = (row.get(0)?, row.get(1)?);
        let notice = notice_of(&ctx.keys, &load, ord, &row.get::<Vec<u8>>(2)?)?;
        notices.push((ord, notice));
        Ok(())
    };
    let sql =
        "SELECT n.load, n.ord, n.sealed FROM reference r JOIN notice n ON n.load = r.load WHERE r.name = 'notices'";
    rows_of(tx, sql, "n.number_fp IN ({})", people.map(AffectedSet::keys), &mut take).await?;
    if people.is_some() {
        // Notices of an earlier version have no fingerprint of their person.
        tx.for_each_row(&format!("{sql} AND n.number_fp IS NULL"), [], take)
            .await?;
    }
    notices.sort_by_key(|(ord, _)| *ord);
    Ok(notices)
}

/// The number of officials' accounts that nothing holds on the day.
async fn open(tx: &mut Tx, day: Date) -> Result<u64> {
    let sql = "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM staff_counter WHERE held_to < $1";
    let row = tx.row(sql, [day.to_string().into()]).await?;
    let open: i64 = row.map(|row| row.get(0)).transpose()?.unwrap_or_default();
    Ok(open.unsigned_abs())
}
