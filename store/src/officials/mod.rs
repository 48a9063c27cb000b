//! The rules of letter 108 applied to the tables: the facts of accounts and HR, the plan that follows from them, the run that applies it.

mod affected;
mod apply;
mod facts;
mod idle;
mod incremental;
mod own_profile;
mod plan;
mod run;
mod tasks;
mod undo;

pub(crate) use affected::{AffectedKeys, AffectedSet};
pub(crate) use apply::lines_of;
pub(crate) use facts::{AccountWithHolds, Facts};
pub use incremental::FullRunReason;
pub use own_profile::{OwnProfile, Proposal};
pub use plan::{NewAccount, Newcomer, Plan, PlanLine};
pub use run::{RunLine, RunOutcome, RunSummary};
pub use tasks::HrTask;
pub(crate) use tasks::coming;
pub use undo::UndoReport;
