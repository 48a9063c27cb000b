//! Fuzz target for a form of the pages, with its ticket.

#![no_main]

#[allow(dead_code)]
#[path = "../../server/tests/fuzzed.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    fuzzed::forms(input);
});
