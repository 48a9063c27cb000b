//! Fuzz target for an authorization request.

#![no_main]

#[allow(dead_code)]
#[path = "../../server/tests/fuzzed.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    fuzzed::requests(input);
});
