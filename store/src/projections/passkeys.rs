//! The projection of passkeys: added to the login of an account, and removed.

use crate::context::StoreContext;
use crate::crypto::merkle::sha256;
use crate::db::bound::PASSKEY;
use crate::db::{SqlValue, Tx};
use crate::error::Result;
use crate::journal::entry::Entry;
use crate::projections::accounts::login_of;
use crate::projections::shared::unexpected;
use ngomon_rules::event::{PasskeyId, Personal};

pub(crate) async fn added(
    tx: &mut Tx,
    ctx: &StoreContext,
    entry: &Entry,
    account: &str,
    passkey: &PasskeyId,
) -> Result<()> {
    let (Some(Personal::Passkey { credential, .. }), Some(value)) = (&entry.event.personal, &entry.value) else {
        return Err(unexpected(entry));
    };
    let Some(login) = login_of(tx, ctx, account).await? else {
        return Ok(());
    };
    let mut cells: Vec<SqlValue> = vec![
        (&passkey.0).into(),
        login.into(),
        sha256(&[credential]).into(),
        value.into(),
        entry.at.into(),
    ];
    let with_value = [&cells[..], &[entry.commitment.clone().into()]].concat();
    cells.push(entry.bind(&ctx.keys, PASSKEY, &with_value));
    tx.insert("passkey (id, login, credential, value, added, mac)", vec![cells], "")
        .await
        .map(drop)
}

pub(crate) async fn removed(tx: &mut Tx, passkey: &PasskeyId) -> Result<()> {
    tx.execute("DELETE FROM passkey WHERE id = $1", [(&passkey.0).into()])
        .await
        .map(drop)
}
