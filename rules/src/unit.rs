//! The administrative tree. A unit's code is opaque, unique and never reused. A unit is valid from a first to a last day; from the day
//! after, its successor replaces it, or its parent if it has no successor.

use crate::values::{Date, exact_key};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

/// The code of a unit: opaque, unique, never reused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnitCode(pub String);

impl UnitCode {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UnitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The kind of a unit.
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

/// A unit of the tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Its code.
    pub code: UnitCode,
    /// The unit above.
    pub parent: Option<UnitCode>,
    /// The name as offices write it.
    pub name: String,
    /// The kind of unit.
    pub kind: UnitKind,
    /// Its first day. `None` if it always existed.
    pub valid_from: Option<Date>,
    /// Its last day. `None` if it still exists.
    pub valid_to: Option<Date>,
    /// The unit that replaces it from the day after the last.
    pub successor: Option<UnitCode>,
}

impl Unit {
    /// Returns whether the unit is valid on that day.
    pub fn is_valid_on(&self, day: Date) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && !self.has_ended_by(day)
    }

    /// Returns whether the unit ended before that day.
    pub fn has_ended_by(&self, day: Date) -> bool {
        self.valid_to.is_some_and(|to| to < day)
    }
}

/// Why rows do not form a tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeFault {
    /// Following parents or successors from this unit leads back to it.
    #[error("unit {0} is above itself, or its successors lead back to it")]
    Loop(UnitCode),
    /// A parent or successor that does not exist.
    #[error("unit {unit} names {missing}, which is no unit")]
    Unknown {
        /// The unit whose row it is.
        unit: UnitCode,
        /// The code that does not exist.
        missing: UnitCode,
    },
    /// Two rows with one code.
    #[error("unit {0} stands twice")]
    Twice(UnitCode),
}

