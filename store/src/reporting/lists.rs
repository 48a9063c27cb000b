//! The lists of accounts that are held or have a claim on a day, and of accounts for review.

use crate::boxed;
use crate::db::Tx;
use crate::db::columns::{day_of, end_of};
use crate::error::{Result, StoreError};
use crate::store::Store;
use crate::tables::numbers::links;
use crate::tables::settings::campaign;
use ngomon_rules::citizens::{Bucket, Campaign, LastFormState};
use ngomon_rules::hold::Reason;
use ngomon_rules::records::AccountKind;
use ngomon_rules::values::Date;
use std::collections::{BTreeMap, BTreeSet};

/// A row of `holds`: an account that has a hold or a claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldLine {
    /// Each reason once, sorted.
    pub reasons: BTreeSet<Reason>,
    /// Whether it has a claim.
    pub claimed: bool,
}

/// A row of `review`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewLine {
    /// The account.
    pub account: String,
    /// The account with the claim that causes the row.
    pub because_of: String,
}

/// The accounts whose claim is in force at the end of that day.
pub(crate) async fn claimed_on(tx: &mut Tx, day: Date) -> Result<BTreeSet<String>> {
    let sql = "SELECT c.account FROM claim c WHERE c.since < $1 AND (c.until IS NULL OR c.until >= $1)";
    let rows = tx.rows(sql, [end_of(day).into()]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// The recorded holds in force on that day: account and reason.
pub(crate) async fn written_on(
    tx: &mut Tx,
    kind: Option<AccountKind>,
    day: Date,
    mut take: impl FnMut(String, Reason) -> Result<()>,
) -> Result<()> {
    let sql = "SELECT h.account, h.reason, h.last_day, a.kind FROM hold h JOIN account a ON a.id = h.account \
         WHERE h.since < $1 AND (h.until IS NULL OR h.until >= $1)";
    tx.for_each_row(sql, [end_of(day).into()], |row| {
        let (account, reason): (String, String) = (row.get(0)?, row.get(1)?);
        let last = day_of(&row.get::<Option<String>>(2)?.unwrap_or_default())?;
        let of = AccountKind::parse(&row.get::<String>(3)?);
        let reason = Reason::parse(&reason).ok_or_else(|| StoreError::corrupt("hold", "no such reason"))?;
        if last.is_none_or(|last| day <= last) && (kind.is_none() || of == kind) {
            take(account, reason)?;
        }
        Ok(())
    })
    .await
}

impl Store {
    /// Every account of that kind that has a hold or a claim on that day; with `None`, citizens and officials. Derived holds follow from
    /// the current policy.
    #[boxed]
    pub async fn holds(&self, kind: Option<AccountKind>, day: Date) -> Result<BTreeMap<String, HeldLine>> {
        self.db
            .read_long(async |tx| {
                let campaign = campaign(tx).await?;
                let mut lines: BTreeMap<String, HeldLine> = BTreeMap::new();
                written_on(tx, kind, day, |account, reason| {
                    if !(campaign.freeze && reason.rests_in_a_freeze()) {
                        lines.entry(account).or_default().reasons.insert(reason);
                    }
                    Ok(())
                })
                .await?;
                if kind.is_none_or(|kind| kind == AccountKind::Citizen) {
                    let claimed = claimed_on(tx, day).await?;
                    late(tx, &campaign, day, |account| {
                        if !claimed.contains(&account) {
                            lines
                                .entry(account)
                                .or_default()
                                .reasons
                                .insert(Reason::NotStandardised);
                        }
                    })
                    .await?;
                    for account in claimed {
                        lines.entry(account).or_default().claimed = true;
                    }
                }
                Ok(lines)
            })
            .await
    }

    /// The accounts for review: an account with nothing but the phone of a claim's person, because of the first claim made; the owner of
    /// a claim who is deceased according to the present registry, by any of their numbers, because of that owner's own claim; and an
    /// account whose claim is of a person who turned out to be another claim's, because of the first claim made.
    #[boxed]
    pub async fn review(&self) -> Result<Vec<ReviewLine>> {
        self.db
            .read_long(async |tx| {
                let mut first: BTreeMap<String, (i64, String)> = BTreeMap::new();
                let suspected = "SELECT a.id, c.account, c.ord FROM claim c JOIN account a ON a.phone_fp = c.phone_fp \
                     WHERE c.until IS NULL AND a.kind = 'citizen' AND a.id <> c.account AND a.claimed = 0 AND NOT EXISTS \
                     (SELECT 1 FROM hold h WHERE h.account = a.id AND h.until IS NULL AND h.reason IN ('duplicate', 'claim-lost'))";
                let deceased = "SELECT c.account, c.account, c.ord FROM claim c JOIN person_number n ON n.person = c.person \
                     JOIN reference r ON r.name = 'registry' JOIN registry g ON g.load = r.load AND g.number_fp = n.fp \
                     WHERE c.until IS NULL AND g.status = 'deceased'";
                let links = links();
                let renumbered = format!(
                    "SELECT c.account, c.account, c.ord FROM ({links}) k JOIN person_number n ON n.fp = k.fp \
                     JOIN claim c ON c.person = n.person AND c.until IS NULL JOIN reference r ON r.name = 'registry' \
                     JOIN registry g ON g.load = r.load AND g.number_fp = k.other WHERE g.status = 'deceased'"
                );
                for sql in [suspected, deceased, &renumbered, &second_claims()] {
                    tx.for_each_row(sql, [], |row| {
                        let found: (i64, String) = (row.get(2)?, row.get(1)?);
                        let kept = first.entry(row.get(0)?).or_insert_with(|| found.clone());
                        if found < *kept {
                            *kept = found;
                        }
                        Ok(())
                    })
                    .await?;
                }
                let lines = first.into_iter().map(|(account, (_, because_of))| ReviewLine { account, because_of });
                Ok(lines.collect())
            })
            .await
    }
}

/// For persons who turned out to be one: each of their claims in force except the first, with the account and the time of an earlier one.
pub(crate) fn second_claims() -> String {
    let links = links();
    format!(
        "SELECT c.account, b.account, b.ord FROM ({links}) k JOIN person_number n ON n.fp = k.fp JOIN person_number m ON m.fp = k.other \
         JOIN claim c ON c.person = n.person AND c.until IS NULL JOIN claim b ON b.person = m.person AND b.until IS NULL \
         WHERE n.person <> m.person AND (b.ord < c.ord OR (b.ord = c.ord AND b.account < c.account))"
    )
}

/// The citizen accounts whose deadline has passed under a policy that holds, whether or not they have a claim.
async fn late(tx: &mut Tx, campaign: &Campaign, day: Date, mut take: impl FnMut(String)) -> Result<()> {
    use ngomon_rules::citizens::CampaignGroup::{Citizens, Officials};
    if !campaign.holds_the_late(Officials, day) && !campaign.holds_the_late(Citizens, day) {
        return Ok(());
    }
    let sql = "SELECT id, official_to, exempt_to FROM account WHERE kind = 'citizen'";
    tx.for_each_row(sql, [], |row| {
        let bucket = Bucket {
            unit: None,
            official_to: day_of(&row.get::<String>(1)?)?,
            exempt_to: day_of(&row.get::<String>(2)?)?,
            held_to: None,
            claimed: false,
            last: LastFormState::NotStarted,
        };
        let exempt = bucket.exempt_to.is_some_and(|last| day <= last);
        if !exempt && campaign.holds_the_late(bucket.audience(day), day) {
            take(row.get(0)?);
        }
        Ok(())
    })
    .await
}
