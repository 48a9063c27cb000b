//! Fuzz target for a file of standardisation forms.

#![no_main]

#[allow(dead_code)]
#[path = "../../feeds/tests/fuzzed.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzed::submissions(input));
