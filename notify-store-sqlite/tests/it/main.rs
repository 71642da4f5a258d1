//! The store's promises, S1 to S14, and the file's.

#![allow(missing_docs, reason = "test names are sentences")]

mod claims;
mod publish;
mod settle;
mod support;
