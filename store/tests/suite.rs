//! The store's test suite; each test runs on SQLite and on PostgreSQL.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "suite/access.rs"]
mod access;
#[path = "suite/checkpoints.rs"]
mod checkpoints;
#[path = "suite/claims.rs"]
mod claims;
#[path = "suite/connections.rs"]
mod connections;
#[path = "suite/counter.rs"]
mod counter;
#[path = "suite/deputy.rs"]
mod deputy;
#[path = "suite/ends.rs"]
mod ends;
#[path = "suite/figures.rs"]
mod figures;
#[path = "suite/fixture.rs"]
mod fixture;
#[path = "suite/furnished.rs"]
mod furnished;
#[path = "suite/golden.rs"]
mod golden;
#[path = "suite/grants.rs"]
mod grants;
#[path = "suite/held_scan.rs"]
mod held_scan;
#[path = "suite/idle.rs"]
mod idle;
#[path = "suite/incremental.rs"]
mod incremental;
#[path = "suite/join.rs"]
mod join;
#[path = "suite/listed.rs"]
mod listed;
#[path = "suite/loads.rs"]
mod loads;
#[path = "suite/maintenance.rs"]
mod maintenance;
#[path = "suite/officials.rs"]
mod officials;
#[path = "suite/one_person.rs"]
mod one_person;
#[path = "suite/openid.rs"]
mod openid;
#[path = "suite/operators.rs"]
mod operators;
#[path = "suite/own_profile.rs"]
mod own_profile;
#[path = "suite/passkeys.rs"]
mod passkeys;
#[path = "suite/registry_outage.rs"]
mod registry_outage;
#[path = "suite/rotation.rs"]
mod rotation;
#[path = "suite/servers.rs"]
mod servers;
#[path = "suite/take_overs.rs"]
mod take_overs;
#[path = "suite/tamper.rs"]
mod tamper;
#[path = "suite/two_persons.rs"]
mod two_persons;
#[path = "suite/wire.rs"]
mod wire;
