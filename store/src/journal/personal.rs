//! The encrypted personal values beside the entries.

use crate::context::StoreContext;
use crate::crypto::keyring::{AssociatedData, Keyring, commitment};
use crate::crypto::merkle::Hash;
use crate::db::{Row, SqlValue};
use crate::error::{Result, StoreError};
use ngomon_rules::event::Personal;

pub(crate) struct Sealed {
    pub(crate) id: String,
    pub(crate) salt: [u8; 16],
    pub(crate) sealed: Vec<u8>,
    pub(crate) commitment: Hash,
}

pub(crate) fn place(id: &str) -> AssociatedData<'_> {
    AssociatedData {
        table: "personal_value",
        column: "sealed",
        row: id.as_bytes(),
    }
}

pub(crate) fn encrypt(ctx: &StoreContext, personal: &Personal) -> Result<Sealed> {
    let plain = serde_json::to_vec(personal).map_err(|e| StoreError::corrupt("a value", e))?;
    let (id, salt) = (ctx.id(), ctx.environment.bytes());
    Ok(Sealed {
        sealed: ctx.keys.encrypt(place(&id), &plain, &ctx.environment),
        commitment: commitment(&salt, &plain),
        id,
        salt,
    })
}

/// Decrypts a personal value.
pub(crate) fn decrypt(keys: &Keyring, id: &str, sealed: &[u8]) -> Result<Personal> {
    let plain = keys.decrypt(place(id), sealed)?;
    Personal::from_json(&plain).map_err(|e| StoreError::corrupt(format!("personal_value {id}"), e))
}

/// Decrypts a personal value whose columns `sealed` and `salt` have these indexes; also returns the commitment to it.
pub(crate) fn unseal_with(
    keys: &Keyring,
    id: &str,
    row: &Row,
    [sealed, salt]: [usize; 2],
) -> Result<(Personal, SqlValue)> {
    let plain = keys.decrypt(place(id), &row.get::<Vec<u8>>(sealed)?)?;
    let salt: Vec<u8> = row.get(salt)?;
    let promised = salt.try_into().ok().map(|salt| commitment(&salt, &plain).to_vec());
    let personal = Personal::from_json(&plain).map_err(|e| StoreError::corrupt(format!("personal_value {id}"), e))?;
    Ok((personal, promised.into()))
}
