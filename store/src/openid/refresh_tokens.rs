//! Refresh tokens: each is redeemed once, for the next one. Reuse means that two parties have the token, and revokes its whole family (RFC
//! 9700, 4.14). But a response may get lost: for half a minute, and until the successor is used, the same successor is returned again.
//!
//! The successor derives from the token and from a random value in the token's row, which is encrypted and soon erased. From then on, an
//! attacker with all keys and old tokens cannot derive newer ones.

use crate::boxed;
use crate::context::StoreContext;
use crate::crypto::keyring::AssociatedData;
use crate::crypto::merkle::sha256;
use crate::db::bound::{ISSUED, USED};
use crate::db::{Row, Tx};
use crate::error::Result;
use crate::openid::authorization_codes::{IssuedTokens, NextRefreshToken, tokens};
use crate::openid::clients::RegisteredClient;
use crate::openid::grants::{Grant, RedeemedToken, ResourceAudience, TokenKind, active_grant, end_grant};
use crate::sessions::rows::used_by_client;
use crate::store::Store;
use aws_lc_rs::hmac;
use ngomon_rules::client::Scope;
use std::time::Duration;

/// The parameters of a refresh request.
#[derive(Clone)]
struct PresentedToken {
    token: String,
    scope: Option<String>,
    resource: Option<String>,
    /// Microseconds within which the token may be reused.
    again: i64,
}

impl Store {
    /// Redeems a refresh token. `scope` may narrow the access token; more than granted is refused. `None` if the token is invalid.
    /// `resource` is as in [`Store::redeem_code`].
    #[boxed]
    pub async fn refresh(
        &self,
        known: &RegisteredClient,
        token: &str,
        scope: Option<&str>,
        resource: Option<&str>,
    ) -> Result<Option<IssuedTokens>> {
        let (ctx, known) = (self.ctx.clone(), known.clone());
        let shown = PresentedToken {
            token: token.to_owned(),
            scope: scope.map(str::to_owned),
            resource: resource.map(str::to_owned),
            again: microseconds(self.refresh_again),
        };
        self.db
            .transaction(move |tx| {
                let (ctx, known, shown) = (ctx.clone(), known.clone(), shown.clone());
                Box::pin(async move { next(tx, &ctx, &known, &shown).await })
            })
            .await
    }

    /// The same store with another reuse period for refresh tokens; zero allows no reuse.
    #[must_use]
    pub fn with_refresh_again(self, refresh_again: Duration) -> Self {
        Self { refresh_again, ..self }
    }

    /// Erases the random values of successors once the reuse period is over.
    #[boxed]
    pub async fn forget_successors(&self) -> Result<()> {
        let over = self.ctx.now() - microseconds(self.refresh_again);
        let which = "again IS NOT NULL AND used < $1";
        let sql = format!("SELECT 1 FROM issued WHERE {which} LIMIT 1");
        if self
            .db
            .query(async |tx| tx.row(&sql, [over.into()]).await)
            .await?
            .is_none()
        {
            return Ok(());
        }
        let sql = format!("UPDATE issued SET again = NULL WHERE {which}");
        self.db
            .transaction(move |tx| {
                let sql = sql.clone();
                Box::pin(async move { tx.execute(&sql, [over.into()]).await.map(drop) })
            })
            .await
    }

    /// Whether `asked` is within the refresh token's scope. `true` if there is no such token: redeeming it reports that.
    #[boxed]
    pub async fn refresh_covers(&self, known: &RegisteredClient, token: &str, asked: &str) -> Result<bool> {
        let digest = sha256(&[token.as_bytes()]);
        let sql = "SELECT scope FROM issued WHERE id = $1 AND kind = 'refresh' AND client = $2";
        let row = self
            .db
            .query(async |tx| tx.row(sql, [digest.into(), known.id.as_str().into()]).await)
            .await?;
        let Some(row) = row else { return Ok(true) };
        let allowed: String = row.get(0)?;
        Ok(asked
            .split(' ')
            .all(|word| allowed.split(' ').any(|known| known == word)))
    }
}

fn microseconds(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

fn place(digest: &[u8; 32]) -> AssociatedData<'_> {
    AssociatedData {
        table: "issued",
        column: "again",
        row: digest,
    }
}

/// The successor of a refresh token, derived from its random value, and the successor's digest.
fn successor(token: &str, drawn: &[u8]) -> (String, [u8; 32]) {
    let key = hmac::Key::new(hmac::HMAC_SHA256, drawn);
    TokenKind::Refresh.written(hmac::sign(&key, token.as_bytes()).as_ref())
}

const WHICH: &str = "id = $1 AND kind = 'refresh' AND client = $2 AND good_until > $3";

