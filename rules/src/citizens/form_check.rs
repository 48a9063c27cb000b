//! C2, four fields: "biểu mẫu để người dùng chuẩn hóa tài khoản với 4 thông tin: Họ và tên, số căn cước công dân, ngày cấp, số điện
//! thoại (Đề nghị đảm bảo điền chính xác thông tin trùng khớp với thông tin đăng ký cấp CCCD)".

use super::proof::Proof;
use crate::records::{Form, RegistryRecord, RegistryStatus};
use crate::values::{Date, FullName, Grade, NationalId, NationalIdFault, Phone, Repairs, parse_day};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One of the four fields. Ordered by name, as lists print them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Họ và tên.
    FullName,
    /// Ngày cấp.
    IssuedOn,
    /// Số căn cước công dân.
    NationalId,
    /// Số điện thoại.
    Phone,
}

impl Field {
    /// The name that scripts outside rely on.
    pub fn name(self) -> &'static str {
        match self {
            Self::FullName => "full_name",
            Self::IssuedOn => "issued_on",
            Self::NationalId => "national_id",
            Self::Phone => "phone",
        }
    }

    /// Parses the name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::FullName, Self::IssuedOn, Self::NationalId, Self::Phone]
            .into_iter()
            .find(|field| field.name() == name)
    }
}

/// Some of the four fields, sorted.
pub type Fields = BTreeSet<Field>;

/// A form whose four fields are well-formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedForm {
    /// The name as typed, repaired.
    pub full_name: FullName,
    /// The number. On a form from a file, lost leading zeros are restored.
    pub national_id: NationalId,
    /// The issue date, not after the day of the form.
    pub issued_on: Date,
    /// The phone as E.164.
    pub phone: Phone,
}

/// Parses a form from a page as of the day on which it counts. `Err` has the malformed fields.
pub fn parse(form: &Form, day: Date) -> Result<ParsedForm, Fields> {
    parse_with(form, day, NationalId::typed)
}

/// Parses a form from a file, where numbers may have lost their leading zeros.
pub fn parse_of_file(form: &Form, day: Date) -> Result<ParsedForm, Fields> {
    parse_with(form, day, |text| NationalId::parse(text, None, None))
}

fn parse_with(
    form: &Form,
    day: Date,
    number: impl FnOnce(&str) -> Result<(NationalId, Repairs), NationalIdFault>,
) -> Result<ParsedForm, Fields> {
    let name = FullName::parse(&form.full_name)
        .map(|(name, _)| name)
        .ok_or(Field::FullName);
    let id = number(&form.national_id)
        .map(|(id, _)| id)
        .map_err(|_| Field::NationalId);
    let issued = parse_day(&form.issued_on)
        .ok()
        .filter(|issued| *issued <= day)
        .ok_or(Field::IssuedOn);
    let phone = Phone::parse(&form.phone)
        .map(|(phone, _)| phone)
        .map_err(|_| Field::Phone);
    match (name, id, issued, phone) {
        (Ok(full_name), Ok(national_id), Ok(issued_on), Ok(phone)) => Ok(ParsedForm {
            full_name,
            national_id,
            issued_on,
            phone,
        }),
        (name, id, issued, phone) => Err([name.err(), id.err(), issued.err(), phone.err()]
            .into_iter()
            .flatten()
            .collect()),
    }
}

/// The registry's reply to a query for a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistryAnswer {
    /// The record. For a person's previous number, the person's record as `revoked`.
    Found(Box<RegistryRecord>),
    /// The registry has no such number.
    NotFound,
    /// The registry did not reply. That is not a refusal.
    Unavailable,
}

/// The answer to a form, as distinguished in files and in the journal. The pages show `not-found` and `mismatch` as one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// All four fields match, and nobody has the claim.
    Standardised,
    /// A field is malformed. The registry was not queried.
    Malformed,
    /// The registry has no such number.
    NotFound,
    /// A field differs from the registry's.
    Mismatch,
    /// All fields match, but the person has died.
    Deceased,
    /// All fields match, but the number was cancelled.
    Revoked,
    /// All fields match, but another account holds the claim.
    Taken,
    /// This account already has a claim.
    AlreadyDone,
    /// The registry did not reply. The form is kept and retried until it does.
    Pending,
    /// There is no such account. Checked before everything else.
    UnknownAccount,
}

