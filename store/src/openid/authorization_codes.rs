//! Authorization codes (RFC 6749, 4.1): issued to a browser, redeemed once by the client, within a minute.
//!
//! ```text
//!   issued ── redeemed ──▶ used ── redeemed again ──▶ everything issued from it is revoked
//!     └──── 60 s, hold, sign-out (except with `offline_access`), client disabled ──▶ over
//! ```

use crate::boxed;
use crate::context::StoreContext;
use crate::crypto::merkle::sha256;
use crate::db::Tx;
use crate::db::bound::{GRANT, ISSUED};
use crate::error::{Refusal, Result, StoreError};
use crate::openid::clients::{RegisteredClient, find};
use crate::openid::grants::{
    ACCESS, Grant, GrantParameters, LONGEST, NewTokenRow, REFRESH, RedeemedToken, ResourceAudience, Succession,
    TokenKind, active_grant, end_grant, generate_token, issue, place, record_client_use,
};
use crate::openid::pushed_requests::spend_request;
use crate::openid::subjects::{assign_subject, subject};
use crate::sessions::rows::{LONGEST as SESSION_LONGEST, lock_accounts_of, open_session_row};
use crate::store::Store;
use crate::tables::holds::gate;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ngomon_rules::citizens::Gate;
use ngomon_rules::client::Scope;
use ngomon_rules::records::AccountKind;
use ngomon_rules::values::local_day;
use serde::{Deserialize, Serialize};

/// Lifetime of a code: 60 seconds in microseconds (ASVS 10.4.3: a minute).
const GOOD: i64 = 60 * 1_000_000;

/// An authorization request that the owner of a session approved.
#[derive(Clone, Debug)]
pub struct AuthorizedRequest {
    /// Client id.
    pub client: String,
    /// Redirect URI of the code; the client repeats it when it redeems the code.
    pub redirect_uri: String,
    /// `true` if the request named the redirect URI: redeeming must name it then, too.
    pub redirect_named: bool,
    /// PKCE code challenge (RFC 7636, S256).
    pub challenge: Option<String>,
    /// Granted scopes.
    pub scope: Vec<Scope>,
    /// Nonce, claims and resource.
    pub given: GrantParameters,
    /// Handle of the pushed request that this answers.
    pub pushed: Option<String>,
}

/// What a code is bound to: redirect URI and PKCE challenge.
#[derive(Serialize, Deserialize)]
struct CodeBinding {
    redirect_uri: String,
    named: bool,
    challenge: Option<String>,
}

/// The parameters of a token request with a code.
#[derive(Clone)]
struct RedemptionRequest {
    redirect_uri: Option<String>,
    verifier: Option<String>,
    resource: Option<String>,
}

/// The tokens issued for a code or a refresh token.
#[derive(Clone, Debug)]
pub struct IssuedTokens {
    /// The grant that they belong to.
    pub grant: Grant,
    /// The access token.
    pub access: String,
    /// Scopes of the access token.
    pub scope: String,
    /// The next refresh token.
    pub refresh: String,
}

impl Store {
    /// Issues a code for the owner of a session. `None` if the session has ended or is a held visit, or if the client is no longer enabled.
    #[boxed]
    pub async fn issue_code(&self, session: &str, allowed: AuthorizedRequest) -> Result<Option<String>> {
        let (ctx, session) = (self.ctx.clone(), sha256(&[session.as_bytes()]));
        let (code, digest) = generate_token(&ctx, TokenKind::Code);
        let given = self
            .db
            .transaction(move |tx| {
                let (ctx, allowed) = (ctx.clone(), allowed.clone());
                Box::pin(async move { give(tx, &ctx, session, digest, &allowed).await })
            })
            .await?;
        Ok(given.then_some(code))
    }

    /// Redeems a code. `None` if it is invalid; if it was redeemed before, everything issued from it is revoked. Refuses a `resource` other
    /// than the granted one, or one whose client is no longer enabled; the code can then be redeemed again.
    #[boxed]
    pub async fn redeem_code(
        &self,
        known: &RegisteredClient,
        code: &str,
        redirect_uri: Option<&str>,
        verifier: Option<&str>,
        resource: Option<&str>,
    ) -> Result<Option<IssuedTokens>> {
        let (ctx, known, digest) = (self.ctx.clone(), known.clone(), sha256(&[code.as_bytes()]));
        let shown = RedemptionRequest {
            redirect_uri: redirect_uri.map(str::to_owned),
            verifier: verifier.map(str::to_owned),
            resource: resource.map(str::to_owned),
        };
        self.db
            .transaction(move |tx| {
                let (ctx, known, shown) = (ctx.clone(), known.clone(), shown.clone());
                Box::pin(async move { redeem(tx, &ctx, &known, digest, &shown).await })
            })
            .await
    }
}

