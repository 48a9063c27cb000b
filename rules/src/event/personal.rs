//! Reading a stored [`Personal`] value.

use super::Personal;
use crate::records::AccountAttributes;
use crate::values::{FullName, NationalId, Phone};
use serde::Deserialize;

/// The fields of [`Personal::Account`].
#[derive(Deserialize)]
struct AccountValue {
    stated: AccountAttributes,
    #[serde(default)]
    password_hash: Option<String>,
}

/// The fields of [`Personal::Claim`].
#[derive(Deserialize)]
struct ClaimValue {
    numbers: Vec<NationalId>,
    full_name: FullName,
    phone: Option<Phone>,
}

impl Personal {
    /// Parses a value from its JSON. Serde reads a tagged enum twice, with a copy of every field between; the two kinds that each request of
    /// a connected system reads are told by their first bytes instead.
    pub fn from_json(json: &[u8]) -> serde_json::Result<Self> {
        if json.starts_with(br#"{"of":"account","#) {
            let AccountValue { stated, password_hash } = serde_json::from_slice(json)?;
            return Ok(Self::Account { stated, password_hash });
        }
        if json.starts_with(br#"{"of":"claim","#) {
            let ClaimValue {
                numbers,
                full_name,
                phone,
            } = serde_json::from_slice(json)?;
            return Ok(Self::Claim {
                numbers,
                full_name,
                phone,
            });
        }
        serde_json::from_slice(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::PartialDate;

    /// Both ways of reading give the same value, also where optional fields are absent.
    #[test]
    fn personal_from_json_equals_serde() {
        let name = FullName::parse("Nguyễn Thị Lành").unwrap().0;
        let stated = AccountAttributes {
            full_name: Some(name.clone()),
            birth_date: PartialDate::parse("1957-08").ok(),
            phone: Phone::parse("0912345678").ok().map(|(phone, _)| phone),
            ..AccountAttributes::default()
        };
        let account = |password_hash| Personal::Account {
            stated: stated.clone(),
            password_hash,
        };
        let claim = |phone| Personal::Claim {
            numbers: Vec::new(),
            full_name: name.clone(),
            phone,
        };
        let note = Personal::Note { text: "x".into() };
        for value in [
            account(None),
            account(Some("{SSHA}x".into())),
            claim(None),
            claim(stated.phone.clone()),
            note,
        ] {
            let json = serde_json::to_vec(&value).unwrap();
            assert_eq!(Personal::from_json(&json).unwrap(), value);
            assert_eq!(serde_json::from_slice::<Personal>(&json).unwrap(), value);
        }
        assert!(Personal::from_json(br#"{"of":"account","stated":7}"#).is_err());
    }
}
