//! What goes to the host's log: with the feature `tracing`, under the target `notify_dashboard`; without it nothing.

use notify_core::store::StoreError;

use crate::audit::Action;
use crate::failure::Failure;

/// Somebody changed something, or tried to.
pub(crate) fn action(action: &Action) {
    #[cfg(feature = "tracing")]
    tracing::info!(
        target: "notify_dashboard",
        action = action.verb.as_str(),
        id = action.target,
        tenant = action.tenant.as_str(),
        by = action.by,
        outcome = ?action.outcome,
        "dashboard action"
    );
    #[cfg(not(feature = "tracing"))]
    let _ = action;
}

/// A form came from elsewhere: in the words of the page that said so.
pub(crate) fn form_refused(refusal: &Failure) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "notify_dashboard", text = refusal.text, help = refusal.help, "form refused");
    #[cfg(not(feature = "tracing"))]
    let _ = refusal;
}

/// The store did not answer. The cause stays here: it may name hosts and files.
pub(crate) fn store_failed(error: &StoreError) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "notify_dashboard", %error, cause = ?std::error::Error::source(error), "store failed");
    #[cfg(not(feature = "tracing"))]
    let _ = error;
}

/// A template could not be filled.
pub(crate) fn page_not_made(error: &askama::Error) {
    #[cfg(feature = "tracing")]
    tracing::error!(target: "notify_dashboard", %error, "page not made");
    #[cfg(not(feature = "tracing"))]
    let _ = error;
}
