//! Addresses inside the dashboard: below the mount path, and for the tenant that is shown.

use std::fmt::Write as _;

use notify_core::TenantId;

/// Makes links.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Links {
    base: String,
    /// Named in each link where the visitor may see several and looks at another than the default one.
    tenant: Option<TenantId>,
}

impl Links {
    pub(crate) const fn new(base: String, tenant: Option<TenantId>) -> Self {
        Self { base, tenant }
    }

    /// The mount path, where cookies live.
    pub(crate) fn root(&self) -> &str {
        if self.base.is_empty() { "/" } else { &self.base }
    }

    /// The link to `path`, which begins with a slash.
    pub(crate) fn to(&self, path: &str) -> String {
        self.with(path, &[])
    }

    /// The link to `path` with these parameters; those without a value are left out.
    pub(crate) fn with(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let tenant = self.tenant.as_ref().map_or("", TenantId::as_str);
        let mut link = format!("{}{path}", self.base);
        let given = parameters.iter().copied().filter(|(_, value)| !value.is_empty());
        let tenant = Some(("tenant", tenant)).filter(|(_, value)| !value.is_empty());
        for (index, (name, value)) in given.chain(tenant).enumerate() {
            link.push(if index == 0 { '?' } else { '&' });
            link.push_str(name);
            link.push('=');
            encode(value, &mut link);
        }
        link
    }

    /// The address without a tenant: an asset's, or a form's that is sent by GET.
    pub(crate) fn asset(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The tenant that forms which are sent by GET must carry on; empty = none.
    pub(crate) fn tenant(&self) -> &str {
        self.tenant.as_ref().map_or("", TenantId::as_str)
    }
}

/// Percent-encodes all but the unreserved characters (RFC 3986, section 2.3).
fn encode(value: &str, link: &mut String) {
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => link.push(char::from(byte)),
            _ => {
                let _ = write!(link, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_carries_the_mount_path_the_tenant_and_what_has_a_value() {
        let plain = Links::new(String::new(), None);
        assert_eq!((plain.to("/logs"), plain.root()), ("/logs".into(), "/"));
        let links = Links::new("/a/b".into(), Some("t&1/é".parse().unwrap()));
        assert_eq!(links.to("/"), "/a/b/?tenant=t%261%2F%C3%A9");
        assert_eq!(
            links.with("/logs", &[("status", "failed"), ("type", "")]),
            "/a/b/logs?status=failed&tenant=t%261%2F%C3%A9"
        );
        assert_eq!(links.asset("/assets/x.css"), "/a/b/assets/x.css");
    }
}
