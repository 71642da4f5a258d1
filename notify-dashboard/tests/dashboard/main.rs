//! The dashboard over HTTP, without a browser and without scripts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod access;
mod charts;
mod csrf;
mod escaping;
mod finding;
mod fixture;
mod mounting;
mod pages;
mod secrets;
mod times;
mod walk;
