//! Who is let in: credentials, passkeys, second factors, sessions, operators, and how often something may be tried.

mod attempts;
mod ceremonies;
mod codes;
mod credentials;
mod drafts;
mod operators;
mod passkeys;
mod second_factor;
mod sessions;
mod sweep;

pub use attempts::Limit;
pub use ceremonies::Ceremony;
pub use codes::{CodeFor, Purpose, Typed};
pub use credentials::Credential;
pub use operators::{Enrolment, Operator};
pub use passkeys::{Kept, KnownPasskey, NewPasskey, Passkey};
pub use second_factor::Proven;
pub use sessions::{Factor, OpenSession, Token, Visit};

pub(crate) use sessions::{LONGEST as SESSION_LONGEST, lock_accounts_of, open_session_row};
