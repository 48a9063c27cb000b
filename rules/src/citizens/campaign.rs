//! C1, the gate: "Thông báo kèm biểu mẫu yêu cầu chuẩn hóa tài khoản sẽ hiển thị liên tục cho đến khi người dùng điền đầy đủ, chính xác 04
//! thông tin"; and the days of the campaign: "Thời gian thực hiện hoàn thành trước ngày 20/7/2023".

use crate::hold::{Cause, Hold, Reason, evidence};
use crate::values::{Date, parse_day};
use serde::{Deserialize, Serialize};

/// The group that a deadline applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CampaignGroup {
    /// Persons with an HR profile in service, and those on the lists that unit heads keep.
    Officials,
    /// Everybody else.
    Citizens,
}

/// The consequence for an account without a claim after its deadline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AfterDeadline {
    /// The form appears again at each opening: all that the letter says.
    #[default]
    Nag,
    /// The form cannot be deferred: connected applications get no token.
    Require,
    /// The hold `not-standardised`, whose way out is the form.
    Hold,
}

/// The settings of the campaign. The default is the letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Campaign {
    /// The first day of the campaign.
    pub start: Date,
    /// The last day in time for officials.
    pub deadline_officials: Option<Date>,
    /// The last day in time for everybody else.
    pub deadline_citizens: Option<Date>,
    /// The consequence after the deadline.
    pub after_deadline: AfterDeadline,
    /// The day from which VNeID sign-in is offered.
    pub vneid_activation: Option<Date>,
    /// The day from which standardised accounts can only sign in with VNeID.
    pub vneid_cut_over: Option<Date>,
    /// Freeze in a disaster or registry outage: suspends the gate, citizens' holds and officials' clauses 1 to 4.
    pub freeze: bool,
    /// Whether a matching form needs a one-time code to the phone that matched, as the last step on the pages.
    pub form_code: bool,
    /// Whether a form waits for a counter or VNeID if the registry does not hold the issue date.
    pub issue_date_required: bool,
}

impl Default for Campaign {
    fn default() -> Self {
        Self {
            start: Date::constant(2023, 7, 15),
            deadline_officials: Some(Date::constant(2023, 7, 19)),
            deadline_citizens: None,
            after_deadline: AfterDeadline::Nag,
            vneid_activation: None,
            vneid_cut_over: None,
            freeze: false,
            form_code: true,
            issue_date_required: true,
        }
    }
}

/// The keys of `ngomon campaign set`.
pub const KEYS: [&str; 9] = [
    "start",
    "deadline.officials",
    "deadline.citizens",
    "after-deadline",
    "vneid-activation",
    "vneid-cut-over",
    "freeze",
    "form-code",
    "issue-date-required",
];

/// Why a setting is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CampaignFault {
    /// No such key.
    #[error("no such key")]
    Key,
    /// Not a value of that key.
    #[error("not a value of that key")]
    Value,
    /// The days are in the wrong order: activation before the start, or cut-over before activation or without it.
    #[error("the days are in the wrong order")]
    Order,
}

impl Campaign {
    /// The value of a key as `campaign show` prints it. Empty if not set.
    pub fn get(&self, key: &str) -> Option<String> {
        let day = |d: Option<Date>| d.map(|d| d.to_string()).unwrap_or_default();
        let switch = |on: bool| if on { "on" } else { "off" }.to_owned();
        Some(match key {
            "start" => self.start.to_string(),
            "deadline.officials" => day(self.deadline_officials),
            "deadline.citizens" => day(self.deadline_citizens),
            "after-deadline" => match self.after_deadline {
                AfterDeadline::Nag => "nag".into(),
                AfterDeadline::Require => "require".into(),
                AfterDeadline::Hold => "hold".into(),
            },
            "vneid-activation" => day(self.vneid_activation),
            "vneid-cut-over" => day(self.vneid_cut_over),
            "freeze" => switch(self.freeze),
            "form-code" => switch(self.form_code),
            "issue-date-required" => switch(self.issue_date_required),
            _ => return None,
        })
    }

    /// The campaign with one key changed. An empty value removes an optional day.
    pub fn with(&self, key: &str, value: &str) -> Result<Self, CampaignFault> {
        let day = || {
            if value.is_empty() {
                Ok(None)
            } else {
                parse_day(value).map(Some).map_err(|_| CampaignFault::Value)
            }
        };
        let switch = || match value {
            "on" => Ok(true),
            "off" => Ok(false),
            _ => Err(CampaignFault::Value),
        };
        let mut to = self.clone();
        match key {
            "start" => to.start = day()?.ok_or(CampaignFault::Value)?,
            "deadline.officials" => to.deadline_officials = day()?,
            "deadline.citizens" => to.deadline_citizens = day()?,
            "after-deadline" => {
                to.after_deadline = match value {
                    "nag" => AfterDeadline::Nag,
                    "require" => AfterDeadline::Require,
                    "hold" => AfterDeadline::Hold,
                    _ => return Err(CampaignFault::Value),
                }
            }
            "vneid-activation" => to.vneid_activation = day()?,
            "vneid-cut-over" => to.vneid_cut_over = day()?,
            "freeze" => to.freeze = switch()?,
            "form-code" => to.form_code = switch()?,
            "issue-date-required" => to.issue_date_required = switch()?,
            _ => return Err(CampaignFault::Key),
        }
        // C6: activation not before the standardisation period, cut-over not before activation.
        let early = to.vneid_activation.is_some_and(|day| day < to.start);
        let unannounced = to
            .vneid_cut_over
            .is_some_and(|cut| to.vneid_activation.is_none_or(|open| cut < open));
        if early || unannounced {
            Err(CampaignFault::Order)
        } else {
            Ok(to)
        }
    }

    /// The last day in time for that group.
    pub fn deadline(&self, audience: CampaignGroup) -> Option<Date> {
        match audience {
            CampaignGroup::Officials => self.deadline_officials,
            CampaignGroup::Citizens => self.deadline_citizens,
        }
    }

    /// Returns whether the deadline of that group has passed by that day and the policy is to hold.
    pub fn holds_the_late(&self, audience: CampaignGroup, day: Date) -> bool {
        self.after_deadline == AfterDeadline::Hold
            && !self.freeze
            && day >= self.start
            && self.deadline(audience).is_some_and(|last| day > last)
    }

    /// The derived hold `not-standardised`, for an account without a claim and without an exemption.
    pub fn late(&self, audience: CampaignGroup, day: Date) -> Option<Hold> {
        let last = self.deadline(audience).filter(|_| self.holds_the_late(audience, day))?;
        Some(Hold {
            reason: Reason::NotStandardised,
            cause: Cause("campaign".into()),
            evidence: evidence([("deadline", last.to_string())]),
            last_day: None,
        })
    }
}
