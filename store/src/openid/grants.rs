//! Grants and tokens. A token is 256 random bits, of which the digest is kept; whether it is good is asked anew each time, of the grant,
//! the account and the client as they are in that moment.

use super::clients::{CLIENT_COLUMNS, CLIENT_USE, KnownClient, bearer, known_client};
use super::notices::signed_out;
use crate::db::{Arg, Row, Tx};
use crate::error::{Refusal, Result, StoreError};
use crate::explain::{MAY_BE_HELD, is_held};
use crate::journal::Env;
use crate::keyring::Place;
use crate::merkle::sha256;
use crate::store::Store;
use jiff::Timestamp;
use ngomon_rules::client::ClientId;
use ngomon_rules::record::{AccountId, AccountKind};
use ngomon_rules::values::local_day;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// An access token is good for so many microseconds.
pub(super) const ACCESS: i64 = 10 * 60 * 1_000_000;
/// Without use, a refresh token that outlives its session is good for so many microseconds; its grant ends in any case after [`LONGEST`].
pub(super) const REFRESH: i64 = 30 * 24 * 3_600 * 1_000_000;
/// A grant that outlives its session ends after so many microseconds (RFC 9700: "an absolute end").
pub(super) const LONGEST: i64 = 180 * 24 * 3_600 * 1_000_000;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Redeemed once, for tokens.
    Code,
    /// Shown to who is asked for something.
    Access,
    /// Redeemed once, for the next tokens.
    Refresh,
}

impl TokenKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }

    /// How such a token begins, so that a leaked one is recognised.
    fn prefix(self) -> &'static str {
        match self {
            Self::Code => "ngc_",
            Self::Access => "nga_",
            Self::Refresh => "ngr_",
        }
    }
}

/// What a client asked for when the grant began, besides scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// Goes into the ID token as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The `claims` parameter (OpenID Connect Core 5.5), as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<String>,
    /// Whom its access tokens are for (RFC 8707).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

/// One sign-in of one account to one client, in force.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Which.
    pub id: String,
    /// Whose.
    pub account: AccountId,
    /// What kind.
    pub kind: AccountKind,
    /// What the client calls the account.
    pub subject: String,
    /// The session, as the client knows it.
    pub sid: String,
    /// What the client may be told: words with spaces.
    pub scope: String,
    /// What else was asked for.
    pub given: Given,
    /// When the account's owner was proven: microseconds UTC.
    pub auth_time: i64,
    /// How (RFC 8176), words with spaces.
    pub amr: String,
    pub(super) good_until: i64,
    pub(super) outlives: bool,
}

/// Another client than the one that has the token: whom it is to be shown to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience {
    /// The resource, as it was asked for.
    pub resource: String,
    /// The client that bears it.
    pub client: ClientId,
    pub(super) generation: i64,
}

impl Audience {
    /// For a token of what was granted; who asks again asks for the same.
    pub(super) async fn of(tx: &mut Tx, granted: Option<&str>, asked: Option<&str>) -> Result<Option<Self>> {
        if let Some(other) = asked.filter(|_| asked != granted) {
            return Err(Refusal::UnknownResource(other.to_owned()).into());
        }
        let Some(resource) = granted else { return Ok(None) };
        let bearer = bearer(tx, resource).await?.filter(|bearer| bearer.enabled);
        let bearer = bearer.ok_or_else(|| Refusal::UnknownResource(resource.to_owned()))?;
        Ok(Some(Self {
            resource: resource.to_owned(),
            client: bearer.id,
            generation: bearer.generation,
        }))
    }
}

/// A token that is good in this moment.
#[derive(Clone, Debug)]
pub struct Live {
    /// What it is for.
    pub kind: TokenKind,
    /// The client that it was given to.
    pub client: KnownClient,
    /// What it is good for.
    pub scope: String,
    /// When it was given: microseconds UTC.
    pub began: i64,
    /// Until when it is good: microseconds UTC.
    pub good_until: i64,
    /// For whom; `None`: the client acts for itself.
    pub grant: Option<Grant>,
    /// Whom it may be shown to besides that client.
    pub audience: Option<Audience>,
}

