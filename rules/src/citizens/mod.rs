//! Letter 125/UBND: every Hue-S account is standardised.

mod campaign;
mod claim_transfer;
mod counter;
mod duplicates;
mod form_check;
mod gate;
mod progress;
mod proof;

pub use campaign::{AfterDeadline, Campaign, CampaignFault, CampaignGroup, KEYS};
pub use claim_transfer::{on_join, on_take_over, on_withdrawal};
pub use counter::{Exemption, Paper};
pub use duplicates::{
    CitizenAccount, ClaimedIdentity, DuplicateMatch, corrected_attributes, match_claim, on_arrival, on_success,
    on_taken,
};
pub use form_check::{
    Field, Fields, Outcome, ParsedForm, RegistryAnswer, StandardiseOutcome, answer, parse, parse_of_file,
};
pub use gate::Gate;
pub use progress::{Bucket, LastFormState, ReportStatus};
pub use proof::Proof;
