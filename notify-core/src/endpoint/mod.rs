//! Endpoints: where events go.

mod custom_header;
#[expect(clippy::module_inception, reason = "the type that the folder is about")]
mod endpoint;
mod request;
#[cfg(test)]
mod sample;

pub use custom_header::CustomHeader;
pub use endpoint::{DisableReason, Disabled, Endpoint, EndpointName, EndpointStatus, EndpointUrl, PolicyOverrides};
pub use request::{EndpointPatch, NewEndpoint};
#[cfg(test)]
pub(crate) use sample::sample;
