//! The rules of letter 125 applied to the tables: forms, the counter, lists, the report.

pub(crate) mod drafts;
mod counter;
mod exempt;
mod forms;
mod join;
mod registry;
mod registry_outage;
mod review;
mod standardise;
mod take_over;
mod withdraw;

pub use counter::{EnteredForm, WeakerClaim};
pub use exempt::ExemptionRequester;
pub use forms::FormsFile;
pub use join::Join;
pub(crate) use crate::reporting::lists::second_claims;
pub use crate::reporting::lists::{HeldLine, ReviewLine};
pub use crate::reporting::report::{ReportLine, StaffLine};
pub(crate) use crate::reporting::report::{UnitSums, for_each_bucket, sums_by_unit};
pub use review::{GivenAnswer, ReceiptState, ReviewRequest};
pub(crate) use standardise::new_receipt;
pub use standardise::{PendingForm, SubmissionResult};
pub(crate) use take_over::PATIENCE;
pub use take_over::{TakeOver, TakeOverState};
pub(crate) use withdraw::withdraw;
