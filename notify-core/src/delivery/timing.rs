//! Where an attempt's time went.

use std::fmt::Write as _;
use std::time::Duration;

use super::TlsVersion;

/// How long each part of an attempt took, as its transport measured it, and over what connection.
///
/// Lengths are whole microseconds, up to 71 minutes. Their sum is at most the attempt's duration: the rest is signing,
/// waiting for a place among the connections to the host, and the answer's body.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Timing {
    connection: ConnectionUse,
    tls: Option<TlsVersion>,
    /// In microseconds, in the order of [`Part::ALL`]. Each attempt of the log has one: no `Duration`, which is twice
    /// as large.
    parts: [Option<u32>; Part::ALL.len()],
}

/// Whose connection an attempt went over.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ConnectionUse {
    /// One of its own: it made one, or failed to.
    New,
    /// One that another attempt had made, so that nothing was looked up or dialled for this one.
    Reused,
}

/// A part of an attempt that is timed by itself.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Part {
    /// Looking the name up.
    Lookup,
    /// Making the TCP connection: from the first address that is tried to the one that is connected, or the proxy's
    /// tunnel to it.
    Connect,
    /// The TLS handshake.
    Handshake,
    /// From the connection to the answer's first byte: sending the request, and waiting. A transport that sees whole
    /// heads only, like notify-http's, counts up to the head's end.
    FirstByte,
}

impl Part {
    /// All of them, in the order in which they happen.
    pub const ALL: [Self; 4] = [Self::Lookup, Self::Connect, Self::Handshake, Self::FirstByte];

    /// The word: `lookup`, `connect`, `handshake` or `first_byte`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lookup => "lookup",
            Self::Connect => "connect",
            Self::Handshake => "handshake",
            Self::FirstByte => "first_byte",
        }
    }

    const fn letter(self) -> char {
        match self {
            Self::Lookup => 'd',
            Self::Connect => 'c',
            Self::Handshake => 't',
            Self::FirstByte => 'f',
        }
    }
}

impl ConnectionUse {
    /// The word: `new` or `reused`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Reused => "reused",
        }
    }
}

impl Timing {
    /// Of an attempt over such a connection, of which no part has ended yet.
    #[must_use]
    pub const fn new(connection: ConnectionUse) -> Self {
        Self { connection, tls: None, parts: [None; Part::ALL.len()] }
    }

    /// The same, with the length of one part. What is finer than a microsecond is cut off.
    #[must_use]
    pub fn with(mut self, part: Part, length: Duration) -> Self {
        self.parts[part as usize] = Some(u32::try_from(length.as_micros()).unwrap_or(u32::MAX));
        self
    }

    /// The same, over a connection that speaks this version of TLS.
    #[must_use]
    pub const fn with_tls(mut self, version: TlsVersion) -> Self {
        self.tls = Some(version);
        self
    }

    /// Whose connection it went over.
    #[must_use]
    pub const fn connection(&self) -> ConnectionUse {
        self.connection
    }

    /// The version of TLS that its connection speaks; `None` without TLS, or if the handshake did not end.
    #[must_use]
    pub const fn tls(&self) -> Option<TlsVersion> {
        self.tls
    }

    /// How long this part took. `None` if it did not happen (a connection that was reused, a URL without a name or
    /// without TLS), or did not end.
    #[must_use]
    pub fn of(&self, part: Part) -> Option<Duration> {
        self.parts[part as usize].map(|micros| Duration::from_micros(micros.into()))
    }

    /// The parts that ended, in their order, with their lengths.
    pub fn parts(&self) -> impl Iterator<Item = (Part, Duration)> {
        Part::ALL.into_iter().filter_map(|part| Some((part, self.of(part)?)))
    }

