//! Deliveries and their attempts.

mod attempt;
#[expect(clippy::module_inception, reason = "the type that the folder is about")]
mod delivery;
mod new_delivery;
mod reason;
mod reply;
mod response_class;
mod state;
mod timing;
mod tls_fault;
mod tls_version;

pub use attempt::{Attempt, Outcome, ResponseHead};
pub use delivery::{CorruptDelivery, Delivery, StoredDelivery};
pub use new_delivery::{NewDelivery, Start};
pub use reason::Reason;
pub use reply::{Response, SendFailure};
pub use response_class::ResponseClass;
pub use state::{EventStatus, State};
pub use timing::{ConnectionUse, Part, Timing};
pub use tls_fault::TlsFault;
pub use tls_version::TlsVersion;
