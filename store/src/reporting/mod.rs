//! The report: sums of units, the page's figures and people, lists, the recount.

pub(crate) mod figures;
pub(crate) mod lists;
pub(crate) mod people;
pub(crate) mod recount;
pub(crate) mod report;
