//! The four fields as typed, and what is wrong with them.

use crate::http::Input;
use crate::i18n::Locale;
use ngomon_rules::citizens::{Field, Fields};
use ngomon_rules::records::Form;
use ngomon_rules::values::{DateFault, FullName, NationalId, parse_day};
use ngomon_store::AccountExplanation;
use serde::Deserialize;

/// The version of the privacy notice next to the form. Each form records the version it was sent with.
pub const NOTICE: u32 = 1;

/// The four fields as typed. A missing field is empty.
#[derive(Clone, Default, Deserialize)]
pub struct StandardiseForm {
    /// Họ và tên.
    #[serde(default)]
    pub full_name: String,
    /// Số căn cước công dân.
    #[serde(default)]
    pub national_id: String,
    /// Ngày cấp.
    #[serde(default)]
    pub issued_on: String,
    /// Số điện thoại.
    #[serde(default)]
    pub phone: String,
    /// `yes` if the owner confirms that the account is theirs, although it carries another name.
    #[serde(default)]
    pub mine: String,
}

impl StandardiseForm {
    /// The form as the store takes it.
    pub fn form(&self) -> Form {
        Form {
            full_name: self.full_name.clone(),
            national_id: self.national_id.clone(),
            issued_on: typed_day(&self.issued_on),
            phone: self.phone.clone(),
        }
    }

    /// Whether the number has lost digits. Spreadsheets drop leading zeros, and for files they are restored; a person at a
    /// keyboard may drop any digit, so on a page a short number is invalid.
    pub fn is_short(&self) -> bool {
        let digits = self.national_id.chars().filter(|c| c.is_numeric()).count();
        digits < 12 && NationalId::parse(&self.national_id, None, None).is_ok()
    }

    /// The four fields of the page, with their errors.
    pub fn inputs(&self, errors: &[(Field, String)], locale: Locale) -> Vec<Input> {
        let of = |field: Field, value: &str, autocomplete, inputmode| {
            let name = field.name();
            let key = name.replace('_', "-");
            let error = errors.iter().find(|(of, _)| *of == field);
            Input {
                value: value.to_owned(),
                hint: locale.text(&format!("form-hint-{key}")),
                error: error.map(|(_, text)| text.clone()),
                autocomplete,
                inputmode,
                ..Input::new(name, locale.text(&format!("form-{key}")))
            }
        };
        vec![
            of(Field::FullName, &self.full_name, "name", "text"),
            of(Field::NationalId, &self.national_id, "off", "numeric"),
            of(Field::IssuedOn, &self.issued_on, "off", "numeric"),
            of(Field::Phone, &self.phone, "tel", "tel"),
        ]
    }
}

/// Normalises a day as people type it on a phone, `15082021` or `15 8 2021`, to the usual separators.
pub fn typed_day(typed: &str) -> String {
    let text = typed.trim();
    let bare = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
    if let (true, Some((day, rest))) = (bare, text.split_at_checked(2)) {
        let (month, year) = rest.split_at(2);
        return format!("{day}/{month}/{year}");
    }
    let parts: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || "/-.,".contains(c))
        .filter(|part| !part.is_empty())
        .collect();
    match parts[..] {
        [day, month, year] if day.len() <= 2 => format!("{day}/{month}/{year}"),
        _ => text.to_owned(),
    }
}

impl From<Form> for StandardiseForm {
    fn from(form: Form) -> Self {
        Self {
            full_name: form.full_name,
            national_id: form.national_id,
            issued_on: form.issued_on,
            phone: form.phone,
            mine: String::new(),
        }
    }
}

/// The name on the account and the name in the form, if they are not the same person's.
pub fn another(explanation: &AccountExplanation, typed: &FullName) -> Option<(String, String)> {
    let (carried, _) = FullName::parse(explanation.fact("full_name")?)?;
    let same = carried.grade(typed).is_same_person();
    (!same).then(|| (carried.as_str().to_owned(), typed.as_str().to_owned()))
}

/// The errors of a malformed form, field by field.
pub fn malformed(typed: &StandardiseForm, fields: &Fields, locale: Locale) -> Vec<(Field, String)> {
    let empty = |field: Field| {
        let value = match field {
            Field::FullName => &typed.full_name,
            Field::IssuedOn => &typed.issued_on,
            Field::NationalId => &typed.national_id,
            Field::Phone => &typed.phone,
        };
        value.trim().is_empty()
    };
    let said = |field: &Field| match field {
        field if empty(*field) => locale.text(&format!("form-no-{}", field.name().replace('_', "-"))),
        Field::FullName => locale.text("form-bad-full-name"),
        Field::IssuedOn => {
            let day = typed_day(&typed.issued_on);
            let parts = day
                .split('/')
                .filter(|part| part.bytes().all(|b| b.is_ascii_digit()))
                .count();
            let key = match parse_day(&day) {
                // A day of the calendar, but no day of issue: it lies in the future.
                Ok(_) => "form-late-issued-on",
                Err(DateFault::Ambiguous) => "form-short-issued-on",
                Err(DateFault::ImpossibleYear) => "form-far-issued-on",
                Err(DateFault::Bad) if parts == 3 => "form-bad-issued-on",
                Err(DateFault::Bad) => "form-unread-issued-on",
            };
            locale.text_with(key, &[("typed", typed.issued_on.trim())])
        }
        Field::NationalId => {
            let digits = typed.national_id.chars().filter(|c| c.is_numeric()).count();
            if digits == 9 {
                locale.text("form-bad-national-id-9")
            } else {
                let n = digits.to_string();
                locale.text_with("form-bad-national-id", &[("n", &n)])
            }
        }
        Field::Phone => {
            let digits: String = typed.phone.chars().filter(char::is_ascii_digit).collect();
            // The prefix of landlines.
            let landline = (10..=11).contains(&digits.len()) && digits.starts_with("02");
            locale.text(if landline { "form-landline" } else { "form-bad-phone" })
        }
    };
    fields.iter().map(|field| (*field, said(field))).collect()
}
