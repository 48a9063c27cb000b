//! Grants and tokens. A token is 256 random bits, stored as a digest. Its validity is checked at each use, against the grant, the account
//! and the client as they are at that moment.

use crate::boxed;
use crate::context::StoreContext;
use crate::crypto::keyring::{AssociatedData, Keyring};
use crate::crypto::merkle::sha256;
use crate::db::bound::{GRANT, ISSUED, SUBJECT, USED, binds};
use crate::db::{Row, SqlValue, Tx};
use crate::environment::hex;
use crate::error::{Refusal, Result, StoreError};
use crate::openid::clients::{CLIENT_COLUMNS, CLIENT_USE, RegisteredClient, known_client, resource_server_of};
use crate::sessions::rows::is_account;
use crate::store::Store;
use crate::tables::holds::{MAY_BE_HELD, is_held};
use jiff::Timestamp;
use ngomon_rules::client::ClientId;
use ngomon_rules::records::{AccountId, AccountKind};
use ngomon_rules::values::local_day;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// Lifetime of an access token: 10 minutes in microseconds.
pub(crate) const ACCESS: i64 = 10 * 60 * 1_000_000;
/// Idle lifetime of an `offline_access` refresh token: 30 days in microseconds. Its grant ends after [`LONGEST`] in any case.
pub(crate) const REFRESH: i64 = 30 * 24 * 3_600 * 1_000_000;
/// Absolute lifetime of an `offline_access` grant: 180 days in microseconds (RFC 9700: "an absolute end").
pub(crate) const LONGEST: i64 = 180 * 24 * 3_600 * 1_000_000;

/// The kinds of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Authorization code: redeemed once, for tokens.
    Code,
    /// Access token: presented to a resource server.
    Access,
    /// Refresh token: redeemed once, for the next tokens.
    Refresh,
}

impl TokenKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }

    /// The prefix of such a token, so that secret scanners recognise a leaked one.
    fn prefix(self) -> &'static str {
        match self {
            Self::Code => "ngc_",
            Self::Access => "nga_",
            Self::Refresh => "ngr_",
        }
    }

    /// The token with these bytes, and its digest.
    pub(crate) fn written(self, bytes: &[u8]) -> (String, [u8; 32]) {
        let token = format!("{}{}", self.prefix(), hex(bytes));
        let digest = sha256(&[token.as_bytes()]);
        (token, digest)
    }
}

/// Parameters of the authorization request, besides the scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantParameters {
    /// Copied into the ID token unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The `claims` parameter (OpenID Connect Core 5.5), as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<String>,
    /// The resource server of its access tokens (RFC 8707).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

/// One active sign-in of one account to one client.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Grant id.
    pub id: String,
    /// The account.
    pub account: AccountId,
    /// The kind of account.
    pub kind: AccountKind,
    /// The client's subject for the account.
    pub subject: String,
    /// The session id that the client knows.
    pub sid: String,
    /// Granted scopes, separated by spaces.
    pub scope: String,
    /// The other request parameters.
    pub given: GrantParameters,
    /// When the owner authenticated: microseconds UTC.
    pub auth_time: i64,
    /// Authentication methods (RFC 8176), separated by spaces.
    pub amr: String,
    pub(crate) good_until: i64,
    /// Digest of the session with which the grant ends; `None` if it outlives the session.
    pub(crate) session: Option<Vec<u8>>,
}

/// The resource server that a token is meant for, if that is not the client that requested it (RFC 8707).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceAudience {
    /// The resource, as requested.
    pub resource: String,
    /// The client that is registered as that resource server.
    pub client: ClientId,
    pub(crate) generation: i64,
}