pub(super) fn place(id: &str) -> Place<'_> {
    Place {
        table: "client_grant",
        column: "asked",
        row: id.as_bytes(),
    }
}

/// A new token of that kind, and its digest.
pub(super) fn draw(env: &Env, kind: TokenKind) -> (String, [u8; 32]) {
    let token = format!("{}{}", kind.prefix(), env.ambient.hex::<32>());
    let digest = sha256(&[token.as_bytes()]);
    (token, digest)
}

/// One row of `issued`.
pub(super) struct Issue<'a> {
    pub kind: TokenKind,
    pub digest: [u8; 32],
    pub known: &'a KnownClient,
    pub grant: Option<&'a str>,
    pub scope: &'a str,
    pub bound: &'a str,
    pub audience: Option<&'a Audience>,
    pub good_until: i64,
}

impl Issue<'_> {
    pub(super) fn row(&self, now: i64) -> Vec<Arg> {
        vec![
            self.digest.into(),
            self.kind.name().into(),
            self.known.id.as_str().into(),
            self.known.generation.into(),
            self.grant.into(),
            self.scope.into(),
            self.audience.map_or(self.bound, |audience| &audience.resource).into(),
            now.into(),
            self.good_until.into(),
            Arg::Int(None),
            self.audience.map(|audience| audience.client.as_str()).into(),
            self.audience.map(|audience| audience.generation).into(),
        ]
    }
}

const ISSUED: &str = "issued (id, kind, client, client_generation, client_grant, scope, bound, began, good_until, used, audience, \
     audience_generation)";

pub(super) async fn issue(tx: &mut Tx, rows: Vec<Vec<Arg>>) -> Result<()> {
    tx.insert(ISSUED, rows, "").await.map(drop)
}

/// The columns of a grant with what must be so for it to be in force: [`grant_of`] reads them.
fn in_force_columns() -> String {
    format!(
        "g.account, a.kind, g.sid, g.scope, g.asked, g.auth_time, g.amr, g.good_until, g.session, s.subject, g.id, {MAY_BE_HELD}"
    )
}

/// What ends a grant, all but holds and time: the account's generation, the client's, and the client's being disabled.
const IN_FORCE: &str = "JOIN account a ON a.id = g.account AND a.generation = g.generation \
     JOIN client c ON c.id = g.client AND c.generation = g.client_generation AND c.enabled = 1 \
     JOIN client_subject s ON s.client = g.client AND s.account = g.account";

/// What [`live`] reads of a token `i`, with its client.
const LIVE_COLUMNS: &str = "i.kind, i.scope, i.began, i.good_until, i.bound, i.audience, i.audience_generation";

/// A token that is for another client, too, is good while that client is what it was, and let in.
const FOR_AUDIENCE: &str = "(i.audience IS NULL OR EXISTS (SELECT 1 FROM client r WHERE r.id = i.audience \
     AND r.generation = i.audience_generation AND r.enabled = 1))";

/// The grant of a row whose columns begin at `at`, if nothing holds the account.
async fn grant_of(tx: &mut Tx, env: &Env, row: &Row, at: usize, now: Timestamp) -> Result<Option<Grant>> {
    let account: String = row.get(at)?;
    // A hold that follows from the policy and the day raises no generation, nor does one that a freeze suspended.
    if row.get::<i64>(at + 11)? > 0 && is_held(tx, &account, local_day(now)).await? {
        return Ok(None);
    }
    let (kind, id): (String, String) = (row.get(at + 1)?, row.get(at + 10)?);
    let asked = env.keys.unseal(place(&id), &row.get::<Vec<u8>>(at + 4)?)?;
    Ok(Some(Grant {
        account: AccountId(account),
        kind: AccountKind::parse(&kind).ok_or_else(|| StoreError::corrupt("account", "no such kind"))?,
        sid: row.get(at + 2)?,
        scope: row.get(at + 3)?,
        given: serde_json::from_slice(&asked).map_err(|e| StoreError::corrupt("client_grant", e))?,
        auth_time: row.get(at + 5)?,
        amr: row.get(at + 6)?,
        good_until: row.get(at + 7)?,
        outlives: row.get::<Option<Vec<u8>>>(at + 8)?.is_none(),
        subject: row.get(at + 9)?,
        id,
    }))
}

