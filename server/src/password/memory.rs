//! Memory for Argon2, kept and used again. A hash takes 19 MiB: allocated anew each time, the allocator keeps several of them for every
//! thread that ever hashed, and getting them from the system costs a fifth of the hash.

use argon2::{Argon2, Block, Params};
use std::sync::{Mutex, PoisonError};

/// Memory that is free: as many pieces as there were hashes at once.
static FREE: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());
/// Larger pieces, for hashes of another system, are not kept: in KiB, as a block is one.
const KEPT: usize = Params::DEFAULT_M_COST as usize;

/// Fills `out` with the password's hash. `None`: these parameters do not go together.
pub fn hash_into(scheme: &Argon2<'_>, password: &[u8], salt: &[u8], out: &mut [u8]) -> Option<()> {
    let needed = scheme.params().block_count();
    let mut blocks = free().pop().unwrap_or_default();
    if blocks.len() < needed {
        blocks.resize(needed, Block::new());
    }
    // What is left of the last hash does no harm: the first pass writes every block before it is read.
    let done = scheme.hash_password_into_with_memory(password, salt, out, blocks.as_mut_slice());
    if blocks.len() <= KEPT {
        free().push(blocks);
    }
    done.ok()
}

fn free() -> std::sync::MutexGuard<'static, Vec<Vec<Block>>> {
    // Nobody panics while holding it.
    FREE.lock().unwrap_or_else(PoisonError::into_inner)
}
