//! What the server does by itself, beside its answers. Each worker goes on after a fault, which the operator reads.

use ngomon_store::Store;
use std::time::Duration;
use tokio::time::interval;

const DAY: Duration = Duration::from_hours(24);

/// Starts them; they end with the process.
pub fn start(store: &Store) {
    tokio::spawn(recount(store.clone()));
}

/// C7: "the recount runs by itself daily", and at the start.
async fn recount(store: Store) {
    let mut daily = interval(DAY);
    loop {
        daily.tick().await;
        match store.recount().await {
            Ok(done) => done.differing.iter().for_each(|at| eprintln!("ngomon: recount: {at}")),
            Err(error) => eprintln!("ngomon: recount: {error}"),
        }
    }
}
