//! Who is let in: credentials, second factors, sessions, operators, and how often something may be tried.

mod attempts;
mod credentials;
mod operators;
mod second_factor;
mod sessions;

pub use attempts::Limit;
pub use credentials::Credential;
pub use operators::{Enrolment, Operator};
pub use second_factor::Proven;
pub use sessions::{OpenSession, Token, Visit};
