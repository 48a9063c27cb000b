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
pub async fn append(tx: &mut Tx, env: &StoreContext, act: &Attribution, events: Vec<Event>) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let entries = write(tx, env, act, events, None).await?;
    tx.has_journalled();
    let mut counts = CounterDeltas::default();
    project(tx, env, &entries, &mut counts).await?;
    enqueue_for_events(tx, env, &entries).await?;
    messages::after(tx, env, &entries).await?;
    counts.flush(tx, env.ambient.bytes::<1>()[0]).await
}
