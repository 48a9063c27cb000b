//! The pages of owners and visitors.

pub(crate) mod component_gallery;
pub(crate) mod counters;
pub(crate) mod held;
pub(crate) mod home;
pub(crate) mod profile;
pub(crate) mod receipt;
pub(crate) mod sandbox;
pub(crate) mod standardise;
pub(crate) mod ways;
