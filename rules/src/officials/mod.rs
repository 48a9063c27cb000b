//! Letter 108/STTTT-CNTT: a civil servant's account exists exactly as long as the HR system vouches for it. In force from 01/03/2021.
//!
//! One file per clause, named after its hold. [`decide()`] applies them in the letter's order.

mod amend;
mod decide;
mod decision_input;
mod directory;
mod idle;
mod left;
mod mismatch;
mod moved;
mod newcomers;
mod policy;
mod retirement;
mod review;
mod stale;
mod tasks;
mod transfer;

pub use amend::Amendment;
pub use decide::{Decision, PersonPlan, decide, decide_person};
pub use decision_input::DecisionInput;
pub use directory::{
    Coverage, Directory, OfficialAccount, ProfileMatch, StoredProfile, UndecidedReason, UnreadableProfile,
};
pub use idle::{idle, is_written_down, on_sign_in};
pub use newcomers::{newcomers, of_newcomer};
pub use policy::{OfficialsPolicy, POLICY_KEYS};
pub use retirement::{Retirement, retirement};
pub use review::{review_due, warn_days};
pub use tasks::{Task, retires, unused_since};
pub use transfer::latest_begun;

use crate::values::Date;

/// "từ ngày 01/03/2021 hệ thống tài khoản công vụ sẽ áp dụng theo cơ chế sau": no hold of letter 108 before this day.
pub const IN_FORCE: Date = Date::constant(2021, 3, 1);