/// The grant, if nothing ended it: neither a hold nor a sign-out, nor the client's being disabled since it proved itself, nor time.
pub(super) async fn in_force(
    tx: &mut Tx,
    env: &Env,
    known: &KnownClient,
    id: &str,
    now: Timestamp,
) -> Result<Option<Grant>> {
    let sql = format!(
        "SELECT {} FROM client_grant g {IN_FORCE} WHERE g.id = $1 AND g.good_until > $2 AND c.generation = $3",
        in_force_columns()
    );
    let args = [id.into(), now.as_microsecond().into(), known.generation.into()];
    match tx.row(&sql, args).await? {
        Some(row) => grant_of(tx, env, &row, 0, now).await,
        None => Ok(None),
    }
}

pub(super) async fn end_grant(tx: &mut Tx, id: &str) -> Result<()> {
    for sql in [
        "DELETE FROM issued WHERE client_grant = $1",
        "DELETE FROM client_grant WHERE id = $1",
    ] {
        tx.execute(sql, [id.into()]).await?;
    }
    Ok(())
}

/// Who has a part in what is over: client, account and session, as the client knows it.
pub(crate) async fn part_in(
    tx: &mut Tx,
    which: &str,
    args: impl IntoIterator<Item = Arg>,
) -> Result<BTreeSet<[String; 3]>> {
    let sql = format!("SELECT client, account, sid FROM client_grant WHERE {which}");
    let rows = tx.rows(&sql, args).await?;
    rows.iter()
        .map(|row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))
        .collect()
}

/// Ends what is picked of an account, which must be locked, and tells the clients that had it.
pub(crate) async fn end_grants(tx: &mut Tx, env: &Env, which: &str, args: &[Arg]) -> Result<()> {
    let had = part_in(tx, which, args.to_vec()).await?;
    if !had.is_empty() {
        let sql = format!("DELETE FROM client_grant WHERE {which}");
        tx.execute(&sql, args.to_vec()).await?;
    }
    signed_out(tx, env, had).await
}

/// Its owner was proven anew: what hung on the session before hangs on the new one.
pub(crate) async fn move_grants(tx: &mut Tx, from: [u8; 32], to: [u8; 32]) -> Result<()> {
    let sql = "UPDATE client_grant SET session = $2 WHERE session = $1";
    tx.execute(sql, [from.into(), to.into()]).await.map(drop)
}

impl Store {
    /// What a token is good for in this moment; `None`: nothing.
    pub async fn token(&self, token: &str) -> Result<Option<Live>> {
        let (digest, now) = (sha256(&[token.as_bytes()]), self.now());
        let of_account = format!(
            "SELECT {}, {LIVE_COLUMNS}, {CLIENT_COLUMNS} FROM issued i JOIN client_grant g ON g.id = i.client_grant \
             AND g.good_until > $2 {IN_FORCE} {CLIENT_USE} WHERE i.id = $1 AND i.good_until > $2 AND i.used IS NULL AND {FOR_AUDIENCE}",
            in_force_columns()
        );
        let of_client = format!(
            "SELECT {LIVE_COLUMNS}, {CLIENT_COLUMNS} FROM issued i \
             JOIN client c ON c.id = i.client AND c.generation = i.client_generation AND c.enabled = 1 {CLIENT_USE} \
             WHERE i.id = $1 AND i.good_until > $2 AND i.client_grant IS NULL AND {FOR_AUDIENCE}"
        );
        self.db
            .ask(async |tx| {
                let args = || [digest.into(), now.as_microsecond().into()];
                if let Some(row) = tx.row(&of_account, args()).await? {
                    let grant = grant_of(tx, &self.env, &row, 0, now).await?;
                    return grant.map_or(Ok(None), |grant| live(&row, 12, Some(grant)));
                }
                let row = tx.row(&of_client, args()).await?;
                row.map_or(Ok(None), |row| live(&row, 0, None))
            })
            .await
    }

