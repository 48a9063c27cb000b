//! Letter 125/UBND: every Hue-S account is standardised.

mod campaign;
mod counter;
mod four_fields;
mod gate;
mod one_account;
mod progress;
mod way_back;

pub use campaign::{AfterDeadline, Campaign, CampaignFault, CampaignGroup, KEYS};
pub use counter::{Exemption, Paper};
pub use four_fields::{
    Field, Fields, Outcome, ParsedForm, RegistryAnswer, StandardiseOutcome, answer, parse, parse_of_file,
};
pub use gate::Gate;
pub use one_account::{
    CitizenAccount, ClaimedIdentity, DuplicateMatch, corrected_attributes, match_claim, on_arrival, on_success,
    on_taken,
};
pub use progress::{Bucket, LastFormState, ReportStatus};
pub use way_back::{Proof, on_join, on_take_over, on_withdrawal};