impl ResourceAudience {
    /// The audience of a granted resource. A token request may only repeat the granted resource.
    pub(crate) async fn of(
        tx: &mut Tx,
        keys: &Keyring,
        granted: Option<&str>,
        asked: Option<&str>,
    ) -> Result<Option<Self>> {
        if let Some(other) = asked.filter(|_| asked != granted) {
            return Err(Refusal::UnknownResource(other.to_owned()).into());
        }
        let Some(resource) = granted else { return Ok(None) };
        let bearer = resource_server_of(tx, keys, resource)
            .await?
            .filter(|bearer| bearer.enabled);
        let bearer = bearer.ok_or_else(|| Refusal::UnknownResource(resource.to_owned()))?;
        Ok(Some(Self {
            resource: resource.to_owned(),
            client: bearer.id,
            generation: bearer.generation,
        }))
    }
}

/// A token that is active at this moment.
#[derive(Clone, Debug)]
pub struct ActiveToken {
    /// The kind of token.
    pub kind: TokenKind,
    /// The client that it was issued to.
    pub client: RegisteredClient,
    /// Scopes, separated by spaces.
    pub scope: String,
    /// Issue time: microseconds UTC.
    pub began: i64,
    /// Expiry: microseconds UTC.
    pub good_until: i64,
    /// The grant; `None` if the client acts for itself.
    pub grant: Option<Grant>,
    /// The resource server that it is meant for, if that is another client.
    pub audience: Option<ResourceAudience>,
}

pub(crate) fn place(id: &str) -> AssociatedData<'_> {
    AssociatedData {
        table: "client_grant",
        column: "asked",
        row: id.as_bytes(),
    }
}

/// Generates a token of this kind; returns it with its digest.
pub(crate) fn generate_token(ctx: &StoreContext, kind: TokenKind) -> (String, [u8; 32]) {
    kind.written(&ctx.environment.bytes::<32>())
}

/// A new row of `issued`.
pub(crate) struct NewTokenRow<'a> {
    pub kind: TokenKind,
    pub digest: [u8; 32],
    pub known: &'a RegisteredClient,
    pub grant: Option<&'a str>,
    pub scope: &'a str,
    pub bound: &'a str,
    pub audience: Option<&'a ResourceAudience>,
    pub good_until: i64,
}

impl NewTokenRow<'_> {
    pub(crate) fn row(&self, keys: &Keyring, now: i64) -> Vec<SqlValue> {
        let cells = vec![
            self.digest.into(),
            self.kind.name().into(),
            self.known.id.as_str().into(),
            self.known.generation.into(),
            self.grant.into(),
            self.scope.into(),
            self.audience.map_or(self.bound, |audience| &audience.resource).into(),
            now.into(),
            self.good_until.into(),
            SqlValue::Int(None),
            self.audience.map(|audience| audience.client.as_str()).into(),
            self.audience.map(|audience| audience.generation).into(),
        ];
        ISSUED.row(keys, cells)
    }
}

/// The further columns of a refresh token's row, which no MAC covers.
#[derive(Default)]
pub(crate) struct Succession {
    /// Digest of the refresh token that it replaced.
    pub follows: Option<[u8; 32]>,
    /// The encrypted random value that its own successor derives from.
    pub again: Option<Vec<u8>>,
}

impl Succession {
    pub(crate) fn with(self, mut row: Vec<SqlValue>) -> Vec<SqlValue> {
        row.push(SqlValue::Bytes(self.follows.map(Vec::from)));
        row.push(SqlValue::Bytes(self.again));
        row
    }
}

/// SQL placeholders by row, e.g. `($1,$2),($3,$4)`.
fn rows_of_places(rows: usize, width: usize) -> String {
    let mut text = String::with_capacity(4 * rows * width);
    for at in 0..rows * width {
        text += match at % width {
            0 if at == 0 => "($",
            0 => "),($",
            _ => ",$",
        };
        text += &(at + 1).to_string();
    }
    text + ")"
}

