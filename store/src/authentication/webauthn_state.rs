//! Ceremonies: the state between two steps, such as a WebAuthn challenge and the device's response, or two pages of a sign-in. It is stored
//! only here, can be used once, for minutes, for one purpose and by the owner who began it. The keys alone cannot forge it.

use crate::boxed;
use crate::context::StoreContext;
use crate::crypto::keyring::AssociatedData;
use crate::db::Tx;
use crate::error::Result;
use crate::store::Store;

/// Lifetime of a ceremony: 5 minutes in microseconds.
const GOOD: i64 = 5 * 60 * 1_000_000;

/// Time in which a browser may request the same code again: 30 minutes in microseconds.
const ASKED: i64 = 30 * 60 * 1_000_000;

/// The purpose of a ceremony, and its owner.
#[derive(Clone, Copy, Debug)]
pub enum Ceremony<'a> {
    /// Signing in: the account is not known yet.
    SignIn,
    /// A second factor for the session with that token.
    StepUp(&'a str),
    /// Another passkey for the owner of the session with that token.
    Add(&'a str),
    /// The next page of a sign-in, in the browser that holds that secret.
    Step {
        /// The step.
        step: &'static str,
        /// The browser's secret.
        browser: &'a str,
    },
}

impl Ceremony<'_> {
    /// The key of the row. It depends on purpose and session: for another purpose or session there is no such row.
    fn row(self, ctx: &StoreContext, name: &str) -> [u8; 32] {
        let (what, session) = match self {
            Self::SignIn => ("sign-in", ""),
            Self::StepUp(session) => ("step-up", session),
            Self::Add(session) => ("add", session),
            Self::Step { step, browser } => {
                return ctx
                    .keys
                    .mac(&["ceremony", "step", step, browser, name].map(str::as_bytes));
            }
        };
        let parts = ["ceremony", what, session, name].map(str::as_bytes);
        ctx.keys.ticket_mac(&parts)
    }
}

/// Associated data of the encryption: the state decrypts only in its own row and with its own expiry.
fn place(row: &[u8]) -> AssociatedData<'_> {
    AssociatedData {
        table: "ceremony",
        column: "sealed",
        row,
    }
}

fn row_of(id: &[u8; 32], good_until: i64) -> Vec<u8> {
    [&id[..], &good_until.to_be_bytes()].concat()
}

/// Stores a state under an id, for `good_for` microseconds.
pub(crate) async fn remember(tx: &mut Tx, ctx: &StoreContext, id: [u8; 32], good_for: i64, state: &str) -> Result<()> {
    let good_until = ctx.now() + good_for;
    let row = row_of(&id, good_until);
    let sealed = ctx.keys.encrypt(place(&row), state.as_bytes(), &ctx.environment);
    let sql = "INSERT INTO ceremony (id, sealed, good_until) VALUES ($1,$2,$3)";
    let args = [id.into(), sealed.into(), good_until.into()];
    tx.execute(sql, args).await.map(drop)
}

/// The state under an id; `None` if it is missing or has expired.
pub(crate) async fn recall(tx: &mut Tx, ctx: &StoreContext, id: [u8; 32]) -> Result<Option<String>> {
    let sql = "SELECT sealed, good_until FROM ceremony WHERE id = $1 AND good_until > $2";
    opened(tx, ctx, id, sql).await
}

/// The same, and deletes it.
pub(crate) async fn recall_once(tx: &mut Tx, ctx: &StoreContext, id: [u8; 32]) -> Result<Option<String>> {
    let sql = "DELETE FROM ceremony WHERE id = $1 AND good_until > $2 RETURNING sealed, good_until";
    opened(tx, ctx, id, sql).await
}

async fn opened(tx: &mut Tx, ctx: &StoreContext, id: [u8; 32], sql: &str) -> Result<Option<String>> {
    let Some(row) = tx.row(sql, [id.into(), ctx.now().into()]).await? else {
        return Ok(None);
    };
    let place_of = row_of(&id, row.get(1)?);
    let state = ctx.keys.decrypt(place(&place_of), &row.get::<Vec<u8>>(0)?)?;
    Ok(Some(String::from_utf8_lossy(&state).into_owned()))
}

impl Store {
    /// Begins a ceremony with that state. Returns its name, which the browser sends back.
    pub async fn begin_ceremony(&self, what: Ceremony<'_>, state: &str) -> Result<String> {
        let name = self.ctx.environment.hex::<16>();
        self.remember(what.row(&self.ctx, &name), GOOD, state).await?;
        Ok(name)
    }

    /// Ends a ceremony and returns its state, once. `None` if it has expired, or belongs to another purpose or owner.
    pub async fn end_ceremony(&self, what: Ceremony<'_>, name: &str) -> Result<Option<String>> {
        let (ctx, id) = (self.ctx.clone(), what.row(&self.ctx, name));
        self.db
            .transaction(move |tx| {
                let ctx = ctx.clone();
                Box::pin(async move { recall_once(tx, &ctx, id).await })
            })
            .await
    }

    /// Stores the name for which this browser requested a code, so that it can request the code again without typing it.
    #[boxed]
    pub async fn remember_asked(&self, browser: &str, name: &str) -> Result<()> {
        self.remember(self.asked_row(browser), ASKED, name).await
    }

    /// The name for which this browser requested a code; `None` if it requested none, or too long ago.
    #[boxed]
    pub async fn asked(&self, browser: &str) -> Result<Option<String>> {
        let id = self.asked_row(browser);
        self.db.query(async |tx| recall(tx, &self.ctx, id).await).await
    }

    fn asked_row(&self, browser: &str) -> [u8; 32] {
        self.ctx.keys.ticket_mac(&["code asked", browser].map(str::as_bytes))
    }

    async fn remember(&self, id: [u8; 32], good_for: i64, state: &str) -> Result<()> {
        let (ctx, state) = (self.ctx.clone(), state.to_owned());
        self.db
            .transaction(move |tx| {
                let (ctx, state) = (ctx.clone(), state.clone());
                Box::pin(async move { remember(tx, &ctx, id, good_for, &state).await })
            })
            .await
    }
}
