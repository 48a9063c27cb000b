//! Limits. They stop who is wrong, not who is right: a try is counted before it is judged, so that many at once are no way round, and is
//! given back where it was right or where the fault was ours. Counted in the database, so that all servers of one installation count together.
//!
//! ```text
//!   a try ── counted ──▶ right ─────▶ given back
//!                  ├───▶ our fault ─▶ given back, by the next try if the database is away
//!                  └───▶ wrong ─────▶ stays until the span of time is over
//! ```

use crate::db::Tx;
use crate::error::Result;
use crate::journal::Env;
use crate::store::Store;
use ngomon_rules::record::AccountId;
use std::sync::PoisonError;

/// At most so many within a span of time.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// What is counted, for example `sign-in`.
    pub what: &'static str,
    /// How often.
    pub times: i64,
    /// Seconds of the span.
    pub seconds: i64,
}

/// Who asks, as limits tell people apart: what one of these uses up is not another's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Nobody knows who, at that address.
    Stranger(String),
    /// A browser in which the owner of the account in question signed in before.
    Browser(String),
    /// The owner, signed in.
    Session(AccountId),
}

impl Who {
    /// Is it somebody whom anybody could be?
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

/// A limit, and for what it is counted.
#[derive(Clone, Debug)]
pub struct Counted {
    limit: Limit,
    key: Vec<String>,
}

/// What came of a try under limits.
#[derive(Debug, PartialEq, Eq)]
pub enum Tried<R, W = ()> {
    /// It was right, and does not count.
    Right(R),
    /// It was wrong; so many are left.
    Wrong(W, i64),
    /// There were too many wrong ones: it was not looked at.
    TooOften,
}

/// A count of the span of time that it is now.
#[derive(Clone, Copy)]
pub(crate) struct Count {
    bucket: [u8; 32],
    span: i64,
    good_until: i64,
    times: i64,
}

impl Limit {
    /// The limit on that.
    pub fn of(self, key: &[&str]) -> Counted {
        let key = key.iter().map(|part| (*part).to_owned()).collect();
        Counted { limit: self, key }
    }

    /// The limit on that, for each who asks by itself.
    pub fn by(self, who: &Who, key: &[&str]) -> Counted {
        self.of(&[&who.key()[..], key].concat())
    }

    fn bucket(self, env: &Env, who: &[&str]) -> [u8; 32] {
        let mut parts: Vec<&[u8]> = vec![b"attempt", self.what.as_bytes()];
        parts.extend(who.iter().map(|part| part.as_bytes()));
        env.keys.mac(&parts)
    }

    pub(super) fn count(self, env: &Env, who: &[&str]) -> Count {
        let span = env.ambient.now().as_second().div_euclid(self.seconds);
        Count {
            bucket: self.bucket(env, who),
            span,
            good_until: (span + 1) * self.seconds * 1_000_000,
            times: self.times,
        }
    }
}

impl Counted {
    pub(super) fn count(&self, env: &Env) -> Count {
        let key: Vec<&str> = self.key.iter().map(String::as_str).collect();
        self.limit.count(env, &key)
    }
}

impl Count {
    /// One more, whatever the limit.
    pub(super) async fn add(self, tx: &mut Tx) -> Result<()> {
        let times = i64::MAX;
        Self { times, ..self }.take(tx).await.map(drop)
    }

    /// One more, if the limit has room; how many are left then. What is over the limit is not written.
    async fn take(self, tx: &mut Tx) -> Result<Option<i64>> {
        let sql = "INSERT INTO attempt (bucket, span, n, good_until) VALUES ($1,$2,1,$3) \
             ON CONFLICT (bucket, span) DO UPDATE SET n = attempt.n + 1 WHERE attempt.n < $4 RETURNING n";
        let args = [
            self.bucket.into(),
            self.span.into(),
            self.good_until.into(),
            self.times.into(),
        ];
        let row = tx.row(sql, args).await?;
        row.map(|row| Ok(self.times - row.get::<i64>(0)?)).transpose()
    }

    /// One less.
    async fn give_back(self, tx: &mut Tx) -> Result<()> {
        let sql = "UPDATE attempt SET n = n - 1 WHERE bucket = $1 AND span = $2 AND n > 0";
        tx.execute(sql, [self.bucket.into(), self.span.into()]).await.map(drop)
    }

    /// Has the limit room for one more?
    pub(super) async fn has_room(self, tx: &mut Tx) -> Result<bool> {
        Ok(self.read(tx).await? < self.times)
    }

