//! Letter 125/UBND: every Hue-S account is standardised.

mod campaign;
mod counter;
mod four_fields;
mod gate;
mod one_account;
mod progress;
mod way_back;

pub use campaign::{AfterDeadline, Audience, Campaign, CampaignFault, KEYS};
pub use counter::{Exemption, Paper};
pub use four_fields::{Answer, Field, Fields, Outcome, ParsedForm, RegistryAnswer, answer, parse, parse_of_file};
pub use gate::Gate;
pub use one_account::{Bearing, CitizenAccount, Claimed, bearing, on_arrival, on_success, on_taken, written_back};
pub use progress::{Bucket, Progress, Standing};
pub use way_back::{Proof, on_join, on_take_over, on_withdrawal};
