//! The example host: a service that embeds notify and shows it as JSON over HTTP.

mod api;
mod options;
mod serve;

pub use options::{LogFormat, Options, StoreChoice};
pub use serve::serve;
