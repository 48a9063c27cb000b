//! Letter 108 over the tables: what the accounts and HR say, the plan that follows, the run that applies it.

mod facts;
mod plan;
mod run;
mod undo;

pub(crate) use facts::Facts;
pub use plan::{NewAccount, Newcomer, Plan, PlanLine};
pub use run::{Reconciled, RunView};
pub use undo::Undone;
