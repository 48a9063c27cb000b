//! Clause 7: "Những tài khoản công vụ không tồn tại hồ sơ nhân sự tại hệ thống thông tin quản lý công chức, viên chức do Sở Nội vụ
//! quản lý thì không thể xác thực để đăng nhập vào hệ thống được." How an account finds its profile, and what is known to be
//! missing.

use crate::event::ProfileId;
use crate::record::{AccountId, AccountKind, Profile, Stated};
use crate::unit::{UnitCode, UnitTree};
use crate::values::{Date, NationalId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap, HashSet};

/// An account of kind `official` as far as letter 108 asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficialAccount {
    /// Its id.
    pub id: AccountId,
    /// `official`; accounts of kind `unit` have no HR rule.
    pub kind: AccountKind,
    /// What it says of its owner.
    pub stated: Stated,
    /// Where it belongs.
    pub unit: UnitCode,
    /// When it was last used.
    pub last_sign_in_on: Option<Date>,
    /// When it was made.
    pub created_on: Option<Date>,
}

impl OfficialAccount {
    /// One that is not there yet: it states nothing.
    pub fn at(unit: &UnitCode) -> Self {
        Self {
            id: AccountId(String::new()),
            kind: AccountKind::Official,
            stated: Stated::default(),
            unit: unit.clone(),
            last_sign_in_on: None,
            created_on: None,
        }
    }
}

/// The version of a profile that counts, with what only we know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptProfile {
    /// Its id here.
    pub id: ProfileId,
    /// The row.
    pub profile: Profile,
    /// The day on which it was first taken in.
    pub first_taken_on: Date,
}

/// A profile row that could not be read, by what still tells whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// A readable code; of an account's row, its id.
    pub employee_code: Option<String>,
    /// A readable id.
    pub national_id: Option<NationalId>,
    /// The folded name; counts only where neither code nor id can be read.
    pub person_key: Option<String>,
}

/// For which units absence means something: those that a full extract covered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// A full extract of everything came in.
    pub whole: bool,
    /// The units of the partial extracts that were full for them and all below.
    pub units: BTreeSet<UnitCode>,
}

impl Coverage {
    fn covers(&self, unit: &UnitCode, units: &UnitTree, day: Date) -> bool {
        self.whole || self.units.iter().any(|top| units.is_within(unit, top, day))
    }
}

/// Why nothing is decided: the account keeps the holds it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Undecided {
    /// The row with its code could not be read.
    RowOfItsCode,
    /// The row with its number could not be read.
    RowOfItsNumber,
    /// A row of its name, whose code and number could not be read.
    RowOfItsName,
    /// Two profiles stand for one person.
    TwoProfiles,
    /// No full extract has covered its unit.
    NotCovered,
}

impl Undecided {
    /// The name in plans and explanations.
    pub fn name(self) -> &'static str {
        match self {
            Self::RowOfItsCode => "row-of-its-code",
            Self::RowOfItsNumber => "row-of-its-number",
            Self::RowOfItsName => "row-of-its-name",
            Self::TwoProfiles => "two-profiles",
            Self::NotCovered => "not-covered",
        }
    }
}

/// What an account finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// Its profile.
    Profile(&'a KeptProfile),
    /// Nothing, where a full extract says that there is nothing.
    Nothing,
    /// Something that decides nothing.
    Undecided(Undecided),
}

/// All profiles that count, and all rows that could not be read, looked up by code and by number.
#[derive(Debug, Default)]
pub struct Directory {
    profiles: Vec<KeptProfile>,
    by_code: HashMap<String, usize>,
    by_person: HashMap<u32, Vec<usize>>,
    person_of: HashMap<NationalId, u32>,
    unread_codes: HashSet<String>,
    unread_numbers: HashSet<NationalId>,
    /// The persons of those numbers, where they held others too.
    unread_persons: HashSet<u32>,
    unread_names: HashSet<String>,
    coverage: Coverage,
}

impl Directory {
    /// `same_person`: groups of numbers that one person ever held, as far as they are known elsewhere; the numbers of a profile
    /// belong together anyway.
    pub fn build(
        profiles: Vec<KeptProfile>,
        quarantined: impl IntoIterator<Item = Quarantined>,
        same_person: impl IntoIterator<Item = Vec<NationalId>>,
        coverage: Coverage,
    ) -> Self {
        let mut groups = Groups::default();
        for numbers in same_person {
            groups.join(&numbers);
        }
        for kept in &profiles {
            let numbers: Vec<NationalId> = kept
                .profile
                .national_id
                .iter()
                .chain(&kept.profile.former_ids)
                .copied()
                .collect();
            groups.join(&numbers);
        }
        let person_of = groups.finish();
        let mut directory = Self {
            person_of,
            coverage,
            ..Self::default()
        };
        for (i, kept) in profiles.iter().enumerate() {
            if let Some(code) = &kept.profile.employee_code {
                directory.by_code.insert(code.clone(), i);
            }
            if let Some(person) = kept
                .profile
                .national_id
                .and_then(|number| directory.person_of.get(&number).copied())
            {
                directory.by_person.entry(person).or_default().push(i);
            }
        }
        directory.profiles = profiles;
        for row in quarantined {
            let known = row.employee_code.is_some() || row.national_id.is_some();
            directory.unread_codes.extend(row.employee_code);
            let person = row.national_id.and_then(|number| directory.person_of.get(&number));
            directory.unread_persons.extend(person);
            directory.unread_numbers.extend(row.national_id);
            if !known {
                directory.unread_names.extend(row.person_key);
            }
        }
        directory
    }

