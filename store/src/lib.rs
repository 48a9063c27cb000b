//! Everything kept: journal, projections, references, runs, counters, keys. SQLite and PostgreSQL behind one API.
//!
//! [`Store`] is the door. Whatever changes goes through [`journal::append`]; nothing else writes projections.

mod access;
pub mod ambient;
mod backup;
pub mod checkpoint;
mod citizens;
mod counts;
pub mod db;
mod error;
mod explain;
pub mod journal;
pub mod keyring;
mod loads;
pub mod merkle;
mod officials;
mod project;
mod replay;
mod rotate;
mod schema;
mod seal;
mod settings;
mod store;
mod tables;
mod units;
mod verify;

pub use access::{Credential, Limit, OpenSession, Token, Visit};
pub use citizens::{HeldLine, ReportLine, ReviewLine, StaffLine, Submitted};
pub use db::{Dialect, Location};
pub use error::{Refusal, Result, StoreError};
pub use explain::{Explained, Happened, HeldSince};
pub use loads::{HealthFault, Incoming, Intake, OpenLoad, QuarantinedRow};
pub use officials::{NewAccount, Newcomer, Plan, PlanLine, Reconciled, RunView, Undone};
pub use settings::CampaignChange;
pub use store::{Places, Store};
pub use tables::{end_of, start_of};
pub use verify::{Check, Verified};
