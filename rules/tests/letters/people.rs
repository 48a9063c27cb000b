//! Made-up people, and short helpers for applying a rule to them.

use ngomon_rules::citizens::{CitizenAccount, ClaimedIdentity};
use ngomon_rules::event::{PersonId, ProfileId};
use ngomon_rules::officials::{
    Coverage, Decision, DecisionInput, Directory, OfficialAccount, OfficialsPolicy, StoredProfile, UnreadableProfile,
    decide, latest_begun,
};
use ngomon_rules::records::{
    AccountAttributes, AccountId, AccountKind, Form, Notice, Profile, RegistryRecord, RegistryStatus, ServiceStatus,
};
use ngomon_rules::unit::{Unit, UnitCode, UnitKind, UnitTree};
use ngomon_rules::values::{Date, FullName, NationalId, PartialDate, Phone};

pub fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub fn name(text: &str) -> FullName {
    FullName::parse(text).unwrap().0
}

/// The number of person `n`.
pub fn number(n: u32) -> NationalId {
    NationalId::parse(&format!("0460900{n:05}"), None, None).unwrap().0
}

pub fn phone(n: u32) -> Phone {
    Phone::parse(&format!("0912{n:06}")).unwrap().0
}

#[allow(clippy::unnecessary_wraps, reason = "a birth date may be unknown")]
pub fn born(text: &str) -> Option<PartialDate> {
    Some(PartialDate::parse(text).unwrap())
}

/// The registry's record of Hồ Thị Nga, person 1.
pub fn nga() -> RegistryRecord {
    RegistryRecord {
        national_id: number(1),
        full_name: name("Hồ Thị Nga"),
        birth_date: None,
        gender: None,
        issued_on: Some(day("2021-05-01")),
        phone: Some(phone(1)),
        residence_unit: None,
        status: RegistryStatus::Active,
        former_ids: Vec::new(),
    }
}

/// The form that she submits.
pub fn form_of_nga() -> Form {
    Form {
        full_name: "Hồ Thị Nga".into(),
        national_id: number(1).as_str().into(),
        issued_on: "1/5/2021".into(),
        phone: "0912 000 001".into(),
    }
}

pub fn citizen(id: &str, stated: AccountAttributes) -> CitizenAccount {
    CitizenAccount {
        id: AccountId(id.into()),
        stated,
        claim: None,
        holds: Vec::new(),
    }
}

/// The claim that account `holder` made for Nga.
pub fn claim_of_nga(holder: &str) -> ClaimedIdentity {
    ClaimedIdentity {
        holder: AccountId(holder.into()),
        person: PersonId("nga".into()),
        numbers: vec![number(1)],
        full_name: name("Hồ Thị Nga"),
        phone: Some(phone(1)),
    }
}

/// Units P, A, B, and OLD, which ended on 2023-06-30 and became B.
pub fn units() -> UnitTree {
    let unit = |code: &str, to: Option<&str>, successor: Option<&str>| Unit {
        code: UnitCode(code.into()),
        parent: (code != "P").then(|| UnitCode("P".into())),
        name: format!("Xã {code}"),
        kind: UnitKind::Commune,
        valid_from: None,
        valid_to: to.map(day),
        successor: successor.map(|s| UnitCode(s.into())),
    };
    let rows = [
        unit("P", None, None),
        unit("A", None, None),
        unit("B", None, None),
        unit("OLD", Some("2023-06-30"), Some("B")),
    ];
    UnitTree::build(rows).unwrap()
}

pub fn official(id: &str, unit: &str) -> OfficialAccount {
    OfficialAccount {
        id: AccountId(id.into()),
        kind: AccountKind::Official,
        stated: AccountAttributes {
            full_name: Some(name("Lê Văn Sơn")),
            birth_date: born("1980-03-02"),
            national_id: Some(number(5)),
            employee_code: Some("TTH5".into()),
            ..AccountAttributes::default()
        },
        unit: UnitCode(unit.into()),
        last_sign_in_on: None,
        created_on: None,
    }
}

/// The profile of Lê Văn Sơn, without any fault on 2023-07-31.
pub fn son(unit: &str) -> Profile {
    Profile {
        employee_code: Some("TTH5".into()),
        full_name: name("Lê Văn Sơn"),
        birth_date: born("1980-03-02"),
        gender: None,
        national_id: Some(number(5)),
        unit: UnitCode(unit.into()),
        position: None,
        kind: None,
        status: ServiceStatus::Working,
        status_from: None,
        phone: None,
        email: None,
        created_on: Some(day("2015-01-01")),
        updated_on: Some(day("2023-05-01")),
        reviewed_on: Some(day("2023-05-01")),
        next_due_on: None,
        next_due_item: None,
        former_ids: Vec::new(),
    }
}

/// The data of HR, fully covered by an extract.
pub struct Hr {
    pub profiles: Vec<Profile>,
    pub notices: Vec<Notice>,
    pub unread: Vec<UnreadableProfile>,
    pub same_person: Vec<Vec<NationalId>>,
    pub coverage: Coverage,
    pub policy: OfficialsPolicy,
    pub freeze: bool,
}

impl Hr {
    pub fn with(profiles: impl IntoIterator<Item = Profile>) -> Self {
        Self {
            profiles: profiles.into_iter().collect(),
            notices: Vec::new(),
            unread: Vec::new(),
            same_person: Vec::new(),
            coverage: Coverage {
                whole: true,
                ..Coverage::default()
            },
            policy: OfficialsPolicy::default(),
            freeze: false,
        }
    }

    pub fn directory(&self) -> Directory {
        let kept = self.profiles.iter().enumerate().map(|(i, profile)| StoredProfile {
            id: ProfileId(i.to_string()),
            profile: profile.clone(),
            first_taken_on: day("2023-07-01"),
        });
        Directory::build(
            kept.collect(),
            self.unread.clone(),
            self.same_person.clone(),
            self.coverage.clone(),
        )
    }

    /// Builds the inputs of a decision for each account.
    pub fn ask<T>(&self, accounts: &[OfficialAccount], on: &str, ask: impl FnOnce(&[DecisionInput<'_>]) -> T) -> T {
        let (directory, units) = (self.directory(), units());
        let cases: Vec<DecisionInput<'_>> = accounts
            .iter()
            .map(|account| DecisionInput {
                account,
                directory: &directory,
                notice: latest_begun(&self.notices, day(on)),
                units: &units,
                day: day(on),
                policy: &self.policy,
                freeze: self.freeze,
            })
            .collect();
        ask(&cases)
    }

    /// The reasons for which an account is held on a day, or `undecided: why`.
    pub fn reasons(&self, account: &OfficialAccount, on: &str) -> String {
        self.ask(std::slice::from_ref(account), on, |cases| words(&decide(&cases[0])))
    }
}

pub fn words(decision: &Decision) -> String {
    match decision {
        Decision::Undecided(why) => format!("undecided: {}", why.name()),
        Decision::Holds(holds) => holds
            .iter()
            .map(|hold| hold.reason.name())
            .collect::<Vec<_>>()
            .join(" "),
    }
}
