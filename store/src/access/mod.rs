//! Who is let in: credentials, second factors, sessions, operators, and how often something may be tried.

mod attempts;
mod codes;
mod credentials;
mod drafts;
mod operators;
mod second_factor;
mod sessions;
mod sweep;

pub use attempts::Limit;
pub use codes::{CodeFor, Purpose, Typed};
pub use credentials::Credential;
pub use operators::{Enrolment, Operator};
pub use second_factor::Proven;
pub use sessions::{OpenSession, Token, Visit};

pub(crate) use sessions::{LONGEST as SESSION_LONGEST, open_session_row};
