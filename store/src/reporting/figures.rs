//! The figures of the report page (C7), read from the counters: all units at once, and the days of one unit. No account is read.

use crate::boxed;
use crate::db::columns::{day_of, day_of_number, placeholders};
use crate::db::{SqlValue, Tx};
use crate::error::{Result, StoreError};
use crate::journal::commit::COUNTS;
use crate::reporting::report::{ReportLine, UnitSums, for_each_bucket, sums_by_unit};
use crate::store::Store;
use crate::tables::settings::campaign;
use crate::tables::units;
use ngomon_rules::citizens::{Bucket, Campaign, CampaignGroup, LastFormState, Outcome, ReportStatus};
use ngomon_rules::hold::Reason;
use ngomon_rules::unit::{UnitCode, UnitTree};
use ngomon_rules::values::Date;
use std::collections::BTreeMap;

/// The number of days shown: the latest days on which anything happened in any unit.
const DAYS: i64 = 30;

/// The version of everything that the figures follow from. The same position gives the same figures of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The number of commits of the journal that count. It never decreases.
    commits: i64,
    /// When the counters were last compared with the accounts, or rebuilt from the journal.
    recounted: Option<i64>,
    /// Since when the registry has not answered, in microseconds UTC; `None` if it answered the last query.
    pub registry_silent_since: Option<i64>,
}

/// The progress towards the goal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Goal {
    /// The accounts that count towards the goal: neither exempt, nor held for another reason than `not-standardised`.
    pub due: u64,
    /// The standardised ones among them.
    pub standardised: u64,
}

/// The figures of a unit, with all units below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitFigures {
    /// The report line, in which each citizen account counts once.
    pub line: ReportLine,
    /// The progress by the audience of a deadline.
    pub goals: BTreeMap<CampaignGroup, Goal>,
    /// The refused accounts, by the outcome of the last form.
    pub refused: BTreeMap<Outcome, u64>,
    /// Held accounts of every kind; an account counts once for each reason.
    pub held: BTreeMap<Reason, u64>,
}

impl UnitFigures {
    /// The progress of both audiences together.
    pub fn goal(&self) -> Goal {
        let add = |sum: Goal, one: &Goal| Goal {
            due: sum.due + one.due,
            standardised: sum.standardised + one.standardised,
        };
        self.goals.values().fold(Goal::default(), add)
    }

    fn add(&mut self, sort: Sort, n: u64) {
        self.line.add(sort.standing, n);
        if let Some(audience) = sort.due {
            let goal = self.goals.entry(audience).or_default();
            goal.due += n;
            goal.standardised += if sort.standing == ReportStatus::Standardised {
                n
            } else {
                0
            };
        }
        if let Some(outcome) = sort.refused {
            *self.refused.entry(outcome).or_default() += n;
        }
        if sort.is_late {
            *self.held.entry(Reason::NotStandardised).or_default() += n;
        }
    }
}

/// The group in which alike accounts are counted.
#[derive(Clone, Copy)]
struct Sort {
    standing: ReportStatus,
    due: Option<CampaignGroup>,
    refused: Option<Outcome>,
    is_late: bool,
}

impl Sort {
    fn of(bucket: &Bucket, campaign: &Campaign, day: Date) -> Self {
        let standing = bucket.standing(campaign, day);
        Self {
            standing,
            due: bucket.is_due(day).then(|| bucket.audience(day)),
            refused: match (standing, bucket.last) {
                (ReportStatus::Refused, LastFormState::Refused(outcome)) => Some(outcome),
                _ => None,
            },
            is_late: bucket.is_late(campaign, day),
        }
    }
}

/// The figures of all units for a day, from the counters.
#[derive(Clone, Debug)]
pub struct Figures {
    /// The day.
    pub day: Date,
    /// The version of the data.
    pub position: Position,
    /// The current campaign.
    pub campaign: Campaign,
    /// The units.
    pub tree: UnitTree,
    /// By unit code; the empty code stands for the accounts of no known unit.
    units: BTreeMap<String, UnitFigures>,
    /// The units that accounts name themselves.
    named: Vec<String>,
}

impl Figures {
    /// The figures of a unit that is valid on the day. The empty code stands for the accounts of no known unit.
    pub fn of(&self, unit: &str) -> Option<&UnitFigures> {
        self.units.get(unit)
    }

    /// The figures of the units directly below.
    pub fn below<'a>(&'a self, unit: &'a UnitCode) -> impl Iterator<Item = &'a UnitFigures> {
        self.under(Some(unit))
    }

