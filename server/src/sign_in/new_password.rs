//! The choice of a new password, typed twice: its rules and its errors.

use crate::app::App;
use crate::http::Input;
use crate::i18n::Locale;
use crate::security::password::{hashed, on_hash_pool};
use ngomon_rules::values::folded;
use serde::Deserialize;

/// The shortest password, in characters. Any characters are allowed and none is required (NIST 800-63B).
pub const SHORTEST: usize = 12;

/// The words that an attacker tries here first: the names of the service, of the place, and of passwords and accounts (ASVS
/// 6.1.2).
const OURS: [&str; 8] = [
    "THUATHIENHUE",
    "PASSWORD",
    "DANGNHAP",
    "TAIKHOAN",
    "MATKHAU",
    "NGOMON",
    "HUES",
    "HUE",
];
/// The fewest other letters or digits next to such words.
const OWN: usize = 6;

/// Whether the password consists of such words and little else.
fn is_ours(password: &str) -> bool {
    let all = folded(password);
    let rest = OURS.iter().fold(all.clone(), |rest, word| rest.replace(word, ""));
    rest != all && rest.chars().count() < OWN
}

/// The submitted fields.
#[derive(Default, Deserialize)]
pub struct NewPasswordForm {
    /// The password.
    #[serde(default)]
    pub password: String,
    /// The repeated password.
    #[serde(default)]
    pub again: String,
}

/// The errors to correct, in the order of the fields.
#[derive(Default)]
pub struct NewPassword {
    password: Option<String>,
    again: Option<String>,
}

impl NewPassword {
    /// The error for a password that cannot be hashed.
    pub fn unreadable(locale: Locale) -> Self {
        Self {
            password: Some(locale.text("sign-in-unreadable")),
            again: None,
        }
    }

    /// Whether any field has an error.
    pub fn is_something(&self) -> bool {
        self.password.is_some() || self.again.is_some()
    }

    /// The two fields.
    pub fn fields(self, locale: Locale) -> Vec<Input> {
        let field = |name, label, hint, error| Input {
            autocomplete: "new-password",
            hint,
            error,
            ..Input::password(name, label, locale)
        };
        let shortest = locale.text_with("enrol-hint-password", &[("n", &SHORTEST.to_string())]);
        vec![
            field("password", locale.text("enrol-password"), shortest, self.password),
            field("again", locale.text("enrol-again"), String::new(), self.again),
        ]
    }
}

impl NewPasswordForm {
    /// The errors: too short, easily guessed here, leaked, or not the same the second time.
    pub async fn wrong(&self, app: &App, locale: Locale) -> NewPassword {
        if self.password.chars().count() < SHORTEST {
            return NewPassword {
                password: Some(locale.text_with("enrol-short", &[("n", &SHORTEST.to_string())])),
                again: None,
            };
        }
        if is_ours(&self.password) {
            return NewPassword {
                password: Some(locale.text("password-ours")),
                again: None,
            };
        }
        let (leaked, password) = (app.leaked.clone(), self.password.clone());
        let is_leaked = match leaked {
            Some(leaked) => tokio::task::spawn_blocking(move || leaked.has(&password))
                .await
                .unwrap_or(false),
            None => false,
        };
        NewPassword {
            password: is_leaked.then(|| locale.text("password-leaked")),
            again: (!is_leaked && self.password != self.again).then(|| locale.text("enrol-differs")),
        }
    }
}

/// The hash of a password by the current scheme.
pub async fn hash_of(app: &App, password: String) -> Option<String> {
    let salt = app.store.salt();
    on_hash_pool(move || hashed(&password, &salt)).await.flatten()
}
