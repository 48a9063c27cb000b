//! Signed checkpoints of the journal: how many entries it has, and the root of their Merkle tree.
//!
//! A checkpoint is a signed note in the formats of C2SP, so that tools and witnesses of others read it too
//! (<https://c2sp.org/tlog-checkpoint>, <https://c2sp.org/signed-note>):
//!
//! ```text
//! ngomon/4c1d2e3f
//! 20852163
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//!
//! — ngomon/4c1d2e3f Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhc...
//! ```
//!
//! The file outside the database is a sequence of such notes, each followed by a blank line. Only the end of a note has a signature line
//! and then a blank line, so the end of the file alone shows whether the last write was torn: bytes after the last such end are ignored.

mod file;
mod note;

pub(crate) use file::{append_after, last_note, notes_of, set_aside, try_append};
pub use file::{append_line_file, read_file};
pub use note::{Checkpoint, CheckpointError};

#[cfg(test)]
mod tests;
