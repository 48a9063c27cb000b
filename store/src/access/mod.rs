//! Authentication: credentials, passkeys, second factors, sessions, operators, and rate limits.

mod at_counter;
mod attempts;
mod ceremonies;
mod codes;
mod credentials;
mod drafts;
mod names;
mod operators;
mod passkeys;
mod second_factor;
mod sessions;
mod sweep;

pub use at_counter::PapersSeen;
pub(crate) use at_counter::{change_phone, issue_password_code, phone_changed_lately};
pub use attempts::{Counted, Limit, Tried, Who};
pub use ceremonies::Ceremony;
pub use codes::{CodeFor, GOOD as CODE_LIVES, Purpose, Sending, Typed};
pub use credentials::{BrowserMark, Credential};
pub(crate) use operators::others_stay;
pub use operators::{Enrolment, Operator};
pub use passkeys::{Kept, KnownPasskey, NewPasskey, Passkey};
pub use second_factor::Proven;
pub use sessions::{Factor, OpenSession, Over, Token, Visit};

pub(crate) use attempts::Count;
pub(crate) use credentials::own_login;
pub(crate) use passkeys::remove_all_passkeys;
pub(crate) use sessions::{
    LONGEST as SESSION_LONGEST, end_sessions, is_account, lock_accounts_of, open_session_row, used_by_client,
};
