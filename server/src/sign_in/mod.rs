//! Signing in: by password, code or passkey, the second factor, and new passwords.

pub(crate) mod by_code;
pub(crate) mod enrolment;
pub(crate) mod limits;
pub(crate) mod new_password;
pub(crate) mod one_time_code;
pub(crate) mod passkeys;
pub(crate) mod password;
pub(crate) mod password_reset;
pub(crate) mod second_factor;
pub(crate) mod set_password;
pub(crate) mod step_ticket;
pub(crate) mod user_name;