impl Outcome {
    const ALL: [(Self, &'static str); 10] = [
        (Self::Standardised, "standardised"),
        (Self::Malformed, "malformed"),
        (Self::NotFound, "not-found"),
        (Self::Mismatch, "mismatch"),
        (Self::Deceased, "deceased"),
        (Self::Revoked, "revoked"),
        (Self::Taken, "taken"),
        (Self::AlreadyDone, "already-done"),
        (Self::Pending, "pending"),
        (Self::UnknownAccount, "unknown-account"),
    ];

    /// The answers that refuse a form, in the order of the checks.
    pub const REFUSALS: [Self; 6] = [
        Self::Malformed,
        Self::NotFound,
        Self::Mismatch,
        Self::Deceased,
        Self::Revoked,
        Self::Taken,
    ];

    /// Returns whether the form was refused.
    pub fn is_refusal(self) -> bool {
        Self::REFUSALS.contains(&self)
    }

    /// The name that scripts outside rely on.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(outcome, _)| *outcome == self)
            .map_or("", |(_, name)| name)
    }

    /// Parses the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, n)| *n == name).map(|(outcome, _)| *outcome)
    }
}

/// An answer with the facts it is based on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandardiseOutcome {
    /// The answer itself.
    pub outcome: Outcome,
    /// The malformed or differing fields.
    pub fields: Fields,
    /// How similar the names were, if they were compared.
    pub name_grade: Option<Grade>,
    /// The fields that the registry does not hold. A one-time code, a second registry or a counter must confirm them.
    pub not_held: Fields,
}

impl StandardiseOutcome {
    fn plain(outcome: Outcome) -> Self {
        Self {
            outcome,
            fields: Fields::new(),
            name_grade: None,
            not_held: Fields::new(),
        }
    }
}

impl StandardiseOutcome {
    /// Keeps the answer if the fields that the registry does not hold are confirmed in another way. Otherwise the form is pending and names
    /// those fields: "a phone that it does not hold is made good by a one-time code to the typed one, an issue date only by a second
    /// registry, VNeID or a counter; without that policy, one of the two may be missing, never both". Until then it is unproven that all
    /// four match, so the answer also reveals nothing about the person's claim or death.
    #[must_use]
    pub fn made_good(self, proof: Proof, phone_proven: bool, issue_date_required: bool) -> Self {
        let compared = matches!(
            self.outcome,
            Outcome::Standardised | Outcome::Taken | Outcome::Deceased | Outcome::Revoked
        );
        if proof != Proof::Form || !compared {
            return self;
        }
        let both = self.not_held.len() > 1;
        let stays_open = |field: &Field| match field {
            Field::Phone => !phone_proven,
            _ => issue_date_required || both,
        };
        let open: Fields = self.not_held.iter().copied().filter(stays_open).collect();
        if open.is_empty() {
            return self;
        }
        Self {
            outcome: Outcome::Pending,
            fields: open,
            ..self
        }
    }
}

/// The checks in the order of C2. The first that fails is the answer.
///
/// `registry` is the registry's reply for the form's number, `taken` whether another account holds that person's claim. Neither is read
/// before its check. So a caller that has not queried yet may pass a placeholder for an account with a claim or for a malformed form.
pub fn answer(
    has_claim: bool,
    form: &Result<ParsedForm, Fields>,
    registry: &RegistryAnswer,
    taken: bool,
) -> StandardiseOutcome {
    if has_claim {
        return StandardiseOutcome::plain(Outcome::AlreadyDone);
    }
    let form = match form {
        Ok(form) => form,
        Err(fields) => {
            return StandardiseOutcome {
                fields: fields.clone(),
                ..StandardiseOutcome::plain(Outcome::Malformed)
            };
        }
    };
    let record = match registry {
        RegistryAnswer::Found(record) => record,
        RegistryAnswer::NotFound => return StandardiseOutcome::plain(Outcome::NotFound),
        RegistryAnswer::Unavailable => return StandardiseOutcome::plain(Outcome::Pending),
    };
    let grade = form.full_name.grade(&record.full_name);
    let differs = [
        (Field::FullName, !grade.is_same_person()),
        (
            Field::IssuedOn,
            record.issued_on.is_some_and(|held| held != form.issued_on),
        ),
        (
            Field::Phone,
            record.phone.as_ref().is_some_and(|held| *held != form.phone),
        ),
    ];
    let fields: Fields = differs
        .into_iter()
        .filter(|(_, differs)| *differs)
        .map(|(field, _)| field)
        .collect();
    let missing = [
        (Field::IssuedOn, record.issued_on.is_none()),
        (Field::Phone, record.phone.is_none()),
    ];
    let not_held = missing
        .into_iter()
        .filter(|(_, missing)| *missing)
        .map(|(field, _)| field)
        .collect();
    let outcome = match record.status {
        _ if !fields.is_empty() => Outcome::Mismatch,
        RegistryStatus::Deceased => Outcome::Deceased,
        RegistryStatus::Revoked => Outcome::Revoked,
        RegistryStatus::Active if taken => Outcome::Taken,
        RegistryStatus::Active => Outcome::Standardised,
    };
    StandardiseOutcome {
        outcome,
        fields,
        name_grade: Some(grade),
        not_held,
    }
}