    /// A token with which the client acts for itself (RFC 6749, 4.4), towards that resource; `None`: it may not any more.
    pub async fn token_for_client(
        &self,
        known: &KnownClient,
        scope: &str,
        resource: Option<&str>,
    ) -> Result<Option<String>> {
        let (token, digest) = draw(&self.env, TokenKind::Access);
        let (now, known, scope) = (self.env.now(), known.clone(), scope.to_owned());
        let resource = resource.map(str::to_owned);
        let given = self
            .db
            .write(move |tx| {
                let (known, scope, resource) = (known.clone(), scope.clone(), resource.clone());
                Box::pin(async move {
                    let audience = Audience::of(tx, resource.as_deref(), None).await?;
                    let row = Issue {
                        kind: TokenKind::Access,
                        digest,
                        known: &known,
                        grant: None,
                        scope: &scope,
                        bound: "",
                        audience: audience.as_ref(),
                        good_until: now + ACCESS,
                    };
                    // To a client that is still what it was when it proved itself.
                    let sql = format!(
                        "INSERT INTO {ISSUED} SELECT $1,$2,c.id,c.generation,$5,$6,$7,$8,$9,$10,$11,$12 FROM client c \
                         WHERE c.id = $3 AND c.generation = $4 AND c.enabled = 1"
                    );
                    if tx.execute(&sql, row.row(now)).await? == 0 {
                        return Ok(false);
                    }
                    used(tx, &known, now).await?;
                    Ok(true)
                })
            })
            .await?;
        Ok(given.then_some(token))
    }

    /// Ends what the client gives back (RFC 7009): an access token alone, a refresh token with all of its family.
    pub async fn revoke(&self, known: &KnownClient, token: &str) -> Result<()> {
        let (digest, client) = (sha256(&[token.as_bytes()]), known.id.clone());
        self.db
            .write(move |tx| {
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

/// A token of a row whose columns begin at `at`; a code is none.
fn live(row: &Row, at: usize, grant: Option<Grant>) -> Result<Option<Live>> {
    let kind = match row.get::<String>(at)?.as_str() {
        "access" => TokenKind::Access,
        "refresh" => TokenKind::Refresh,
        _ => return Ok(None),
    };
    let audience = match (row.get::<Option<String>>(at + 5)?, row.get::<Option<i64>>(at + 6)?) {
        (Some(client), Some(generation)) => Some(Audience {
            resource: row.get(at + 4)?,
            client: ClientId(client),
            generation,
        }),
        _ => None,
    };
    Ok(Some(Live {
        kind,
        scope: row.get(at + 1)?,
        began: row.get(at + 2)?,
        good_until: row.get(at + 3)?,
        client: known_client(row, at + 7)?,
        grant,
        audience,
    }))
}

/// Notes when a client was last given anything, to the quarter of an hour.
pub(super) async fn used(tx: &mut Tx, known: &KnownClient, now: i64) -> Result<()> {
    const GRAIN: i64 = 15 * 60 * 1_000_000;
    if known.last_use.is_some_and(|last| now - last < GRAIN) {
        return Ok(());
    }
    let sql = "INSERT INTO client_use (client, at) VALUES ($1,$2) ON CONFLICT (client) DO UPDATE SET at = excluded.at";
    tx.execute(sql, [known.id.as_str().into(), now.into()]).await.map(drop)
}
