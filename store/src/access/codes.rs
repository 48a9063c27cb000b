//! One-time codes: some digits to a telephone or a mailbox, good once, for five minutes and five tries, for whoever asked only.
//!
//! ```text
//!   sent ── the right digits ──▶ used
//!     ├──── 5 min, 5 wrong tries ──▶ over
//!     └──── sent again ──▶ sent, with other digits
//! ```

use super::attempts::Limit;
use crate::db::Tx;
use crate::error::Result;
use crate::journal::Env;
use crate::merkle::sha256;
use crate::messages::{Reach, tell};
use crate::store::Store;

/// How long a code is good: microseconds.
const GOOD: i64 = 5 * 60 * 1_000_000;
/// How often it may be typed.
const TRIES: i64 = 5;
/// How many digits it has.
const SHORT: u32 = 6;
/// How many it has once so many wrong ones were typed for the same in thirty days, wherever: guessing on leads nowhere, and the owner is not
/// locked out by it.
const LONG: u32 = 12;
const GUESSES: Limit = Limit {
    what: "code-guess",
    times: 100,
    seconds: 30 * 86_400,
};

/// What a code is for. A code for one thing is none for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Signing in to an account without a password.
    SignIn,
    /// The last step of a form: the typed phone is in the sender's hand.
    Form,
    /// Setting another password.
    Reset,
    /// Joining an account without a password to another one.
    Join,
    /// Being told which fields differ: the registry's phone is in the sender's hand.
    Fields,
    /// Opening an account that was not used for long: its phone or mailbox is still in the owner's hand.
    Idle,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Form => "form",
            Self::Reset => "reset",
            Self::Join => "join",
            Self::Fields => "fields",
            Self::Idle => "idle",
        }
    }
}

/// One code to be sent: for what, to where. Without a place to reach, nothing is sent, and the same is written.
#[derive(Clone)]
pub struct CodeFor {
    /// An account, or what else it is good for; empty: nothing. Stands in the table as it is.
    pub subject: String,
    /// Where its owner is reached.
    pub reach: Option<Reach>,
}

/// What came of typing a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// It was right, for these subjects.
    Right(Vec<String>),
    /// It was not; so many tries are left.
    Wrong(i64),
    /// No code is waiting: too late, too often, or never sent.
    Over,
}

impl Store {
    /// Sends a code to each, in place of those sent before. `holder` is what the browser keeps: a session's token or a ticket's.
    /// `text` says what the message says around the digits.
    pub async fn send_codes(
        &self,
        holder: &str,
        purpose: Purpose,
        to: &[CodeFor],
        text: impl Fn(&str) -> String,
    ) -> Result<()> {
        let env = self.env.clone();
        let holder = sha256(&[holder.as_bytes()]);
        let mut drawn = Vec::with_capacity(to.len());
        for one in to {
            let guesses = GUESSES.count(&env, &[&one.subject]);
            let guessed_at = self.db.ask(async |tx| guesses.read(tx).await).await? >= GUESSES.times;
            let length = if guessed_at { LONG } else { SHORT };
            let number = u64::from_be_bytes(env.ambient.bytes()) % 10_u64.pow(length);
            let digits = format!("{number:0width$}", width = length as usize);
            let text = text(&digits);
            drawn.push((one.clone(), digits, text));
        }
        self.db
            .write(move |tx| {
                let (env, drawn) = (env.clone(), drawn.clone());
                Box::pin(async move { send(tx, &env, holder, purpose, &drawn).await })
            })
            .await
    }

    /// Tries a code. The right one is used up, and so are all that were sent with it.
    pub async fn try_code(&self, holder: &str, purpose: Purpose, digits: &str) -> Result<Typed> {
        let env = self.env.clone();
        let holder = sha256(&[holder.as_bytes()]);
        let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
        self.db
            .write(move |tx| {
                let (env, digits) = (env.clone(), digits.clone());
                Box::pin(async move { judge(tx, &env, holder, purpose, &digits).await })
            })
            .await
    }
}

/// Over the digits and everything that they are good for.
fn keyed(env: &Env, holder: [u8; 32], purpose: Purpose, subject: &str, digits: &str) -> [u8; 32] {
    let parts: [&[u8]; 5] = [
        b"one-time code",
        &holder,
        purpose.name().as_bytes(),
        subject.as_bytes(),
        digits.as_bytes(),
    ];
    env.keys.mac(&parts)
}

async fn forget(tx: &mut Tx, holder: [u8; 32], purpose: Purpose) -> Result<()> {
    let sql = "DELETE FROM one_time_code WHERE holder = $1 AND purpose = $2";
    tx.execute(sql, [holder.into(), purpose.name().into()]).await.map(drop)
}

async fn send(
    tx: &mut Tx,
    env: &Env,
    holder: [u8; 32],
    purpose: Purpose,
    drawn: &[(CodeFor, String, String)],
) -> Result<()> {
    forget(tx, holder, purpose).await?;
    for (one, digits, text) in drawn {
        // Nobody's code is one that no digits give.
        let code = match one.reach {
            Some(_) => keyed(env, holder, purpose, &one.subject, digits),
            None => env.ambient.bytes(),
        };
        tx.execute(
            // Sent twice at once, by a double click: the later code counts.
            "INSERT INTO one_time_code (holder, purpose, subject, code, tries, good_until) VALUES ($1,$2,$3,$4,0,$5) \
             ON CONFLICT (holder, purpose, subject) DO UPDATE SET code = excluded.code, tries = 0, good_until = excluded.good_until",
            [
                holder.into(),
                purpose.name().into(),
                one.subject.as_str().into(),
                code.into(),
                (env.now() + GOOD).into(),
            ],
        )
        .await?;
        if let Some(reach) = &one.reach {
            tell(tx, env, reach, text).await?;
        }
    }
    Ok(())
}

async fn judge(tx: &mut Tx, env: &Env, holder: [u8; 32], purpose: Purpose, digits: &str) -> Result<Typed> {
    let sql = "SELECT subject, code, tries, good_until FROM one_time_code WHERE holder = $1 AND purpose = $2 ORDER BY subject";
    let waiting = tx.rows_locked(sql, [holder.into(), purpose.name().into()]).await?;
    let (mut right, mut wrong, mut left) = (Vec::new(), Vec::new(), 0);
    for row in &waiting {
        let subject: String = row.get(0)?;
        let [tries, good_until]: [i64; 2] = [row.get(2)?, row.get(3)?];
        if good_until < env.now() || tries >= TRIES {
            continue;
        }
        left = left.max(TRIES - tries - 1);
        // Compared as keyed digests: how long that takes tells nothing of the digits.
        if keyed(env, holder, purpose, &subject, digits)[..] == row.get::<Vec<u8>>(1)?[..] {
            right.push(subject);
        } else if !subject.is_empty() {
            wrong.push(subject);
        }
    }
    if !right.is_empty() {
        forget(tx, holder, purpose).await?;
        return Ok(Typed::Right(right));
    }
    for subject in &wrong {
        GUESSES.count(env, &[subject]).add(tx).await?;
    }
    if left == 0 {
        forget(tx, holder, purpose).await?;
        return Ok(Typed::Over);
    }
    let sql = "UPDATE one_time_code SET tries = tries + 1 WHERE holder = $1 AND purpose = $2";
    tx.execute(sql, [holder.into(), purpose.name().into()]).await?;
    Ok(Typed::Wrong(left))
}
