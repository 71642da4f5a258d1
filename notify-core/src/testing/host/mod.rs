//! Testing a host: an engine in the test's hands, and assertions about what it published and delivered.

mod assertions;
mod builder;
mod counted;
mod delivered;
mod log;
mod report;
mod test_notify;
mod wait;
mod webhook;

pub use builder::TestNotifyBuilder;
pub use delivered::Delivered;
pub use test_notify::TestNotify;
pub use webhook::TestWebhook;
