//! Signing people in to connected systems: who they are, what they were given, and what they are told.
//!
//! Everything that a client holds is good only while its grant is there, under the generation of the account and of the client in
//! which it began: a hold, a sign-out or a disabled client ends all of it in the commit that makes the change, with nothing to sweep.

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
