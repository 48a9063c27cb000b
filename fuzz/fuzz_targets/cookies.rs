//! Fuzz target for cookies, and for the address to return to.

#![no_main]

#[allow(dead_code)]
#[path = "../../server/tests/fuzzed.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    fuzzed::cookies(input);
});
