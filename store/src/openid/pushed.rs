//! Requests that clients push before they send a browser (RFC 9126).

use crate::error::Result;
use crate::keyring::Place;
use crate::merkle::sha256;
use crate::store::Store;
use ngomon_rules::client::ClientId;

/// How long a pushed request may wait for its browser: microseconds.
const GOOD: i64 = 90 * 1_000_000;

fn place(id: &[u8; 32]) -> Place<'_> {
    Place {
        table: "pushed_request",
        column: "sealed",
        row: id,
    }
}

impl Store {
    /// Seconds for which a pushed request is good.
    pub const PUSHED_GOOD: i64 = GOOD / 1_000_000;

    /// Keeps a request, as a query. Returns what names it.
    pub async fn push_request(&self, client: &ClientId, query: &str) -> Result<String> {
        let handle = self.new_token().as_str().to_owned();
        let id = sha256(&[handle.as_bytes()]);
        let sealed = self.env.keys.seal(place(&id), query.as_bytes(), &self.env.ambient);
        let (client, good_until) = (client.clone(), self.env.now() + GOOD);
        self.db
            .write(move |tx| {
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

    /// The request of that name, taken once; `None`: it is over, or another client's.
    pub async fn take_request(&self, client: &ClientId, handle: &str) -> Result<Option<String>> {
        let (id, now, client) = (sha256(&[handle.as_bytes()]), self.env.now(), client.clone());
        let row = self
            .db
            .write(move |tx| {
                let client = client.clone();
                Box::pin(async move {
                    let sql =
                        "DELETE FROM pushed_request WHERE id = $1 AND client = $2 AND good_until > $3 RETURNING sealed";
                    tx.row(sql, [id.into(), client.as_str().into(), now.into()]).await
                })
            })
            .await?;
        let Some(row) = row else { return Ok(None) };
        let query = self.env.keys.unseal(place(&id), &row.get::<Vec<u8>>(0)?)?;
        Ok(Some(String::from_utf8_lossy(&query).into_owned()))
    }
}
