//! A name server on loopback that answers by script, and a resolver that asks it over UDP: for what a scripted list of
//! addresses cannot say, such as CNAMEs, silence and nonsense (RFC 1035).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use notify_http::Resolve;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;
const MAX_CNAMES: usize = 8;

/// One record of an answer.
#[derive(Clone, Debug)]
pub(crate) enum Record {
    /// An address; it answers the question for its family only.
    Address(IpAddr),
    /// Another name.
    Alias(&'static str),
}

/// What the server does with a question.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Records(Vec<Record>),
    /// A response code: 2 is SERVFAIL, 3 NXDOMAIN, 5 REFUSED.
    Code(u8),
    Silence,
    Bytes(Vec<u8>),
}

impl Reply {
    pub(crate) fn addresses(texts: &[&str]) -> Self {
        Self::Records(texts.iter().map(|text| Record::Address(text.parse().unwrap())).collect())
    }

    pub(crate) fn alias(name: &'static str) -> Self {
        Self::Records(vec![Record::Alias(name)])
    }
}

/// The server; it stops when dropped.
#[derive(Debug)]
pub(crate) struct NameServer {
    address: SocketAddr,
    lookups: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl NameServer {
    /// Answers questions for `(name, nth look-up of any name)`; a look-up begins with its question for A.
    pub(crate) async fn start(script: impl Fn(&str, usize) -> Reply + Send + 'static) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let mut packet = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut packet).await {
                let question = Question::read(&packet[..length]).unwrap();
                if let Some(answer) = question.answer(&script(&question.name, question.nth.into())) {
                    socket.send_to(&answer, from).await.unwrap();
                }
            }
        });
        Self { address, lookups: Arc::default(), task }
    }

    pub(crate) fn resolver(&self) -> StubResolver {
        StubResolver { server: self.address, lookups: Arc::clone(&self.lookups) }
    }

    pub(crate) fn lookups(&self) -> usize {
        self.lookups.load(Ordering::SeqCst)
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Asks for A and AAAA and follows CNAMEs, as the resolvers of operating systems do.
#[derive(Debug)]
pub(crate) struct StubResolver {
    server: SocketAddr,
    lookups: Arc<AtomicUsize>,
}

#[async_trait]
impl Resolve for StubResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let nth = self.lookups.fetch_add(1, Ordering::SeqCst);
        let mut found = Vec::new();
        for kind in [A, AAAA] {
            found.extend(self.follow(name, kind, u16::try_from(nth).unwrap()).await?);
        }
        Ok(found)
    }
}

impl StubResolver {
    async fn follow(&self, name: &str, kind: u16, nth: u16) -> io::Result<Vec<IpAddr>> {
        let mut name = name.to_owned();
        for _ in 0..MAX_CNAMES {
            let (addresses, alias) = self.ask(&name, kind, nth).await?;
            match alias {
                Some(alias) if addresses.is_empty() => name = alias,
                _ => return Ok(addresses),
            }
        }
        Err(io::Error::other("too many aliases"))
    }

    async fn ask(&self, name: &str, kind: u16, nth: u16) -> io::Result<(Vec<IpAddr>, Option<String>)> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        socket.connect(self.server).await?;
        socket.send(&Question { nth, name: name.to_owned(), kind }.write()).await?;
        let mut packet = [0; 4096];
        let length = socket.recv(&mut packet).await?;
        read_answer(&packet[..length]).ok_or_else(|| io::Error::other("no answer that can be read"))
    }
}

/// A question, whose id is the number of its look-up.
struct Question {
    nth: u16,
    name: String,
    kind: u16,
}

impl Question {
    fn write(&self) -> Vec<u8> {
        let mut packet = self.nth.to_be_bytes().to_vec();
        packet.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        write_name(&mut packet, &self.name);
        packet.extend(self.kind.to_be_bytes());
        packet.extend([0, 1]);
        packet
    }

    fn read(packet: &[u8]) -> Option<Self> {
        let (name, end) = read_name(packet, 12)?;
        Some(Self { nth: number(packet, 0)?, name, kind: number(packet, end)? })
    }

    fn answer(&self, reply: &Reply) -> Option<Vec<u8>> {
        let mut packet = self.write();
        packet[2] = 0x81;
        let records = match reply {
            Reply::Silence => return None,
            Reply::Bytes(bytes) => return Some(bytes.clone()),
            Reply::Code(code) => {
                packet[3] = *code;
                return Some(packet);
            }
            Reply::Records(records) => records,
        };
        let mut count = 0u16;
        for record in records {
            let (kind, data) = match record {
                Record::Address(IpAddr::V4(ip)) => (A, ip.octets().to_vec()),
                Record::Address(IpAddr::V6(ip)) => (AAAA, ip.octets().to_vec()),
                Record::Alias(name) => {
                    let mut data = Vec::new();
                    write_name(&mut data, name);
                    (CNAME, data)
                }
            };
            if kind != self.kind && kind != CNAME {
                continue;
            }
            count += 1;
            // The name of the question, class IN, a TTL of zero.
            packet.extend([0xc0, 12]);
            packet.extend(kind.to_be_bytes());
            packet.extend([0, 1, 0, 0, 0, 0]);
            packet.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
            packet.extend(data);
        }
        packet[6..8].copy_from_slice(&count.to_be_bytes());
        Some(packet)
    }
}

fn read_answer(packet: &[u8]) -> Option<(Vec<IpAddr>, Option<String>)> {
    if packet.get(3)? & 0xf != 0 {
        return None;
    }
    let (_, end) = read_name(packet, 12)?;
    let (mut at, mut addresses, mut alias) = (end + 4, Vec::new(), None);
    for _ in 0..number(packet, 6)? {
        let (kind, length) = (number(packet, at + 2)?, usize::from(number(packet, at + 10)?));
        let data = packet.get(at + 12..at + 12 + length)?;
        match kind {
            A => addresses.push(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).into()),
            AAAA => addresses.push(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).into()),
            CNAME => alias = Some(read_name(data, 0)?.0),
            _ => return None,
        }
        at += 12 + length;
    }
    Some((addresses, alias))
}

fn number(packet: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(packet.get(at..at + 2)?.try_into().ok()?))
}

fn write_name(packet: &mut Vec<u8>, name: &str) {
    for label in name.split('.') {
        packet.push(u8::try_from(label.len()).unwrap());
        packet.extend(label.as_bytes());
    }
    packet.push(0);
}

/// The name at this place, and where it ends. This server compresses no name.
fn read_name(packet: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut labels = Vec::new();
    loop {
        let length = usize::from(*packet.get(at)?);
        at += 1;
        if length == 0 {
            return Some((labels.join("."), at));
        }
        labels.push(String::from_utf8(packet.get(at..at + length)?.to_vec()).ok()?);
        at += length;
    }
}
