//! Secrets, the two signature schemes, and their verification.
//!
//! Signing works on bytes: the body as it goes over the wire, never a value parsed and printed again.

mod headers;
mod secret;
mod secret_set;
mod verify;

pub use headers::{
    Header, NOTIFY_SIGNATURE, NOTIFY_SIGNATURE_NEXT, NOTIFY_SIGNATURE_PREVIOUS, WEBHOOK_ID, WEBHOOK_SIGNATURE,
    WEBHOOK_TIMESTAMP, notify_signature, signed_headers, standard_signature,
};
pub use secret::{InvalidSecret, Secret};
pub use secret_set::{SecretRole, SecretSet, StoredSecret};
pub use verify::{StandardHeaders, Verifier, VerifyError};
