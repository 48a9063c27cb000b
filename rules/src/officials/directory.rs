//! Clause 7: "Những tài khoản công vụ không tồn tại hồ sơ nhân sự tại hệ thống thông tin quản lý công chức, viên chức do Sở Nội vụ quản lý
//! thì không thể xác thực để đăng nhập vào hệ thống được." This file finds the profile of an account, and decides when a profile is known
//! to be missing.

use crate::event::ProfileId;
use crate::records::{AccountAttributes, AccountId, AccountKind, Profile};
use crate::unit::{UnitCode, UnitTree};
use crate::values::{Date, NationalId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap, HashSet};

/// The attributes of an official account that letter 108 needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficialAccount {
    /// Its id.
    pub id: AccountId,
    /// `official`. No HR rule applies to accounts of kind `unit`.
    pub kind: AccountKind,
    /// The attributes that it states about its owner.
    pub stated: AccountAttributes,
    /// The unit it belongs to.
    pub unit: UnitCode,
    /// When it was last used.
    pub last_sign_in_on: Option<Date>,
    /// When it was created.
    pub created_on: Option<Date>,
}

impl OfficialAccount {
    /// An account that does not exist yet. It states nothing.
    pub fn at(unit: &UnitCode) -> Self {
        Self {
            id: AccountId(String::new()),
            kind: AccountKind::Official,
            stated: AccountAttributes::default(),
            unit: unit.clone(),
            last_sign_in_on: None,
            created_on: None,
        }
    }
}

/// The current version of a profile, with data that HR does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredProfile {
    /// The id in this system.
    pub id: ProfileId,
    /// The row.
    pub profile: Profile,
    /// The day on which it was first loaded.
    pub first_taken_on: Date,
}

/// A profile row that could not be read, with the cells that still identify the person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadableProfile {
    /// A readable file code. For the row of an account, the account id.
    pub employee_code: Option<String>,
    /// A readable national id.
    pub national_id: Option<NationalId>,
    /// The folded name. Used only if neither code nor id can be read.
    pub person_key: Option<String>,
}

/// The units that full extracts covered. Only there does absence mean that a profile is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Whether a full extract of the whole province was loaded.
    pub whole: bool,
    /// The units of partial extracts that were full for the unit and everything below it.
    pub units: BTreeSet<UnitCode>,
}

impl Coverage {
    fn covers(&self, unit: &UnitCode, units: &UnitTree, day: Date) -> bool {
        self.whole || self.units.iter().any(|top| units.is_within(unit, top, day))
    }
}

/// Why an account is undecided and keeps the holds it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UndecidedReason {
    /// The row with the account's code could not be read.
    RowOfItsCode,
    /// The row with the account's number could not be read.
    RowOfItsNumber,
    /// A row with the owner's name, whose code and number could not be read.
    RowOfItsName,
    /// One person has two profiles.
    TwoProfiles,
    /// No full extract has covered the account's unit.
    NotCovered,
}

