//! Loses commands and replies between a client and a Redis server.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::frame::split_frame;

/// Passes everything on until it is told to break the connection at a command. Connections that are made afterwards
/// pass again.
#[derive(Debug)]
pub struct CuttingProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// Where a connection breaks. Commands are counted over all connections, from the moment the cut is armed; the first
/// is 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cut {
    /// The command does not reach the server.
    Command(u64),
    /// The server carries the command out, and its reply does not reach the client.
    Reply(u64),
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    let_go: Condvar,
}

#[derive(Debug, Default)]
struct State {
    cut: Option<Cut>,
    commands: u64,
    /// Whether nobody passes after the cut.
    ends: bool,
    ended: bool,
    holds: bool,
    closed: bool,
    open: Vec<TcpStream>,
}

impl CuttingProxy {
    /// Stands in front of the server at this address.
    ///
    /// # Panics
    /// If loopback gives it no port.
    #[must_use]
    pub fn start(server: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("it listens");
        let (shared, server) = (Arc::new(Shared::default()), server.to_owned());
        thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                for client in listener.incoming().map_while(Result::ok) {
                    if shared.lock().closed {
                        return;
                    }
                    if shared.lock().ended {
                        continue;
                    }
                    // A server that is down: the client sees its connection closed.
                    if let Ok(upstream) = TcpStream::connect(&server) {
                        shared.connect(&client, &upstream);
                    }
                }
            }
        });
        Self { address, shared }
    }

    /// `redis://127.0.0.1:PORT`, through it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Breaks the connection once, there.
    pub fn arm(&self, cut: Cut) {
        let mut state = self.shared.lock();
        (state.cut, state.commands) = (Some(cut), 0);
    }

    /// Breaks the connection there, and lets no other through until it is [disarmed](Self::disarm).
    pub fn arm_for_good(&self, cut: Cut) {
        self.arm(cut);
        self.shared.lock().ends = true;
    }

    /// Whether a cut [for good](Self::arm_for_good) has come.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.shared.lock().ended
    }

    /// Takes the cut back, and says whether it was still to come.
    pub fn disarm(&self) -> bool {
        let mut state = self.shared.lock();
        (state.ends, state.ended) = (false, false);
        state.cut.take().is_some()
    }

    /// Keeps all replies back until [`release`](Self::release): the server is there, and says nothing.
    pub fn hold(&self) {
        self.shared.lock().holds = true;
    }

    /// Lets the replies go.
    pub fn release(&self) {
        self.shared.lock().holds = false;
        self.shared.let_go.notify_all();
    }
}

impl Drop for CuttingProxy {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        (state.closed, state.holds) = (true, false);
        for stream in state.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(state);
        self.shared.let_go.notify_all();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(self: &Arc<Self>, client: &TcpStream, server: &TcpStream) {
        let pair = || Some((client.try_clone().ok()?, server.try_clone().ok()?));
        let (Some((from, to)), Some((back_to, back_from)), Some((one, two))) = (pair(), pair(), pair()) else { return };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        self.lock().open.extend([one, two]);
        // Which commands of this connection have no reply yet, by number.
        let waiting = Arc::new(Mutex::new(VecDeque::new()));
        thread::spawn({
            let (shared, waiting) = (Arc::clone(self), Arc::clone(&waiting));
            move || pass(from, to, |_| shared.command(&waiting))
        });
        let shared = Arc::clone(self);
        thread::spawn(move || pass(back_from, back_to, |frame| shared.reply(frame, &waiting)));
    }

    /// Whether this command goes on.
    fn command(&self, waiting: &Mutex<VecDeque<u64>>) -> Fate {
        let mut state = self.lock();
        state.commands += 1;
        let number = state.commands;
        if state.cut == Some(Cut::Command(number)) {
            state.come();
            return Fate::Cut;
        }
        waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(number);
        Fate::Passes
    }

    /// Whether this reply goes on.
    fn reply(&self, frame: &[u8], waiting: &Mutex<VecDeque<u64>>) -> Fate {
        let held = self.let_go.wait_while(self.lock(), |state| state.holds);
        let mut state = held.unwrap_or_else(PoisonError::into_inner);
        // A push is nobody's answer.
        if frame.first() == Some(&b'>') {
            return Fate::Passes;
        }
        let number = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        if number.is_some_and(|number| state.cut == Some(Cut::Reply(number))) {
            state.come();
            return Fate::Cut;
        }
        Fate::Passes
    }
}

impl State {
    fn come(&mut self) {
        self.cut = None;
        self.ended = self.ends;
    }
}

enum Fate {
    Passes,
    Cut,
}

/// Passes frames on until one side closes or one is cut; then closes both.
fn pass(mut from: TcpStream, mut to: TcpStream, mut fate: impl FnMut(&[u8]) -> Fate) {
    let (mut buffer, mut chunk) = (Vec::new(), [0; 16 * 1024]);
    'open: while let Ok(read @ 1..) = from.read(&mut chunk) {
        buffer.extend_from_slice(&chunk[..read]);
        while let Some(length) = split_frame(&buffer) {
            if matches!(fate(&buffer[..length]), Fate::Cut) || to.write_all(&buffer[..length]).is_err() {
                break 'open;
            }
            buffer.drain(..length);
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
