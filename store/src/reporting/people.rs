//! The list of people behind a figure of the report: the accounts of a unit that have one standing. The report's counters give the groups
//! of alike accounts in each unit; an index gives the accounts of a group by id. So the cost of a page follows from its rows alone, and
//! the list is as long as the figure.

use crate::boxed;
use crate::db::columns::day_text;
use crate::db::{SqlValue, Tx};
use crate::error::Result;
use crate::reporting::report::for_each_bucket;
use crate::rights::Operator;
use crate::store::Store;
use crate::tables::accounts::{STATED, stated_of};
use crate::tables::settings::campaign;
use crate::tables::units;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ngomon_rules::citizens::{Bucket, ReportStatus};
use ngomon_rules::records::AccountId;
use ngomon_rules::unit::{UnitCode, UnitTree};
use ngomon_rules::values::{Date, FullName, Phone};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A row of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    /// The account.
    pub account: AccountId,
    /// The name that it states for its owner.
    pub full_name: Option<FullName>,
    /// The phone, masked.
    pub phone: Option<String>,
    /// The unit that is valid on the day.
    pub unit: UnitCode,
    /// The name of that unit.
    pub unit_name: String,
}

/// A page of the list.
#[derive(Clone, Debug)]
pub struct PersonPage {
    /// The number of all accounts in the list: the figure.
    pub all: u64,
    /// The rows of this page.
    pub people: Vec<PersonRow>,
    /// The cursor of the next page; `None` on the last page.
    pub next: Option<String>,
}

/// The key of a group of alike accounts, in the order of the index: unit, `official_to`, `exempt_to`, `held_to`, `claimed`, `last`.
type Alike = [String; 6];

/// The cursor: the last account listed.
#[derive(Serialize, Deserialize)]
struct Cursor(Alike, String);

impl Cursor {
    /// Encodes the cursor for a URL. It reveals nothing but the position.
    fn written(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    fn read(text: &str) -> Option<Self> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }
}

fn alike(bucket: &Bucket) -> Alike {
    [
        bucket.unit.as_ref().map(ToString::to_string).unwrap_or_default(),
        day_text(bucket.official_to),
        day_text(bucket.exempt_to),
        day_text(bucket.held_to),
        i64::from(bucket.claimed).to_string(),
        bucket.last.name().to_owned(),
    ]
}

const PEOPLE: &str = "a.kind = 'citizen' AND a.unit = $1 AND a.official_to = $2 AND a.exempt_to = $3 AND a.held_to = $4 \
     AND a.claimed = $5 AND a.last = $6 AND a.id > $7 ORDER BY a.id LIMIT $8";

impl Store {
    /// The accounts of a unit and all below it that have this standing on a day, from everything recorded; at most `most`, unit by unit,
    /// after the cursor of the previous page.
    #[boxed]
    pub async fn people(
        &self,
        _: &Operator,
        unit: &UnitCode,
        standing: ReportStatus,
        day: Date,
        after: Option<&str>,
        most: u32,
    ) -> Result<PersonPage> {
        self.db
            .read_long(async |tx| {
                let tree = units::tree(tx).await?;
                let sorts = sorts(tx, &tree, unit, standing, day).await?;
                let all = sorts.values().sum();
                let from = after.and_then(Cursor::read);
                let mut here = None;
                let mut listing = PersonPage {
                    all,
                    people: Vec::new(),
                    next: None,
                };
                for sort in sorts.into_keys() {
                    let after = match &from {
                        Some(Cursor(last, _)) if sort < *last => continue,
                        Some(Cursor(last, id)) if sort == *last => id.as_str(),
                        _ => "",
                    };
                    let left = most as usize - listing.people.len();
                    // One more row shows whether there is a next page.
                    let mut found = self.alike(tx, &tree, day, &sort, after, left + 1).await?;
                    let more = found.len() > left;
                    found.truncate(left);
                    here = found.last().map(|one| Cursor(sort, one.account.to_string())).or(here);
                    listing.people.extend(found);
                    if more {
                        listing.next = here.as_ref().map(Cursor::written);
                        break;
                    }
                }
                Ok(listing)
            })
            .await
    }

    async fn alike(
        &self,
        tx: &mut Tx,
        tree: &UnitTree,
        day: Date,
        sort: &Alike,
        after: &str,
        most: usize,
    ) -> Result<Vec<PersonRow>> {
        let [unit, official_to, exempt_to, held_to, claimed, last] = sort;
        let counts = tree.follow(&UnitCode(unit.clone()), day).clone();
        let name = tree
            .get(&counts)
            .map(|unit| tree.told_name(unit, day))
            .unwrap_or_default();
        let mut args: Vec<SqlValue> = [unit, official_to, exempt_to, held_to].map(SqlValue::from).into();
        args.extend([i64::from(claimed == "1").into(), last.into(), after.into()]);
        args.push(i64::try_from(most).unwrap_or(i64::MAX).into());
        let sql =
            format!("SELECT a.id, {STATED} FROM account a JOIN personal_value v ON v.id = a.value WHERE {PEOPLE}");
        let rows = tx.rows(&sql, args).await?;
        let listed = rows.iter().map(|row| {
            let stated = stated_of(&self.ctx.keys, row, 1)?;
            Ok(PersonRow {
                account: AccountId(row.get(0)?),
                full_name: stated.full_name,
                phone: stated.phone.as_ref().map(Phone::masked),
                unit: counts.clone(),
                unit_name: name.clone(),
            })
        });
        listed.collect()
    }
}

/// The groups of alike accounts of a unit that have this standing, each with the number of its accounts.
async fn sorts(
    tx: &mut Tx,
    tree: &UnitTree,
    top: &UnitCode,
    standing: ReportStatus,
    day: Date,
) -> Result<BTreeMap<Alike, u64>> {
    let campaign = campaign(tx).await?;
    let mut sorts = BTreeMap::new();
    let mut take = |bucket: &Bucket, n| {
        let within = bucket.unit.as_ref().is_some_and(|unit| tree.is_within(unit, top, day));
        if within && bucket.standing(&campaign, day) == standing {
            sorts.insert(alike(bucket), n);
        }
    };
    for_each_bucket(tx, &mut take).await?;
    Ok(sorts)
}
