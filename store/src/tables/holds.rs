//! The holds of an account: recorded ones, and those that follow from the campaign and the day.

use crate::db::columns::{day_of, end_of, for_each_in};
use crate::db::{Row, SqlValue, Tx};
use crate::error::{Result, StoreError};
use crate::tables::settings::campaign;
use ngomon_rules::citizens::{Bucket, Campaign, Gate, LastFormState};
use ngomon_rules::hold::{Hold, WayOut};
use ngomon_rules::records::AccountKind;
use ngomon_rules::values::Date;
use std::collections::BTreeSet;

/// Of an account `a`: 0 if nothing can hold it, neither a recorded hold nor the campaign's policy.
pub(crate) const MAY_BE_HELD: &str = "(CASE WHEN EXISTS (SELECT 1 FROM hold h WHERE h.account = a.id) THEN 1 ELSE 0 END) \
     + (SELECT COUNT(*) FROM setting p WHERE p.name = 'campaign.after-deadline' AND p.value = 'hold')";

/// A hold, and the time from which it counts.
#[derive(Clone, Debug)]
pub struct ActiveHold {
    /// The hold.
    pub hold: Hold,
    /// Its first instant, in microseconds UTC; `None` if it follows from the policy and the day.
    pub since: Option<i64>,
    /// The freeze switch suspends it.
    pub suspended: bool,
    /// If its owner joined the account to the one whose claim is the cause: that account's user name, or else its id.
    pub joined_into: Option<String>,
}

impl ActiveHold {
    /// The ways out that its owner sees. After a join to the holder of the claim, the join is not offered again.
    pub fn ways_out(&self) -> impl Iterator<Item = WayOut> + '_ {
        let ways = self.hold.reason.ways_out().iter().copied();
        ways.filter(|way| *way != WayOut::Join || self.joined_into.is_none())
    }
}

/// What the gate requires of a citizen on a day; `None` if the account is not a citizen's.
pub(crate) async fn gate(tx: &mut Tx, account: &str, day: Date) -> Result<Option<Gate>> {
    let sql = "SELECT official_to, exempt_to, claimed, last FROM account WHERE id = $1 AND kind = 'citizen'";
    let Some(row) = tx.row(sql, [account.into()]).await? else {
        return Ok(None);
    };
    Ok(Some(bucket(&row, 0)?.gate(&campaign(tx).await?, day)))
}

pub(crate) async fn held_since(tx: &mut Tx, account: &str, day: Date, campaign: &Campaign) -> Result<Vec<ActiveHold>> {
    let mut holds = Vec::new();
    let sql = "SELECT h.body, h.since, (SELECT s.account FROM succession s WHERE s.account = SUBSTR(h.cause, 7) \
         AND s.succeeds = h.account AND h.reason = 'duplicate') FROM hold h WHERE h.account = $1 AND h.since < $2 AND (h.until IS NULL OR h.until >= $2) ORDER BY h.reason, h.cause";
    tx.for_each_row(sql, [account.into(), end_of(day).into()], |row| {
        let hold = hold_of(&row.get::<String>(0)?)?;
        if hold.last_day.is_none_or(|last| day <= last) {
            holds.push(ActiveHold {
                suspended: campaign.freeze && hold.reason.rests_in_a_freeze(),
                since: Some(row.get(1)?),
                joined_into: row.get(2)?,
                hold,
            });
        }
        Ok(())
    })
    .await?;
    Ok(holds)
}

/// The ways out of the holds that count for an account on that day.
pub(crate) async fn ways_out(tx: &mut Tx, account: &str, day: Date) -> Result<BTreeSet<WayOut>> {
    let campaign = campaign(tx).await?;
    let mut holds = held_since(tx, account, day, &campaign).await?;
    holds.extend(derived_hold(tx, account, day, &campaign).await?);
    let counting = holds.iter().filter(|held| !held.suspended);
    // The join stays available here: after a join the owner may choose again which account stays.
    Ok(counting
        .flat_map(|held| held.hold.reason.ways_out().iter().copied())
        .collect())
}

