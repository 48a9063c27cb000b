//! The rules of letter 125 applied to the tables: forms, the counter, joins, take-overs, exemptions, reviews.

mod counter;
mod drafts;
mod exempt;
mod forms;
mod join;
mod person;
mod registry;
mod registry_outage;
mod review;
mod standardise;
pub(crate) mod submission;
mod take_over;
mod withdraw;

pub use counter::{EnteredForm, WeakerClaim};
pub use exempt::ExemptionRequester;
pub use forms::FormsFile;
pub use join::Join;
pub use review::{GivenAnswer, ReceiptState, ReviewRequest};
pub use standardise::PendingForm;
pub(crate) use take_over::PATIENCE;
pub use take_over::{TakeOver, TakeOverState};
pub(crate) use withdraw::withdraw;
