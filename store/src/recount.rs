//! C7: "What the page shows equals what a recount of the accounts gives, always; the recount runs by itself daily, and the page says
//! when it agreed."

use crate::db::Tx;
use crate::error::Result;
use crate::loads::number;
use crate::store::Store;
use crate::verify::counters;

/// What a recount gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recount {
    /// How many counters were compared with the accounts.
    pub counters: u64,
    /// Those that were off.
    pub differing: Vec<String>,
}

/// The recount that was made last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastRecount {
    /// When, in microseconds UTC.
    pub at: i64,
    /// How many counters were off.
    pub differing: u64,
    /// When one agreed last, in microseconds UTC.
    pub agreed_at: Option<i64>,
}

impl Store {
    /// Compares every counter with the accounts, in one snapshot, and writes down what came of it.
    pub async fn recount(&self) -> Result<Recount> {
        let (counters, differing) = self.db.scan(async |tx| counters(tx).await).await?;
        let (at, off) = (self.env.now(), differing.len() as u64);
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let sql =
                        "INSERT INTO recount (at, counters, differing) VALUES ($1,$2,$3) ON CONFLICT (at) DO NOTHING";
                    tx.execute(sql, [at.into(), number(counters).into(), number(off).into()])
                        .await
                })
            })
            .await?;
        Ok(Recount { counters, differing })
    }

    /// The recount that was made last; `None` before the first.
    pub async fn last_recount(&self) -> Result<Option<LastRecount>> {
        self.db.read(async |tx| last(tx).await).await
    }
}

async fn last(tx: &mut Tx) -> Result<Option<LastRecount>> {
    let sql =
        "SELECT at, differing, (SELECT MAX(at) FROM recount WHERE differing = 0) FROM recount ORDER BY at DESC LIMIT 1";
    let row = tx.row(sql, []).await?;
    row.map(|row| {
        Ok(LastRecount {
            at: row.get(0)?,
            differing: row.get::<i64>(1)?.unsigned_abs(),
            agreed_at: row.get(2)?,
        })
    })
    .transpose()
}
