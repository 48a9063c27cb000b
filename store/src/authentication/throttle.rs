//! Rate limits: they stop attackers, not owners. An attempt is counted before it is checked, so that parallel attempts do not evade the
//! limit. It is given back if it was right, or if the program failed. Counts are in the database, so that all servers of one installation
//! share them.
//!
//! ```text
//!   attempt ── counted ──▶ right ─────▶ given back
//!                    ├───▶ our fault ─▶ given back, by the next attempt if the database is away
//!                    └───▶ wrong ─────▶ stays until the window ends
//! ```

use crate::boxed;
use crate::context::StoreContext;
use crate::error::Result;
use crate::store::Store;
use crate::tables::attempts::{Window, take_all};
use ngomon_rules::records::AccountId;
use std::sync::PoisonError;

/// A limit on the number of attempts within a window of time.
#[derive(Clone, Copy, Debug)]
pub struct RateLimit {
    /// What is counted, for example `sign-in`.
    pub what: &'static str,
    /// Number of attempts in a window.
    pub times: i64,
    /// Length of the window in seconds.
    pub seconds: i64,
}

/// The party that a limit counts. What one of them uses up is not taken from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requester {
    /// An unknown visitor at that address.
    Stranger(String),
    /// A browser in which the account's owner signed in before.
    Browser(String),
    /// The owner, signed in.
    Session(AccountId),
}

impl Requester {
    /// Whether anybody could be this party.
    pub fn is_stranger(&self) -> bool {
        matches!(self, Self::Stranger(_))
    }

    fn key(&self) -> [&str; 2] {
        match self {
            Self::Stranger(address) => ["address", address],
            Self::Browser(browser) => ["browser", browser],
            Self::Session(account) => ["account", account.as_str()],
        }
    }
}

/// A limit together with the key that it counts.
#[derive(Clone, Debug)]
pub struct KeyedLimit {
    limit: RateLimit,
    key: Vec<String>,
}

/// The result of an attempt under limits.
#[derive(Debug, PartialEq, Eq)]
pub enum TryResult<R, W = ()> {
    /// It was right, and does not count.
    Right(R),
    /// It was wrong; the number of attempts left.
    Wrong(W, i64),
    /// A limit was used up: the attempt was not checked.
    TooOften,
}

impl RateLimit {
    /// The limit for this key.
    pub fn of(self, key: &[&str]) -> KeyedLimit {
        let key = key.iter().map(|part| (*part).to_owned()).collect();
        KeyedLimit { limit: self, key }
    }

    /// The limit for this key, counted for each party by itself.
    pub fn by(self, who: &Requester, key: &[&str]) -> KeyedLimit {
        self.of(&[&who.key()[..], key].concat())
    }

    fn bucket(self, ctx: &StoreContext, who: &[&str]) -> [u8; 32] {
        let mut parts: Vec<&[u8]> = vec![b"attempt", self.what.as_bytes()];
        parts.extend(who.iter().map(|part| part.as_bytes()));
        ctx.keys.mac(&parts)
    }

    pub(crate) fn count(self, ctx: &StoreContext, who: &[&str]) -> Window {
        let span = ctx.environment.now().as_second().div_euclid(self.seconds);
        Window {
            bucket: self.bucket(ctx, who),
            span,
            good_until: (span + 1) * self.seconds * 1_000_000,
            times: self.times,
        }
    }
}

impl KeyedLimit {
    pub(crate) fn count(&self, ctx: &StoreContext) -> Window {
        let key: Vec<&str> = self.key.iter().map(String::as_str).collect();
        self.limit.count(ctx, &key)
    }
}

impl Store {
    /// Runs an attempt under all these limits. `work` checks it: `Ok` is right, `Err` is wrong. It runs only if all limits allow it.
    pub async fn tried<R, W>(
        &self,
        limits: &[KeyedLimit],
        work: impl Future<Output = Result<std::result::Result<R, W>>>,
    ) -> Result<TryResult<R, W>> {
        let Some(left) = self.take(limits).await? else {
            return Ok(TryResult::TooOften);
        };
        match work.await {
            Ok(Err(wrong)) => Ok(TryResult::Wrong(wrong, left)),
            Ok(Ok(right)) => {
                self.give_back(limits).await?;
                Ok(TryResult::Right(right))
            }
            Err(fault) => {
                // The original error is returned; an attempt that cannot be given back now is given back later.
                self.give_back(limits).await.ok();
                Err(fault)
            }
        }
    }

