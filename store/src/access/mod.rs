//! Who is let in: credentials, sessions, and how often something may be tried.

mod attempts;
mod credentials;
mod sessions;

pub use attempts::Limit;
pub use credentials::Credential;
pub use sessions::{OpenSession, Token, Visit};
