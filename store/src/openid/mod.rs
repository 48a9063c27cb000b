//! The OpenID provider's state: subjects, grants and tokens, and the notifications to connected systems.
//!
//! Everything that a client holds is valid only while its grant exists and the generations of the account and of the client are those in
//! which the grant began. A hold, a sign-out or a disabled client therefore ends all of it in its own commit, with nothing to sweep.

mod account_claims;
mod authorization_codes;
mod clients;
mod consents;
mod grants;
mod held_scan;
mod notices;
mod pushed_requests;
mod refresh_tokens;
mod signing_keys;
mod subjects;

pub use account_claims::AccountClaims;
pub use authorization_codes::{AuthorizedRequest, IssuedTokens};
pub use clients::{NewClient, RegisteredClient};
pub use consents::Consent;
pub use grants::{ActiveToken, Grant, GrantParameters, ResourceAudience, TokenKind};
pub use notices::{Delivery, DeliverySummary, PendingDelivery};
pub use signing_keys::{KeyLine, KeyState, PublishedKey, SigningKey};

pub(crate) use clients::{SECRET_OVERLAP, add_client, edit_client, rotate_client};
pub(crate) use subjects::take_over_subjects;