async fn next(
    tx: &mut Tx,
    ctx: &StoreContext,
    known: &RegisteredClient,
    shown: &PresentedToken,
) -> Result<Option<IssuedTokens>> {
    let (now, digest) = (ctx.now(), sha256(&[shown.token.as_bytes()]));
    let sql = format!(
        "UPDATE issued SET used = $3 WHERE {WHICH} AND used IS NULL RETURNING {}, follows",
        ISSUED.columns("")
    );
    let args = [digest.into(), known.id.as_str().into(), now.into()];
    let Some(row) = tx.row(&sql, args).await? else {
        return again(tx, ctx, known, shown, digest).await;
    };
    let Some(spent) = RedeemedToken::of(&ctx.keys, &row)? else {
        return Ok(None);
    };
    if let Some(before) = row.get::<Option<Vec<u8>>>(ISSUED.width())? {
        let sql = "UPDATE issued SET again = NULL WHERE id = $1 AND again IS NOT NULL";
        tx.execute(sql, [before.into()]).await?;
    }
    let Some(grant) = active_grant(tx, ctx, known, &row.get::<String>(4)?, ctx.environment.now()).await? else {
        return Ok(None);
    };
    let drawn: [u8; 32] = ctx.environment.bytes();
    let (token, successor) = successor(&shown.token, &drawn);
    let sealed = (shown.again > 0).then(|| ctx.keys.encrypt(place(&digest), &drawn, &ctx.environment));
    let next = NextRefreshToken::New {
        token,
        digest: successor,
        spent,
        of: Some((digest, sealed)),
    };
    given(tx, ctx, known, shown, grant, next).await
}

/// Handles a token that is unknown or was redeemed before.
async fn again(
    tx: &mut Tx,
    ctx: &StoreContext,
    known: &RegisteredClient,
    shown: &PresentedToken,
    digest: [u8; 32],
) -> Result<Option<IssuedTokens>> {
    let sql = format!("SELECT {}, again FROM issued WHERE {WHICH}", ISSUED.columns(""));
    let args = [digest.into(), known.id.as_str().into(), ctx.now().into()];
    let Some(row) = tx.rows_for_update(&sql, args).await?.pop() else {
        return Ok(None);
    };
    let grant: String = row.get(4)?;
    let Some(same) = same_successor(tx, ctx, shown, &digest, &row).await? else {
        end_grant(tx, &grant).await?;
        return Ok(None);
    };
    let Some(grant) = active_grant(tx, ctx, known, &grant, ctx.environment.now()).await? else {
        return Ok(None);
    };
    given(tx, ctx, known, shown, grant, NextRefreshToken::Same(same)).await
}

/// The successor of a redeemed token, if it may be returned again: within the reuse period and while it is unused.
async fn same_successor(
    tx: &mut Tx,
    ctx: &StoreContext,
    shown: &PresentedToken,
    digest: &[u8; 32],
    row: &Row,
) -> Result<Option<String>> {
    let (now, used): (_, Option<i64>) = (ctx.now(), row.get(USED)?);
    let Some(sealed) = row.get::<Option<Vec<u8>>>(ISSUED.width())? else {
        return Ok(None);
    };
    if !ISSUED.is_genuine(&ctx.keys, row, 0)? || used.is_none_or(|used| now - used > shown.again) || shown.again == 0 {
        return Ok(None);
    }
    let (token, digest) = successor(&shown.token, &ctx.keys.decrypt(place(digest), &sealed)?);
    let sql = format!(
        "SELECT {} FROM issued WHERE id = $1 AND kind = 'refresh' AND used IS NULL AND good_until > $2",
        ISSUED.columns("")
    );
    let found = tx.rows_for_update(&sql, [digest.into(), now.into()]).await?.pop();
    let genuine = found.map(|row| ISSUED.is_genuine(&ctx.keys, &row, 0)).transpose()?;
    Ok(genuine.unwrap_or(false).then_some(token))
}

/// Issues the tokens. `None` if the session of the grant has timed out.
async fn given(
    tx: &mut Tx,
    ctx: &StoreContext,
    known: &RegisteredClient,
    shown: &PresentedToken,
    grant: Grant,
    next: NextRefreshToken,
) -> Result<Option<IssuedTokens>> {
    if let Some(session) = &grant.session
        && !used_by_client(tx, session, ctx.now()).await?
    {
        return Ok(None);
    }
    let scope = match &shown.scope {
        Some(asked) => narrowed(&grant.scope, asked),
        None => grant.scope.clone(),
    };
    let (granted, asked) = (grant.given.resource.as_deref(), shown.resource.as_deref());
    let audience = ResourceAudience::of(tx, &ctx.keys, granted, asked).await?;
    tokens(tx, ctx, known, next, grant, scope, audience).await.map(Some)
}

fn narrowed(allowed: &str, asked: &str) -> String {
    let kept = Scope::ALL.iter().map(|scope| scope.name());
    let kept =
        kept.filter(|word| allowed.split(' ').any(|one| one == *word) && asked.split(' ').any(|one| one == *word));
    kept.collect::<Vec<_>>().join(" ")
}
