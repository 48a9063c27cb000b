//! The OpenID provider's state: subjects, grants and tokens, and the notifications to connected systems.
//!
//! Everything that a client holds is valid only while its grant exists and the generations of the account and of the client are those in
//! which the grant began. A hold, a sign-out or a disabled client therefore ends all of it in its own commit, with nothing to sweep.

mod about;
mod clients;
mod codes;
mod consents;
mod grants;
mod notices;
mod pushed;
mod refresh;
mod signing_keys;
mod subjects;
mod told;

pub use about::About;
pub use clients::{NewClient, RegisteredClient};
pub use codes::{AuthorizedRequest, IssuedTokens};
pub use consents::Consent;
pub use grants::{ActiveToken, Grant, GrantParameters, ResourceAudience, TokenKind};
pub use notices::{Delivery, DeliverySummary, PendingDelivery, SecurityEventKind};
pub use signing_keys::{KeyLine, KeyState, PublishedKey, SigningKey};

pub(crate) use clients::{SECRET_OVERLAP, add_client, edit_client, rotate_client};
pub(crate) use grants::{grants_of_sessions, revoke_grants, transfer_grants};
pub(crate) use notices::{enqueue_for_events, enqueue_logout};
pub(crate) use refresh::AGAIN;
pub(crate) use subjects::take_over_subjects;
