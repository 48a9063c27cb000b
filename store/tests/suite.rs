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
#[path = "suite/furnished.rs"]
mod furnished;
#[path = "suite/golden.rs"]
mod golden;
#[path = "suite/grants.rs"]
mod grants;
#[path = "suite/house.rs"]
mod house;
#[path = "suite/idle.rs"]
mod idle;
#[path = "suite/incremental.rs"]
mod incremental;
#[path = "suite/join.rs"]
mod join;
#[path = "suite/keeping.rs"]
mod keeping;
#[path = "suite/listed.rs"]
mod listed;
#[path = "suite/loads.rs"]
mod loads;
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
#[path = "suite/rotation.rs"]
mod rotation;
#[path = "suite/servers.rs"]
mod servers;
#[path = "suite/silence.rs"]
mod silence;
#[path = "suite/take_overs.rs"]
mod take_overs;
#[path = "suite/tamper.rs"]
mod tamper;
#[path = "suite/told.rs"]
mod told;
#[path = "suite/two_persons.rs"]
mod two_persons;
#[path = "suite/wire.rs"]
mod wire;
