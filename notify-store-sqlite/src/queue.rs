//! The way to the threads: bounded, with back-pressure.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use notify_core::store::{Operation, StoreError};
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::write::{Message, Tx};

/// One thing to write.
pub(crate) trait Job: Send {
    /// Whether nobody waits for it any more: a job that has not begun may then be left out (S11).
    fn is_abandoned(&self) -> bool;
    /// About how many bytes it writes.
    fn bytes(&self) -> usize;
    /// Does it. May be called again after a rollback.
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), JobFailed>;
    /// Tells the caller what became of it; `failed` if its work did not last.
    fn answer(self: Box<Self>, failed: Option<&JobFailed>);
}

/// Why a job, or the transaction around it, came to nothing.
#[derive(Debug)]
pub(crate) enum JobFailed {
    /// SQLite's error, in words.
    Sqlite(ErrorCode, String),
    /// Any other error of the driver, in words.
    Other(String),
    /// The write lock was not to be had.
    Locked,
    /// It panicked.
    Panicked,
}

impl From<rusqlite::Error> for JobFailed {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(code) => Self::Sqlite(code, error.to_string()),
            None => Self::Other(error.to_string()),
        }
    }
}

impl JobFailed {
    pub(crate) const fn is_busy(&self) -> bool {
        matches!(self, Self::Sqlite(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _))
    }

    fn to_store_error(&self, operation: Operation) -> StoreError {
        match self {
            Self::Sqlite(ErrorCode::DiskFull, _) => StoreError::Full { operation },
            Self::Locked => StoreError::Busy { operation },
            Self::Sqlite(_, text) | Self::Other(text) => StoreError::unavailable(operation, text.clone()),
            Self::Panicked => StoreError::unavailable(operation, "the store's own code panicked"),
        }
    }
}

/// A closure with its caller's ear.
struct Call<T, F> {
    operation: Operation,
    bytes: usize,
    work: F,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
    _permits: Permits,
}

type Permits = [OwnedSemaphorePermit; 2];

impl<T, F> Job for Call<T, F>
where
    T: Send,
    F: FnMut(&mut Tx<'_>) -> rusqlite::Result<Result<T, StoreError>> + Send,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), JobFailed> {
        // What a panic leaves half done is rolled back by the caller, together with what it kept in memory.
        let done = catch_unwind(AssertUnwindSafe(|| (self.work)(tx)));
        self.outcome = Some(done.map_err(|_| JobFailed::Panicked)??);
        Ok(())
    }

    fn answer(self: Box<Self>, failed: Option<&JobFailed>) {
        let outcome = match (failed, self.outcome) {
            (Some(failed), _) => Err(failed.to_store_error(self.operation)),
            (None, Some(outcome)) => outcome,
            (None, None) => Err(StoreError::unavailable(self.operation, "the call was left out")),
        };
        // A caller that is gone wants no answer.
        let _ = self.reply.send(outcome);
    }
}

/// Bounds what waits: calls, and the bytes they hold.
pub(crate) struct Gate {
    calls: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    capacity_bytes: usize,
    admission: Duration,
}

impl Gate {
    pub(crate) fn new(calls: usize, bytes: usize, admission: Duration) -> Self {
        let bytes = bytes.min(Semaphore::MAX_PERMITS).min(u32::MAX as usize);
        Self {
            calls: Arc::new(Semaphore::new(calls.min(Semaphore::MAX_PERMITS))),
            bytes: Arc::new(Semaphore::new(bytes)),
            capacity_bytes: bytes,
            admission,
        }
    }

    /// Waits for a place. A call larger than the whole queue passes alone.
    pub(crate) async fn admit(&self, operation: Operation, bytes: usize) -> Result<Permits, StoreError> {
        let bytes = u32::try_from(bytes.min(self.capacity_bytes)).unwrap_or(u32::MAX);
        let places = async {
            let call = Arc::clone(&self.calls).acquire_owned().await.ok()?;
            let bytes = Arc::clone(&self.bytes).acquire_many_owned(bytes).await.ok()?;
            Some([call, bytes])
        };
        match tokio::time::timeout(self.admission, places).await {
            Ok(places) => places.ok_or_else(|| gone(operation)),
            Err(_) => Err(StoreError::Busy { operation }),
        }
    }
}

/// The way to the thread that writes.
pub(crate) struct WriteQueue {
    gate: Gate,
    sender: mpsc::Sender<Message>,
}

impl WriteQueue {
    pub(crate) fn new(gate: Gate) -> (Self, mpsc::Receiver<Message>) {
        let (sender, receiver) = mpsc::channel();
        (Self { gate, sender }, receiver)
    }

    /// Waits for a place, hands the work over, and waits until it is committed.
    ///
    /// A dropped call that got no place has done nothing; one that got a place does its work or is left out.
    pub(crate) async fn call<T, F>(&self, operation: Operation, bytes: usize, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> rusqlite::Result<Result<T, StoreError>> + Send + 'static,
    {
        let permits = self.gate.admit(operation, bytes).await?;
        let (reply, answer) = oneshot::channel();
        let call = Call { operation, bytes, work, outcome: None, reply, _permits: permits };
        self.sender.send(Message::Write(Box::new(call))).map_err(|_| gone(operation))?;
        answer.await.unwrap_or_else(|_| Err(gone(operation)))
    }

    /// How often this store wrote.
    pub(crate) async fn poll(&self) -> Result<u64, StoreError> {
        let operation = Operation::Poll;
        let (reply, answer) = oneshot::channel();
        self.sender.send(Message::Poll(reply)).map_err(|_| gone(operation))?;
        answer.await.map_err(|_| gone(operation))
    }
}

/// One thing to read.
pub(crate) type ReadJob = Box<dyn FnOnce(&Connection) + Send>;

/// The way to the threads that read.
pub(crate) struct ReadQueue {
    gate: Gate,
    sender: mpsc::Sender<ReadJob>,
}

impl ReadQueue {
    pub(crate) fn new(gate: Gate) -> (Self, mpsc::Receiver<ReadJob>) {
        let (sender, receiver) = mpsc::channel();
        (Self { gate, sender }, receiver)
    }

    /// Waits for a place and for the answer.
    pub(crate) async fn call<T, F>(&self, operation: Operation, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<Result<T, StoreError>> + Send + 'static,
    {
        let permits = self.gate.admit(operation, 0).await?;
        let (reply, answer) = oneshot::channel();
        let job = move |conn: &Connection| {
            if !reply.is_closed() {
                let done = catch_unwind(AssertUnwindSafe(|| work(conn)));
                let outcome = match done {
                    Ok(Ok(outcome)) => outcome,
                    Ok(Err(error)) => Err(JobFailed::from(error).to_store_error(operation)),
                    Err(_) => Err(JobFailed::Panicked.to_store_error(operation)),
                };
                // A caller that is gone wants no answer.
                let _ = reply.send(outcome);
            }
            drop(permits);
        };
        self.sender.send(Box::new(job)).map_err(|_| gone(operation))?;
        answer.await.unwrap_or_else(|_| Err(gone(operation)))
    }
}

/// Reads until nobody can ask any more. Several threads share one receiver.
pub(crate) fn read_all(conn: &Connection, jobs: &Mutex<mpsc::Receiver<ReadJob>>) {
    loop {
        // Nothing panics while the lock is held; should it be poisoned all the same, the receiver is intact.
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(conn),
            Err(mpsc::RecvError) => return,
        }
    }
}

fn gone(operation: Operation) -> StoreError {
    StoreError::unavailable(operation, "the store's thread has ended")
}
