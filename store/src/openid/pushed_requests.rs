//! Pushed authorization requests (RFC 9126): clients send them before they redirect the browser.

use crate::boxed;
use crate::crypto::keyring::AssociatedData;
use crate::crypto::merkle::sha256;
use crate::db::Tx;
use crate::error::Result;
use crate::store::Store;
use ngomon_rules::client::ClientId;

/// Microseconds that a pushed request waits for its browser: 90 seconds.
const GOOD: i64 = 90 * 1_000_000;

/// Microseconds that the owner has to sign in once a browser has opened the request: one hour.
const SIGNING_IN: i64 = 3_600 * 1_000_000;
/// The prefix of a request that a browser has opened.
const OPENED: &str = "&";

/// Associated data of the encryption: the request decrypts only in its own row, for its client and with its expiry.
fn place(row: &[u8]) -> AssociatedData<'_> {
    AssociatedData {
        table: "pushed_request",
        column: "sealed",
        row,
    }
}

fn row_of(id: &[u8; 32], client: &ClientId, good_until: i64) -> Vec<u8> {
    [&id[..], &good_until.to_be_bytes(), client.as_str().as_bytes()].concat()
}

impl Store {
    /// Lifetime of a pushed request in seconds.
    pub const PUSHED_GOOD: i64 = GOOD / 1_000_000;

    /// Stores a request in the form of a query string. Returns its handle.
    #[boxed]
    pub async fn push_request(&self, client: &ClientId, query: &str) -> Result<String> {
        let handle = self.new_token().as_str().to_owned();
        let id = sha256(&[handle.as_bytes()]);
        let (client, good_until) = (client.clone(), self.ctx.now() + GOOD);
        let row = row_of(&id, &client, good_until);
        let sealed = self
            .ctx
            .keys
            .encrypt(place(&row), query.as_bytes(), &self.ctx.environment);
        self.db
            .transaction(move |tx| {
                let (client, sealed) = (client.clone(), sealed.clone());
                Box::pin(async move {
                    let sql = "INSERT INTO pushed_request (id, client, sealed, good_until) VALUES ($1,$2,$3,$4)";
                    let args = [id.into(), client.as_str().into(), sealed.into(), good_until.into()];
                    tx.execute(sql, args).await.map(drop)
                })
            })
            .await?;
        Ok(handle)
    }

    /// The request with this handle. `None` if it has expired, was answered, or belongs to another client. The owner has an hour to sign in
    /// from the first time that a browser opens it.
    #[boxed]
    pub async fn open_request(&self, of: &ClientId, handle: &str) -> Result<Option<String>> {
        let (id, now) = (sha256(&[handle.as_bytes()]), self.ctx.now());
        let sql = "SELECT sealed, good_until FROM pushed_request WHERE id = $1 AND client = $2 AND good_until > $3";
        let args = [id.into(), of.as_str().into(), now.into()];
        let row = self.db.query(async |tx| tx.row(sql, args).await).await?;
        let Some(row) = row else { return Ok(None) };
        let (sealed, good_until): (Vec<u8>, i64) = (row.get(0)?, row.get(1)?);
        let kept = self.ctx.keys.decrypt(place(&row_of(&id, of, good_until)), &sealed)?;
        let kept = String::from_utf8_lossy(&kept).into_owned();
        if let Some(query) = kept.strip_prefix(OPENED) {
            return Ok(Some(query.to_owned()));
        }
        let until = now + SIGNING_IN;
        let row = row_of(&id, of, until);
        let opened = format!("{OPENED}{kept}");
        let sealed = self
            .ctx
            .keys
            .encrypt(place(&row), opened.as_bytes(), &self.ctx.environment);
        self.db
            .transaction(move |tx| {
                let sealed = sealed.clone();
                Box::pin(async move {
                    // Of concurrent openings the first one extends the request.
                    let sql =
                        "UPDATE pushed_request SET sealed = $2, good_until = $3 WHERE id = $1 AND good_until = $4";
                    let args = [id.into(), sealed.into(), until.into(), good_until.into()];
                    tx.execute(sql, args).await.map(drop)
                })
            })
            .await?;
        Ok(Some(kept))
    }

    /// Deletes a request that was answered.
    #[boxed]
    pub async fn drop_request(&self, of: &ClientId, handle: &str) -> Result<()> {
        let (of, handle) = (of.clone(), handle.to_owned());
        self.db
            .transaction(move |tx| {
                let (of, handle) = (of.clone(), handle.clone());
                Box::pin(async move { spend_request(tx, &of, &handle).await.map(drop) })
            })
            .await
    }
}

/// Deletes a request; `false` if it was answered before.
pub(crate) async fn spend_request(tx: &mut Tx, of: &ClientId, handle: &str) -> Result<bool> {
    let sql = "DELETE FROM pushed_request WHERE id = $1 AND client = $2";
    let args = [sha256(&[handle.as_bytes()]).into(), of.as_str().into()];
    Ok(tx.execute(sql, args).await? > 0)
}
