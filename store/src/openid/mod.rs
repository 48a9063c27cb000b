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
pub use clients::{KnownClient, NewClient};
pub use codes::{Allowed, Redeemed};
pub use consents::Consent;
pub use grants::{Audience, Given, Grant, Live, TokenKind};
pub use notices::{Delivery, DueNotice, NoticeKind, NoticeLine};
pub use signing_keys::{KeyLine, KeyState, PublishedKey, SigningKey};

pub(crate) use clients::{SECRET_OVERLAP, add_client, edit_client, rotate_client};
pub(crate) use grants::{end_grants, move_grants, part_in};
pub(crate) use notices::{after, signed_out};
pub(crate) use refresh::AGAIN;
pub(crate) use subjects::take_over_subjects;
