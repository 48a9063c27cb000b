//! Tests of C7: "Alerts: a unit behind pace, refusals jumping, a silent registry."

use crate::both;
use crate::fixture::{House, On};

both! {
    registry_outage_recorded_when_it_begins_and_ends
}

/// The silence of the registry is recorded when it begins and when it ends.
async fn registry_outage_recorded_when_it_begins_and_ends(on: On) {
    let house = House::new(on).await;
    house.units().await;
    let since = async || house.store.registry_silent_since().await.unwrap();
    let before = house.store.position().await.unwrap();
    house.store.registry_heard(true).await.unwrap();
    assert_eq!(since().await, None);
    assert_eq!(house.store.position().await.unwrap(), before);

    house.store.registry_heard(false).await.unwrap();
    let first = since().await.unwrap();
    let silent = house.store.position().await.unwrap();
    assert_ne!(silent, before, "live pages hear of it");
    house.clock.move_on(60);
    house.store.registry_heard(false).await.unwrap();
    assert_eq!(since().await, Some(first), "since the first that was not answered");
    assert_eq!(house.store.position().await.unwrap(), silent);

    house.store.registry_heard(true).await.unwrap();
    assert_eq!(since().await, None);
    house.store.registry_heard(false).await.unwrap();
    assert!(since().await.unwrap() > first + 60_000_000, "a new silence");
}
