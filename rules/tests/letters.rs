//! The tests of the letters, one file per clause.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "letters/people.rs"]
mod people;

#[path = "letters/c1_gate.rs"]
mod c1_gate;
#[path = "letters/c2_four_fields.rs"]
mod c2_four_fields;
#[path = "letters/c4_one_person.rs"]
mod c4_one_person;
#[path = "letters/c5_way_back.rs"]
mod c5_way_back;
#[path = "letters/c6_vneid.rs"]
mod c6_vneid;
#[path = "letters/c7_report.rs"]
mod c7_report;
#[path = "letters/idle.rs"]
mod idle;
#[path = "letters/o1_mismatch.rs"]
mod o1_mismatch;
#[path = "letters/o2_transfer.rs"]
mod o2_transfer;
#[path = "letters/o3_stale_info.rs"]
mod o3_stale_info;
#[path = "letters/o4_review.rs"]
mod o4_review;
#[path = "letters/o5_leaving.rs"]
mod o5_leaving;
#[path = "letters/o6_new_unit.rs"]
mod o6_new_unit;
#[path = "letters/o7_no_profile.rs"]
mod o7_no_profile;
#[path = "letters/plans.rs"]
mod plans;