    /// As stores keep it: some 30 bytes of ASCII, and less for a connection that was reused. [`parse`](Self::parse)
    /// reads it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(32);
        text.push(match self.connection {
            ConnectionUse::New => 'n',
            ConnectionUse::Reused => 'r',
        });
        let tls = self.tls.map(|version| ('v', version.minor()));
        let parts = Part::ALL.into_iter().zip(self.parts);
        for (letter, number) in tls.into_iter().chain(parts.filter_map(|(part, n)| Some((part.letter(), n?)))) {
            // Writing to a text cannot fail.
            let _ = write!(text, "{letter}{number}");
        }
        text
    }

    /// Reads what [`to_text`](Self::to_text) wrote; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let mut timing = Self::new(match take(&mut rest)? {
            'n' => ConnectionUse::New,
            'r' => ConnectionUse::Reused,
            _ => return None,
        });
        while let Some(letter) = take(&mut rest) {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let number = rest[..digits].parse().ok()?;
            rest = &rest[digits..];
            match Part::ALL.into_iter().find(|part| part.letter() == letter) {
                Some(part) => timing.parts[part as usize] = Some(number),
                None if letter == 'v' => timing.tls = Some(TlsVersion::of_minor(number)?),
                None => return None,
            }
        }
        // One text for each value: no other order, nothing twice, no leading zero.
        (timing.to_text() == text).then_some(timing)
    }
}

/// The first character, taken off.
fn take(rest: &mut &str) -> Option<char> {
    let mut chars = rest.chars();
    let first = chars.next();
    *rest = chars.as_str();
    first
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn full() -> Timing {
        let millis = [3, 12, 30, 140];
        let timing = Timing::new(ConnectionUse::New).with_tls(TlsVersion::V1_3);
        Part::ALL.into_iter().zip(millis).fold(timing, |timing, (part, n)| timing.with(part, Duration::from_millis(n)))
    }

    /// These texts are in files: they never change.
    #[test]
    fn a_timing_has_one_text_and_comes_back_from_it() {
        let reused = Timing::new(ConnectionUse::Reused).with_tls(TlsVersion::V1_2);
        let longest = Timing::new(ConnectionUse::New).with(Part::Connect, Duration::MAX);
        for (timing, text) in [
            (full(), "nv3d3000c12000t30000f140000"),
            (Timing::new(ConnectionUse::New), "n"),
            (Timing::new(ConnectionUse::New).with(Part::Lookup, Duration::ZERO), "nd0"),
            (reused.with(Part::FirstByte, Duration::from_nanos(1999)), "rv2f1"),
            (longest, "nc4294967295"),
        ] {
            assert_eq!(timing.to_text(), text);
            assert_eq!(Timing::parse(text), Some(timing), "{text}");
        }
    }

    #[test]
    fn no_other_text_is_a_timing() {
        for text in [
            "",
            "x",
            "3",
            "nd",
            "nd-1",
            "nd+1",
            "nd01",
            "nd1d1",
            "nc1d1",
            "nd1v3",
            "nv4",
            "nv",
            "nx1",
            "n ",
            " n",
            "nd1 ",
            "nc4294967296",
            "nd\u{663}",
            "\u{e9}",
            "nd1.5",
        ] {
            assert_eq!(Timing::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_alike(text in "[nr](v[23])?(d[0-9]{1,11})?(c[0-9]{1,11})?[tf]?[0-9]{0,3}.?") {
            if let Some(timing) = Timing::parse(&text) {
                prop_assert_eq!(timing.to_text(), text);
            }
        }

        #[test]
        fn whatever_is_written_is_read_alike(parts: [Option<u32>; 4], reused: bool, tls: bool) {
            let connection = if reused { ConnectionUse::Reused } else { ConnectionUse::New };
            let timing = Timing { connection, tls: tls.then_some(TlsVersion::V1_2), parts };
            prop_assert_eq!(Timing::parse(&timing.to_text()), Some(timing));
        }
    }

    #[test]
    fn parts_that_did_not_happen_are_left_out_and_the_others_come_in_order() {
        let timing = Timing::new(ConnectionUse::New)
            .with(Part::FirstByte, Duration::from_millis(140))
            .with(Part::Connect, Duration::from_millis(12));
        let parts: Vec<_> = timing.parts().map(|(part, length)| (part.as_str(), length.as_millis())).collect();
        assert_eq!(parts, [("connect", 12), ("first_byte", 140)]);
        assert_eq!((timing.of(Part::Lookup), timing.tls()), (None, None));
        assert_eq!(full().parts().map(|(_, length)| length).sum::<Duration>(), Duration::from_millis(185));
    }
}