impl UndecidedReason {
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

/// The result of looking up an account's profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileMatch<'a> {
    /// The profile.
    Profile(&'a StoredProfile),
    /// No profile, and a full extract confirms that there is none.
    Nothing,
    /// No reliable answer.
    Undecided(UndecidedReason),
}

/// All current profiles and all rows that could not be read, indexed by code and by number.
#[derive(Debug, Default)]
pub struct Directory {
    profiles: Vec<StoredProfile>,
    by_code: HashMap<String, usize>,
    by_person: HashMap<u32, Vec<usize>>,
    person_of: HashMap<NationalId, u32>,
    unread_codes: HashSet<String>,
    unread_numbers: HashSet<NationalId>,
    /// The persons of the unread numbers, because they may have other numbers too.
    unread_persons: HashSet<u32>,
    unread_names: HashSet<String>,
    coverage: Coverage,
}

impl Directory {
    /// Builds the indexes. `same_person` has groups of numbers known from elsewhere to belong to one person. The numbers of one profile
    /// always belong together.
    pub fn build(
        profiles: Vec<StoredProfile>,
        quarantined: impl IntoIterator<Item = UnreadableProfile>,
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

    /// All current profiles.
    pub fn profiles(&self) -> &[StoredProfile] {
        &self.profiles
    }

    /// The profile of an account, regardless of rows that could not be read.
    pub fn profile_of(&self, account: &OfficialAccount) -> Option<&StoredProfile> {
        let code = account.stated.employee_code.as_ref();
        let by_code = code.and_then(|code| self.by_code.get(code)).copied();
        let by_number = || self.person(account.stated.national_id?)?.first().copied();
        self.profiles.get(by_code.or_else(by_number)?)
    }

    /// Looks up by employee code. If the account has none, or no profile has that code, by any number that the person ever had. The result
    /// is undecided if an unread row has the profile's code or a number of the person, because HR's newer data are then unknown.
    pub fn find(&self, account: &OfficialAccount, units: &UnitTree, day: Date) -> ProfileMatch<'_> {
        if let Some(code) = &account.stated.employee_code {
            if self.unread_codes.contains(code) {
                return ProfileMatch::Undecided(UndecidedReason::RowOfItsCode);
            }
            if let Some(&at) = self.by_code.get(code) {
                return self.readable(at);
            }
        }
        if let Some(number) = account.stated.national_id {
            if self.is_unread(number) {
                return ProfileMatch::Undecided(UndecidedReason::RowOfItsNumber);
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
            ProfileMatch::Undecided(UndecidedReason::RowOfItsName)
        } else if self.coverage.covers(&account.unit, units, day) {
            ProfileMatch::Nothing
        } else {
            ProfileMatch::Undecided(UndecidedReason::NotCovered)
        }
    }

    /// The profile, unless an unread row has its code or a number of its person.
    fn readable(&self, at: usize) -> ProfileMatch<'_> {
        let profile = self.profiles.get(at).map(|kept| &kept.profile);
        let code = profile.and_then(|profile| profile.employee_code.as_ref());
        if code.is_some_and(|code| self.unread_codes.contains(code)) {
            ProfileMatch::Undecided(UndecidedReason::RowOfItsCode)
        } else if profile
            .and_then(|profile| profile.national_id)
            .is_some_and(|number| self.is_unread(number))
        {
            ProfileMatch::Undecided(UndecidedReason::RowOfItsNumber)
        } else {
            self.profile(at)
        }
    }

    /// Returns whether an unread row has a number of this person.
    fn is_unread(&self, number: NationalId) -> bool {
        let person = self.person_of.get(&number);
        self.unread_numbers.contains(&number) || person.is_some_and(|person| self.unread_persons.contains(person))
    }

    fn person(&self, number: NationalId) -> Option<&Vec<usize>> {
        self.by_person.get(self.person_of.get(&number)?)
    }

    fn profile(&self, at: usize) -> ProfileMatch<'_> {
        let Some(kept) = self.profiles.get(at) else {
            return ProfileMatch::Nothing;
        };
        let alone = kept
            .profile
            .national_id
            .and_then(|number| self.person(number))
            .is_none_or(|same| same.len() < 2);
        if alone {
            ProfileMatch::Profile(kept)
        } else {
            ProfileMatch::Undecided(UndecidedReason::TwoProfiles)
        }
    }

    /// A key that is equal for the numbers of one person. A number about which nothing else is known is a person by itself.
    pub fn person_key(&self, number: NationalId) -> Result<u32, NationalId> {
        self.person_of.get(&number).copied().ok_or(number)
    }

    /// Returns whether both numbers belong to one person.
    pub fn same_person(&self, a: NationalId, b: NationalId) -> bool {
        a == b
            || self
                .person_of
                .get(&a)
                .is_some_and(|person| self.person_of.get(&b) == Some(person))
    }
}

/// A union-find structure that joins numbers into persons.
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
