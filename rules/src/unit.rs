//! The administrative tree. A unit's code is opaque, unique and never reused; it is valid from a day to a last day, and from the
//! day after, its successor counts; without a successor, its parent.

use crate::values::{Date, exact_key};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

/// Opaque, unique, never reused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnitCode(pub String);

impl UnitCode {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UnitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What sort of node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnitKind {
    /// Tỉnh, thành phố trực thuộc trung ương.
    Province,
    /// Sở, ban, ngành.
    Department,
    /// Huyện, quận, thị xã.
    District,
    /// Xã, phường, thị trấn.
    Commune,
    /// Thôn, tổ dân phố.
    Village,
    /// Trung tâm, trường, bệnh viện.
    Agency,
}

impl UnitKind {
    /// The word in `units.csv`.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "province" => Self::Province,
            "department" => Self::Department,
            "district" => Self::District,
            "commune" => Self::Commune,
            "village" => Self::Village,
            "agency" => Self::Agency,
            _ => return None,
        })
    }
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Its code.
    pub code: UnitCode,
    /// The unit above.
    pub parent: Option<UnitCode>,
    /// As offices write it.
    pub name: String,
    /// What sort of node.
    pub kind: UnitKind,
    /// Its first day; `None`: always was.
    pub valid_from: Option<Date>,
    /// Its last day; `None`: still is.
    pub valid_to: Option<Date>,
    /// Who counts from the day after the last.
    pub successor: Option<UnitCode>,
}

impl Unit {
    /// Valid on that day?
    pub fn is_valid_on(&self, day: Date) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && !self.has_ended_by(day)
    }

    /// Was it valid before that day, and is it no more?
    pub fn has_ended_by(&self, day: Date) -> bool {
        self.valid_to.is_some_and(|to| to < day)
    }
}

/// Why rows do not make a tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeFault {
    /// Following parents or successors from this unit comes back to it.
    #[error("unit {0} is above itself, or its successors lead back to it")]
    Loop(UnitCode),
    /// A parent or successor that is no unit.
    #[error("unit {unit} names {missing}, which is no unit")]
    Unknown {
        /// Whose row.
        unit: UnitCode,
        /// The code that is not there.
        missing: UnitCode,
    },
    /// Two rows of one code.
    #[error("unit {0} stands twice")]
    Twice(UnitCode),
}

/// All units of all times. Built once from rows; following never loops.
#[derive(Clone, Debug, Default)]
pub struct UnitTree {
    units: BTreeMap<UnitCode, Unit>,
    children: HashMap<UnitCode, Vec<UnitCode>>,
    by_name: HashMap<String, Vec<UnitCode>>,
}

impl UnitTree {
    /// Checks that codes are unique, that parents and successors exist, and that nothing leads back to itself.
    pub fn build(rows: impl IntoIterator<Item = Unit>) -> Result<Self, TreeFault> {
        let mut tree = Self::default();
        for unit in rows {
            let code = unit.code.clone();
            tree.by_name
                .entry(exact_key(&unit.name))
                .or_default()
                .push(code.clone());
            if let Some(parent) = &unit.parent {
                tree.children.entry(parent.clone()).or_default().push(code.clone());
            }
            if tree.units.insert(code.clone(), unit).is_some() {
                return Err(TreeFault::Twice(code));
            }
        }
        for unit in tree.units.values() {
            for named in unit.parent.iter().chain(&unit.successor) {
                if !tree.units.contains_key(named) {
                    return Err(TreeFault::Unknown {
                        unit: unit.code.clone(),
                        missing: named.clone(),
                    });
                }
            }
        }
        tree.check_loops()?;
        Ok(tree)
    }

    /// Every walk over "successor or else parent" and over "parent" must end.
    fn check_loops(&self) -> Result<(), TreeFault> {
        let mut safe: BTreeSet<&UnitCode> = BTreeSet::new();
        for start in self.units.keys() {
            let mut open: BTreeSet<&UnitCode> = BTreeSet::new();
            self.descend(start, &mut open, &mut safe)?;
        }
        Ok(())
    }