    /// All profiles that count.
    pub fn profiles(&self) -> &[KeptProfile] {
        &self.profiles
    }

    /// The profile that an account has, whether or not a row that could not be read tells otherwise of it.
    pub fn profile_of(&self, account: &OfficialAccount) -> Option<&KeptProfile> {
        let code = account.stated.employee_code.as_ref();
        let by_code = code.and_then(|code| self.by_code.get(code)).copied();
        let by_number = || self.person(account.stated.national_id?)?.first().copied();
        self.profiles.get(by_code.or_else(by_number)?)
    }

    /// By employee code; where the account has none, or no profile has that code, by any number that the person ever held. What is found
    /// is what HR knew before where a row that could not be read has the profile's code, or a number of the person.
    pub fn find(&self, account: &OfficialAccount, units: &UnitTree, day: Date) -> Found<'_> {
        if let Some(code) = &account.stated.employee_code {
            if self.unread_codes.contains(code) {
                return Found::Undecided(Undecided::RowOfItsCode);
            }
            if let Some(&at) = self.by_code.get(code) {
                return self.readable(at);
            }
        }
        if let Some(number) = account.stated.national_id {
            if self.is_unread(number) {
                return Found::Undecided(Undecided::RowOfItsNumber);
            }
            if let Some(&[at, ..]) = self.person(number).map(Vec::as_slice) {
                return self.readable(at);
            }
        }
        let named = account
            .stated
            .full_name
            .as_ref()
            .is_some_and(|name| self.unread_names.contains(&name.person_key()));
        if named {
            Found::Undecided(Undecided::RowOfItsName)
        } else if self.coverage.covers(&account.unit, units, day) {
            Found::Nothing
        } else {
            Found::Undecided(Undecided::NotCovered)
        }
    }

    /// The profile, unless a row that could not be read has its code or a number of its person.
    fn readable(&self, at: usize) -> Found<'_> {
        let profile = self.profiles.get(at).map(|kept| &kept.profile);
        let code = profile.and_then(|profile| profile.employee_code.as_ref());
        if code.is_some_and(|code| self.unread_codes.contains(code)) {
            Found::Undecided(Undecided::RowOfItsCode)
        } else if profile
            .and_then(|profile| profile.national_id)
            .is_some_and(|number| self.is_unread(number))
        {
            Found::Undecided(Undecided::RowOfItsNumber)
        } else {
            self.profile(at)
        }
    }

    /// Could a row not be read that has a number of this person?
    fn is_unread(&self, number: NationalId) -> bool {
        let person = self.person_of.get(&number);
        self.unread_numbers.contains(&number) || person.is_some_and(|person| self.unread_persons.contains(person))
    }

    fn person(&self, number: NationalId) -> Option<&Vec<usize>> {
        self.by_person.get(self.person_of.get(&number)?)
    }

    fn profile(&self, at: usize) -> Found<'_> {
        let Some(kept) = self.profiles.get(at) else {
            return Found::Nothing;
        };
        let alone = kept
            .profile
            .national_id
            .and_then(|number| self.person(number))
            .is_none_or(|same| same.len() < 2);
        if alone {
            Found::Profile(kept)
        } else {
            Found::Undecided(Undecided::TwoProfiles)
        }
    }

    /// Tells the persons of numbers apart; a number of which nothing else is known is a person of its own.
    pub fn person_key(&self, number: NationalId) -> Result<u32, NationalId> {
        self.person_of.get(&number).copied().ok_or(number)
    }

    /// Are both numbers one person's?
    pub fn same_person(&self, a: NationalId, b: NationalId) -> bool {
        a == b
            || self
                .person_of
                .get(&a)
                .is_some_and(|person| self.person_of.get(&b) == Some(person))
    }
}

/// Numbers joined into persons.
#[derive(Default)]
struct Groups {
    of: HashMap<NationalId, u32>,
    parent: Vec<u32>,
}

impl Groups {
    fn root(&self, mut group: u32) -> u32 {
        while let Some(&up) = self.parent.get(group as usize).filter(|up| **up != group) {
            group = up;
        }
        group
    }

    fn join(&mut self, numbers: &[NationalId]) {
        let mut first = None;
        for number in numbers {
            let fresh = u32::try_from(self.parent.len()).unwrap_or(u32::MAX);
            let group = *self.of.entry(*number).or_insert(fresh);
            if group == fresh {
                self.parent.push(fresh);
            }
            let root = self.root(group);
            let top = *first.get_or_insert(root);
            if let Some(up) = self.parent.get_mut(root as usize) {
                *up = top;
            }
        }
    }

    fn finish(self) -> HashMap<NationalId, u32> {
        self.of
            .iter()
            .map(|(number, group)| (*number, self.root(*group)))
            .collect()
    }
}
