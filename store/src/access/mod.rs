//! Who is let in: credentials, sessions, and how often something may be tried.

mod attempts;
mod codes;
mod credentials;
mod drafts;
mod sessions;

pub use attempts::Limit;
pub use codes::{CodeFor, Purpose, Typed};
pub use credentials::Credential;
pub use sessions::{OpenSession, Token, Visit};
