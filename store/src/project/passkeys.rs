//! Passkeys: added to the login of an account, and removed.

use super::unexpected;
use crate::db::Tx;
use crate::error::Result;
use crate::journal::Entry;
use crate::merkle::sha256;
use ngomon_rules::event::{PasskeyId, Personal};

pub(super) async fn added(tx: &mut Tx, entry: &Entry, account: &str, passkey: &PasskeyId) -> Result<()> {
    let (Some(Personal::Passkey { credential, .. }), Some(value)) = (&entry.event.personal, &entry.value) else {
        return Err(unexpected(entry));
    };
    let sql = "INSERT INTO passkey (id, login, credential, value, added) \
         SELECT $1, login, $2, $3, $4 FROM account_row WHERE id = $5";
    let args = [
        (&passkey.0).into(),
        sha256(&[credential]).into(),
        value.into(),
        entry.at.into(),
        account.into(),
    ];
    tx.execute(sql, args).await.map(drop)
}

pub(super) async fn removed(tx: &mut Tx, passkey: &PasskeyId) -> Result<()> {
    tx.execute("DELETE FROM passkey WHERE id = $1", [(&passkey.0).into()])
        .await
        .map(drop)
}
