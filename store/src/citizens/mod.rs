//! The rules of letter 125 applied to the tables: forms, the counter, lists, the report.

mod counter;
pub(crate) mod drafts;
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
pub use review::{GivenAnswer, ReceiptState, ReviewRequest};
pub(crate) use standardise::new_receipt;
pub use standardise::{PendingForm, SubmissionResult};
pub(crate) use take_over::PATIENCE;
pub use take_over::{TakeOver, TakeOverState};
pub(crate) use withdraw::withdraw;
