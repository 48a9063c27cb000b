//! Fuzz target for a token that claims to be ours (`id_token_hint`).

#![no_main]

#[allow(dead_code)]
#[path = "../../server/tests/fuzzed.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    fuzzed::hints(input);
});
