//! The parsed rows of the canonical tables (files.md).

use crate::unit::UnitCode;
use crate::values::{Date, FullName, Gender, NationalId, PartialDate, Phone, local_day};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The id of an account, unique over all kinds and never reused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub String);

/// The prefix of the ids of operators' accounts. No imported account may have it.
const OPERATOR: &str = "operator:";

impl AccountId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The account of an operator. The journal also uses this id as the actor.
    pub fn of_operator(name: &str) -> Self {
        Self(format!("{OPERATOR}{name}"))
    }

    /// The operator's name, if the account is an operator's.
    pub fn operator(&self) -> Option<&str> {
        self.0.strip_prefix(OPERATOR)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The kind of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountKind {
    /// Tài khoản Hue-S.
    Citizen,
    /// Tài khoản công vụ.
    Official,
    /// A unit's mailbox or post desk, with named holders.
    Unit,
    /// An operator of this system. No HR rule applies.
    Operator,
}

impl AccountKind {
    /// The word that scripts outside rely on.
    pub fn name(self) -> &'static str {
        match self {
            Self::Citizen => "citizen",
            Self::Official => "official",
            Self::Unit => "unit",
            Self::Operator => "operator",
        }
    }

    /// Parses the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Citizen, Self::Official, Self::Unit, Self::Operator]
            .into_iter()
            .find(|kind| kind.name() == word)
    }
}

/// The status of a person in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegistryStatus {
    /// In force.
    Active,
    /// The person died.
    Deceased,
    /// The number was cancelled.
    Revoked,
}

impl RegistryStatus {
    /// The word in `registry.csv`.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "active" => Self::Active,
            "deceased" => Self::Deceased,
            "revoked" => Self::Revoked,
            _ => return None,
        })
    }

    /// The word in `registry.csv`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deceased => "deceased",
            Self::Revoked => "revoked",
        }
    }
}

/// A row of `registry.csv`: the details that a person's card was issued with. `None` if the registry does not hold a detail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryRecord {
    /// The current number, or the cancelled one when `status` is `revoked`.
    pub national_id: NationalId,
    /// The name as the registry spells it.
    pub full_name: FullName,
    /// The birth date. It may be known in part.
    pub birth_date: Option<PartialDate>,
    /// The gender as registered.
    pub gender: Option<Gender>,
    /// The issue date of the newest card.
    pub issued_on: Option<Date>,
    /// The phone that the person stated when the card was made.
    pub phone: Option<Phone>,
    /// The unit where the person lives.
    pub residence_unit: Option<UnitCode>,
    /// The status of the number and of the person.
    pub status: RegistryStatus,
    /// Previous numbers of the person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_ids: Vec<NationalId>,
}

/// The attributes that an account states about its owner. They are unproven: they link the account to nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountAttributes {
    /// The name that the owner signs in with. Several imported accounts may share it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The owner's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_name: Option<FullName>,
    /// The owner's birth date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<PartialDate>,
    /// The owner's national id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub national_id: Option<NationalId>,
    /// The phone on file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// When a counter recorded the phone, in microseconds UTC. The phone then has precedence over the phone of an older claim and of an
    /// older version of the HR profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_at: Option<i64>,
    /// The mailbox on file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// HR's file code. Officials only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee_code: Option<String>,
}

impl AccountAttributes {
    /// Whether a counter recorded the phone after that version of the profile, so that HR's is the older one.
    pub fn has_newer_phone_than(&self, profile: &Profile) -> bool {
        let written = self.phone_at.and_then(|at| Timestamp::from_microsecond(at).ok());
        written.is_some_and(|at| local_day(at) >= profile.updated_on.unwrap_or(Date::MIN))
    }
}

/// A row of `citizens.csv` or `officials.csv`: an imported account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRow {
    /// The id, kept for ever.
    pub account: AccountId,
    /// `citizen`, `official` or `unit`.
    pub kind: AccountKind,
    /// The attributes that it states about its owner.
    pub stated: AccountAttributes,
    /// The unit it belongs to.
    pub unit: Option<UnitCode>,
    /// When it was created.
    pub created_on: Option<Date>,
    /// When it was last used.
    pub last_sign_in_on: Option<Date>,
    /// The password hash as imported (files.md lists the schemes).
    pub password_hash: Option<String>,
    /// The reason why the previous system keeps the account locked, if it does.
    pub held_reason: Option<String>,
}

/// The kind of service that a profile records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceKind {
    /// Cán bộ.
    Cadre,
    /// Công chức.
    CivilServant,
    /// Viên chức.
    PublicEmployee,
    /// Hợp đồng.
    Contract,
    /// Người hoạt động không chuyên trách.
    PartTime,
}

impl ServiceKind {
    /// The word in `profiles.csv`.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "cadre" => Self::Cadre,
            "civil-servant" => Self::CivilServant,
            "public-employee" => Self::PublicEmployee,
            "contract" => Self::Contract,
            "part-time" => Self::PartTime,
            _ => return None,
        })
    }
}

/// The status of an HR profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceStatus {
    /// Đang công tác.
    Working,
    /// Thai sản, ốm dài ngày, đi học.
    OnLeave,
    /// Biệt phái: still the sending unit's.
    Seconded,
    /// Nghỉ không lương.
    UnpaidLeave,
    /// Tạm đình chỉ công tác.
    Suspended,
    /// Thôi việc.
    Resigned,
    /// Buộc thôi việc.
    Dismissed,
    /// Cho thôi việc, chấm dứt hợp đồng, tinh giản biên chế.
    Discharged,
    /// Moved out of the province, or to another service.
    TransferredOut,
    /// Nghỉ hưu.
    Retired,
    /// Từ trần.
    Deceased,
}

