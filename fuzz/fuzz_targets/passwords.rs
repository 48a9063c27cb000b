//! A password hash as another system wrote it.

#![no_main]

#[allow(dead_code, missing_docs)]
#[path = "../../server/src/password.rs"]
mod password;

libfuzzer_sys::fuzz_target!(|hash: &str| {
    if let Some(hash) = password::Hash::within(hash, 2_000) {
        hash.fits("Hue-1");
    }
});
