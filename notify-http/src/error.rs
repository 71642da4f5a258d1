//! Why a transport cannot be built.

/// What [`HttpTransportBuilder::build`](crate::HttpTransportBuilder::build) refuses.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpBuildError {
    /// Nobody named a crypto provider: neither the builder, nor the process, nor a feature of this crate.
    #[error(
        "no crypto provider for tls: turn on feature `ring` or `aws-lc-rs` of notify-http, or give one to the builder"
    )]
    NoCryptoProvider,
    /// No root to trust: feature `webpki-roots` is off and no PEM was given.
    #[error("no trusted roots for tls: turn on feature `webpki-roots` of notify-http, or give a pem")]
    NoRoots,
    /// The PEM holds no certificate that can be trusted.
    #[error("root pem {index} cannot be trusted: {why}")]
    RootPem {
        /// Which call of `extra_root_pem`, from 1; a TLS profile's come after the builder's.
        index: usize,
        /// The fault.
        why: String,
    },
    /// The crypto provider cannot do TLS 1.2 or 1.3.
    #[error("crypto provider cannot be used: {why}")]
    CryptoProvider {
        /// The fault.
        why: String,
    },
    /// The text is no address range such as `10.0.0.0/8`, or shuts IPv4 addresses in their IPv4-mapped form, which nothing
    /// connects to.
    #[error("range {text:?} is no address range like 10.0.0.0/8 or ::1/128")]
    Range {
        /// The text.
        text: String,
    },
    /// The range holds nothing that may be opened: metadata, multicast and embedded-IPv4 addresses never are.
    #[error("range {text:?} cannot be opened: {name} addresses are never allowed")]
    RangeNeverOpens {
        /// The text.
        text: String,
        /// What the range is.
        name: &'static str,
    },
    /// The range holds nothing that [`allow_cidr`](crate::HttpTransportBuilder::allow_cidr) opens, but another method
    /// may.
    #[error("range {text:?} cannot be opened by itself: {name} addresses need {option}")]
    RangeNeedsOption {
        /// The text.
        text: String,
        /// What the range is.
        name: &'static str,
        /// The builder's method.
        option: &'static str,
    },
    /// The text is no name: an address, a pattern or a URL, perhaps.
    #[error("host {text:?} is no name like hooks.example.com")]
    Host {
        /// The text.
        text: String,
    },
    /// The name is one of a metadata service.
    #[error("host {text:?} cannot be opened: metadata services are never allowed")]
    HostNeverOpens {
        /// The text.
        text: String,
    },
    /// The text is no prefix that a NAT64 could have.
    #[error("nat64 prefix {text:?} is none of 32, 40, 48, 56, 64 or 96 bits that a network may use")]
    Nat64Prefix {
        /// The text.
        text: String,
    },
    /// The list of ports is empty, or has a port 0.
    #[error("ports must name at least one port, each from 1 to 65535")]
    Ports,
    /// The client certificate, or its key, cannot be used.
    #[error("client certificate for {host} cannot be used: {why}")]
    ClientCertificate {
        /// The host that it was given for.
        host: String,
        /// The fault.
        why: String,
    },
    /// The text is no host such as `partner.example.com`, or has a TLS profile already.
    #[error("tls profile for {text:?} is refused: {why}")]
    TlsHost {
        /// The text.
        text: String,
        /// The fault.
        why: &'static str,
    },
    /// The proxy cannot be used, or has an authorization and no URL. The URL is not quoted: it may hold credentials.
    #[error("proxy is refused: {why}")]
    Proxy {
        /// The fault.
        why: &'static str,
    },
    /// A limit of zero.
    #[error("{name} must be at least 1")]
    ZeroLimit {
        /// The builder's method.
        name: &'static str,
    },
}
