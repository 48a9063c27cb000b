//! What a client calls an account: given at the first sign-in, kept for ever after (C3: "the same after as before").

use crate::db::Tx;
use crate::error::Result;
use crate::journal::{Act, Env, append};
use crate::store::Store;
use ngomon_rules::client::{ClientId, SubjectKind};
use ngomon_rules::event::{Change, Event};
use ngomon_rules::record::AccountId;

use super::clients::KnownClient;

/// Names the account to a client that had no name for it yet; journalled. The account's row must be locked.
pub(super) async fn name_subject(tx: &mut Tx, env: &Env, known: &KnownClient, account: &AccountId) -> Result<()> {
    let subject = match known.client.subjects {
        SubjectKind::Account => account.as_str().to_owned(),
        SubjectKind::Public => match public(tx, account).await? {
            Some(known) => known,
            None => env.ambient.hex::<16>(),
        },
        SubjectKind::Pairwise => env.ambient.hex::<16>(),
    };
    let change = Change::SubjectNamed {
        client: known.id.clone(),
        name: known.client.name.clone(),
        subject,
    };
    let act = Act::new(&format!("client:{}", known.id), env.ambient.now());
    append(tx, env, &act, vec![Event::of_account(account, change)]).await
}

/// What another client with public subjects calls the account.
async fn public(tx: &mut Tx, account: &AccountId) -> Result<Option<String>> {
    let sql = "SELECT s.subject, c.body FROM client_subject s JOIN client c ON c.id = s.client WHERE s.account = $1";
    for row in tx.rows(sql, [account.as_str().into()]).await? {
        let body: String = row.get(1)?;
        let client: ngomon_rules::client::Client =
            serde_json::from_str(&body).map_err(|e| crate::error::StoreError::corrupt("client", e))?;
        if client.subjects == SubjectKind::Public {
            return row.get(0).map(Some);
        }
    }
    Ok(None)
}

impl Store {
    /// What the client calls the account, if it knows of it.
    pub async fn subject_of(&self, client: &ClientId, account: &AccountId) -> Result<Option<String>> {
        self.db.ask(async |tx| subject(tx, client, account).await).await
    }
}

pub(super) async fn subject(tx: &mut Tx, client: &ClientId, account: &AccountId) -> Result<Option<String>> {
    let sql = "SELECT subject FROM client_subject WHERE client = $1 AND account = $2";
    let row = tx.row(sql, [client.as_str().into(), account.as_str().into()]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// What the client called the accounts that this one succeeds, by a transfer or a join: it moves what it keeps over.
pub(super) async fn former(tx: &mut Tx, client: &ClientId, account: &AccountId) -> Result<Vec<String>> {
    let sql = "SELECT s.subject FROM succession f JOIN client_subject s ON s.account = f.succeeds \
         WHERE f.account = $1 AND s.client = $2 ORDER BY s.account";
    let rows = tx.rows(sql, [account.as_str().into(), client.as_str().into()]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}
