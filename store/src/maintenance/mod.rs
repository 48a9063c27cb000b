//! Sealing, checkpoints, checks, replay, rotation of keys, backup.

pub(crate) mod backup;
mod key_rotation;
pub(crate) mod outside;
mod rebuild;
mod seal;
pub(crate) mod verify;
