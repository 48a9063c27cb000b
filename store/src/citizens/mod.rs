//! Letter 125 over the tables: forms, lists, the report.

mod lists;
mod registry;
mod report;
mod submit;

pub use lists::{HeldLine, ReviewLine};
pub(crate) use report::counted;
pub use report::{ReportLine, StaffLine};
pub use submit::{PendingForm, Submitted};