    /// The figures of the units that have no parent.
    pub fn top(&self) -> impl Iterator<Item = &UnitFigures> {
        self.under(None)
    }

    fn under<'a>(&'a self, unit: Option<&'a UnitCode>) -> impl Iterator<Item = &'a UnitFigures> {
        let above =
            |code| Some(self.tree.follow(code, self.day)).filter(|above| self.units.contains_key(above.as_str()));
        let valid = self.tree.iter().filter(|unit| unit.is_valid_on(self.day));
        valid
            .filter(move |one| one.parent.as_ref().and_then(above) == unit)
            .filter_map(|one| self.units.get(one.code.as_str()))
    }

    /// The unit and all below it; or all units, with the accounts of no known unit.
    pub fn within(&self, unit: Option<&UnitCode>) -> Vec<&UnitFigures> {
        let is_within = |code: &str, unit: &UnitCode| {
            !code.is_empty() && self.tree.is_within(&UnitCode(code.to_owned()), unit, self.day)
        };
        let units = self.units.iter();
        let units = units.filter(|(code, _)| unit.is_none_or(|unit| is_within(code, unit)));
        units.map(|(_, figures)| figures).collect()
    }
}

/// The figures of a day, for a unit with all below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayFigures {
    /// The day.
    pub day: Date,
    /// Claims of officials, made on that day and still in force.
    pub officials: u64,
    /// Claims of all other citizens, made on that day and still in force.
    pub citizens: u64,
    /// Forms that were refused on that day.
    pub refusals: u64,
    /// Claims made up to that day and still in force.
    pub standardised: u64,
}

impl DayFigures {
    /// Claims made on that day and still in force.
    pub fn claims(&self, audience: CampaignGroup) -> u64 {
        match audience {
            CampaignGroup::Officials => self.officials,
            CampaignGroup::Citizens => self.citizens,
        }
    }
}

impl Store {
    /// The current version of the data.
    #[boxed]
    pub async fn position(&self) -> Result<Position> {
        self.db.query(async |tx| position(tx).await).await
    }

    /// The figures for a day, from the counters over everything recorded.
    #[boxed]
    pub async fn figures(&self, day: Date) -> Result<Figures> {
        self.db
            .read_long(async |tx| {
                let position = position(tx).await?;
                let campaign = campaign(tx).await?;
                let tree = units::tree(tx).await?;
                let mut sums = UnitSums::new(&tree, day, |unit, name| UnitFigures {
                    line: ReportLine {
                        unit: unit.to_owned(),
                        name: name.to_owned(),
                        ..ReportLine::default()
                    },
                    ..UnitFigures::default()
                });
                for_each_bucket(tx, &mut |bucket: &Bucket, n| {
                    let unit = bucket.unit.as_ref().map(UnitCode::as_str).unwrap_or_default();
                    let sort = Sort::of(bucket, &campaign, day);
                    sums.add(unit, |figures| figures.add(sort, n));
                })
                .await?;
                held(tx, day, &mut |unit, reason, n| {
                    sums.add(unit, |figures| *figures.held.entry(reason).or_default() += n);
                })
                .await?;
                let named = sums.named().map(str::to_owned).collect();
                let units = sums.into_lines();
                Ok(Figures {
                    day,
                    position,
                    campaign,
                    tree,
                    units,
                    named,
                })
            })
            .await
    }

    /// The latest days on which anything happened in any unit, oldest first, with the figures of one unit.
    #[boxed]
    pub async fn days(&self, figures: &Figures, unit: &UnitCode) -> Result<Vec<DayFigures>> {
        let within = |code: &String| figures.tree.is_within(&UnitCode(code.clone()), unit, figures.day);
        let (inside, outside): (Vec<String>, Vec<String>) = figures.named.iter().cloned().partition(within);
        // Read the smaller set of units; for the larger one, subtract the others from the total.
        let mut parts = if inside.len() <= outside.len() {
            vec![(Some(inside), 1)]
        } else {
            vec![(None, 1), (Some(outside), -1)]
        };
        parts.retain(|(units, _)| units.as_ref().is_none_or(|units| !units.is_empty()));
        self.db
            .read_long(async |tx| {
                let mut days = last_days(tx).await?;
                let mut standardised = 0;
                for (units, sign) in &parts {
                    add_days(tx, units.as_deref(), *sign, figures.day, &mut days).await?;
                    standardised += sign * claims(tx, units.as_deref()).await?;
                }
                let shown: i64 = days.values().map(|[officials, citizens, _]| officials + citizens).sum();
                let mut sum = standardised - shown;
                let days = days.into_iter().map(|(day, [officials, citizens, refusals])| {
                    sum += officials + citizens;
                    Ok(DayFigures {
                        day: day_of_number(day)?,
                        officials: officials.unsigned_abs(),
                        citizens: citizens.unsigned_abs(),
                        refusals: refusals.unsigned_abs(),
                        standardised: sum.unsigned_abs(),
                    })
                });
                days.collect()
            })
            .await
    }
}

