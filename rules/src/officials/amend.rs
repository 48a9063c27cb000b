//! Amendments of an HR profile, the way out of clauses 1 to 4: "Đề nghị các cơ quan, đơn vị có tài khoản công vụ chỉ đạo cán bộ, công chức,
//! viên chức truy cập vào hệ thống thông tin quản lý công chức, viên chức để cập nhật chính xác các thông tin". The owner proposes, HR
//! accepts.

use crate::records::Profile;
use crate::unit::UnitCode;
use crate::values::{Date, FullName, PartialDate, Phone};
use serde::{Deserialize, Serialize};

/// The changes that the owner of a profile proposes. `None` if a field stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amendment {
    /// The new spelling of the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_name: Option<FullName>,
    /// The new birth date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<PartialDate>,
    /// The unit that keeps the file from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitCode>,
    /// The new position, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// The new phone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// The new mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The periodic item is done, and the next one falls due on this day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due_on: Option<Date>,
    /// Whether the profile is right and the account is wrong: then the account copies name, birth date and number from the profile.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub account_follows: bool,
    /// The decision that the change is based on: number and day, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
}

impl Amendment {
    /// Returns whether a field of the profile changes.
    pub fn changes_profile(&self) -> bool {
        *self
            != Self {
                document: self.document.clone(),
                account_follows: self.account_follows,
                ..Self::default()
            }
    }

    /// Returns whether nothing is proposed.
    pub fn is_empty(&self) -> bool {
        !self.changes_profile() && !self.account_follows
    }

    /// The profile as of that day, once HR has accepted the amendment.
    pub fn applied(&self, profile: &Profile, day: Date) -> Profile {
        let this = self.clone();
        Profile {
            full_name: this.full_name.unwrap_or_else(|| profile.full_name.clone()),
            birth_date: this.birth_date.or(profile.birth_date),
            unit: this.unit.unwrap_or_else(|| profile.unit.clone()),
            position: this.position.or_else(|| profile.position.clone()),
            phone: this.phone.or_else(|| profile.phone.clone()),
            email: this.email.or_else(|| profile.email.clone()),
            next_due_on: this.next_due_on.or(profile.next_due_on),
            updated_on: profile.updated_on.max(Some(day)),
            ..profile.clone()
        }
    }
}
