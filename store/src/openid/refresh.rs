//! Refresh tokens: each is good once and gives the next one. One that is shown again is in two hands, and ends its whole family
//! (RFC 9700, 4.14).

use super::clients::KnownClient;
use super::codes::{Redeemed, tokens};
use super::grants::{Audience, end_grant, in_force};
use crate::db::Tx;
use crate::error::Result;
use crate::journal::Env;
use crate::merkle::sha256;
use crate::store::Store;
use ngomon_rules::client::Scope;

impl Store {
    /// The next tokens. `scope`: less than was allowed, for the access token; more is refused. `None`: it is not good. `resource` as in
    /// [`Store::redeem_code`].
    pub async fn refresh(
        &self,
        known: &KnownClient,
        token: &str,
        scope: Option<&str>,
        resource: Option<&str>,
    ) -> Result<Option<Redeemed>> {
        let (env, known, digest) = (self.env.clone(), known.clone(), sha256(&[token.as_bytes()]));
        let (scope, resource) = (scope.map(str::to_owned), resource.map(str::to_owned));
        self.db
            .write(move |tx| {
                let (env, known) = (env.clone(), known.clone());
                let (scope, resource) = (scope.clone(), resource.clone());
                Box::pin(async move { next(tx, &env, &known, digest, scope.as_deref(), resource.as_deref()).await })
            })
            .await
    }

    /// Is `asked` within what a refresh token is good for? `true` where there is no such token: redeeming it says so.
    pub async fn refresh_covers(&self, known: &KnownClient, token: &str, asked: &str) -> Result<bool> {
        let digest = sha256(&[token.as_bytes()]);
        let sql = "SELECT scope FROM issued WHERE id = $1 AND kind = 'refresh' AND client = $2";
        let row = self
            .db
            .ask(async |tx| tx.row(sql, [digest.into(), known.id.as_str().into()]).await)
            .await?;
        let Some(row) = row else { return Ok(true) };
        let allowed: String = row.get(0)?;
        Ok(asked
            .split(' ')
            .all(|word| allowed.split(' ').any(|known| known == word)))
    }
}

async fn next(
    tx: &mut Tx,
    env: &Env,
    known: &KnownClient,
    digest: [u8; 32],
    scope: Option<&str>,
    resource: Option<&str>,
) -> Result<Option<Redeemed>> {
    let now = env.now();
    let which = "id = $1 AND kind = 'refresh' AND client = $2 AND good_until > $3";
    let args = || [digest.into(), known.id.as_str().into(), now.into()];
    let sql = format!("UPDATE issued SET used = $3 WHERE {which} AND used IS NULL RETURNING client_grant");
    let Some(row) = tx.row(&sql, args()).await? else {
        let sql = format!("SELECT client_grant FROM issued WHERE {which}");
        if let Some(used) = tx.row(&sql, args()).await? {
            end_grant(tx, &used.get::<String>(0)?).await?;
        }
        return Ok(None);
    };
    let Some(grant) = in_force(tx, env, known, &row.get::<String>(0)?, env.ambient.now()).await? else {
        return Ok(None);
    };
    let scope = match scope {
        Some(asked) => narrowed(&grant.scope, asked),
        None => grant.scope.clone(),
    };
    let audience = Audience::of(tx, grant.given.resource.as_deref(), resource).await?;
    tokens(tx, env, known, grant, scope, audience).await.map(Some)
}

fn narrowed(allowed: &str, asked: &str) -> String {
    let kept = Scope::ALL.iter().map(|scope| scope.name());
    let kept =
        kept.filter(|word| allowed.split(' ').any(|one| one == *word) && asked.split(' ').any(|one| one == *word));
    kept.collect::<Vec<_>>().join(" ")
}