async fn position(tx: &mut Tx) -> Result<Position> {
    // The positions of commits have no gap; the few commits without a position are counted one by one.
    let sql = format!(
        "SELECT (SELECT COALESCE(MAX(position), -1) + 1 FROM journal_commit) + (SELECT COUNT(*) FROM journal_commit c \
         WHERE c.position IS NULL AND {COUNTS}), (SELECT MAX(at) FROM recount), (SELECT since FROM registry_silence)"
    );
    let row = tx.row(&sql, []).await?;
    let row = row.ok_or_else(|| StoreError::corrupt("journal_commit", "it does not answer"))?;
    Ok(Position {
        commits: row.get(0)?,
        recounted: row.get(1)?,
        registry_silent_since: row.get(2)?,
    })
}

/// The accounts that each reason holds on a day, by unit.
async fn held(tx: &mut Tx, day: Date, add: &mut impl FnMut(&str, Reason, u64)) -> Result<()> {
    let sql = "SELECT reason, string_agg(unit || ' ' || n, '\n') FROM hold_counter WHERE held_to >= $1 GROUP BY reason";
    tx.for_each_row(sql, [day.to_string().into()], |row| {
        let reason = Reason::parse(&row.get::<String>(0)?)
            .ok_or_else(|| StoreError::corrupt("hold_counter", "no such reason"))?;
        for (unit, n) in sums_by_unit(&row.get::<String>(1)?)? {
            add(unit, reason, n);
        }
        Ok(())
    })
    .await
}

/// By day: claims of officials, claims of all others, refused forms.
type Days = BTreeMap<i64, [i64; 3]>;

/// The latest days on which anything happened, with counts of zero.
async fn last_days(tx: &mut Tx) -> Result<Days> {
    let sql = "SELECT day FROM day_counter WHERE unit = '' AND what IN ('claim-anywhere', 'refusal-anywhere') \
         GROUP BY day HAVING SUM(n) <> 0 ORDER BY day DESC LIMIT $1";
    let rows = tx.rows(sql, [DAYS.into()]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, [0; 3]))).collect()
}

/// Adds the counts of these units to the days, or of all units together if `None`; a `sign` of -1 subtracts them.
async fn add_days(tx: &mut Tx, units: Option<&[String]>, sign: i64, today: Date, days: &mut Days) -> Result<()> {
    let Some(first) = days.keys().next().copied() else {
        return Ok(());
    };
    let (which, what) = match units {
        Some(units) => (format!("unit IN ({})", placeholders(units.len())), ""),
        None => ("unit = ''".to_owned(), "-anywhere"),
    };
    let units = units.unwrap_or_default();
    let sql = format!(
        "SELECT what, day, official_to, CAST(SUM(n) AS BIGINT) FROM day_counter \
         WHERE {which} AND what IN ('claim{what}', 'refusal{what}') AND day >= ${} GROUP BY what, day, official_to",
        units.len() + 1
    );
    let args = units.iter().map(SqlValue::from).chain([first.into()]);
    tx.for_each_row(&sql, args, |row| {
        let (what, day, official_to): (String, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let is_official = day_of(&official_to)?.is_some_and(|last| today <= last);
        let at = match (what.starts_with("claim"), is_official) {
            (true, true) => 0,
            (true, false) => 1,
            (false, _) => 2,
        };
        if let Some(counts) = days.get_mut(&day) {
            counts[at] += sign * row.get::<i64>(3)?;
        }
        Ok(())
    })
    .await
}

/// The claims in force in these units, or in all together if `None`.
async fn claims(tx: &mut Tx, units: Option<&[String]>) -> Result<i64> {
    let which = units.map_or("1 = 1".to_owned(), |units| {
        format!("unit IN ({})", placeholders(units.len()))
    });
    let sql = format!("SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM report_counter WHERE claimed = 1 AND {which}");
    let row = tx
        .row(&sql, units.unwrap_or_default().iter().map(SqlValue::from))
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}