    fn descend<'a>(
        &'a self,
        code: &'a UnitCode,
        open: &mut BTreeSet<&'a UnitCode>,
        safe: &mut BTreeSet<&'a UnitCode>,
    ) -> Result<(), TreeFault> {
        if safe.contains(code) {
            return Ok(());
        }
        if !open.insert(code) {
            return Err(TreeFault::Loop(code.clone()));
        }
        if let Some(unit) = self.units.get(code) {
            for next in unit.parent.iter().chain(&unit.successor) {
                self.descend(next, open, safe)?;
            }
        }
        open.remove(code);
        safe.insert(code);
        Ok(())
    }

    /// How many units of all times.
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// No unit at all: none was taken in yet.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// All units, by code.
    pub fn iter(&self) -> impl Iterator<Item = &Unit> {
        self.units.values()
    }

    /// One unit.
    pub fn get(&self, code: &UnitCode) -> Option<&Unit> {
        self.units.get(code)
    }

    /// The unit that counts for `code` on that day: itself, or where its successors, else its parents, lead.
    pub fn follow<'a>(&'a self, code: &'a UnitCode, day: Date) -> &'a UnitCode {
        let mut at = code;
        while let Some(unit) = self.units.get(at).filter(|unit| unit.has_ended_by(day)) {
            match unit.successor.as_ref().or(unit.parent.as_ref()) {
                Some(next) => at = next,
                None => break,
            }
        }
        at
    }

    /// The unit that counts on that day and all above it, each followed on that day, from the bottom up, each once.
    pub fn lineage<'a>(&'a self, code: &'a UnitCode, day: Date) -> Vec<&'a UnitCode> {
        let mut out: Vec<&UnitCode> = Vec::new();
        let mut at = Some(code);
        while let Some(code) = at {
            let here = self.follow(code, day);
            if !out.contains(&here) {
                out.push(here);
            }
            at = self.units.get(here).and_then(|unit| unit.parent.as_ref());
        }
        out
    }

    /// Is `code` (as of the day) `top` or below it?
    pub fn is_within(&self, code: &UnitCode, top: &UnitCode, day: Date) -> bool {
        let top = self.follow(top, day);
        self.lineage(code, day).contains(&top)
    }

    /// `code` and all that were ever below it by parent.
    pub fn subtree(&self, code: &UnitCode) -> BTreeSet<UnitCode> {
        let mut out = BTreeSet::new();
        let mut todo = vec![code.clone()];
        while let Some(code) = todo.pop() {
            todo.extend(self.children.get(&code).into_iter().flatten().cloned());
            out.insert(code);
        }
        out
    }

    /// The unit of that name that is valid on that day (names compared exact, never folded): the name alone when only one unit
    /// has it, else with the units above after commas: `Thôn Hộ, xã Dương Hòa`.
    pub fn by_name(&self, text: &str, day: Date) -> Option<&UnitCode> {
        let commas = text.match_indices(',').map(|(i, _)| i);
        // A unit's own name may hold a comma, so every cut is tried, the whole text first.
        std::iter::once(text.len()).chain(commas).find_map(|cut| {
            let above: Vec<String> = text[cut..]
                .split(',')
                .map(str::trim)
                .filter(|s| !s.is_empty())
                .map(exact_key)
                .collect();
            let mut found = self.by_name.get(&exact_key(&text[..cut]))?.iter().filter(|code| {
                self.units.get(*code).is_some_and(|unit| unit.is_valid_on(day)) && self.stands_below(code, &above, day)
            });
            found.next().filter(|_| found.next().is_none())
        })
    }

    fn stands_below(&self, code: &UnitCode, names_above: &[String], day: Date) -> bool {
        let mut lineage = self.lineage(code, day).into_iter().skip(1);
        names_above
            .iter()
            .all(|name| lineage.any(|c| self.units.get(c).is_some_and(|unit| exact_key(&unit.name) == *name)))
    }
}