    /// How many it is.
    pub(super) async fn read(self, tx: &mut Tx) -> Result<i64> {
        let sql = "SELECT n FROM attempt WHERE bucket = $1 AND span = $2";
        let row = tx.row(sql, [self.bucket.into(), self.span.into()]).await?;
        row.map_or(Ok(0), |row| row.get(0))
    }
}

/// One more of each, if all have room: how many are left of the scarcest. Otherwise none counts.
pub(super) async fn take_all(tx: &mut Tx, counts: &[Count]) -> Result<Option<i64>> {
    let mut left = i64::MAX;
    for (at, count) in counts.iter().enumerate() {
        match count.take(tx).await? {
            Some(more) => left = left.min(more),
            None => {
                for taken in &counts[..at] {
                    taken.give_back(tx).await?;
                }
                return Ok(None);
            }
        }
    }
    Ok(Some(left))
}

impl Store {
    /// A try under all these limits. `work` judges it: `Ok` is right, `Err` is wrong. It is done only where all limits have room.
    pub async fn tried<R, W>(
        &self,
        limits: &[Counted],
        work: impl Future<Output = Result<std::result::Result<R, W>>>,
    ) -> Result<Tried<R, W>> {
        let Some(left) = self.take(limits).await? else {
            return Ok(Tried::TooOften);
        };
        match work.await {
            Ok(Err(wrong)) => Ok(Tried::Wrong(wrong, left)),
            Ok(Ok(right)) => {
                self.give_back(limits).await?;
                Ok(Tried::Right(right))
            }
            Err(fault) => {
                // The fault is told already, and what cannot be given back now is given back later.
                self.give_back(limits).await.ok();
                Err(fault)
            }
        }
    }

    /// Is another try allowed under all these limits? Counts nothing.
    pub async fn has_room(&self, limits: &[Counted]) -> Result<bool> {
        let counts: Vec<Count> = limits.iter().map(|counted| counted.count(&self.env)).collect();
        self.db
            .ask(async |tx| {
                for count in counts {
                    if !count.has_room(tx).await? {
                        return Ok(false);
                    }
                }
                Ok(true)
            })
            .await
    }

    /// Was a try counted under that limit within its span?
    pub async fn was_tried(&self, limit: &Counted) -> Result<bool> {
        let count = limit.count(&self.env);
        Ok(self.db.ask(async |tx| count.read(tx).await).await? > 0)
    }

    /// Counts one more of each limit; `Some(left)`: how many are left of the scarcest, `None`: one of them is used up, and nothing was counted.
    pub async fn take(&self, limits: &[Counted]) -> Result<Option<i64>> {
        let counts: Vec<Count> = limits.iter().map(|counted| counted.count(&self.env)).collect();
        let owed = std::mem::take(&mut *self.owed.lock().unwrap_or_else(PoisonError::into_inner));
        let paid = owed.clone();
        let taken = self
            .db
            .write(move |tx| {
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

    /// Counts one more try of `who`; `Some(left)`: how many are left afterwards, `None`: it is one too many.
    pub async fn attempt(&self, limit: Limit, who: &[&str]) -> Result<Option<i64>> {
        self.take(&[limit.of(who)]).await
    }

    /// Gives a try back: it was right after all. While the database is away it is owed, and whoever tries next finds it given back.
    pub async fn give_back(&self, limits: &[Counted]) -> Result<()> {
        let counts: Vec<Count> = limits.iter().map(|counted| counted.count(&self.env)).collect();
        let owed = counts.clone();
        let given = self
            .db
            .write(move |tx| {
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

    fn owe(&self, counts: Vec<Count>) {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner).extend(counts);
    }

    /// Something that counts once: `true` the first time, until `good_until` (microseconds UTC) has passed.
    pub async fn once(&self, what: &'static str, id: &[&str], good_until: i64) -> Result<bool> {
        let (bucket, now) = (noted(what).bucket(&self.env, id), self.env.now());
        let n = self
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let sql = "INSERT INTO attempt (bucket, span, n, good_until) VALUES ($1,0,1,$2) \
                         ON CONFLICT (bucket, span) DO UPDATE SET good_until = excluded.good_until WHERE attempt.good_until < $3";
                    tx.execute(sql, [bucket.into(), good_until.into(), now.into()]).await
                })
            })
            .await?;
        Ok(n > 0)
    }

    /// Does what counted once still stand?
    pub async fn is_noted(&self, what: &'static str, id: &[&str]) -> Result<bool> {
        let (bucket, now) = (noted(what).bucket(&self.env, id), self.env.now());
        let sql = "SELECT n FROM attempt WHERE bucket = $1 AND span = 0 AND good_until >= $2";
        let row = self
            .db
            .ask(async |tx| tx.row(sql, [bucket.into(), now.into()]).await)
            .await?;
        Ok(row.is_some())
    }
}

fn noted(what: &'static str) -> Limit {
    Limit {
        what,
        times: 1,
        seconds: 1,
    }
}
