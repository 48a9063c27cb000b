//! Letter 125 over the tables: forms, lists, the report.

mod join;
mod lists;
mod registry;
mod report;
mod review;
mod submit;

pub use join::Join;
pub use lists::{HeldLine, ReviewLine};
pub(crate) use report::counted;
pub use report::{ReportLine, StaffLine};
pub use review::ReviewRequest;
pub(crate) use submit::new_receipt;
pub use submit::{PendingForm, Submitted};
