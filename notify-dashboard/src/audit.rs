//! What somebody did here: one event for each write.

use std::fmt;

use notify_core::TenantId;

use crate::log;
use crate::visit::Visit;

/// One change that somebody made, or tried to make.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Action {
    /// What.
    pub verb: Verb,
    /// The webhook, event or delivery; empty where none came to be. Of all that match a filter: the filter's fields.
    pub target: String,
    /// Whose.
    pub tenant: TenantId,
    /// By whom, as the host's `authorize` hook named them.
    pub by: String,
    /// How it ended.
    pub outcome: ActionOutcome,
}

/// How a change ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ActionOutcome {
    /// It is done.
    Done,
    /// It was refused, or failed.
    Refused,
}

/// What can be done here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the words say it")]
pub enum Verb {
    CreateWebhook,
    ChangeWebhook,
    DisableWebhook,
    EnableWebhook,
    DeleteWebhook,
    PingWebhook,
    RecoverWebhook,
    SendMissing,
    RevealSecret,
    RotateSecret,
    StageSecret,
    SwitchSecret,
    RetireSecret,
    ResendEvent,
    ResendDelivery,
    CancelDelivery,
    ResendMatching,
    CancelMatching,
}

impl Verb {
    /// The word for logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreateWebhook => "create_webhook",
            Self::ChangeWebhook => "change_webhook",
            Self::DisableWebhook => "disable_webhook",
            Self::EnableWebhook => "enable_webhook",
            Self::DeleteWebhook => "delete_webhook",
            Self::PingWebhook => "ping_webhook",
            Self::RecoverWebhook => "recover_webhook",
            Self::SendMissing => "send_missing",
            Self::RevealSecret => "reveal_secret",
            Self::RotateSecret => "rotate_secret",
            Self::StageSecret => "stage_secret",
            Self::SwitchSecret => "switch_secret",
            Self::RetireSecret => "retire_secret",
            Self::ResendEvent => "resend_event",
            Self::ResendDelivery => "resend_delivery",
            Self::CancelDelivery => "cancel_delivery",
            Self::ResendMatching => "resend_matching",
            Self::CancelMatching => "cancel_matching",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Tells of a write, and passes its result on.
pub(crate) fn audited<T, E>(visit: &Visit, verb: Verb, target: &str, result: Result<T, E>) -> Result<T, E> {
    let outcome = if result.is_ok() { ActionOutcome::Done } else { ActionOutcome::Refused };
    let by = visit.grant.name().to_owned();
    let action = Action { verb, target: target.to_owned(), tenant: visit.tenant.clone(), by, outcome };
    log::action(&action);
    if let Some(hear) = &visit.shared.on_action {
        hear(&action);
    }
    result
}
