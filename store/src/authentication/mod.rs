//! Authentication: credentials, passkeys, second factors, sessions, operators, and rate limits.

mod at_counter;
mod expiry;
mod names;
mod one_time_codes;
mod operators;
mod passkeys;
mod passwords;
mod second_factor;
mod throttle;
mod webauthn_state;

pub use at_counter::PapersSeen;
pub(crate) use at_counter::{change_phone, issue_password_code, phone_changed_lately};
pub use one_time_codes::{CodeCheck, CodeRecipient, GOOD as CODE_LIVES, Purpose, SendResult};
pub use operators::Enrolment;
pub(crate) use operators::others_stay;
pub use passkeys::{KnownPasskey, NewPasskey, Passkey};
pub use passwords::{BrowserMark, Credential};
pub use throttle::{KeyedLimit, RateLimit, Requester, TryResult};
pub use webauthn_state::Ceremony;

pub(crate) use passkeys::remove_all_passkeys;
pub(crate) use passwords::own_login;
