//! See tests/src/fuzz/quiz.rs.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| (tests::fuzz::quiz::TARGET.run)(data));
