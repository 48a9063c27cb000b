//! One act as one commit: entries, projections, and what owners and clients are told.

use crate::boxed;
use crate::context::{Attribution, StoreContext};
use crate::db::Tx;
use crate::error::Result;
use crate::journal::entry::write;
use crate::notifications::client_outbox::enqueue_for_events;
use crate::notifications::messages;
use crate::projections::counters::CounterDeltas;
use crate::projections::project;
use ngomon_rules::event::Event;

/// Writes the events of one act as one commit of the journal: entries, personal values, projections.
#[boxed]
pub async fn append(tx: &mut Tx, ctx: &StoreContext, act: &Attribution, events: Vec<Event>) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let entries = write(tx, ctx, act, events, None).await?;
    tx.has_journalled();
    let mut counts = CounterDeltas::default();
    project(tx, ctx, &entries, &mut counts).await?;
    enqueue_for_events(tx, ctx, &entries).await?;
    messages::after(tx, ctx, &entries).await?;
    counts.flush(tx, ctx.environment.bytes::<1>()[0]).await
}
