//! The port policy.

/// Which ports URLs may name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum Ports {
    /// All but those of other protocols.
    #[default]
    Usual,
    /// These and no others: whoever names a port knows what is there.
    Only(Vec<u16>),
}

impl Ports {
    /// Whether a URL may name `port`, and if not why; reads on after "has port …".
    pub(crate) fn admit(&self, port: u16) -> Result<(), &'static str> {
        match self {
            Self::Only(ports) if ports.contains(&port) => Ok(()),
            Self::Only(_) => Err("which is not among those allowed here"),
            Self::Usual if BAD_PORTS.contains(&port) => Err("which belongs to another protocol than HTTP"),
            Self::Usual => Ok(()),
        }
    }
}

/// The "bad ports" of the Fetch standard (section 2.9), where a request could speak to another protocol, then ports
/// of databases and control planes that take HTTP or fall for it.
#[rustfmt::skip]
const BAD_PORTS: &[u16] = &[
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
    111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
    540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
    6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
    2375, 2379, 3306, 5432, 5672, 6379, 8500, 9200, 11211, 27017,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_ports_is_the_whole_list() {
        let only = Ports::Only(vec![443, 9200]);
        assert_eq!((only.admit(443), only.admit(9200)), (Ok(()), Ok(())));
        assert!(only.admit(8443).is_err());
        assert!(Ports::Usual.admit(9200).is_err());
        assert_eq!(Ports::Usual.admit(8443), Ok(()));
    }
}
