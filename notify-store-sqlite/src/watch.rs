//! Whether somebody wrote: a thread that looks at the file's version now and then, while somebody asks.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use notify_core::store::{Mark, Operation, StoreError};
use rusqlite::Connection;
use tokio::sync::oneshot;

/// How often the thread looks. What another process publishes is noticed within this time.
const PERIOD: Duration = Duration::from_millis(1600);

/// After so many looks an answer says that nothing changed: about 24 s.
const LOOKS: u32 = 15;

/// The way to the thread. An engine that waits here is not woken until there is something to hear: the only wake-up
/// is the thread's own, which costs a few microseconds and touches no table.
///
/// Commits of any other connection change the version, this store's own included; a claim that leases nothing
/// commits nothing.
pub(crate) struct Watch(Sender<Request>);

struct Request {
    since: Mark,
    looks: u32,
    reply: oneshot::Sender<Result<Mark, StoreError>>,
}

impl Watch {
    pub(crate) fn start(conn: Connection) -> std::io::Result<Self> {
        let (sender, requests) = channel();
        thread::Builder::new().name("notify-sqlite-v".into()).spawn(move || look_out(&conn, &requests))?;
        Ok(Self(sender))
    }

    /// The version once it is another than `since`, or after some time all the same.
    pub(crate) async fn changed(&self, since: Mark) -> Result<Mark, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Request { since, looks: LOOKS, reply }).map_err(|_| gone())?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }
}

/// Looks until nobody can ask any more.
fn look_out(conn: &Connection, requests: &Receiver<Request>) {
    let mut waiting: Vec<Request> = Vec::new();
    loop {
        let next = if waiting.is_empty() {
            requests.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            requests.recv_timeout(PERIOD)
        };
        match next {
            Ok(request) => waiting.push(request),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let version = version(conn);
        for mut request in std::mem::take(&mut waiting) {
            request.looks -= 1;
            let answer = match &version {
                Ok(mark) if *mark == request.since && request.looks > 0 => {
                    if !request.reply.is_closed() {
                        waiting.push(request);
                    }
                    continue;
                }
                Ok(mark) => Ok(*mark),
                Err(problem) => Err(StoreError::unavailable(Operation::Poll, problem.clone())),
            };
            // A caller that is gone wants no answer.
            let _ = request.reply.send(answer);
        }
    }
}

fn version(conn: &Connection) -> Result<Mark, String> {
    let found = conn
        .prepare_cached("PRAGMA data_version")
        .and_then(|mut statement| statement.query_row([], |row| row.get::<_, i64>(0)));
    found.map(|version| Mark(version.unsigned_abs())).map_err(|error| error.to_string())
}

fn gone() -> StoreError {
    StoreError::unavailable(Operation::Poll, "the store's thread has ended")
}

#[cfg(test)]
mod tests;