/// Writes tokens in one statement. A row that already exists is the redeemed token: it gets its MAC as used.
pub(crate) async fn issue(tx: &mut Tx, rows: Vec<Vec<SqlValue>>) -> Result<()> {
    let sql = format!(
        "INSERT INTO issued ({}, follows, again) VALUES {} \
         ON CONFLICT (id) DO UPDATE SET mac = excluded.mac, again = excluded.again",
        ISSUED.columns(""),
        rows_of_places(rows.len(), ISSUED.width() + 2)
    );
    tx.execute(&sql, rows.into_iter().flatten()).await.map(drop)
}

/// The row of a redeemed code or refresh token, with its new MAC.
pub(crate) struct RedeemedToken(Vec<SqlValue>);

impl RedeemedToken {
    /// Parses a row that begins with the [`ISSUED`] columns and was just marked as used. `None` if its MAC did not verify.
    pub(crate) fn of(keys: &Keyring, row: &Row) -> Result<Option<Self>> {
        let used = ISSUED.cells(row, 0)?;
        let mut unused = used.clone();
        unused[USED] = SqlValue::Int(None);
        let genuine = ISSUED.is_bound(keys, &unused, row, 0)?;
        Ok(genuine.then(|| Self(ISSUED.row(keys, used))))
    }

    pub(crate) fn row(self) -> Vec<SqlValue> {
        self.0
    }
}

/// The columns of an active grant that [`grant_of`] reads.
fn in_force_columns() -> String {
    format!(
        "{}, a.kind, a.login, a.mac, s.subject, s.mac, {MAY_BE_HELD}",
        GRANT.columns("g")
    )
}

/// The number of those columns.
const IN_FORCE_WIDTH: usize = GRANT.width() + 6;

/// Joins everything that ends a grant except holds and time: the generations of account and client, and whether the client is enabled.
const IN_FORCE: &str = "JOIN account a ON a.id = g.account AND a.generation = g.generation \
     JOIN client c ON c.id = g.client AND c.generation = g.client_generation AND c.enabled = 1 \
     JOIN client_subject s ON s.client = g.client AND s.account = g.account";

/// The columns that [`live`] reads: a token `i` and its client.
fn live_columns() -> String {
    format!("{}, {CLIENT_COLUMNS}", ISSUED.columns("i"))
}

/// A token for another client is valid only while that client is enabled and its generation is unchanged.
const FOR_AUDIENCE: &str = "(i.audience IS NULL OR EXISTS (SELECT 1 FROM client r WHERE r.id = i.audience \
     AND r.generation = i.audience_generation AND r.enabled = 1))";

/// Parses the grant in the columns at `at`. `None` if a hold counts today or a MAC does not verify.
async fn grant_of(tx: &mut Tx, ctx: &StoreContext, row: &Row, at: usize, now: Timestamp) -> Result<Option<Grant>> {
    let (keys, after) = (&ctx.keys, at + GRANT.width());
    let [account, kind]: [String; 2] = [row.get(at + 3)?, row.get(after)?];
    let (subject, subject_mac): (String, Vec<u8>) = (row.get(after + 3)?, row.get(after + 4)?);
    let named = [row.get::<String>(at + 1)?.into(), (&account).into(), (&subject).into()];
    if !GRANT.is_genuine(keys, row, at)?
        || !is_account(keys, row, [&account, &kind], after + 1)?
        || !binds(keys, SUBJECT, &named, Some(&subject_mac))
    {
        return Ok(None);
    }
    // Some holds raise no generation: those that follow from policy and date, and those that a freeze had suspended.
    if row.get::<i64>(after + 5)? > 0 && is_held(tx, &account, local_day(now)).await? {
        return Ok(None);
    }
    let id: String = row.get(at)?;
    let asked = keys.decrypt(place(&id), &row.get::<Vec<u8>>(at + 8)?)?;
    Ok(Some(Grant {
        account: AccountId(account),
        kind: AccountKind::parse(&kind).ok_or_else(|| StoreError::corrupt("account", "no such kind"))?,
        sid: row.get(at + 6)?,
        scope: row.get(at + 7)?,
        given: serde_json::from_slice(&asked).map_err(|e| StoreError::corrupt("client_grant", e))?,
        auth_time: row.get(at + 9)?,
        amr: row.get(at + 10)?,
        good_until: row.get(at + 11)?,
        session: row.get(at + 5)?,
        subject,
        id,
    }))
}

