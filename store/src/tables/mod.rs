//! Queries on tables that several parts share.

pub(crate) mod accounts;
pub(crate) mod attempts;
pub(crate) mod holds;
pub(crate) mod numbers;
pub(crate) mod quarantine;
pub(crate) mod receipts;
pub(crate) mod references;
pub(crate) mod row_digests;
pub(crate) mod settings;
pub(crate) mod units;
