//! A pool of memory for Argon2. A hash takes 19 MiB: with an allocation for each hash, the allocator would keep several of them for every
//! thread that ever hashed, and getting them from the system costs a fifth of the hash.

use argon2::{Argon2, Block, Params};
use std::sync::{Mutex, PoisonError};

/// Free memory: one piece for each hash that ever ran at the same time as others.
static FREE: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());
/// The largest piece that is kept, in KiB (a block is 1 KiB). Larger ones, for hashes of other systems, are freed.
const KEPT: usize = Params::DEFAULT_M_COST as usize;

/// Fills `out` with the password's hash. `None` if the parameters are not valid together.
pub fn hash_into(scheme: &Argon2<'_>, password: &[u8], salt: &[u8], out: &mut [u8]) -> Option<()> {
    let needed = scheme.params().block_count();
    let mut blocks = free().pop().unwrap_or_default();
    if blocks.len() < needed {
        blocks.resize(needed, Block::new());
    }
    // Data left over from the previous hash are harmless: the first pass writes every block before it is read.
    let done = scheme.hash_password_into_with_memory(password, salt, out, blocks.as_mut_slice());
    if blocks.len() <= KEPT {
        free().push(blocks);
    }
    done.ok()
}

fn free() -> std::sync::MutexGuard<'static, Vec<Vec<Block>>> {
    // No code panics while it holds the lock.
    FREE.lock().unwrap_or_else(PoisonError::into_inner)
}