/// The grant, if it is active: neither a hold, a sign-out nor time ended it, and the client was not disabled since it authenticated.
pub(crate) async fn active_grant(
    tx: &mut Tx,
    ctx: &StoreContext,
    known: &RegisteredClient,
    id: &str,
    now: Timestamp,
) -> Result<Option<Grant>> {
    // Built once: this runs for each token.
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT {} FROM client_grant g {IN_FORCE} WHERE g.id = $1 AND g.good_until > $2 AND c.generation = $3",
            in_force_columns()
        )
    });
    let args = [id.into(), now.as_microsecond().into(), known.generation.into()];
    match tx.row(&SQL, args).await? {
        Some(row) => grant_of(tx, ctx, &row, 0, now).await,
        None => Ok(None),
    }
}

pub(crate) async fn end_grant(tx: &mut Tx, id: &str) -> Result<()> {
    for sql in [
        "DELETE FROM issued WHERE client_grant = $1",
        "DELETE FROM client_grant WHERE id = $1",
    ] {
        tx.execute(sql, [id.into()]).await?;
    }
    Ok(())
}

impl Store {
    /// Introspects a token. `None` if it is not active.
    #[boxed]
    pub async fn token(&self, token: &str) -> Result<Option<ActiveToken>> {
        // Built once: they run for each request with a token.
        static OF_ACCOUNT: LazyLock<String> = LazyLock::new(|| {
            format!(
                "SELECT {}, {} FROM issued i JOIN client_grant g ON g.id = i.client_grant \
                 AND g.good_until > $2 {IN_FORCE} {CLIENT_USE} WHERE i.id = $1 AND i.good_until > $2 AND i.used IS NULL AND {FOR_AUDIENCE}",
                in_force_columns(),
                live_columns()
            )
        });
        static OF_CLIENT: LazyLock<String> = LazyLock::new(|| {
            format!(
                "SELECT {} FROM issued i \
                 JOIN client c ON c.id = i.client AND c.generation = i.client_generation AND c.enabled = 1 {CLIENT_USE} \
                 WHERE i.id = $1 AND i.good_until > $2 AND i.client_grant IS NULL AND {FOR_AUDIENCE}",
                live_columns()
            )
        });
        let (digest, now) = (sha256(&[token.as_bytes()]), self.now());
        self.db
            .query(async |tx| {
                let args = || [digest.into(), now.as_microsecond().into()];
                if let Some(row) = tx.row(&OF_ACCOUNT, args()).await? {
                    let grant = grant_of(tx, &self.ctx, &row, 0, now).await?;
                    return grant.map_or(Ok(None), |grant| {
                        live(&self.ctx.keys, &row, IN_FORCE_WIDTH, Some(grant))
                    });
                }
                let row = tx.row(&OF_CLIENT, args()).await?;
                row.map_or(Ok(None), |row| live(&self.ctx.keys, &row, 0, None))
            })
            .await
    }