    /// Whether all these limits allow another attempt. Counts nothing.
    #[boxed]
    pub async fn has_room(&self, limits: &[KeyedLimit]) -> Result<bool> {
        let counts: Vec<Window> = limits.iter().map(|counted| counted.count(&self.ctx)).collect();
        self.db
            .query(async |tx| {
                for count in counts {
                    if !count.has_room(tx).await? {
                        return Ok(false);
                    }
                }
                Ok(true)
            })
            .await
    }

    /// Whether an attempt was counted under that limit in the current window.
    #[boxed]
    pub async fn was_tried(&self, limit: &KeyedLimit) -> Result<bool> {
        let count = limit.count(&self.ctx);
        Ok(self.db.query(async |tx| count.read(tx).await).await? > 0)
    }

    /// Counts one more of each limit. `Some(left)` is the smallest number left; `None` if one limit is used up, and nothing was counted.
    #[boxed]
    pub async fn take(&self, limits: &[KeyedLimit]) -> Result<Option<i64>> {
        let counts: Vec<Window> = limits.iter().map(|counted| counted.count(&self.ctx)).collect();
        let owed = std::mem::take(&mut *self.owed.lock().unwrap_or_else(PoisonError::into_inner));
        let paid = owed.clone();
        let taken = self
            .db
            .transaction(move |tx| {
                let (counts, paid) = (counts.clone(), paid.clone());
                Box::pin(async move {
                    for count in paid {
                        count.give_back(tx).await?;
                    }
                    take_all(tx, &counts).await
                })
            })
            .await;
        if taken.is_err() {
            self.owe(owed);
        }
        taken
    }

    /// Counts one more attempt of `who`. `Some(left)` is the number left; `None` if it is one too many.
    #[boxed]
    pub async fn attempt(&self, limit: RateLimit, who: &[&str]) -> Result<Option<i64>> {
        self.take(&[limit.of(who)]).await
    }

    /// Gives an attempt back because it was right. While the database is away, it is owed, and the next attempt settles it.
    #[boxed]
    pub async fn give_back(&self, limits: &[KeyedLimit]) -> Result<()> {
        let counts: Vec<Window> = limits.iter().map(|counted| counted.count(&self.ctx)).collect();
        let owed = counts.clone();
        let given = self
            .db
            .transaction(move |tx| {
                let counts = counts.clone();
                Box::pin(async move {
                    for count in counts {
                        count.give_back(tx).await?;
                    }
                    Ok(())
                })
            })
            .await;
        if given.is_err() {
            self.owe(owed);
        }
        given
    }

    fn owe(&self, counts: Vec<Window>) {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner).extend(counts);
    }

    /// Consumes something that counts once: `true` the first time, until `good_until` (microseconds UTC) has passed.
    #[boxed]
    pub async fn consume_nonce(&self, what: &'static str, id: &[&str], good_until: i64) -> Result<bool> {
        let (bucket, now) = (noted(what).bucket(&self.ctx, id), self.ctx.now());
        let n = self
            .db
            .transaction(move |tx| {
                Box::pin(async move {
                    let sql = "INSERT INTO attempt (bucket, span, n, good_until) VALUES ($1,0,1,$2) \
                         ON CONFLICT (bucket, span) DO UPDATE SET good_until = excluded.good_until WHERE attempt.good_until < $3";
                    tx.execute(sql, [bucket.into(), good_until.into(), now.into()]).await
                })
            })
            .await?;
        Ok(n > 0)
    }

    /// Whether something was consumed and has not expired.
    #[boxed]
    pub async fn is_noted(&self, what: &'static str, id: &[&str]) -> Result<bool> {
        let (bucket, now) = (noted(what).bucket(&self.ctx, id), self.ctx.now());
        let sql = "SELECT n FROM attempt WHERE bucket = $1 AND span = 0 AND good_until >= $2";
        let row = self
            .db
            .query(async |tx| tx.row(sql, [bucket.into(), now.into()]).await)
            .await?;
        Ok(row.is_some())
    }
}

fn noted(what: &'static str) -> RateLimit {
    RateLimit {
        what,
        times: 1,
        seconds: 1,
    }
}
