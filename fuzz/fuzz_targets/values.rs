//! Fuzz target for a name, a number, a phone and a day.

#![no_main]

#[allow(dead_code)]
#[path = "../../rules/tests/fuzzed.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|input: &str| fuzzed::values(input));
