//! Fuzz target for a signed checkpoint, and for the checkpoint file.

#![no_main]

#[allow(dead_code)]
#[path = "../../store/tests/fuzzed.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzed::checkpoints(input));
