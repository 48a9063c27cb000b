//! What one row of a canonical table (files.md) says once it has been read.

use crate::unit::UnitCode;
use crate::values::{Date, FullName, Gender, NationalId, PartialDate, Phone};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The id of an account, unique over all kinds and never reused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub String);

/// How the ids of operators' accounts begin. No account that comes in may have one.
const OPERATOR: &str = "operator:";

impl AccountId {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The account of an operator. It is also who the journal says acted.
    pub fn of_operator(name: &str) -> Self {
        Self(format!("{OPERATOR}{name}"))
    }

    /// The operator's name, if it is an operator's.
    pub fn operator(&self) -> Option<&str> {
        self.0.strip_prefix(OPERATOR)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whose login it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountKind {
    /// Tài khoản Hue-S.
    Citizen,
    /// Tài khoản công vụ.
    Official,
    /// A unit's mailbox or post desk, with named holders.
    Unit,
    /// Who runs this system; no HR rule.
    Operator,
}

impl AccountKind {
    /// The word outsiders script against.
    pub fn name(self) -> &'static str {
        match self {
            Self::Citizen => "citizen",
            Self::Official => "official",
            Self::Unit => "unit",
            Self::Operator => "operator",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Citizen, Self::Official, Self::Unit, Self::Operator]
            .into_iter()
            .find(|kind| kind.name() == word)
    }
}

/// What the registry says of a person.
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

/// `registry.csv`: what a person's card was issued with. What is `None` is not held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryRecord {
    /// In force, or cancelled when `status` is `revoked`.
    pub national_id: NationalId,
    /// As the registry spells it.
    pub full_name: FullName,
    /// May be known in part.
    pub birth_date: Option<PartialDate>,
    /// As registered.
    pub gender: Option<Gender>,
    /// Of the newest card.
    pub issued_on: Option<Date>,
    /// Stated when the card was made.
    pub phone: Option<Phone>,
    /// Where the person lives.
    pub residence_unit: Option<UnitCode>,
    /// In force, deceased, revoked.
    pub status: RegistryStatus,
    /// Numbers that the person held before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_ids: Vec<NationalId>,
}

/// What an account says of itself: an attribute that links nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    /// The name the owner signs in with; several accounts taken over may share it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Of the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_name: Option<FullName>,
    /// Of the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<PartialDate>,
    /// Of the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub national_id: Option<NationalId>,
    /// On file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// When a counter wrote the phone down, in microseconds UTC: it counts before the one of a claim that is older, and before HR's of an
    /// older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_at: Option<i64>,
    /// On file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Officials only: the file code of HR.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee_code: Option<String>,
}

/// One row of `citizens.csv` or `officials.csv`: an account taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRow {
    /// Its id, kept for ever.
    pub account: AccountId,
    /// `citizen`, `official` or `unit`.
    pub kind: AccountKind,
    /// What it says of its owner.
    pub stated: Stated,
    /// Where it belongs.
    pub unit: Option<UnitCode>,
    /// When it was made.
    pub created_on: Option<Date>,
    /// When it was last used.
    pub last_sign_in_on: Option<Date>,
    /// As it came (files.md lists the schemes).
    pub password_hash: Option<String>,
    /// The account is locked today, for this.
    pub held_reason: Option<String>,
}

/// What kind of service a profile is of.
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
    /// Out of the province, or to another service.
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

    /// The word in `profiles.csv`. Words that mean leaving a post only (miễn nhiệm, bãi nhiệm, cách chức) are no status.
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

    /// Does the status end the service?
    pub fn ends_service(self) -> bool {
        matches!(
            self,
            Self::Resigned | Self::Dismissed | Self::Discharged | Self::TransferredOut | Self::Retired | Self::Deceased
        )
    }

    /// `stale-info` and `review-overdue` rest meanwhile.
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

/// `profiles.csv`: one row of the HR system. It has a code or a national id, or both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// HR's file code.
    pub employee_code: Option<String>,
    /// As HR spells it.
    pub full_name: FullName,
    /// May be known in part.
    pub birth_date: Option<PartialDate>,
    /// As recorded.
    pub gender: Option<Gender>,
    /// As recorded.
    pub national_id: Option<NationalId>,
    /// Where the file is kept.
    pub unit: UnitCode,
    /// In words.
    pub position: Option<String>,
    /// What kind of service.
    pub kind: Option<ServiceKind>,
    /// Counts from `status_from`.
    pub status: ServiceStatus,
    /// The first day of `status`; `None`: it has come.
    pub status_from: Option<Date>,
    /// Taken over by the account.
    pub phone: Option<Phone>,
    /// Taken over by the account.
    pub email: Option<String>,
    /// When the profile was made.
    pub created_on: Option<Date>,
    /// When it was last changed; orders versions.
    pub updated_on: Option<Date>,
    /// The last yearly review.
    pub reviewed_on: Option<Date>,
    /// When the next periodic item falls due.
    pub next_due_on: Option<Date>,
    /// Which.
    pub next_due_item: Option<DueItem>,
    /// Numbers that the person held before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_ids: Vec<NationalId>,
}

impl Profile {
    /// The status that counts on that day: until `status_from` it is `working`.
    pub fn status_on(&self, day: Date) -> ServiceStatus {
        if self.status_from.is_some_and(|from| from > day) {
            ServiceStatus::Working
        } else {
            self.status
        }
    }

    /// In service on that day: not ended, or the day has not come.
    pub fn in_service_on(&self, day: Date) -> bool {
        !self.status_on(day).ends_service()
    }

    /// The first day out of service: `None` while HR knows of none.
    pub fn ends_on(&self) -> Option<Date> {
        self.status
            .ends_service()
            .then(|| self.status_from.unwrap_or(Date::MIN))
    }
}

/// `notices.csv`: a movement notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Of the office that wrote it.
    pub notice_no: String,
    /// Whose.
    pub national_id: NationalId,
    /// Where from.
    pub from_unit: Option<UnitCode>,
    /// Where to.
    pub to_unit: UnitCode,
    /// Its first day.
    pub effective_on: Date,
    /// The first day on which it does not count any more.
    pub withdrawn_on: Option<Date>,
}

/// `submissions.csv`: one standardisation form as it was typed.
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

/// A form in a file, with whose it is and when it was submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The order in the file; opaque.
    pub seq: String,
    /// Whose account.
    pub account: AccountId,
    /// What was typed.
    pub form: Form,
    /// When; `None`: not recorded.
    pub submitted_at: Option<Timestamp>,
    /// The version of the privacy notice that stood beside the form; `None`: it is on paper.
    pub notice: Option<u32>,
}
