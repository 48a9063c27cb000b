//! The texts of scopes.

use crate::i18n::Locale;
use ngomon_rules::client::Scope;

/// The texts of the requested scopes.
pub fn scope_labels(scopes: &[Scope], locale: Locale) -> Vec<String> {
    let said = |scope: &Scope| locale.text(&format!("scope-{}", scope.name().replace('_', "-")));
    scopes
        .iter()
        .filter(|scope| **scope != Scope::Openid)
        .map(said)
        .collect()
}
