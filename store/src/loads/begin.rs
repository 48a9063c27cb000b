//! The beginning of a load: judged, then open or waiting.

use crate::boxed;
use crate::context::StoreContext;
use crate::db::columns::number;
use crate::db::{Tx, bound};
use crate::error::{Refusal, Result};
use crate::loads::evidence::LOAD;
use crate::loads::health;
use crate::loads::health::HealthFault;
use crate::loads::incoming::LoadRequest;
use crate::loads::known_profiles::KnownKeys;
use crate::loads::open_load::OpenLoad;
use crate::projections::counters::CounterDeltas;
use crate::store::Store;
use crate::tables::row_digests::RowDigests;
use std::collections::BTreeSet;

/// Whether a file may be imported: at once, or only after an operator approves its health report.
pub enum LoadDecision {
    /// The load is open: its rows may be staged.
    Open(Box<OpenLoad>),
    /// The health check found faults: nothing is applied until somebody approves this load.
    NeedsApproval {
        /// The id to name in the approval.
        load: String,
        /// The faults.
        faults: Vec<HealthFault>,
    },
}

impl Store {
    /// Opens a load, or returns why it needs approval. `approve` names a waiting load, which must be for this file.
    #[boxed]
    pub async fn begin_load(&self, incoming: LoadRequest, approve: Option<&str>) -> Result<LoadDecision> {
        self.discard_stale_loads().await?;
        let (ctx, asked) = (self.ctx.clone(), incoming.clone());
        let approve = approve.map(str::to_owned);
        let (id, faults, marker) = self
            .db
            .transaction(move |tx| {
                let (ctx, asked, approve) = (ctx.clone(), asked.clone(), approve.clone());
                Box::pin(async move {
                    let (id, faults) = open(tx, &ctx, &asked, approve).await?;
                    Ok((id, faults, ctx.marker(tx).await?))
                })
            })
            .await?;
        if !faults.is_empty() {
            return Ok(LoadDecision::NeedsApproval { load: id, faults });
        }
        let known = match incoming.table {
            // The profiles that a full extract lacks are determined at its end.
            "profiles" if incoming.full.is_some() => KnownKeys::read(self, None).await?,
            _ => KnownKeys::default(),
        };
        Ok(LoadDecision::Open(Box::new(OpenLoad {
            store: self.clone(),
            id,
            incoming,
            counts: CounterDeltas::default(),
            ord: 0,
            known,
            rows: RowDigests::default(),
            waiting: RowDigests::default(),
            mended: BTreeSet::new(),
            marker,
            opened_at: self.ctx.now(),
        })))
    }
}

pub(crate) async fn open(
    tx: &mut Tx,
    ctx: &StoreContext,
    asked: &LoadRequest,
    approve: Option<String>,
) -> Result<(String, Vec<HealthFault>)> {
    // One import at a time.
    tx.rows_for_update("SELECT id FROM arrival", []).await?;
    if tx.row("SELECT 1 FROM load WHERE state = 'open'", []).await?.is_some() {
        return Err(Refusal::ImportAtWork.into());
    }
    if let Some(id) = approve {
        let done = tx
            .execute(
                "UPDATE load SET state = 'open', beat = $4 WHERE id = $1 AND name = $2 AND digest = $3 AND state = 'waiting'",
                [
                    (&id).into(),
                    asked.table.into(),
                    (&asked.digest).into(),
                    ctx.now().into(),
                ],
            )
            .await?;
        if done != 1 {
            return Err(Refusal::UnknownLoad(id).into());
        }
        // A waiting load from before loads had a MAC gets one now: the approver has exactly its file.
        let sql = format!("SELECT {LOAD} FROM load WHERE id = $1");
        for row in tx.rows(&sql, [(&id).into()]).await? {
            let mac = bound::LOAD.mac(&ctx.keys, &bound::LOAD.cells(&row, 0)?);
            tx.execute("UPDATE load SET mac = $2 WHERE id = $1", [(&id).into(), mac])
                .await?;
        }
        return Ok((id, Vec::new()));
    }
    let faults = health::judge(tx, ctx, asked).await?;
    let id = ctx.id();
    let state = if faults.is_empty() { "open" } else { "waiting" };
    let cells = vec![
        (&id).into(),
        asked.table.into(),
        (&asked.digest).into(),
        ctx.now().into(),
        asked.as_of.to_string().into(),
        (&asked.by).into(),
        asked.scope().into(),
        number(asked.rows).into(),
        number(asked.unreadable).into(),
    ];
    let mut row = bound::LOAD.row(&ctx.keys, cells);
    row.push(state.into());
    tx.execute(
        "INSERT INTO load (id, name, digest, at, as_of, by_whom, scope, row_count, unreadable, mac, state, beat) \
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$4)",
        row,
    )
    .await?;
    Ok((id, faults))
}