async fn give(
    tx: &mut Tx,
    ctx: &StoreContext,
    session: [u8; 32],
    digest: [u8; 32],
    allowed: &AuthorizedRequest,
) -> Result<bool> {
    let now = ctx.environment.now();
    lock_accounts_of(tx, [session]).await?;
    let Some(open) = open_session_row(tx, &ctx.keys, &session, now).await? else {
        return Ok(false);
    };
    let Some(known) = find(tx, &ctx.keys, &allowed.client)
        .await?
        .filter(|known| known.enabled)
    else {
        return Ok(false);
    };
    if let Some(handle) = &allowed.pushed
        && !spend_request(tx, &known.id, handle).await?
    {
        return Ok(false);
    }
    if subject(tx, &ctx.keys, &known.id, &open.account).await?.is_none() {
        assign_subject(tx, ctx, &known, &open.account).await?;
    }
    let (id, now) = (ctx.id(), now.as_microsecond());
    let outlives = allowed.scope.contains(&Scope::OfflineAccess);
    let asked = serde_json::to_vec(&allowed.given).map_err(|e| StoreError::corrupt("a grant", e))?;
    let scope = Scope::words(&allowed.scope);
    let row = GRANT.row(
        &ctx.keys,
        vec![
            (&id).into(),
            known.id.as_str().into(),
            known.generation.into(),
            open.account.as_str().into(),
            open.generation.into(),
            (!outlives).then(|| session.to_vec()).into(),
            (&open.sid).into(),
            (&scope).into(),
            ctx.keys.encrypt(place(&id), &asked, &ctx.environment).into(),
            open.began.into(),
            (&open.amr).into(),
            if outlives {
                now + LONGEST
            } else {
                open.began + SESSION_LONGEST
            }
            .into(),
        ],
    );
    let into = format!("client_grant ({})", GRANT.columns(""));
    tx.insert(&into, vec![row], "").await?;
    let bound = CodeBinding {
        redirect_uri: allowed.redirect_uri.clone(),
        named: allowed.redirect_named,
        challenge: allowed.challenge.clone(),
    };
    let row = NewTokenRow {
        kind: TokenKind::Code,
        digest,
        known: &known,
        grant: Some(&id),
        scope: &scope,
        bound: &serde_json::to_string(&bound).map_err(|e| StoreError::corrupt("a code", e))?,
        audience: None,
        good_until: now + GOOD,
    };
    issue(tx, vec![Succession::default().with(row.row(&ctx.keys, now))]).await?;
    Ok(true)
}

async fn redeem(
    tx: &mut Tx,
    ctx: &StoreContext,
    known: &RegisteredClient,
    digest: [u8; 32],
    shown: &RedemptionRequest,
) -> Result<Option<IssuedTokens>> {
    let now = ctx.now();
    let which = "id = $1 AND kind = 'code' AND client = $2";
    let sql = format!(
        "UPDATE issued SET used = $3 WHERE {which} AND used IS NULL RETURNING {}",
        ISSUED.columns("")
    );
    let args = [digest.into(), known.id.as_str().into(), now.into()];
    let Some(row) = tx.row(&sql, args).await? else {
        let sql = format!("SELECT client_grant FROM issued WHERE {which}");
        if let Some(used) = tx.row(&sql, [digest.into(), known.id.as_str().into()]).await? {
            // A second redemption means that the code leaked: revoke everything issued from it (RFC 6749, 4.1.2).
            end_family(tx, &used.get::<String>(0)?).await?;
        }
        return Ok(None);
    };
    let Some(spent) = RedeemedToken::of(&ctx.keys, &row)? else {
        return Ok(None);
    };
    let grant: String = row.get(4)?;
    let bound: CodeBinding =
        serde_json::from_str(&row.get::<String>(6)?).map_err(|e| StoreError::corrupt("issued.bound", e))?;
    if row.get::<i64>(8)? < now || !fits(&bound, shown) {
        end_grant(tx, &grant).await?;
        return Ok(None);
    }
    let Some(grant) = active_grant(tx, ctx, known, &grant, ctx.environment.now()).await? else {
        return Ok(None);
    };
    let scope: String = row.get(5)?;
    let audience = ResourceAudience::of(
        tx,
        &ctx.keys,
        grant.given.resource.as_deref(),
        shown.resource.as_deref(),
    )
    .await?;
    let (token, digest) = generate_token(ctx, TokenKind::Refresh);
    let next = NextRefreshToken::New {
        token,
        digest,
        spent,
        of: None,
    };
    tokens(tx, ctx, known, next, grant, scope, audience).await.map(Some)
}

