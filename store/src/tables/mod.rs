//! Queries on tables that several parts share.

pub(crate) mod accounts;
pub(crate) mod numbers;
pub(crate) mod units;
