//! Fuzz target for a canonical file of each table.

#![no_main]

#[allow(dead_code)]
#[path = "../../feeds/tests/fuzzed.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzed::tables(input));
