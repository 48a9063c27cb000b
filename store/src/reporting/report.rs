//! The digital report (C7): from the counters, or, for a day before the newest change, from the accounts.

use crate::boxed;
use crate::db::Tx;
use crate::db::columns::{day_of, end_of};
use crate::error::{Refusal, Result, StoreError};
use crate::reporting::lists::{claimed_on, written_on};
use crate::store::Store;
use crate::tables::settings::campaign;
use crate::tables::units;
use ngomon_rules::citizens::{Bucket, LastFormState, Outcome, ReportStatus};
use ngomon_rules::records::AccountKind;
use ngomon_rules::unit::{UnitCode, UnitTree};
use ngomon_rules::values::Date;
use std::collections::{BTreeMap, HashMap};

/// A row of the report: a unit with all below it. An empty code stands for the accounts of no known unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportLine {
    /// The code of the unit.
    pub unit: String,
    /// The name of the unit.
    pub name: String,
    /// All accounts.
    pub accounts: u64,
    /// Accounts with a claim.
    pub standardised: u64,
    /// Accounts whose form is pending.
    pub pending: u64,
    /// Accounts whose last form was refused.
    pub refused: u64,
    /// Accounts with a hold.
    pub held: u64,
    /// Accounts without a form.
    pub not_started: u64,
    /// Exempt accounts.
    pub exempt: u64,
}

impl ReportLine {
    /// Adds `n` accounts that have this standing.
    pub(crate) fn add(&mut self, standing: ReportStatus, n: u64) {
        self.accounts += n;
        *match standing {
            ReportStatus::Standardised => &mut self.standardised,
            ReportStatus::Held => &mut self.held,
            ReportStatus::Exempt => &mut self.exempt,
            ReportStatus::Pending => &mut self.pending,
            ReportStatus::Refused => &mut self.refused,
            ReportStatus::NotStarted => &mut self.not_started,
        } += n;
    }
}

/// A row of the staff report, over HR profiles in service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StaffLine {
    /// The code of the unit.
    pub unit: String,
    /// The name of the unit.
    pub name: String,
    /// Profiles in service.
    pub staff: u64,
    /// Profiles whose person has a standardised account.
    pub standardised: u64,
}

/// Sums for each unit with all below it, over the units valid on a day.
pub(crate) struct UnitSums<'a, L> {
    tree: &'a UnitTree,
    day: Date,
    lines: Vec<(&'a str, L)>,
    /// The sum for no known unit, if there is one.
    unknown: Option<L>,
    /// The index of each unit's row, by code.
    places: HashMap<&'a str, usize>,
    /// The rows to which a unit's counts are added.
    lineages: HashMap<String, Vec<usize>>,
}

impl<'a, L: Default> UnitSums<'a, L> {
    pub fn new(tree: &'a UnitTree, day: Date, mut line: impl FnMut(&str, &str) -> L) -> Self {
        let valid = tree.iter().filter(|unit| unit.is_valid_on(day));
        let lines: Vec<(&str, L)> = valid
            .map(|u| (u.code.as_str(), line(u.code.as_str(), &tree.told_name(u, day))))
            .collect();
        let places = lines.iter().zip(0..).map(|((code, _), at)| (*code, at)).collect();
        Self {
            tree,
            day,
            lines,
            unknown: None,
            places,
            lineages: HashMap::new(),
        }
    }

    /// Adds to the unit that is valid for `unit` on the day, and to all above it.
    pub fn add(&mut self, unit: &str, mut add: impl FnMut(&mut L)) {
        if !self.lineages.contains_key(unit) {
            let lineage = self.lineage(unit);
            self.lineages.insert(unit.to_owned(), lineage);
        }
        let lineage = self.lineages.get(unit).map(Vec::as_slice).unwrap_or_default();
        if lineage.is_empty() {
            add(self.unknown.get_or_insert_default());
        }
        for at in lineage {
            if let Some((_, line)) = self.lines.get_mut(*at) {
                add(line);
            }
        }
    }

    fn lineage(&self, unit: &str) -> Vec<usize> {
        let code = UnitCode(unit.to_owned());
        if self.tree.get(&code).is_none() {
            return Vec::new();
        }
        let lineage = self.tree.lineage(&code, self.day);
        lineage
            .iter()
            .filter_map(|code| self.places.get(code.as_str()).copied())
            .collect()
    }

