//! Keys, signed checkpoints and the Merkle tree, without the database.

pub mod checkpoint;
pub mod keyring;
pub mod merkle;
