//! Ceremonies of passkeys: what must be remembered between our challenge and the device's answer. It is nowhere but here, good once, for
//! minutes, for one thing and for whoever began it.

use crate::error::Result;
use crate::journal::Env;
use crate::keyring::Place;
use crate::store::Store;

/// How long a ceremony may last: microseconds.
const GOOD: i64 = 5 * 60 * 1_000_000;

/// What a ceremony is for, and who began it.
#[derive(Clone, Copy, Debug)]
pub enum Ceremony<'a> {
    /// Signing in: nobody knows yet who it is.
    SignIn,
    /// A second factor for the session of that token.
    StepUp(&'a str),
    /// Another passkey for the owner of the session of that token.
    Add(&'a str),
}

impl Ceremony<'_> {
    /// The key of its row: under another purpose, or for another session, there is no such row.
    fn row(self, env: &Env, name: &str) -> [u8; 32] {
        let (what, session) = match self {
            Self::SignIn => ("sign-in", ""),
            Self::StepUp(session) => ("step-up", session),
            Self::Add(session) => ("add", session),
        };
        let parts = ["ceremony", what, session, name].map(str::as_bytes);
        env.keys.mac(&parts)
    }
}

fn place(id: &[u8; 32]) -> Place<'_> {
    Place {
        table: "ceremony",
        column: "sealed",
        row: id,
    }
}

impl Store {
    /// Remembers the state of a ceremony. Returns its name, which the browser brings back.
    pub async fn begin_ceremony(&self, what: Ceremony<'_>, state: &str) -> Result<String> {
        let name = self.env.ambient.hex::<16>();
        let id = what.row(&self.env, &name);
        let sealed = self.env.keys.seal(place(&id), state.as_bytes(), &self.env.ambient);
        let good_until = self.env.now() + GOOD;
        self.db
            .write(move |tx| {
                let sealed = sealed.clone();
                Box::pin(async move {
                    let sql = "INSERT INTO ceremony (id, sealed, good_until) VALUES ($1,$2,$3)";
                    let args = [id.into(), sealed.into(), good_until.into()];
                    tx.execute(sql, args).await.map(drop)
                })
            })
            .await?;
        Ok(name)
    }

    /// The state of a ceremony, once; `None`: it is over, for something else, or somebody else's.
    pub async fn end_ceremony(&self, what: Ceremony<'_>, name: &str) -> Result<Option<String>> {
        let (id, now) = (what.row(&self.env, name), self.env.now());
        let row = self
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let sql = "DELETE FROM ceremony WHERE id = $1 AND good_until > $2 RETURNING sealed";
                    tx.row(sql, [id.into(), now.into()]).await
                })
            })
            .await?;
        let Some(row) = row else { return Ok(None) };
        let state = self.env.keys.unseal(place(&id), &row.get::<Vec<u8>>(0)?)?;
        Ok(Some(String::from_utf8_lossy(&state).into_owned()))
    }
}
