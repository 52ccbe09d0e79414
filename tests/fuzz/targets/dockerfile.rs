//! See tests/src/fuzz/dockerfile.rs.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| (tests::fuzz::dockerfile::TARGET.run)(data));