    /// The units for which counts were added directly.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        self.lineages.keys().map(String::as_str)
    }

    /// All rows, by code; the empty code stands for no known unit.
    pub fn into_lines(self) -> BTreeMap<String, L> {
        let unknown = self.unknown.map(|line| (String::new(), line));
        let known = self.lines.into_iter().map(|(code, line)| (code.to_owned(), line));
        unknown.into_iter().chain(known).collect()
    }

    /// The rows of a unit and all below it, or all rows.
    fn below(self, top: Option<&UnitCode>) -> Vec<L> {
        let (tree, day) = (self.tree, self.day);
        let wanted =
            |code: &str| top.is_none_or(|top| !code.is_empty() && tree.is_within(&UnitCode(code.to_owned()), top, day));
        let lines = self.into_lines().into_iter();
        lines.filter(|(code, _)| wanted(code)).map(|(_, line)| line).collect()
    }
}

fn known(tree: &UnitTree, unit: Option<&UnitCode>) -> Result<()> {
    match unit {
        Some(unit) if tree.get(unit).is_none() => Err(Refusal::UnknownUnit(unit.to_string()).into()),
        _ => Ok(()),
    }
}

impl Store {
    /// The report as of a day, by unit, each with all below it.
    #[boxed]
    pub async fn report(&self, unit: Option<&UnitCode>, day: Date) -> Result<Vec<ReportLine>> {
        self.db
            .read_long(async |tx| {
                let tree = units::tree(tx).await?;
                known(&tree, unit)?;
                let campaign = campaign(tx).await?;
                let mut sums = UnitSums::new(&tree, day, |unit, name| ReportLine {
                    unit: unit.to_owned(),
                    name: name.to_owned(),
                    ..ReportLine::default()
                });
                let mut add = |bucket: &Bucket, n: u64| {
                    let standing = bucket.standing(&campaign, day);
                    let unit = bucket.unit.as_ref().map(|u| u.as_str()).unwrap_or_default();
                    sums.add(unit, |line| line.add(standing, n));
                };
                if is_newest(tx, day).await? {
                    for_each_bucket(tx, &mut add).await?;
                } else {
                    recounted(tx, day, &mut add).await?;
                }
                Ok(sums.below(unit))
            })
            .await
    }

    /// The staff report: how many of the profiles in service belong to a person with a standardised account.
    #[boxed]
    pub async fn staff_report(&self, unit: Option<&UnitCode>, day: Date) -> Result<Vec<StaffLine>> {
        self.db
            .read_long(async |tx| {
                let tree = units::tree(tx).await?;
                known(&tree, unit)?;
                let mut sums = UnitSums::new(&tree, day, |unit, name| StaffLine {
                    unit: unit.to_owned(),
                    name: name.to_owned(),
                    ..StaffLine::default()
                });
                // Reads claims in force by their index, and the few that ended: the total number of claims does not matter.
                let sql = "SELECT p.unit, COUNT(*), COUNT(COALESCE(c.person, e.person)) FROM profile p \
                     LEFT JOIN claim c ON c.person = p.person AND c.until IS NULL AND c.since < $1 \
                     LEFT JOIN (SELECT DISTINCT person FROM claim WHERE until >= $1 AND since < $1) e ON e.person = p.person \
                     WHERE (p.gone = 0 OR p.gone_on > $2) AND p.there_from <= $2 AND p.service_to >= $2 GROUP BY p.unit";
                for row in tx.rows(sql, [end_of(day).into(), day.to_string().into()]).await? {
                    let (staff, done): (i64, i64) = (row.get(1)?, row.get(2)?);
                    sums.add(&row.get::<String>(0)?, |line| {
                        line.staff += staff.unsigned_abs();
                        line.standardised += done.unsigned_abs();
                    });
                }
                Ok(sums.below(unit))
            })
            .await
    }
}

/// Whether everything recorded counts by the end of that day. Then the counters are the report of that day.
async fn is_newest(tx: &mut Tx, day: Date) -> Result<bool> {
    let row = tx.row("SELECT MAX(effective) FROM horizon", []).await?;
    let newest: Option<i64> = row.map(|row| row.get(0)).transpose()?.flatten();
    Ok(newest.is_none_or(|newest| newest < end_of(day)))
}