/// The bucket of a citizen account for the report and the deadlines, from four columns; the first is `official_to`.
pub(crate) fn bucket(row: &Row, at: usize) -> Result<Bucket> {
    Ok(Bucket {
        unit: None,
        official_to: day_of(&row.get::<String>(at)?)?,
        exempt_to: day_of(&row.get::<String>(at + 1)?)?,
        held_to: None,
        claimed: row.get::<i64>(at + 2)? != 0,
        last: LastFormState::parse(&row.get::<String>(at + 3)?).unwrap_or(LastFormState::NotStarted),
    })
}

/// The hold that follows from the campaign's policy and the day, without a row.
pub(crate) async fn derived_hold(
    tx: &mut Tx,
    account: &str,
    day: Date,
    campaign: &Campaign,
) -> Result<Option<ActiveHold>> {
    let sql = "SELECT official_to, exempt_to, claimed, last FROM account WHERE id = $1 AND kind = 'citizen'";
    let Some(row) = tx.row(sql, [account.into()]).await? else {
        return Ok(None);
    };
    Ok(
        not_standardised_hold(&bucket(&row, 0)?, campaign, day).map(|hold| ActiveHold {
            hold,
            since: None,
            suspended: false,
            joined_into: None,
        }),
    )
}

pub(crate) fn not_standardised_hold(bucket: &Bucket, campaign: &Campaign, day: Date) -> Option<Hold> {
    let exempt = bucket.exempt_to.is_some_and(|last| day <= last);
    let hold = campaign.late(bucket.audience(day), day);
    hold.filter(|_| !bucket.claimed && !exempt)
}

/// Whether any hold, recorded or derived, counts for the account on that day; then nobody signs in. A statement of its own, so that under
/// a lock it sees the state after the wait.
pub(crate) async fn is_held(tx: &mut Tx, account: &str, day: Date) -> Result<bool> {
    let sql = format!("SELECT {MAY_BE_HELD} FROM account a WHERE a.id = $1");
    let may_be = tx.row(&sql, [account.into()]).await?.map(|row| row.get::<i64>(0));
    Ok(may_be.transpose()?.is_some_and(|holds| holds > 0)
        && !held_of(tx, &[account.to_owned()].into(), day).await?.is_empty())
}

/// The accounts for which a hold counts on that day; an account that is gone counts as held.
pub(crate) async fn held_of(tx: &mut Tx, accounts: &BTreeSet<String>, day: Date) -> Result<BTreeSet<String>> {
    let mut held = accounts.clone();
    if accounts.is_empty() {
        return Ok(held);
    }
    let campaign = campaign(tx).await?;
    let wanted: Vec<SqlValue> = accounts.iter().map(Into::into).collect();
    let sql = "SELECT official_to, exempt_to, claimed, last, id, kind FROM account WHERE id IN ({})";
    for_each_in(tx, sql, &wanted, |row| {
        let is_citizen = row.get::<String>(5)? == AccountKind::Citizen.name();
        if !is_citizen || not_standardised_hold(&bucket(&row, 0)?, &campaign, day).is_none() {
            held.remove(&row.get::<String>(4)?);
        }
        Ok(())
    })
    .await?;
    let sql = "SELECT account, body, since, until FROM hold WHERE account IN ({})";
    for_each_in(tx, sql, &wanted, |row| {
        let over = row.get::<Option<i64>>(3)?.is_some_and(|until| until < end_of(day));
        if !over && row.get::<i64>(2)? < end_of(day) && is_effective(&hold_of(&row.get::<String>(1)?)?, &campaign, day)
        {
            held.insert(row.get(0)?);
        }
        Ok(())
    })
    .await?;
    Ok(held)
}

/// Whether a hold in force counts on that day: its last day is not over, and no freeze suspends it.
pub(crate) fn is_effective(hold: &Hold, campaign: &Campaign, day: Date) -> bool {
    hold.last_day.is_none_or(|last| day <= last) && !(campaign.freeze && hold.reason.rests_in_a_freeze())
}

pub(crate) fn hold_of(body: &str) -> Result<Hold> {
    serde_json::from_str(body).map_err(|e| StoreError::corrupt("hold", e))
}

/// The recorded holds of an account that are in force.
pub(crate) async fn recorded_holds(tx: &mut Tx, account: &str) -> Result<Vec<Hold>> {
    let rows = tx
        .rows(
            "SELECT body FROM hold WHERE account = $1 AND until IS NULL ORDER BY reason, cause",
            [account.into()],
        )
        .await?;
    rows.iter().map(|row| hold_of(&row.get::<String>(0)?)).collect()
}
