//! The kinds of check, one per file; each registers itself.
//!
//! Files here may use `check`, `sandbox`, `verdict` and `fault`. They must not import each
//! other, the Docker client, or the file system.

automod::dir!(pub(crate) "src/checks");
