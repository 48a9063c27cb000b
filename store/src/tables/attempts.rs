//! The counters of attempts, one row for each window of time.

use crate::db::Tx;
use crate::error::Result;

/// The counter of the current window.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub(crate) bucket: [u8; 32],
    pub(crate) span: i64,
    pub(crate) good_until: i64,
    pub(crate) times: i64,
}

impl Window {
    /// Counts one more, whatever the limit.
    pub(crate) async fn add(self, tx: &mut Tx) -> Result<()> {
        let times = i64::MAX;
        Self { times, ..self }.take(tx).await.map(drop)
    }

    /// Counts one more if the limit allows it, and returns the number left. An attempt over the limit is not counted.
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

    /// Counts one less.
    pub(crate) async fn give_back(self, tx: &mut Tx) -> Result<()> {
        let sql = "UPDATE attempt SET n = n - 1 WHERE bucket = $1 AND span = $2 AND n > 0";
        tx.execute(sql, [self.bucket.into(), self.span.into()]).await.map(drop)
    }

    /// Whether the limit allows one more.
    pub(crate) async fn has_room(self, tx: &mut Tx) -> Result<bool> {
        Ok(self.read(tx).await? < self.times)
    }

    /// The current count.
    pub(crate) async fn read(self, tx: &mut Tx) -> Result<i64> {
        let sql = "SELECT n FROM attempt WHERE bucket = $1 AND span = $2";
        let row = tx.row(sql, [self.bucket.into(), self.span.into()]).await?;
        row.map_or(Ok(0), |row| row.get(0))
    }
}

/// Counts one more of each if all limits allow it, and returns the smallest number left. Otherwise counts none.
pub(crate) async fn take_all(tx: &mut Tx, counts: &[Window]) -> Result<Option<i64>> {
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