impl ServiceStatus {
    const ALL: [(Self, &'static str); 11] = [
        (Self::Working, "working"),
        (Self::OnLeave, "on-leave"),
        (Self::Seconded, "seconded"),
        (Self::UnpaidLeave, "unpaid-leave"),
        (Self::Suspended, "suspended"),
        (Self::Resigned, "resigned"),
        (Self::Dismissed, "dismissed"),
        (Self::Discharged, "discharged"),
        (Self::TransferredOut, "transferred-out"),
        (Self::Retired, "retired"),
        (Self::Deceased, "deceased"),
    ];

    /// Parses the word in `profiles.csv`. Words that mean leaving a post only (miễn nhiệm, bãi nhiệm, cách chức) are not a status.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, name)| *name == word)
            .map(|(status, _)| *status)
    }

    /// The word in `profiles.csv`.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(status, _)| *status == self)
            .map_or("", |(_, name)| name)
    }

    /// Returns whether the status ends the service.
    pub fn ends_service(self) -> bool {
        matches!(
            self,
            Self::Resigned | Self::Dismissed | Self::Discharged | Self::TransferredOut | Self::Retired | Self::Deceased
        )
    }

    /// Returns whether the status suspends `stale-info` and `review-overdue`.
    pub fn rests(self) -> bool {
        matches!(self, Self::OnLeave | Self::UnpaidLeave)
    }
}

/// A periodic item of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DueItem {
    /// Nâng bậc lương.
    PayStep,
    /// Nâng ngạch, thăng hạng.
    Rank,
    /// Bổ nhiệm lại.
    PositionTerm,
    /// Đánh giá xếp loại.
    Assessment,
}

impl DueItem {
    /// The word in `profiles.csv`.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "pay-step" => Self::PayStep,
            "rank" => Self::Rank,
            "position-term" => Self::PositionTerm,
            "assessment" => Self::Assessment,
            _ => return None,
        })
    }

    /// The word in `profiles.csv`.
    pub fn name(self) -> &'static str {
        match self {
            Self::PayStep => "pay-step",
            Self::Rank => "rank",
            Self::PositionTerm => "position-term",
            Self::Assessment => "assessment",
        }
    }
}

/// A row of `profiles.csv`, from the HR system. It has a file code or a national id, or both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// HR's file code.
    pub employee_code: Option<String>,
    /// The name as HR spells it.
    pub full_name: FullName,
    /// The birth date. It may be known in part.
    pub birth_date: Option<PartialDate>,
    /// The gender as recorded.
    pub gender: Option<Gender>,
    /// The national id as recorded.
    pub national_id: Option<NationalId>,
    /// The unit that keeps the file.
    pub unit: UnitCode,
    /// The position, in words.
    pub position: Option<String>,
    /// The kind of service.
    pub kind: Option<ServiceKind>,
    /// The status, which takes effect on `status_from`.
    pub status: ServiceStatus,
    /// The first day of `status`. `None` if the status is already in effect.
    pub status_from: Option<Date>,
    /// The phone, which the account copies.
    pub phone: Option<Phone>,
    /// The mail address, which the account copies.
    pub email: Option<String>,
    /// When the profile was created.
    pub created_on: Option<Date>,
    /// When it was last changed. Orders the versions.
    pub updated_on: Option<Date>,
    /// The day of the last yearly review.
    pub reviewed_on: Option<Date>,
    /// When the next periodic item falls due.
    pub next_due_on: Option<Date>,
    /// The next periodic item.
    pub next_due_item: Option<DueItem>,
    /// Previous numbers of the person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_ids: Vec<NationalId>,
}

impl Profile {
    /// The status on that day. Before `status_from` it is `working`.
    pub fn status_on(&self, day: Date) -> ServiceStatus {
        if self.status_from.is_some_and(|from| from > day) {
            ServiceStatus::Working
        } else {
            self.status
        }
    }

    /// Returns whether the person is in service on that day.
    pub fn in_service_on(&self, day: Date) -> bool {
        !self.status_on(day).ends_service()
    }

    /// The first day out of service. `None` if HR records no end.
    pub fn ends_on(&self) -> Option<Date> {
        self.status
            .ends_service()
            .then(|| self.status_from.unwrap_or(Date::MIN))
    }
}

/// A row of `notices.csv`: a movement notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The number that the issuing office gave it.
    pub notice_no: String,
    /// The person who moves.
    pub national_id: NationalId,
    /// The unit that the person leaves.
    pub from_unit: Option<UnitCode>,
    /// The unit that the person joins.
    pub to_unit: UnitCode,
    /// The first day at the new unit.
    pub effective_on: Date,
    /// The first day on which the notice no longer counts.
    pub withdrawn_on: Option<Date>,
}

/// A row of `submissions.csv`: a standardisation form as typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// Họ và tên.
    pub full_name: String,
    /// Số căn cước công dân.
    pub national_id: String,
    /// Ngày cấp.
    pub issued_on: String,
    /// Số điện thoại.
    pub phone: String,
}

/// A form from a file, with its account and the time of submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The order in the file. Opaque.
    pub seq: String,
    /// The account that the form is for.
    pub account: AccountId,
    /// The form as typed.
    pub form: Form,
    /// When it was submitted. `None` if not recorded.
    pub submitted_at: Option<Timestamp>,
    /// The version of the privacy notice that was shown with the form. `None` for a form on paper.
    pub notice: Option<u32>,
}
