//! The table: what a hostile receiver does, and what an attempt comes to.

use notify_core::delivery::Reason::{ConnectTimeout, Protocol, Reset, ResponseTimeout};
use notify_core::delivery::TlsFault;

use super::Ending::{self, Failure, Status, Tls};

/// How a receiver of a shape is reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wire {
    /// Plain HTTP/1.1.
    Http,
    /// HTTP/1.1 within TLS.
    Https,
    /// HTTP/2 within TLS.
    Http2,
    /// Something else at the port where TLS is expected.
    NoTls,
}

/// When the attempt is over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum When {
    /// As soon as the receiver has done what it does.
    Soon,
    /// At its own deadline.
    Deadline,
}

use When::{Deadline, Soon};
use Wire::{Http, Http2, Https, NoTls};

macro_rules! shapes {
    ($($(#[doc = $does:literal])+ $name:ident: $wire:ident, $ending:expr, $when:ident;)+) => {
        /// One way to misbehave.
        ///
        /// Each has an [`ending`](Self::ending): what one attempt of
        /// [`HttpTransport`](crate::HttpTransport) comes to, whatever else the receiver does. A status is what the
        /// receiver said; whether it is a success is the engine's question.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum Shape { $($(#[doc = $does])+ $name,)+ }

        impl Shape {
            /// All of them, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The variant's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// What the receiver does.
            #[must_use]
            pub const fn does(self) -> &'static str {
                match self { $(Self::$name => concat!($($does),+).trim_ascii(),)+ }
            }

            /// What an attempt comes to.
            #[must_use]
            pub const fn ending(self) -> Ending {
                match self { $(Self::$name => $ending,)+ }
            }

            const fn when(self) -> When {
                match self { $(Self::$name => $when,)+ }
            }

            pub(super) const fn wire(self) -> Wire {
                match self { $(Self::$name => $wire,)+ }
            }
        }
    };
}

shapes! {
    // Connections.
    /// Never accepts: the queue of connections is full. (Linux only: elsewhere the connection may be refused.)
    NeverAccept: Http, Failure(ConnectTimeout), Deadline;
    /// Accepts, and neither reads nor answers.
    NeverRead: Http, Failure(ResponseTimeout), Deadline;
    /// Reads one byte each 10 s.
    ReadSlowly: Http, Failure(ResponseTimeout), Deadline;
    /// Reads the request and says nothing.
    NeverAnswer: Http, Failure(ResponseTimeout), Deadline;
    /// Closes once it has accepted.
    CloseAtOnce: Http, Failure(Reset), Soon;
    /// Resets once it has accepted.
    ResetAtOnce: Http, Failure(Reset), Soon;
    /// Reads the request and closes.
    CloseAfterRequest: Http, Failure(Reset), Soon;
    /// Reads the request and resets.
    ResetAfterRequest: Http, Failure(Reset), Soon;
    /// Closes its half once it has accepted, and goes on reading.
    HalfClose: Http, Failure(Reset), Soon;

    // Heads.
    /// Answers one byte each 10 s.
    DripHead: Http, Failure(ResponseTimeout), Deadline;
    /// Closes in the middle of the head.
    CloseInHead: Http, Failure(Reset), Soon;
    /// Resets in the middle of the head.
    ResetInHead: Http, Failure(Reset), Soon;
    /// Header lines without end.
    EndlessHeaders: Http, Failure(Protocol), Soon;
    /// A header line without end.
    EndlessHeader: Http, Failure(Protocol), Soon;
    /// A status line without end.
    EndlessStatusLine: Http, Failure(Protocol), Soon;
    /// 10,000 header lines.
    TenThousandHeaders: Http, Failure(Protocol), Soon;
    /// A header line of 1 MiB.
    MebibyteHeader: Http, Failure(Protocol), Soon;
    /// 1,000 interim answers (103), and then a 200.
    ThousandInterims: Http, Status(200), Soon;
    /// Interim answers (103) without end.
    EndlessInterims: Http, Failure(Protocol), Soon;
    /// An interim answer (100) with a body, which none has.
    InterimWithBody: Http, Failure(Protocol), Soon;
    /// Answers 101, and speaks another protocol from there on.
    SwitchProtocols: Http, Status(101), Soon;
    /// A status of four digits.
    FourDigitStatus: Http, Failure(Protocol), Soon;
    /// The status 000.
    StatusZero: Http, Failure(Protocol), Soon;
    /// The status 999.
    Status999: Http, Status(999), Soon;
    /// A status line without a status.
    NoStatus: Http, Failure(Protocol), Soon;
    /// HTTP/0.9: a body and no head.
    Http09: Http, Failure(Protocol), Soon;
    /// HTTP/1.0.
    Http10: Http, Status(200), Soon;
    /// A version that does not exist.
    Http30: Http, Failure(Protocol), Soon;
    /// The banner of another protocol.
    SshBanner: Http, Failure(Protocol), Soon;
    /// A TLS alert where plain HTTP was asked for.
    TlsAtPlainPort: Http, Failure(Protocol), Soon;
    /// HTTP/2's first frame where HTTP/1.1 was asked for.
    Http2AtPlainPort: Http, Failure(Protocol), Soon;
    /// Two content lengths.
    TwoLengths: Http, Failure(Protocol), Soon;
    /// A content length below zero.
    NegativeLength: Http, Failure(Protocol), Soon;
    /// A content length with a plus sign.
    SignedLength: Http, Failure(Protocol), Soon;
    /// A content length beyond 64 bits.
    OverflowingLength: Http, Failure(Protocol), Soon;
    /// A content length, and chunks: what request smuggling is made of.
    LengthAndChunks: Http, Status(200), Soon;
    /// A blank before the colon of a header line.
    BlankBeforeColon: Http, Failure(Protocol), Soon;
    /// A header line folded over two.
    FoldedHeader: Http, Failure(Protocol), Soon;
    /// A NUL in a header's value.
    NulInHeader: Http, Failure(Protocol), Soon;
    /// A carriage return in a header's value.
    ReturnInHeader: Http, Failure(Protocol), Soon;
    /// A header line without a name.
    NamelessHeader: Http, Failure(Protocol), Soon;
    /// Lines that end with a line feed alone.
    BareLineFeeds: Http, Status(200), Soon;
    /// A header whose value is no UTF-8.
    NonUtf8Header: Http, Status(200), Soon;

    // Bodies.
    /// A body without end, of a huge length.
    EndlessBody: Http, Status(200), Soon;
    /// Chunks without end.
    EndlessChunks: Http, Status(200), Soon;
    /// A body of one byte each 10 s.
    DripBody: Http, Status(200), Deadline;
    /// A body that stops half way.
    StalledBody: Http, Status(200), Deadline;
    /// A chunk whose size is no number.
    BadChunkSize: Http, Status(200), Soon;
    /// A chunk whose size overflows.
    OverflowingChunkSize: Http, Status(200), Soon;
    /// A chunk extension without end.
    EndlessChunkExtension: Http, Status(200), Soon;
    /// Trailers without end.
    EndlessTrailers: Http, Status(200), Soon;
    /// Less than the content length, then the end.
    ShortBody: Http, Status(200), Soon;
    /// A 200 and a part of its body, then a reset.
    ResetInBody: Http, Status(200), Soon;
    /// A 200 before the request's body was read, which it never is.
    EarlyAnswer: Http, Status(200), Soon;
    /// A body that ends with the connection.
    UnframedBody: Http, Status(200), Soon;
    /// Ten mebibytes of zeros, compressed.
    GzipBomb: Http, Status(200), Soon;
    /// A body that is no UTF-8.
    NonUtf8Body: Http, Status(200), Soon;
    /// A 204 with a body.
    BodyAt204: Http, Status(204), Soon;
    /// Two answers to one request: the second must not become the next request's.
    TwoAnswers: Http, Status(200), Soon;

    // Answers that lead elsewhere.
    /// A redirect (302) to a cloud's metadata service.
    RedirectInside: Http, Status(302), Soon;
    /// A redirect (307) to itself.
    RedirectToItself: Http, Status(307), Soon;
    /// A 200 that refreshes to another address and names an alternative service.
    RefreshAndAltSvc: Http, Status(200), Soon;
    /// A demand for credentials (401).
    Challenge: Http, Status(401), Soon;
    /// A demand for a proxy's credentials (407).
    ProxyChallenge: Http, Status(407), Soon;

    // TLS.
    /// Accepts, and says nothing where a handshake was begun.
    TlsSilence: NoTls, Failure(ConnectTimeout), Deadline;
    /// Stops in the middle of the handshake's first record.
    TlsStall: NoTls, Failure(ConnectTimeout), Deadline;
    /// Closes when the handshake begins.
    TlsClose: NoTls, Tls(TlsFault::Broken), Soon;
    /// Resets when the handshake begins.
    TlsReset: NoTls, Tls(TlsFault::Broken), Soon;
    /// Answers in plain HTTP.
    PlainHttp: NoTls, Tls(TlsFault::NotTls), Soon;
    /// Chooses TLS 1.0.
    Tls10: NoTls, Tls(TlsFault::OldVersion), Soon;
    /// Chooses TLS 1.1.
    Tls11: NoTls, Tls(TlsFault::OldVersion), Soon;
    /// Refuses our versions.
    TlsVersionAlert: NoTls, Tls(TlsFault::OldVersion), Soon;
    /// Finds no common ground.
    TlsFailureAlert: NoTls, Tls(TlsFault::Other), Soon;
    /// A record that claims more than TLS allows.
    TlsHugeRecord: NoTls, Tls(TlsFault::NotTls), Soon;
    /// A handshake message that claims 16 MiB, and comes.
    TlsHugeMessage: NoTls, Tls(TlsFault::NotTls), Soon;
    /// Empty records without end.
    TlsEmptyRecords: NoTls, Tls(TlsFault::NotTls), Soon;
    /// A certificate whose time is over.
    Expired: Https, Tls(TlsFault::Expired), Soon;
    /// A certificate whose time has not begun.
    NotYetValid: Https, Tls(TlsFault::NotYetValid), Soon;
    /// A certificate for another name.
    WrongName: Https, Tls(TlsFault::WrongName), Soon;
    /// A certificate that was signed by itself.
    SelfSigned: Https, Tls(TlsFault::SelfSigned), Soon;
    /// The certificate of an authority, signed by itself.
    SelfSignedAuthority: Https, Tls(TlsFault::SelfSigned), Soon;
    /// A complete chain to an authority that nobody trusts.
    UnknownAuthority: Https, Tls(TlsFault::UnknownAuthority), Soon;
    /// A chain without its intermediate certificate.
    MissingIntermediate: Https, Tls(TlsFault::MissingIntermediate), Soon;
    /// A certificate with one bit of its signature turned.
    BadSignature: Https, Tls(TlsFault::BadSignature), Soon;
    /// A certificate for clients.
    WrongPurpose: Https, Tls(TlsFault::WrongPurpose), Soon;
    /// A demand for a client certificate, which nobody gave the transport.
    ClientCertificate: Https, Tls(TlsFault::ClientCertificate), Soon;
    /// A body without end, within TLS.
    EndlessBodyOverTls: Https, Status(200), Soon;
    /// Accepts, and never reads, after the handshake.
    NeverReadOverTls: Https, Failure(ResponseTimeout), Deadline;
    /// An unframed body within TLS that ends without TLS's own farewell.
    NoTlsFarewell: Https, Status(200), Soon;
    /// 2,000 session tickets before the answer.
    TicketFlood: Https, Failure(Reset), Soon;

    // HTTP/2.
    /// Not even settings.
    Http2Silence: Http2, Failure(ResponseTimeout), Deadline;
    /// Settings, and no answer.
    Http2NeverAnswer: Http2, Failure(ResponseTimeout), Deadline;
    /// Answers in HTTP/1.1.
    Http1AtHttp2: Http2, Failure(Protocol), Soon;
    /// Settings without end.
    SettingsFlood: Http2, Failure(Protocol), Soon;
    /// Acknowledgements, without end, of settings that nobody sent.
    AcknowledgementFlood: Http2, Failure(Protocol), Soon;
    /// Windows that grow by a byte, without end.
    WindowFlood: Http2, Failure(Protocol), Soon;
    /// Pings without end.
    PingFlood: Http2, Failure(Protocol), Soon;
    /// Resets of streams that are not there.
    ResetFlood: Http2, Failure(Protocol), Soon;
    /// A header block that never ends.
    ContinuationFlood: Http2, Failure(Protocol), Soon;
    /// A header block that never ends, of empty frames.
    EmptyContinuationFlood: Http2, Failure(Protocol), Soon;
    /// Priorities without end.
    PriorityFlood: Http2, Failure(Protocol), Soon;
    /// Frames of an unknown type without end.
    UnknownFrameFlood: Http2, Failure(Protocol), Soon;
    /// Interim answers without end.
    Http2EndlessInterims: Http2, Failure(Protocol), Soon;
    /// A small header block that unpacks to 40 MiB.
    HeaderBomb: Http2, Failure(Protocol), Soon;
    /// A header block with an integer that never ends.
    EndlessInteger: Http2, Failure(Protocol), Soon;
    /// A frame beyond the size we allow.
    HugeFrame: Http2, Failure(Protocol), Soon;
    /// A pushed answer, which we forbid.
    Push: Http2, Failure(Protocol), Soon;
    /// A body before its head.
    DataBeforeHead: Http2, Failure(Protocol), Soon;
    /// A head without a status.
    HeadWithoutStatus: Http2, Failure(Protocol), Soon;
    /// An answer to a request that was not sent yet.
    AnswerAhead: Http2, Failure(Protocol), Soon;
    /// A window beyond 31 bits.
    WindowOverflow: Http2, Failure(Protocol), Soon;
    /// Goes away when it has read the request: unprocessed, it says, and please send again.
    GoAway: Http2, Failure(Reset), Soon;
    /// Refuses the stream: unprocessed, it says, and please send again.
    RefusedStream: Http2, Failure(Reset), Soon;
    /// Asks to be spoken to in HTTP/1.1 instead.
    Http11Required: Http2, Failure(Reset), Soon;
    /// A 200, and then a reset of its stream.
    ResetAfterHead: Http2, Status(200), Soon;
    /// A body without end that minds no window.
    BodyPastWindow: Http2, Status(200), Soon;
    /// A body of empty frames without end.
    EmptyBodyFlood: Http2, Status(200), Soon;
}

impl Shape {
    /// Whether the attempt ends only with its own deadline, rather than by what the receiver does.
    #[must_use]
    pub const fn ends_at_deadline(self) -> bool {
        matches!(self.when(), Deadline)
    }
}
