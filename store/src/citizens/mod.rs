//! Letter 125 over the tables: forms, the counter, lists, the report.

mod counter;
mod exempt;
mod lists;
mod registry;
mod report;
mod submit;
mod take_over;
mod withdraw;

pub use counter::{EnteredForm, WeakerClaim};
pub use exempt::Says;
pub use lists::{HeldLine, ReviewLine};
pub(crate) use report::counted;
pub use report::{ReportLine, StaffLine};
pub use submit::Submitted;
pub use take_over::{TakeOver, TakeOverState};