/// All units of all times. Built once from rows. Following parents and successors always ends.
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

    /// Checks that every walk over "successor or else parent" and over "parent" ends.
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

    /// Number of units of all times.
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// Returns whether no units were loaded yet.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// All units, ordered by code.
    pub fn iter(&self) -> impl Iterator<Item = &Unit> {
        self.units.values()
    }

    /// The unit with that code.
    pub fn get(&self, code: &UnitCode) -> Option<&Unit> {
        self.units.get(code)
    }

    /// The unit that replaces `code` on that day: `code` itself while it is valid, otherwise its successor or parent, followed further.
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

    /// The unit that replaces `code` on that day and all units above it, bottom up, each followed as of that day and listed once.
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

    /// Returns whether `code` is `top` or below it, both as of that day.
    pub fn is_within(&self, code: &UnitCode, top: &UnitCode, day: Date) -> bool {
        let top = self.follow(top, day);
        self.lineage(code, day).contains(&top)
    }

    /// `code` and all units that were ever below it.
    pub fn subtree(&self, code: &UnitCode) -> BTreeSet<UnitCode> {
        let mut out = BTreeSet::new();
        let mut todo = vec![code.clone()];
        while let Some(code) = todo.pop() {
            todo.extend(self.children.get(&code).into_iter().flatten().cloned());
            out.insert(code);
        }
        out
    }

    /// The unit of that name that is valid on that day. Names are compared exactly, never folded. A name that only one unit has suffices;
    /// otherwise the units above follow after commas: `Thôn Hộ, xã Dương Hòa`. If no unit of the day matches, the text may be the name of a
    /// unit that ended, with all units above it: then its successor is returned.
    pub fn by_name(&self, text: &str, day: Date) -> Option<&UnitCode> {
        let mut is_taken = false;
        for (named, above) in self.readings(text) {
            let mut found = named.iter().filter(|code| {
                self.units.get(*code).is_some_and(|unit| unit.is_valid_on(day)) && self.stands_below(code, &above, day)
            });
            match (found.next(), found.next()) {
                (Some(one), None) => return Some(one),
                (Some(_), Some(_)) => is_taken = true,
                (None, _) => {}
            }
        }
        if is_taken { None } else { self.by_old_name(text, day) }
    }

    /// The name of a unit, made unique below the unit above it. If a namesake is there, the parent from before a merger is added: `Thôn Hạ
    /// (Xã Thủy Phù)`.
    pub fn told_name(&self, unit: &Unit, day: Date) -> String {
        let above = unit.parent.as_ref().map(|code| self.follow(code, day));
        let before = unit.parent.as_ref().and_then(|code| self.units.get(code));
        let before = before.filter(|before| before.has_ended_by(day));
        let named = self.by_name.get(&exact_key(&unit.name));
        let named = named.into_iter().flatten().filter_map(|code| self.units.get(code));
        let mut beside = named.filter(|one| {
            let stands_under = one.parent.as_ref().map(|code| self.follow(code, day));
            one.code != unit.code && one.is_valid_on(day) && stands_under == above
        });
        match before.filter(|_| beside.next().is_some()) {
            Some(before) => format!("{} ({})", unit.name, before.name),
            None => unit.name.clone(),
        }
    }

    /// As [`Self::by_name`], for a name that a person types without the kind of unit: `Hương Sen` is `Xã Hương Sen` if only one unit of the
    /// day is called so.
    pub fn by_typed_name(&self, text: &str, day: Date) -> Option<&UnitCode> {
        let key = exact_key(text.trim());
        let is_bare = |name: &str| {
            let kind = exact_key(name).strip_suffix(&key).map(|kind| kind.ends_with(' '));
            kind == Some(true)
        };
        let is_there = |code: &UnitCode| self.units.get(code).is_some_and(|unit| unit.is_valid_on(day));
        let bare = || {
            // A full name that several units share is ambiguous, so it is not completed.
            let is_taken = self.by_name.get(&key).is_some_and(|named| named.iter().any(is_there));
            let mut found = self
                .units
                .values()
                .filter(|unit| unit.is_valid_on(day) && is_bare(&unit.name));
            let one = found.next().filter(|_| !is_taken && !key.is_empty())?;
            found.next().is_none().then_some(&one.code)
        };
        self.by_name(text, day).or_else(bare)
    }

    /// The units of all times that a text may name, each candidate with the names above it. A unit's own name may contain a comma, so every
    /// cut is tried, the whole text first.
    fn readings(&self, text: &str) -> Vec<(&[UnitCode], Vec<String>)> {
        let commas = text.match_indices(',').map(|(i, _)| i);
        let cuts = std::iter::once(text.len()).chain(commas);
        let read = |cut: usize| {
            let named = self.by_name.get(&exact_key(text[..cut].trim()))?;
            let above = text[cut..].split(',').map(str::trim).filter(|s| !s.is_empty());
            Some((named.as_slice(), above.map(exact_key).collect()))
        };
        cuts.filter_map(read).collect()
    }

    /// The one unit that succeeded every unit of that name below exactly those units. A unit that was split has no successor.
    fn by_old_name(&self, text: &str, day: Date) -> Option<&UnitCode> {
        let mut successors = BTreeSet::new();
        for (named, above) in self.readings(text) {
            let ended = named.iter().filter_map(|code| self.units.get(code));
            for unit in ended.filter(|unit| unit.has_ended_by(day) && self.stood_below(unit, &above, day)) {
                successors.insert(self.successor(&unit.code, day)?);
            }
        }
        successors.pop_first().filter(|_| successors.is_empty())
    }

    /// The unit that replaces `code` on that day, following successors only.
    fn successor(&self, code: &UnitCode, day: Date) -> Option<&UnitCode> {
        let mut at = self.units.get(code)?;
        while at.has_ended_by(day) {
            at = self.units.get(at.successor.as_ref()?)?;
        }
        Some(&at.code)
    }

    /// Returns whether these are all the units above it, below the province, as they were on some day of its life. The name of the
    /// province, then or on `day`, may follow.
    fn stood_below(&self, unit: &Unit, names_above: &[String], day: Date) -> bool {
        let name = |code: &UnitCode| self.units.get(code).map(|unit| exact_key(&unit.name));
        let stood_on = |then: Date| {
            let above: Vec<&UnitCode> = self.lineage(&unit.code, then).into_iter().skip(1).collect();
            let is_province = |code: &&UnitCode| self.units.get(*code).is_some_and(|u| u.kind == UnitKind::Province);
            let below = above.iter().position(is_province).unwrap_or(above.len());
            let Some((path, province)) = names_above.split_at_checked(below) else {
                return false;
            };
            let of_then = above.get(below).copied();
            let of_that_day = of_then.map(|code| self.follow(code, day));
            path.iter()
                .zip(&above)
                .all(|(written, code)| name(code).as_ref() == Some(written))
                && match province {
                    [] => true,
                    [written] => [of_then, of_that_day]
                        .into_iter()
                        .flatten()
                        .any(|code| name(code).as_ref() == Some(written)),
                    _ => false,
                }
        };
        self.days_of_change(unit).into_iter().any(stood_on)
    }

    /// The days on which a unit's ancestors may have changed, for a unit that ended: its last day, and the last day of each unit above it
    /// that ended earlier.
    fn days_of_change(&self, unit: &Unit) -> BTreeSet<Date> {
        let Some(last) = unit.valid_to else {
            return BTreeSet::new();
        };
        let mut days = BTreeSet::from([last]);
        let mut above = unit.parent.as_ref();
        while let Some(parent) = above.and_then(|code| self.units.get(code)) {
            days.extend(
                parent
                    .valid_to
                    .filter(|to| *to < last && unit.valid_from.is_none_or(|from| from <= *to)),
            );
            above = parent.parent.as_ref();
        }
        days
    }

    fn stands_below(&self, code: &UnitCode, names_above: &[String], day: Date) -> bool {
        let mut lineage = self.lineage(code, day).into_iter().skip(1);
        names_above
            .iter()
            .all(|name| lineage.any(|c| self.units.get(c).is_some_and(|unit| exact_key(&unit.name) == *name)))
    }
}
