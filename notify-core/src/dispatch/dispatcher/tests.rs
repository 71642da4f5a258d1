//! Command lists.
