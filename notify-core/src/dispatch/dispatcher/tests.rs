//! Command lists: each test says whole what one input causes.

mod claim;
mod fixture;
