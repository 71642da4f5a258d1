//! For tests of hosts, and of notify itself (feature `testing`): receivers on loopback that do what real ones do, and
//! what they should not.
//!
//! - [`TestReceiver`] records requests and verifies their signatures with the real
//!   [`Verifier`](notify_core::Verifier).
//! - [`HostileReceiver`] misbehaves in one [`Shape`] of some ninety; each shape says what an attempt comes to.
//! - [`TestAuthority`] issues the certificates for receivers that speak TLS.
//!
//! ```
//! use std::time::Duration;
//! use bytes::Bytes;
//! use notify_core::transport::{Request, Transport};
//! use notify_http::HttpTransport;
//! use notify_http::testing::{Ending, HostileReceiver, Shape};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let receiver = HostileReceiver::start(Shape::EndlessHeaders).await?;
//! let transport = HttpTransport::builder().allow_cidr("127.0.0.0/8").build()?; // opened for this test
//! let request = Request::new(receiver.url().into(), Vec::new(), Bytes::from("{}"), Duration::from_secs(5));
//! let reply = transport.send(request).await;
//! assert_eq!(Ending::of(&reply), Shape::EndlessHeaders.ending());
//! assert_eq!(receiver.requests(), 1);
//! # Ok(()) }
//! ```

mod authority;
mod ending;
mod hostile;
mod http1;
mod http2;
mod received;
mod receiver;
mod script;
mod shape;
mod tls;

pub use authority::{TestAuthority, TestIdentity, Validity, config_by_server_name};
pub use ending::Ending;
pub use hostile::HostileReceiver;
pub use received::{ReceivedRequest, SignatureCheck};
pub use receiver::TestReceiver;
pub use shape::Shape;
