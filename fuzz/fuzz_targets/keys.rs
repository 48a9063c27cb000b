//! The file of the keys, and their export.

#![no_main]

#[allow(dead_code)]
#[path = "../../store/tests/fuzzed.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzed::keys(input));
