//! Every number that the person of a number ever held: one place, which every rule asks.
//!
//! Registry, HR and claims say which numbers are one person's. Each such statement is a link (`person_link`), kept for good: the column that
//! states it is optional. A link counts no more where both of its numbers are in force, each in a profile of its own that counts, or in an
//! active record of the registry of its own: no number is given to two persons, so the statement was a mistake.

use crate::db::{Arg, Tx};
use crate::error::Result;
use crate::journal::Env;
use crate::keyring::FingerprintKind;
use crate::tables::{each_of, fingerprint};
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

/// The links that count.
pub(crate) fn links() -> String {
    format!("SELECT l.fp, l.other FROM person_link l WHERE NOT ({BOTH_IN_FORCE})")
}

/// What the registry says today; of a version before links were kept, nothing else tells.
const STATED_TODAY: &str = "SELECT f.number_fp, f.former_fp FROM reference r JOIN registry_former f ON f.load = r.load \
     WHERE r.name = 'registry'";

/// Fingerprints of every number that the persons of these ever held, these among them.
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
        let wanted: Vec<Arg> = fresh.iter().cloned().map(Arg::from).collect();
        held.append(&mut mem::take(&mut fresh));
        each_of(tx, &sql, &wanted, |row| {
            fresh.insert(row.get(0)?);
            Ok(())
        })
        .await?;
        fresh.retain(|fp| !held.contains(fp));
    }
    Ok(held)
}

/// Every number that was ever said to be of one person with these, whether or not the link counts: whom a change may concern.
pub(crate) const EVER_LINKED: &str = "SELECT l.other FROM person_link l WHERE l.fp IN ({}) \
     UNION SELECT f.former_fp FROM reference r JOIN registry_former f ON f.load = r.load WHERE r.name = 'registry' AND f.number_fp IN ({}) \
     UNION SELECT f.number_fp FROM reference r JOIN registry_former f ON f.load = r.load WHERE r.name = 'registry' AND f.former_fp IN ({})";

/// Those of `known` that are one person's, in groups. `keys`: only links of these fingerprints; without any, all.
pub(crate) async fn one_persons(
    tx: &mut Tx,
    env: &Env,
    keys: Option<Vec<Arg>>,
    known: BTreeSet<NationalId>,
) -> Result<Vec<Vec<NationalId>>> {
    let persons = Persons::by_links(tx, keys.as_deref()).await?;
    let mut groups: HashMap<usize, Vec<NationalId>> = HashMap::new();
    if persons.of.is_empty() {
        return Ok(Vec::new());
    }
    let marker = env.marker(tx).await?;
    for number in known {
        let fp = fingerprint(&marker, FingerprintKind::NationalId, number.as_str());
        if let Some(person) = persons.of(&fp) {
            groups.entry(person).or_default().push(number);
        }
    }
    Ok(groups.into_values().filter(|group| group.len() > 1).collect())
}

/// Fingerprints of numbers joined into persons, as far as links that count tell.
#[derive(Default)]
pub(crate) struct Persons {
    of: HashMap<Vec<u8>, usize>,
    parent: Vec<usize>,
}

impl Persons {
    /// By all links.
    pub async fn read(tx: &mut Tx) -> Result<Self> {
        Self::by_links(tx, None).await
    }

    /// `keys`: only by links of these fingerprints.
    async fn by_links(tx: &mut Tx, keys: Option<&[Arg]>) -> Result<Self> {
        let mut persons = Self::default();
        let links = links();
        for (sql, of) in [(links.as_str(), "l.fp"), (STATED_TODAY, "f.number_fp")] {
            let mut take = |row: crate::db::Row| {
                persons.join(row.get(0)?, row.get(1)?);
                Ok(())
            };
            match keys {
                None => tx.each(sql, [], &mut take).await?,
                Some(keys) => each_of(tx, &format!("{sql} AND {of} IN ({{}})"), keys, &mut take).await?,
            }
        }
        Ok(persons)
    }

    /// The person of a number that has another one, too.
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