/// Revokes everything issued from a code. The code's row stays, marked as used, until it expires.
async fn end_family(tx: &mut Tx, grant: &str) -> Result<()> {
    for sql in [
        "DELETE FROM issued WHERE client_grant = $1 AND kind <> 'code'",
        "DELETE FROM client_grant WHERE id = $1",
    ] {
        tx.execute(sql, [grant.into()]).await?;
    }
    Ok(())
}

/// The refresh token to return.
pub(crate) enum NextRefreshToken {
    /// A new one, for the code or refresh token that was redeemed.
    New {
        token: String,
        digest: [u8; 32],
        spent: RedeemedToken,
        /// Digest of the redeemed refresh token, and the encrypted random value that its successor derives from.
        of: Option<([u8; 32], Option<Vec<u8>>)>,
    },
    /// The successor that was issued before.
    Same(String),
}

/// Issues the next access and refresh token of a grant.
pub(crate) async fn tokens(
    tx: &mut Tx,
    ctx: &StoreContext,
    known: &RegisteredClient,
    next: NextRefreshToken,
    grant: Grant,
    scope: String,
    audience: Option<ResourceAudience>,
) -> Result<IssuedTokens> {
    // C1: where standardising is required, connected systems get no token. The code or refresh token stays valid until it is done.
    if grant.kind == AccountKind::Citizen {
        let asked = gate(tx, grant.account.as_str(), local_day(ctx.environment.now())).await?;
        if asked == Some(Gate::Required) {
            return Err(Refusal::MustStandardise(grant.account.0).into());
        }
    }
    let now = ctx.now();
    let (access, access_digest) = generate_token(ctx, TokenKind::Access);
    let row = |kind, digest, good_for: i64, scope| NewTokenRow {
        kind,
        digest,
        known,
        grant: Some(&grant.id),
        scope,
        bound: "",
        audience: audience.as_ref().filter(|_| kind == TokenKind::Access),
        good_until: grant.good_until.min(now + good_for),
    };
    let access_row = row(TokenKind::Access, access_digest, ACCESS, &scope).row(&ctx.keys, now);
    let mut rows = vec![Succession::default().with(access_row)];
    let refresh = match next {
        NextRefreshToken::Same(token) => token,
        NextRefreshToken::New {
            token,
            digest,
            spent,
            of,
        } => {
            let refresh_for = if grant.session.is_none() {
                REFRESH
            } else {
                SESSION_LONGEST
            };
            // A refresh token keeps the whole granted scope even if the client requests less this time (RFC 6749, 6).
            let row = row(TokenKind::Refresh, digest, refresh_for, &grant.scope).row(&ctx.keys, now);
            let (follows, again) = of.unzip();
            let again = again.flatten();
            rows.push(Succession { follows, again: None }.with(row));
            rows.push(Succession { follows: None, again }.with(spent.row()));
            token
        }
    };
    issue(tx, rows).await?;
    record_client_use(tx, known, now).await?;
    Ok(IssuedTokens {
        grant,
        access,
        scope,
        refresh,
    })
}

/// Checks the redirect URI and the PKCE verifier against those of the authorization request (RFC 7636, 4.6).
fn fits(bound: &CodeBinding, shown: &RedemptionRequest) -> bool {
    let same_uri = match &shown.redirect_uri {
        Some(uri) => *uri == bound.redirect_uri,
        None => !bound.named,
    };
    let proven = match (&bound.challenge, &shown.verifier) {
        (Some(challenge), Some(verifier)) => URL_SAFE_NO_PAD.encode(sha256(&[verifier.as_bytes()])) == *challenge,
        (None, None) => true,
        _ => false,
    };
    same_uri && proven
}
