//! Password hashes, as other systems stored them and as this program does. A hash of an unknown scheme matches no password.

mod current;
mod hash;
mod leaked;
mod memory;
mod turn;
mod verify;
mod work;

pub use current::CURRENT;
pub use hash::{Hash, is_useless, wrapped};
pub use leaked::LeakedPasswords;
pub use turn::{Lane, at_rest, on_hash_pool, with_minimum_delay};
pub use verify::{NOBODY, fits_evenly, hashed, is_current, verify};
pub use work::note_work;
