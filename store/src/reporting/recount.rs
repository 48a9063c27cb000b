//! The recount of the report's counters. C7: "What the page shows equals what a recount of the accounts gives, always; the recount runs
//! by itself daily, and the page says when it agreed."

use crate::boxed;
use crate::db::Tx;
use crate::db::columns::number;
use crate::error::Result;
use crate::projections::compare::counters;
use crate::store::Store;

/// The result of a recount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recount {
    /// The number of counters that were compared with the accounts.
    pub counters: u64,
    /// The counters that differed.
    pub differing: Vec<String>,
}

/// The last recount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastRecount {
    /// When it ran, in microseconds UTC.
    pub at: i64,
    /// The number of counters that differed.
    pub differing: u64,
    /// When a recount last found no difference, in microseconds UTC.
    pub agreed_at: Option<i64>,
}

impl Store {
    /// Compares every counter with the accounts, in one snapshot, and records the result.
    #[boxed]
    pub async fn recount(&self) -> Result<Recount> {
        let (counters, differing) = self.db.read_long(async |tx| counters(tx).await).await?;
        let (at, off) = (self.ctx.now(), differing.len() as u64);
        self.db
            .transaction(move |tx| {
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

    /// The last recount; `None` before the first.
    #[boxed]
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
