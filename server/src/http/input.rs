//! The fields of a form, and its errors.

use crate::i18n::Locale;

/// One field of a form.
#[derive(Clone)]
pub struct Input {
    /// The name in the form and the id in the page.
    pub name: &'static str,
    /// The label above it.
    pub label: String,
    /// The hint on how to fill it in.
    pub hint: String,
    /// The typed value.
    pub value: String,
    /// The error to correct.
    pub error: Option<String>,
    /// `text` or `password`.
    pub kind: &'static str,
    /// The WHATWG autofill token.
    pub autocomplete: &'static str,
    /// The keyboard of a phone (`inputmode`).
    pub inputmode: &'static str,
    /// The longest text, in characters.
    pub maxlength: u16,
    /// For a password: the language of the button that reveals it.
    pub reveal: Option<Locale>,
}

impl Input {
    /// An empty text field.
    pub fn new(name: &'static str, label: String) -> Self {
        Self {
            name,
            label,
            hint: String::new(),
            value: String::new(),
            error: None,
            kind: "text",
            autocomplete: "off",
            inputmode: "text",
            maxlength: 200,
            reveal: None,
        }
    }

    /// A password field, with a button that reveals the password.
    pub fn password(name: &'static str, label: String, locale: Locale) -> Self {
        Self {
            kind: "password",
            autocomplete: "current-password",
            reveal: Some(locale),
            ..Self::new(name, label)
        }
    }

    /// The ids for `aria-describedby`: hint and error.
    pub fn described_by(&self) -> String {
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.name));
        let error = self.error.as_ref().map(|_| format!("{}-error", self.name));
        hint.into_iter().chain(error).collect::<Vec<_>>().join(" ")
    }
}

/// A row of the error summary at the top.
pub struct Mistake {
    /// The name of the field.
    pub field: &'static str,
    /// What to correct.
    pub text: String,
}

/// The errors of these fields.
pub fn mistakes(fields: &[Input]) -> Vec<Mistake> {
    let wrong = fields
        .iter()
        .filter_map(|field| Some((field.name, field.error.clone()?)));
    wrong.map(|(field, text)| Mistake { field, text }).collect()
}
