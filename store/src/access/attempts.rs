//! Throttling. Counted in the database, so that all servers of one installation count together.

use crate::error::Result;
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

impl Store {
    /// Counts one more try of `who`; `Some(left)`: how many are left afterwards, `None`: it is one too many.
    pub async fn attempt(&self, limit: Limit, who: &[&str]) -> Result<Option<i64>> {
        let left = self.attempts(&[(limit, who)]).await?;
        Ok(left.first().copied().flatten())
    }

    /// Several counts at once: all of them are made, also where one is one too many.
    pub async fn attempts(&self, all: &[(Limit, &[&str])]) -> Result<Vec<Option<i64>>> {
        let now = self.now().as_second();
        let count = |(limit, who): &(Limit, &[&str])| {
            let span = now.div_euclid(limit.seconds);
            let good_until = (span + 1) * limit.seconds * 1_000_000;
            (self.bucket(*limit, who), span, good_until)
        };
        let counts: Vec<_> = all.iter().map(count).collect();
        let counted = self
            .db
            .write(move |tx| {
                let counts = counts.clone();
                Box::pin(async move {
                    let mut counted = Vec::with_capacity(counts.len());
                    for (bucket, span, good_until) in counts {
                        let sql = "INSERT INTO attempt (bucket, span, n, good_until) VALUES ($1,$2,1,$3) \
                             ON CONFLICT (bucket, span) DO UPDATE SET n = attempt.n + 1 RETURNING n";
                        let row = tx.row(sql, [bucket.into(), span.into(), good_until.into()]).await?;
                        counted.push(row.map_or(Ok(1), |row| row.get::<i64>(0))?);
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
        let bucket = self.bucket(limit, who);
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
        let bucket = self.bucket(limit, id);
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

    fn bucket(&self, limit: Limit, who: &[&str]) -> [u8; 32] {
        let mut parts: Vec<&[u8]> = vec![b"attempt", limit.what.as_bytes()];
        parts.extend(who.iter().map(|part| part.as_bytes()));
        self.env.keys.mac(&parts)
    }
}
