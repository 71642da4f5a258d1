//! Endpoints: where events go.

mod custom_header;
mod endpoint;
mod request;

pub use custom_header::CustomHeader;
pub use endpoint::{DisableReason, Disabled, Endpoint, EndpointName, EndpointStatus, EndpointUrl, PolicyOverrides};
pub use request::{EndpointPatch, NewEndpoint};