/// Reads the counters, summed over their slots. All units of one group of accounts come in one row, because the driver would spend most
/// of the time on many rows.
pub(crate) async fn for_each_bucket(tx: &mut Tx, add: &mut impl FnMut(&Bucket, u64)) -> Result<()> {
    let sql = "SELECT official_to, exempt_to, held_to, claimed, last, string_agg(unit || ' ' || n, '\n') FROM report_counter \
         GROUP BY official_to, exempt_to, held_to, claimed, last";
    tx.for_each_row(sql, [], |row| {
        let mut bucket = Bucket {
            unit: None,
            official_to: day_of(&row.get::<String>(0)?)?,
            exempt_to: day_of(&row.get::<String>(1)?)?,
            held_to: day_of(&row.get::<String>(2)?)?,
            claimed: row.get::<i64>(3)? != 0,
            last: LastFormState::parse(&row.get::<String>(4)?)
                .ok_or_else(|| StoreError::corrupt("report_counter", "no such word"))?,
        };
        for (unit, n) in sums_by_unit(&row.get::<String>(5)?)? {
            bucket.unit = (!unit.is_empty()).then(|| UnitCode(unit.to_owned()));
            add(&bucket, n);
        }
        Ok(())
    })
    .await
}

/// Parses units with their counts, summed over the slots, from lines of the form `unit n`.
pub(crate) fn sums_by_unit(lines: &str) -> Result<HashMap<&str, u64>> {
    let mut sums: HashMap<&str, i64> = HashMap::new();
    for line in lines.split('\n') {
        let n = line
            .rsplit_once(' ')
            .and_then(|(unit, n)| Some((unit, n.parse::<i64>().ok()?)));
        let (unit, n) = n.ok_or_else(|| StoreError::corrupt("a counter", "no unit and number"))?;
        *sums.entry(unit).or_default() += n;
    }
    let counts = sums.into_iter().map(|(unit, n)| (unit, n.unsigned_abs()));
    Ok(counts.filter(|(_, n)| *n > 0).collect())
}

/// The accounts as they were at the end of a day.
async fn recounted(tx: &mut Tx, day: Date, add: &mut impl FnMut(&Bucket, u64)) -> Result<()> {
    let claimed = claimed_on(tx, day).await?;
    let mut held = std::collections::BTreeSet::new();
    written_on(tx, Some(AccountKind::Citizen), day, |account, _| {
        held.insert(account);
        Ok(())
    })
    .await?;
    let mut exempt: HashMap<String, Date> = HashMap::new();
    let sql = "SELECT account, last_day FROM exemption WHERE since < $1 AND (until IS NULL OR until >= $1)";
    tx.for_each_row(sql, [end_of(day).into()], |row| {
        if let Some(last) = day_of(&row.get::<String>(1)?)? {
            exempt.insert(row.get(0)?, last);
        }
        Ok(())
    })
    .await?;
    let mut last: HashMap<String, LastFormState> = HashMap::new();
    let sql = "SELECT account, outcome FROM submission WHERE effective < $1 ORDER BY at, receipt";
    tx.for_each_row(sql, [end_of(day).into()], |row| {
        let outcome = Outcome::parse(&row.get::<String>(1)?)
            .ok_or_else(|| StoreError::corrupt("submission", "no such outcome"))?;
        last.insert(row.get(0)?, LastFormState::after(outcome));
        Ok(())
    })
    .await?;
    tx.for_each_row(
        "SELECT id, unit, official_to FROM account WHERE kind = 'citizen' AND there_from <= $1",
        [day.to_string().into()],
        |row| {
            let (id, unit): (String, String) = (row.get(0)?, row.get(1)?);
            let bucket = Bucket {
                unit: (!unit.is_empty()).then_some(UnitCode(unit)),
                official_to: day_of(&row.get::<String>(2)?)?,
                exempt_to: exempt.get(&id).copied(),
                held_to: held.contains(&id).then_some(Date::MAX),
                claimed: claimed.contains(&id),
                last: last.get(&id).copied().unwrap_or(LastFormState::NotStarted),
            };
            add(&bucket, 1);
            Ok(())
        },
    )
    .await
}
