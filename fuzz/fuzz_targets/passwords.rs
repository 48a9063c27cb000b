//! Fuzz target for a password hash written by another system.

#![no_main]

#[allow(dead_code, missing_docs)]
#[path = "../../server/src/security/password/current.rs"]
mod current;
#[allow(dead_code, missing_docs)]
#[path = "../../server/src/security/password/hash.rs"]
mod hash;
#[allow(dead_code, missing_docs)]
#[path = "../../server/src/security/password/memory.rs"]
mod memory;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Some(hash) = hash::Hash::within(text, 2_000) {
        hash.fits("Hue-1");
    }
});
