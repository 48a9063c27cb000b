//! The links between national ids of one person: the single source for all rules of every number that a person ever held.
//!
//! Registry, HR and claims state which numbers belong to one person. Each such statement is a link (`person_link`). Links are kept for
//! good, because the column that states them is optional. A link no longer counts once both of its numbers are in force, each in its own
//! profile that counts or in its own active record of the registry: a number is never given to two persons, so the statement was a
//! mistake.

use crate::boxed;
use crate::context::StoreContext;
use crate::crypto::keyring::FingerprintKind;
use crate::db::columns::for_each_in;
use crate::db::{SqlValue, Tx};
use crate::error::Result;
use crate::tables::accounts::fingerprint;
use ngomon_rules::values::NationalId;
use std::collections::{BTreeSet, HashMap};
use std::mem;

/// Of a link `l`: both numbers are in force.
const BOTH_IN_FORCE: &str = "(EXISTS (SELECT 1 FROM profile p WHERE p.number_fp = l.fp AND p.gone = 0) \
     AND EXISTS (SELECT 1 FROM profile p WHERE p.number_fp = l.other AND p.gone = 0)) \
     OR (EXISTS (SELECT 1 FROM reference r JOIN registry g ON g.load = r.load AND g.number_fp = l.fp \
       WHERE r.name = 'registry' AND g.status = 'active') \
     AND EXISTS (SELECT 1 FROM reference r JOIN registry g ON g.load = r.load AND g.number_fp = l.other \
       WHERE r.name = 'registry' AND g.status = 'active'))";

/// The query for the links that count.
pub(crate) fn links() -> String {
    format!("SELECT l.fp, l.other FROM person_link l WHERE NOT ({BOTH_IN_FORCE})")
}

/// The links in the present registry. After an upgrade from a version without links, this is their only source.
const STATED_TODAY: &str = "SELECT f.number_fp, f.former_fp FROM reference r JOIN registry_former f ON f.load = r.load \
     WHERE r.name = 'registry'";

/// The fingerprints of every number that the persons with these numbers ever held, including these.
pub(crate) async fn ever_held(tx: &mut Tx, of: impl IntoIterator<Item = Vec<u8>>) -> Result<BTreeSet<Vec<u8>>> {
    let links = links();
    let sql = format!(
        "SELECT other FROM ({links} AND l.fp IN ({{}})) k UNION SELECT o.fp FROM person_number n \
         JOIN person_number o ON o.person = n.person WHERE n.fp IN ({{}}) UNION SELECT former_fp FROM ({STATED_TODAY} \
         AND f.number_fp IN ({{}})) s UNION SELECT number_fp FROM ({STATED_TODAY} AND f.former_fp IN ({{}})) t"
    );
    let mut held = BTreeSet::new();
    let mut fresh: BTreeSet<Vec<u8>> = of.into_iter().collect();
    while !fresh.is_empty() {
        let wanted: Vec<SqlValue> = fresh.iter().cloned().map(SqlValue::from).collect();
        held.append(&mut mem::take(&mut fresh));
        for_each_in(tx, &sql, &wanted, |row| {
            fresh.insert(row.get(0)?);
            Ok(())
        })
        .await?;
        fresh.retain(|fp| !held.contains(fp));
    }
    Ok(held)
}

/// Every number that was ever linked to these, whether or not the link counts: the numbers that a change may affect.
pub(crate) const EVER_LINKED: &str = "SELECT l.other FROM person_link l WHERE l.fp IN ({}) \
     UNION SELECT f.former_fp FROM reference r JOIN registry_former f ON f.load = r.load WHERE r.name = 'registry' AND f.number_fp IN ({}) \
     UNION SELECT f.number_fp FROM reference r JOIN registry_former f ON f.load = r.load WHERE r.name = 'registry' AND f.former_fp IN ({})";

/// The numbers of `known` that belong to one person, grouped by person. Uses the links of the fingerprints `keys` only, or all links if
/// `None`.
pub(crate) async fn one_persons(
    tx: &mut Tx,
    ctx: &StoreContext,
    keys: Option<Vec<SqlValue>>,
    known: BTreeSet<NationalId>,
) -> Result<Vec<Vec<NationalId>>> {
    let persons = PersonNumbers::by_links(tx, keys.as_deref()).await?;
    let mut groups: HashMap<usize, Vec<NationalId>> = HashMap::new();
    if persons.of.is_empty() {
        return Ok(Vec::new());
    }
    let marker = ctx.marker(tx).await?;
    for number in known {
        let fp = fingerprint(&marker, FingerprintKind::NationalId, number.as_str());
        if let Some(person) = persons.of(&fp) {
            groups.entry(person).or_default().push(number);
        }
    }
    Ok(groups.into_values().filter(|group| group.len() > 1).collect())
}

/// Fingerprints of numbers, joined into persons by the links that count.
#[derive(Default)]
pub(crate) struct PersonNumbers {
    of: HashMap<Vec<u8>, usize>,
    parent: Vec<usize>,
}

impl PersonNumbers {
    /// Joins by all links.
    #[boxed]
    pub async fn read(tx: &mut Tx) -> Result<Self> {
        Self::by_links(tx, None).await
    }

    /// Joins by the links of the fingerprints `keys` only, or by all if `None`.
    async fn by_links(tx: &mut Tx, keys: Option<&[SqlValue]>) -> Result<Self> {
        let mut persons = Self::default();
        let links = links();
        for (sql, of) in [(links.as_str(), "l.fp"), (STATED_TODAY, "f.number_fp")] {
            let mut take = |row: crate::db::Row| {
                persons.join(row.get(0)?, row.get(1)?);
                Ok(())
            };
            match keys {
                None => tx.for_each_row(sql, [], &mut take).await?,
                Some(keys) => for_each_in(tx, &format!("{sql} AND {of} IN ({{}})"), keys, &mut take).await?,
            }
        }
        Ok(persons)
    }

    /// The person of a number that has a link to another one.
    pub fn of(&self, fp: &[u8]) -> Option<usize> {
        self.of.get(fp).map(|person| self.root(*person))
    }

    fn root(&self, mut person: usize) -> usize {
        while let Some(&up) = self.parent.get(person).filter(|up| **up != person) {
            person = up;
        }
        person
    }

    fn join(&mut self, a: Vec<u8>, b: Vec<u8>) {
        let [a, b] = [a, b].map(|fp| {
            let next = self.parent.len();
            let person = *self.of.entry(fp).or_insert(next);
            if person == next {
                self.parent.push(next);
            }
            self.root(person)
        });
        if let Some(up) = self.parent.get_mut(b) {
            *up = a;
        }
    }
}
