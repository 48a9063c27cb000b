//! Letter 125 over the tables: forms, lists, the report.

mod lists;
mod registry;
mod report;
mod submit;

pub use lists::{HeldLine, ReviewLine};
pub use report::{ReportLine, StaffLine};
pub(crate) use report::{Sums, by_unit, counted};
pub use submit::Submitted;
