//! The rules of letter 108 applied to the tables: the facts of accounts and HR, the plan that follows from them, the run that applies it.

mod apply;
mod changed;
mod facts;
mod idle;
mod own;
mod people;
mod plan;
mod run;
mod tasks;
mod undo;

pub(crate) use apply::lines_of;
pub use changed::FullRunReason;
pub(crate) use facts::{AccountWithHolds, Facts};
pub(crate) use idle::signed_in;
pub use own::{OwnProfile, Proposal};
pub(crate) use people::{AffectedKeys, AffectedSet};
pub use plan::{NewAccount, Newcomer, Plan, PlanLine};
pub use run::{RunLine, RunOutcome, RunSummary};
pub use tasks::HrTask;
pub(crate) use tasks::coming;
pub use undo::UndoReport;
