//! Tests of `notify-http`, one build for each choice of crypto provider: see `tests/matrix.rs`.
