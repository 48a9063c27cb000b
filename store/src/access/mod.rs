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
pub use attempts::{Counted, RateLimit, Tried, Who};
pub use ceremonies::Ceremony;
pub use codes::{CodeCheck, CodeRecipient, GOOD as CODE_LIVES, Purpose, Sending};
pub use credentials::{BrowserMark, Credential};
pub(crate) use operators::others_stay;
pub use operators::{Enrolment, Operator};
pub use passkeys::{KnownPasskey, NewPasskey, Passkey, PasskeyStorage};
pub use second_factor::TwoFactorProof;
pub use sessions::{Factor, Session, SessionSummary, SessionToken};

pub(crate) use attempts::Window;
pub(crate) use credentials::own_login;
pub(crate) use passkeys::remove_all_passkeys;
pub(crate) use sessions::{
    LONGEST as SESSION_LONGEST, end_sessions, is_account, lock_accounts_of, open_session_row, used_by_client,
};
