//! Throttling. Counted in the database, so that all servers of one installation count together.

use crate::db::Tx;
use crate::error::Result;
use crate::journal::Env;
use crate::store::Store;

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

/// A count of the span of time that it is now.
#[derive(Clone, Copy)]
pub(super) struct Count {
    bucket: [u8; 32],
    span: i64,
    good_until: i64,
}

impl Limit {
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
        }
    }
}

impl Count {
    /// One more; how many it is then.
    pub(super) async fn add(self, tx: &mut Tx) -> Result<i64> {
        let sql = "INSERT INTO attempt (bucket, span, n, good_until) VALUES ($1,$2,1,$3) \
             ON CONFLICT (bucket, span) DO UPDATE SET n = attempt.n + 1 RETURNING n";
        let args = [self.bucket.into(), self.span.into(), self.good_until.into()];
        tx.row(sql, args).await?.map_or(Ok(1), |row| row.get(0))
    }

    /// How many it is.
    pub(super) async fn read(self, tx: &mut Tx) -> Result<i64> {
        let sql = "SELECT n FROM attempt WHERE bucket = $1 AND span = $2";
        let row = tx.row(sql, [self.bucket.into(), self.span.into()]).await?;
        row.map_or(Ok(0), |row| row.get(0))
    }
}

impl Store {
    /// Counts one more try of `who`; `Some(left)`: how many are left afterwards, `None`: it is one too many.
    pub async fn attempt(&self, limit: Limit, who: &[&str]) -> Result<Option<i64>> {
        let left = self.attempts(&[(limit, who)]).await?;
        Ok(left.first().copied().flatten())
    }

    /// Several counts at once: all of them are made, also where one is one too many.
    pub async fn attempts(&self, all: &[(Limit, &[&str])]) -> Result<Vec<Option<i64>>> {
        let counts: Vec<Count> = all.iter().map(|(limit, who)| limit.count(&self.env, who)).collect();
        let counted = self
            .db
            .write(move |tx| {
                let counts = counts.clone();
                Box::pin(async move {
                    let mut counted = Vec::with_capacity(counts.len());
                    for count in counts {
                        counted.push(count.add(tx).await?);
                    }
                    Ok(counted)
                })
            })
            .await?;
        let left = |((limit, _), n): (&(Limit, &[&str]), i64)| (n <= limit.times).then_some(limit.times - n);
        Ok(all.iter().zip(counted).map(left).collect())
    }

    /// Takes the tries of `who` back: they were the right one's.
    pub async fn forget_attempts(&self, limit: Limit, who: &[&str]) -> Result<()> {
        let bucket = limit.bucket(&self.env, who);
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    tx.execute("DELETE FROM attempt WHERE bucket = $1", [bucket.into()])
                        .await
                        .map(drop)
                })
            })
            .await
    }

    /// Something that counts once: `true` the first time, until `good_until` (microseconds UTC) has passed.
    pub async fn once(&self, what: &'static str, id: &[&str], good_until: i64) -> Result<bool> {
        let limit = Limit {
            what,
            times: 1,
            seconds: 1,
        };
        let bucket = limit.bucket(&self.env, id);
        let n = self
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let sql =
                        "INSERT INTO attempt (bucket, span, n, good_until) VALUES ($1,0,1,$2) ON CONFLICT DO NOTHING";
                    tx.execute(sql, [bucket.into(), good_until.into()]).await
                })
            })
            .await?;
        Ok(n > 0)
    }
}
