//! The pages of owners and visitors.

pub mod component_gallery;
pub mod counters;
pub mod held;
pub mod home;
pub mod profile;
pub mod receipt;
pub mod sandbox;
pub mod standardise;
pub mod ways;
