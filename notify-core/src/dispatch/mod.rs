//! Which claims, sends and writes come next. Pure: no IO, no clock, no randomness, no `async`.
//!
//! The driver (and a simulator) feeds [`DispatchInput`]s and carries out [`Command`]s. At most one claim, one endpoint
//! read, one apply, one load and one poll are under way at a time: what gathers meanwhile goes out together.

mod claims;
mod command;
mod config;
mod dispatcher;
mod drain;
mod handed;
mod outage;
mod reads;
mod sends;
mod settle;
mod slots;
mod tokens;

pub use command::{Command, DispatchInput, Doubt, Finished, SendOrder};
pub use config::DispatchConfig;
pub use dispatcher::{Dispatcher, Reservation};
pub use drain::StopReport;
