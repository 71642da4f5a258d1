//! notify's HTTP transport: **one request an attempt, public addresses only, bounded in time and size**.
//!
//! ```no_run
//! # fn main() -> Result<(), notify_http::HttpBuildError> {
//! use notify_http::HttpTransport;
//!
//! let production = HttpTransport::new()?;
//! let tests = HttpTransport::builder().allow_cidr("127.0.0.0/8").allow_cidr("::1/128").build()?;
//! # Ok(()) }
//! ```
//!
//! # What an attempt is
//! One `POST`, HTTP/1.1 or HTTP/2 as the receiver prefers. It is never repeated, never follows a redirect, reads no
//! proxy from the environment and undoes no compression. [`Request::timeout`](notify_core::transport::Request) bounds
//! it whole: name, connection, TLS, writing, head and body. Once a complete head is here its status decides; at most
//! 16 KiB of the body are kept.
//!
//! Each attempt says where its time went ([`Timing`](notify_core::delivery::Timing)): name, connection, TLS handshake and
//! head, as far as it came. The look-up, connection and handshake are told to the attempt that made the connection, and
//! to no other that uses it. Waiting for a place at a busy host, and the body, are in no part.
//!
//! Whatever the receiver does, an attempt takes less than 1 MiB of memory beside its request: a head of 64 KiB (HTTP/2:
//! 16 KiB) and 100 lines, windows of 64 KiB a stream. The wire brings it 256 KiB at the most, and what earlier attempts
//! on a kept connection left over: a flood of small frames or interim answers ends long before the deadline. A
//! connection is used for 45 s, and its name is then looked up again; at most 256 are open to one host.
//!
//! # Whom it trusts
//! Mozilla's roots and those of [`extra_root_pem`](HttpTransportBuilder::extra_root_pem), each time for the URL's own
//! host; there is no switch that accepts any certificate. [`tls_for_host`](HttpTransportBuilder::tls_for_host) gives
//! one host a client certificate or roots of its own. [`proxy`](HttpTransportBuilder::proxy) is the one way through a
//! proxy. Nothing is read from the environment: no proxy, no roots, no key log.
//!
//! # Where it may go
//! To `https` URLs whose every address is public, judged after resolution and just before the connection is made, and
//! once more after it. [`HttpTransportBuilder::allow_cidr`] opens a range, for tests and for hosts that deliver inside
//! their own network, and [`allow_host`](HttpTransportBuilder::allow_host) one name; plain `http` goes to what is opened
//! only. Metadata addresses cannot be opened, and link-local ones only by an option that is called dangerous. What
//! [`deny_cidr`](HttpTransportBuilder::deny_cidr) and [`deny_host`](HttpTransportBuilder::deny_host) shut stays shut.
//! `docs/security.md` in the repository has the whole table, the reasons and the proof.
//!
//! [`check`](notify_core::transport::Transport::check) judges without a look-up: literals wholly, and names by what
//! they say. So `http://` with a name, and names of the inside (`localhost`, single labels, `*.internal`, `*.test`),
//! are taken as soon as any range is open, and refused at the attempt unless all their addresses lie in opened ranges.
//! A URL is sent as registered, byte for byte; spellings that parsers read differently are refused.
//!
//! # Features
//! | feature | default | what |
//! | --- | --- | --- |
//! | `webpki-roots` | yes | trust Mozilla's roots, compiled in; else give roots with [`HttpTransportBuilder::extra_root_pem`] |
//! | `testing` | no | `testing`: receivers on loopback for tests, some of them hostile |
//! | `ring`, `aws-lc-rs` | no | the crypto provider to use where neither the builder nor the process names one |

mod allowance;
mod body;
mod builder;
mod connector;
mod dial;
mod error;
mod failure;
mod guard;
mod lookup;
mod outgoing;
mod progress;
mod resolve;
mod route;
mod socket;
mod stream;
mod target;
mod targets;
#[cfg(feature = "testing")]
pub mod testing;
mod tls;
mod tls_profile;
mod transport;
pub mod unstable;
mod verifier;

pub use builder::HttpTransportBuilder;
pub use dial::{Dial, SystemDialer};
pub use error::HttpBuildError;
pub use guard::Nat64;
pub use resolve::{Resolve, SystemResolver};
pub use tls_profile::TlsProfile;
pub use transport::HttpTransport;
