//! Beginning and using a session.

use crate::boxed;
use crate::context::StoreContext;
use crate::crypto::merkle::sha256;
use crate::db::Tx;
use crate::db::bound::SESSION;
use crate::db::columns::day_of;
use crate::error::{Refusal, Result, StoreError};
use crate::sessions::factor::{Factor, TwoFactorProof};
use crate::sessions::rows::{GRAIN, LONGEST, ValidSession, find_valid_session, idle, keep_next, kind_of, place};
use crate::sessions::session::{Session, SessionSummary, SessionToken};
use crate::sessions::sign_in_record::signed_in;
use crate::store::Store;
use crate::tables::holds::is_held;
use jiff::Timestamp;
use ngomon_rules::records::{AccountId, AccountKind};
use ngomon_rules::values::local_day;
use std::collections::BTreeSet;

impl Store {
    /// Generates an unpredictable token.
    pub fn new_token(&self) -> SessionToken {
        SessionToken(self.ctx.environment.hex::<32>())
    }

    /// Begins a session after the right password: a full one, or a held visit if something holds the account.
    #[boxed]
    pub async fn begin_session(&self, account: &AccountId) -> Result<SessionToken> {
        self.begin_session_by(account, Factor::Password, self.now()).await
    }

    /// The same after authentication by `factor` at that time; refused if the password was changed since then.
    #[boxed]
    pub async fn begin_session_by(&self, account: &AccountId, factor: Factor, at: Timestamp) -> Result<SessionToken> {
        if account.operator().is_some() {
            return Err(Refusal::NeedsSecondFactor.into());
        }
        self.insert_session(account, factor.amr(), at).await
    }

    /// The same after two factors, the only way for an operator.
    #[boxed]
    pub async fn begin_proven_session(&self, proven: TwoFactorProof) -> Result<SessionToken> {
        self.insert_session(&proven.account, proven.amr, self.now()).await
    }

    /// The same for a visitor with a session: its authentication methods and a deferred form carry over.
    #[boxed]
    pub async fn step_up(&self, proven: TwoFactorProof, before: &Session) -> Result<SessionToken> {
        let shown: BTreeSet<&str> = before.amr.split(' ').chain(proven.amr.split(' ')).collect();
        let amr: Vec<&str> = shown.into_iter().collect();
        let token = self.insert_session(&proven.account, &amr.join(" "), self.now()).await?;
        if before.put_off {
            self.put_off(token.as_str()).await?;
        }
        Ok(token)
    }

    async fn insert_session(&self, account: &AccountId, amr: &str, at: Timestamp) -> Result<SessionToken> {
        let token = self.new_token();
        let amr = amr.to_owned();
        let id = sha256(&[token.0.as_bytes()]);
        let (ctx, account) = (self.ctx.clone(), account.clone());
        self.db
            .transaction(move |tx| {
                let (ctx, account, amr) = (ctx.clone(), account.clone(), amr.clone());
                Box::pin(async move { begin(tx, &ctx, id, &account, at.as_microsecond(), &amr).await })
            })
            .await?;
        Ok(token)
    }

    /// The session with that token, if it is valid. Counts as a click.
    #[boxed]
    pub async fn session(&self, token: &str) -> Result<Option<Session>> {
        let (id, now) = (sha256(&[token.as_bytes()]), self.now());
        let found = self
            .db
            .query(async |tx| find_valid_session(tx, &self.ctx.keys, &id, now).await)
            .await?;
        let Some(ValidSession { session, seen, .. }) = found else {
            return Ok(None);
        };
        if now.as_microsecond() - seen > GRAIN {
            self.db
                .transaction(move |tx| {
                    Box::pin(async move {
                        let sql = "UPDATE session SET seen = $2 WHERE id = $1";
                        tx.execute(sql, [id.into(), now.as_microsecond().into()]).await
                    })
                })
                .await?;
        }
        Ok(Some(session))
    }

    /// Whether that session is still valid. Does not count as a click.
    #[boxed]
    pub async fn is_open(&self, token: &str) -> Result<bool> {
        let (id, now) = (sha256(&[token.as_bytes()]), self.now());
        let found = self
            .db
            .query(async |tx| find_valid_session(tx, &self.ctx.keys, &id, now).await)
            .await?;
        Ok(found.is_some())
    }

    /// Defers the form for the rest of this session.
    #[boxed]
    pub async fn put_off(&self, token: &str) -> Result<()> {
        self.on_session("UPDATE session SET put_off = 1 WHERE id = $1", token)
            .await
    }

    async fn on_session(&self, sql: &'static str, token: &str) -> Result<()> {
        let id = sha256(&[token.as_bytes()]);
        self.db
            .transaction(move |tx| Box::pin(async move { tx.execute(sql, [id.into()]).await.map(drop) }))
            .await
    }

