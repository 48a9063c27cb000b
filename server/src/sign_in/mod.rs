//! Signing in: by password, code or passkey, the second factor, and new passwords.

pub mod by_code;
pub mod choose_account;
pub mod enrolment;
pub mod limits;
pub mod new_password;
pub mod one_time_code;
pub mod page;
pub mod passkeys;
pub mod password;
pub mod password_reset;
pub mod second_factor;
pub mod session;
pub mod set_password;
pub mod step_ticket;
pub mod user_name;
