//! Letter 108 over the tables: what the accounts and HR say, the plan that follows, the run that applies it.

mod apply;
mod changed;
mod facts;
mod idle;
mod own;
mod people;
mod plan;
mod run;
mod undo;

pub use changed::Widened;
pub(crate) use facts::Facts;
pub(crate) use idle::signed_in;
pub use own::{OwnProfile, Proposal};
pub(crate) use people::{Concerned, People};
pub use plan::{NewAccount, Newcomer, Plan, PlanLine};
pub use run::{Reconciled, RunView};
pub use undo::Undone;
