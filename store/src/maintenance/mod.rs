//! Sealing, checkpoints, checks, replay, rotation of keys, backup.

pub(crate) mod backup;
pub(crate) mod key_rotation;
pub(crate) mod outside;
pub(crate) mod rebuild;
pub(crate) mod seal;
pub(crate) mod verify;
