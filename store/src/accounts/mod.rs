//! What the desk does with one account: find and explain it, hold it by order, acts of two operators.

pub(crate) mod explain;
mod explain_facts;
pub(crate) mod find;
pub(crate) mod orders;
pub(crate) mod two_persons;
