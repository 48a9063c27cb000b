//! The rules of letter 125 applied to the tables: forms, the counter, lists, the report.

mod counter;
mod exempt;
mod forms;
mod join;
mod lists;
mod registry;
mod registry_outage;
mod report;
mod review;
mod submit;
mod take_over;
mod withdraw;

pub use counter::{EnteredForm, WeakerClaim};
pub use exempt::ExemptionRequester;
pub use forms::FormsFile;
pub use join::Join;
pub(crate) use lists::second_claims;
pub use lists::{HeldLine, ReviewLine};
pub use report::{ReportLine, StaffLine};
pub(crate) use report::{UnitSums, for_each_bucket, sums_by_unit};
pub use review::{GivenAnswer, ReceiptState, ReviewRequest};
pub(crate) use submit::new_receipt;
pub use submit::{PendingForm, SubmissionResult};
pub(crate) use take_over::PATIENCE;
pub use take_over::{TakeOver, TakeOverState};
pub(crate) use withdraw::withdraw;
