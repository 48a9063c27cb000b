//! A signed checkpoint, and the file of them.

#![no_main]

#[allow(dead_code)]
#[path = "../../store/tests/fuzzed.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzed::checkpoints(input));
