//! From addresses to connections.

use std::fmt::Debug;
use std::io;
use std::net::SocketAddr;

use async_trait::async_trait;
use tokio::net::TcpStream;

/// Makes connections, for hosts that bind a source address or leave through another network. Asked only for
/// addresses that were judged and admitted, and perhaps for several of a name at once (RFC 8305).
///
/// Whoever is at the other end is judged once more, by [`TcpStream::peer_addr`], before any byte is sent: a dialer
/// that connects elsewhere makes failed attempts.
///
/// # Cancel safety
/// The transport drops a call that outlives its time, or that another address was faster than.
#[async_trait]
pub trait Dial: Debug + Send + Sync + 'static {
    /// A connection to `address`.
    ///
    /// # Errors
    /// Nobody could be reached. An error that carries an operating-system code for exhausted resources counts as the
    /// sender's own fault.
    async fn dial(&self, address: SocketAddr) -> io::Result<TcpStream>;
}

/// The operating system's routes and source addresses.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDialer;

#[async_trait]
impl Dial for SystemDialer {
    async fn dial(&self, address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }
}
