//! The addresses of the desk's pages.

use crate::http::path_encode;
use ngomon_rules::records::AccountId;

/// The address of an account's page.
pub fn address(account: &AccountId) -> String {
    format!("/desk/account/{}", path_encode(account.as_str()))
}

/// The address of a system's page.
pub fn system_address(id: &str) -> String {
    format!("/desk/systems/{}", path_encode(id))
}
