//! The store's rules, held through the public traits.

mod apply;
mod claim;
mod endpoints;
mod fixture;
mod insert;
mod log;
mod sweep;