    /// The open sessions of an account, the newest first. `token` is that of the requesting session.
    #[boxed]
    pub async fn sessions(&self, account: &AccountId, token: &str) -> Result<Vec<SessionSummary>> {
        let this = sha256(&[token.as_bytes()]);
        let now = self.now().as_microsecond();
        self.db
            .read(async |tx| {
                let sql = "SELECT s.began, s.seen, a.kind, s.id, s.device FROM session s JOIN account a ON a.id = s.account AND a.generation = s.generation \
                     WHERE s.account = $1 AND s.began > $2 ORDER BY s.began DESC";
                let mut open = Vec::new();
                for row in tx.rows(sql, [account.as_str().into(), (now - LONGEST).into()]).await? {
                    let (began, seen) = (row.get(0)?, row.get(1)?);
                    if now - seen < idle(kind_of(&row.get::<String>(2)?)?) {
                        let is_this = row.get::<Vec<u8>>(3)? == this;
                        open.push(SessionSummary {
                            began,
                            seen,
                            device: row.get(4)?,
                            is_this,
                        });
                    }
                }
                Ok(open)
            })
            .await
    }

    /// Records the browser and the system with which a session was started.
    #[boxed]
    pub async fn note_device(&self, token: &str, device: &str) -> Result<()> {
        let (id, device) = (sha256(&[token.as_bytes()]), device.to_owned());
        self.db
            .transaction(move |tx| {
                let device = device.clone();
                Box::pin(async move {
                    let sql = "UPDATE session SET device = $2 WHERE id = $1";
                    tx.execute(sql, [id.into(), device.into()]).await.map(drop)
                })
            })
            .await
    }

    /// Stores the address to which the session's owner returns after signing in.
    #[boxed]
    pub async fn set_next(&self, token: &str, next: &str) -> Result<()> {
        let (ctx, id, next) = (self.ctx.clone(), sha256(&[token.as_bytes()]), next.to_owned());
        self.db
            .transaction(move |tx| {
                let (ctx, next) = (ctx.clone(), next.clone());
                Box::pin(async move { keep_next(tx, &ctx, id, next.as_bytes()).await })
            })
            .await
    }

    /// The address to which the session's owner returns.
    #[boxed]
    pub async fn next(&self, token: &str) -> Result<Option<String>> {
        let id = sha256(&[token.as_bytes()]);
        let sql = "SELECT next FROM session WHERE id = $1 AND next IS NOT NULL";
        let row = self.db.query(async |tx| tx.row(sql, [id.into()]).await).await?;
        let Some(row) = row else { return Ok(None) };
        let next = self.ctx.keys.decrypt(place(&id), &row.get::<Vec<u8>>(0)?)?;
        Ok(Some(String::from_utf8_lossy(&next).into_owned()))
    }

    /// The same, and clears it.
    #[boxed]
    pub async fn take_next(&self, token: &str) -> Result<Option<String>> {
        let Some(next) = self.next(token).await? else {
            return Ok(None);
        };
        self.on_session("UPDATE session SET next = NULL WHERE id = $1", token)
            .await?;
        Ok(Some(next))
    }
}

/// Begins a session whose owner authenticated at `began`: a full one, or a held visit if something holds the account.
pub(crate) async fn begin(
    tx: &mut Tx,
    ctx: &StoreContext,
    id: [u8; 32],
    account: &AccountId,
    began: i64,
    amr: &str,
) -> Result<()> {
    let now = ctx.environment.now();
    let sql = "SELECT generation, kind, last_sign_in_on FROM account_row WHERE id = $1";
    let row = tx.rows_for_update(sql, [account.as_str().into()]).await?;
    let row = row
        .first()
        .ok_or_else(|| StoreError::corrupt("account", "it is gone"))?;
    let sql = "SELECT l.changed FROM account_row a JOIN login l ON l.id = a.login WHERE a.id = $1";
    let changed = tx
        .row(sql, [account.as_str().into()])
        .await?
        .map(|row| row.get::<i64>(0));
    if changed.transpose()?.is_some_and(|changed| changed > began) {
        return Err(Refusal::NewPassword(account.0.clone()).into());
    }
    let held = is_held(tx, account.as_str(), local_day(now)).await?;
    if !held && row.get::<String>(1)? == AccountKind::Official.name() {
        let last = row.get::<Option<String>>(2)?.unwrap_or_default();
        signed_in(tx, ctx, account, day_of(&last)?).await?;
    }
    let sid = ctx.environment.uuid().to_string();
    let cells = vec![
        id.into(),
        account.as_str().into(),
        held.into(),
        row.get::<i64>(0)?.into(),
        began.into(),
        sid.into(),
        amr.into(),
    ];
    let mut row = SESSION.row(&ctx.keys, cells);
    row.push(now.as_microsecond().into());
    tx.execute(
        "INSERT INTO session (id, account, held, generation, began, sid, amr, mac, seen, put_off) \
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,0)",
        row,
    )
    .await
    .map(drop)
}
