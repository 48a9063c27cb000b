//! The people behind a figure of the report: of a unit, those who stand so. The report's counters say which sorts of account there are
//! in which unit; of each, an index gives its accounts by id. So a page costs its own lines, and the list is as long as the figure.

use crate::access::Operator;
use crate::citizens::counted;
use crate::db::{Arg, Tx};
use crate::error::Result;
use crate::settings::campaign;
use crate::store::Store;
use crate::tables::{STATED, day_text, stated_of};
use crate::units;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ngomon_rules::citizens::{Bucket, Standing};
use ngomon_rules::record::AccountId;
use ngomon_rules::unit::{UnitCode, UnitTree};
use ngomon_rules::values::{Date, FullName, Phone};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which account.
    pub account: AccountId,
    /// What it says of its owner.
    pub full_name: Option<FullName>,
    /// Masked.
    pub phone: Option<String>,
    /// The unit that counts on the day.
    pub unit: UnitCode,
    /// Its name.
    pub unit_name: String,
}

/// Some of those who stand so.
#[derive(Clone, Debug)]
pub struct Listing {
    /// How many there are: the figure.
    pub all: u64,
    /// Some of them.
    pub people: Vec<Listed>,
    /// Where the next ones begin; `None`: these are the last.
    pub next: Option<String>,
}

/// What accounts are alike in, in the order of the index: unit, `official_to`, `exempt_to`, `held_to`, `claimed`, `last`.
type Alike = [String; 6];

/// The last one that was listed.
#[derive(Serialize, Deserialize)]
struct Place(Alike, String);

impl Place {
    /// As it stands in an address. It says nothing but where one is.
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
    /// Of a unit and all below it, at most so many who stand so on a day, as everything stands that was recorded: unit by unit, from
    /// the place on that the listing before named.
    pub async fn people(
        &self,
        _: &Operator,
        unit: &UnitCode,
        standing: Standing,
        day: Date,
        after: Option<&str>,
        most: u32,
    ) -> Result<Listing> {
        self.db
            .scan(async |tx| {
                let tree = units::tree(tx).await?;
                let sorts = sorts(tx, &tree, unit, standing, day).await?;
                let all = sorts.values().sum();
                let from = after.and_then(Place::read);
                let mut here = None;
                let mut listing = Listing {
                    all,
                    people: Vec::new(),
                    next: None,
                };
                for sort in sorts.into_keys() {
                    let after = match &from {
                        Some(Place(last, _)) if sort < *last => continue,
                        Some(Place(last, id)) if sort == *last => id.as_str(),
                        _ => "",
                    };
                    let left = most as usize - listing.people.len();
                    // One more tells whether there are more.
                    let mut found = self.alike(tx, &tree, day, &sort, after, left + 1).await?;
                    let more = found.len() > left;
                    found.truncate(left);
                    here = found.last().map(|one| Place(sort, one.account.to_string())).or(here);
                    listing.people.extend(found);
                    if more {
                        listing.next = here.as_ref().map(Place::written);
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
    ) -> Result<Vec<Listed>> {
        let [unit, official_to, exempt_to, held_to, claimed, last] = sort;
        let counts = tree.follow(&UnitCode(unit.clone()), day).clone();
        let name = tree
            .get(&counts)
            .map(|unit| tree.told_name(unit, day))
            .unwrap_or_default();
        let mut args: Vec<Arg> = [unit, official_to, exempt_to, held_to].map(Arg::from).into();
        args.extend([i64::from(claimed == "1").into(), last.into(), after.into()]);
        args.push(i64::try_from(most).unwrap_or(i64::MAX).into());
        let sql =
            format!("SELECT a.id, {STATED} FROM account a JOIN personal_value v ON v.id = a.value WHERE {PEOPLE}");
        let rows = tx.rows(&sql, args).await?;
        let listed = rows.iter().map(|row| {
            let stated = stated_of(&self.env.keys, row, 1)?;
            Ok(Listed {
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

/// The sorts of account of a unit that stand so, each with how many there are.
async fn sorts(
    tx: &mut Tx,
    tree: &UnitTree,
    top: &UnitCode,
    standing: Standing,
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
    counted(tx, &mut take).await?;
    Ok(sorts)
}
