//! Who may do what, and to whose webhooks.

use notify_core::TenantId;

/// What the host's `authorize` hook answers about one request.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Access {
    /// A page that says that access is denied (403).
    Denied,
    /// Off to this URL, usually the host's login (303).
    Redirect(String),
    /// In, with these rights.
    Granted(Grant),
}

/// The rights of one person for one request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Grant {
    capabilities: Capabilities,
    scope: Scope,
    name: String,
}

/// Whose webhooks and events may be seen and changed. Every query is limited by it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Scope {
    /// Every tenant's, one tenant at a time: `?tenant=` chooses, without it the default tenant.
    All,
    /// This tenant's. Another's ids look missing.
    Tenant(TenantId),
}

/// One right.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Capability {
    /// See everything but payloads and secrets. Without it nothing is shown.
    View,
    /// See the bodies of events and of answers; without it only their sizes and hashes.
    ViewPayloads,
    /// Send deliveries again, and cancel them.
    Resend,
    /// Create, change, disable, enable, ping and delete webhooks.
    Manage,
    /// See a webhook's secret again, where the engine was built to show it.
    RevealSecret,
    /// Stage, switch, rotate and retire secrets; shows each new one once.
    RotateSecret,
}

/// A set of rights. What is not in it is off.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Capabilities(u8);

impl Access {
    /// In, with [`Capabilities::VIEWER`].
    #[must_use]
    pub const fn viewer(scope: Scope) -> Self {
        Self::custom(Capabilities::VIEWER, scope)
    }

    /// In, with [`Capabilities::OPERATOR`].
    #[must_use]
    pub const fn operator(scope: Scope) -> Self {
        Self::custom(Capabilities::OPERATOR, scope)
    }

    /// In, with [`Capabilities::ADMIN`].
    #[must_use]
    pub const fn admin(scope: Scope) -> Self {
        Self::custom(Capabilities::ADMIN, scope)
    }

    /// In, with these rights.
    #[must_use]
    pub const fn custom(capabilities: Capabilities, scope: Scope) -> Self {
        Self::Granted(Grant { capabilities, scope, name: String::new() })
    }

    /// The same, for somebody whom pages, the audit trail and the webhook's own record call `name`.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        match self {
            Self::Granted(grant) => Self::Granted(Grant { name: name.into(), ..grant }),
            Self::Denied | Self::Redirect(_) => self,
        }
    }
}

impl Grant {
    /// Whether it has this right.
    #[must_use]
    pub const fn can(&self, capability: Capability) -> bool {
        self.capabilities.has(capability)
    }

    /// Whose webhooks and events.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The person's name; empty if the host gave none.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Capability {
    /// What it lets one do, in words that end "you may not …".
    pub(crate) const fn as_words(self) -> &'static str {
        match self {
            Self::View => "see this dashboard",
            Self::ViewPayloads => "see payloads",
            Self::Resend => "send deliveries again or cancel them",
            Self::Manage => "change webhooks",
            Self::RevealSecret => "see secrets",
            Self::RotateSecret => "rotate secrets",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Capabilities {
    /// No right at all.
    pub const NONE: Self = Self(0);
    /// See everything but payloads and secrets.
    pub const VIEWER: Self = Self::NONE.with(Capability::View);
    /// A viewer who also sees payloads, sends again and cancels.
    pub const OPERATOR: Self = Self::VIEWER.with(Capability::ViewPayloads).with(Capability::Resend);
    /// Every right.
    pub const ADMIN: Self =
        Self::OPERATOR.with(Capability::Manage).with(Capability::RevealSecret).with(Capability::RotateSecret);

    /// The set with this right too.
    #[must_use]
    pub const fn with(self, capability: Capability) -> Self {
        Self(self.0 | capability.bit())
    }

    /// The set without this right.
    #[must_use]
    pub const fn without(self, capability: Capability) -> Self {
        Self(self.0 & !capability.bit())
    }

    /// Whether this right is in it.
    #[must_use]
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & capability.bit() != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_sees_no_payload_and_an_operator_changes_no_webhook() {
        assert!(Capabilities::VIEWER.has(Capability::View) && !Capabilities::VIEWER.has(Capability::ViewPayloads));
        assert!(Capabilities::OPERATOR.has(Capability::Resend) && !Capabilities::OPERATOR.has(Capability::Manage));
        assert!(!Capabilities::ADMIN.without(Capability::RevealSecret).has(Capability::RevealSecret));
        assert!(!Capabilities::NONE.has(Capability::View));
    }
}
