//! The dashboard over HTTP, without a browser and without scripts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod access;
mod charts;
mod csrf;
mod escaping;
mod fault_store;
mod finding;
mod fixture;
mod form;
mod many;
mod matching;
mod mounting;
mod outage;
mod pages;
mod recover;
mod request;
mod secrets;
mod short_pages;
mod times;
mod walk;
mod webhook;