    /// Issues a token with which the client acts for itself (RFC 6749, 4.4) at that resource. `None` if the client changed meanwhile.
    #[boxed]
    pub async fn token_for_client(
        &self,
        known: &RegisteredClient,
        scope: &str,
        resource: Option<&str>,
    ) -> Result<Option<String>> {
        let (token, digest) = generate_token(&self.ctx, TokenKind::Access);
        let (ctx, now, known, scope) = (self.ctx.clone(), self.ctx.now(), known.clone(), scope.to_owned());
        let resource = resource.map(str::to_owned);
        let given = self
            .db
            .transaction(move |tx| {
                let (known, scope, resource) = (known.clone(), scope.clone(), resource.clone());
                let ctx = ctx.clone();
                Box::pin(async move {
                    let audience = ResourceAudience::of(tx, &ctx.keys, resource.as_deref(), None).await?;
                    let row = NewTokenRow {
                        kind: TokenKind::Access,
                        digest,
                        known: &known,
                        grant: None,
                        scope: &scope,
                        bound: "",
                        audience: audience.as_ref(),
                        good_until: now + ACCESS,
                    };
                    // Inserts a row only if the client is still what it was when it authenticated.
                    let sql = format!(
                        "INSERT INTO issued ({}) SELECT $1,$2,c.id,c.generation,$5,$6,$7,$8,$9,$10,$11,$12,$13 FROM client c \
                         WHERE c.id = $3 AND c.generation = $4 AND c.enabled = 1",
                        ISSUED.columns("")
                    );
                    if tx.execute(&sql, row.row(&ctx.keys, now)).await? == 0 {
                        return Ok(false);
                    }
                    record_client_use(tx, &known, now).await?;
                    Ok(true)
                })
            })
            .await?;
        Ok(given.then_some(token))
    }

    /// Revokes a token for its client (RFC 7009): an access token alone, a refresh token with its whole family.
    #[boxed]
    pub async fn revoke(&self, known: &RegisteredClient, token: &str) -> Result<()> {
        let (digest, client) = (sha256(&[token.as_bytes()]), known.id.clone());
        self.db
            .transaction(move |tx| {
                let client = client.clone();
                Box::pin(async move {
                    let sql = "DELETE FROM issued WHERE id = $1 AND client = $2 RETURNING kind, client_grant";
                    let row = tx.row(sql, [digest.into(), client.as_str().into()]).await?;
                    let Some(row) = row else { return Ok(()) };
                    match (row.get::<String>(0)?.as_str(), row.get::<Option<String>>(1)?) {
                        ("access", _) | (_, None) => Ok(()),
                        (_, Some(grant)) => end_grant(tx, &grant).await,
                    }
                })
            })
            .await
    }
}

/// Parses an active token from the columns at `at`. `None` for a code, or if a MAC does not verify.
fn live(keys: &Keyring, row: &Row, at: usize, grant: Option<Grant>) -> Result<Option<ActiveToken>> {
    if !ISSUED.is_genuine(keys, row, at)? {
        return Ok(None);
    }
    let kind = match row.get::<String>(at + 1)?.as_str() {
        "access" => TokenKind::Access,
        "refresh" => TokenKind::Refresh,
        _ => return Ok(None),
    };
    let audience = match (row.get::<Option<String>>(at + 10)?, row.get::<Option<i64>>(at + 11)?) {
        (Some(client), Some(generation)) => Some(ResourceAudience {
            resource: row.get(at + 6)?,
            client: ClientId(client),
            generation,
        }),
        _ => None,
    };
    Ok(Some(ActiveToken {
        kind,
        scope: row.get(at + 5)?,
        began: row.get(at + 7)?,
        good_until: row.get(at + 8)?,
        client: known_client(keys, row, at + ISSUED.width())?,
        grant,
        audience,
    }))
}

/// Records the time at which a token was last issued to the client, at most once per quarter of an hour.
pub(crate) async fn record_client_use(tx: &mut Tx, known: &RegisteredClient, now: i64) -> Result<()> {
    const GRAIN: i64 = 15 * 60 * 1_000_000;
    if known.last_use.is_some_and(|last| now - last < GRAIN) {
        return Ok(());
    }
    let sql = "INSERT INTO client_use (client, at) VALUES ($1,$2) ON CONFLICT (client) DO UPDATE SET at = excluded.at";
    tx.execute(sql, [known.id.as_str().into(), now.into()]).await.map(drop)
}
