//! Fuzz target for the key file and its export.

#![no_main]

#[allow(dead_code)]
#[path = "../../store/tests/fuzzed.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzed::keys(input));
