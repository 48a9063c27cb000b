//! Tests of C7: "Alerts: a unit behind pace, refusals jumping, a silent registry."

use crate::both;
use crate::fixture::{Fixture, On};

both! {
    registry_outage_recorded_when_it_begins_and_ends
}

/// The silence of the registry is recorded when it begins and when it ends.
async fn registry_outage_recorded_when_it_begins_and_ends(on: On) {
    let fixture = Fixture::new(on).await;
    fixture.units().await;
    let since = async || fixture.store.registry_silent_since().await.unwrap();
    let before = fixture.store.position().await.unwrap();
    fixture.store.registry_heard(true).await.unwrap();
    assert_eq!(since().await, None);
    assert_eq!(fixture.store.position().await.unwrap(), before);

    fixture.store.registry_heard(false).await.unwrap();
    let first = since().await.unwrap();
    let silent = fixture.store.position().await.unwrap();
    assert_ne!(silent, before, "live pages hear of it");
    fixture.clock.move_on(60);
    fixture.store.registry_heard(false).await.unwrap();
    assert_eq!(since().await, Some(first), "since the first that was not answered");
    assert_eq!(fixture.store.position().await.unwrap(), silent);

    fixture.store.registry_heard(true).await.unwrap();
    assert_eq!(since().await, None);
    fixture.store.registry_heard(false).await.unwrap();
    assert!(since().await.unwrap() > first + 60_000_000, "a new silence");
}
