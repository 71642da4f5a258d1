//! The one thread that writes: takes what waits, commits it together, then answers.

use std::path::PathBuf;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::open::BUSY_TIMEOUT;
use crate::queue::{Job, JobFailed};

use super::{Keys, Tx};

/// Longer batches gain nothing and let the first caller wait.
const MAX_BATCH: usize = 256;
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Pages in the write-ahead log after which they are moved to the file once nobody waits, and whether or not.
const CHECKPOINT_IDLE: usize = 1000;
const CHECKPOINT_ALWAYS: usize = 8000;

/// A write-ahead log of this size is cut: a reader that never ends would let it grow for ever.
const WAL_BYTES: u64 = 64 * 1024 * 1024;

/// How long a cut may wait for readers; writers wait meanwhile.
const CUT_WAIT: Duration = Duration::from_millis(200);

/// What the thread is asked for.
pub(crate) enum Message {
    /// To write.
    Write(Box<dyn Job>),
    /// How often this store wrote: for a database in memory, where nobody else can.
    Poll(oneshot::Sender<u64>),
}

/// How the thread works.
#[derive(Debug)]
pub(crate) struct WriterSettings {
    pub(crate) lock_wait: Duration,
    /// The write-ahead log; `None` in memory.
    pub(crate) wal: Option<PathBuf>,
}

/// Owns the connection that writes.
pub(crate) struct Writer {
    conn: Connection,
    keys: Keys,
    settings: WriterSettings,
    /// How often this store wrote what another engine on it would want to see.
    writes: u64,
    /// About how many pages the write-ahead log has got since the last checkpoint.
    pages: usize,
}

impl Writer {
    pub(crate) fn new(conn: Connection, settings: WriterSettings) -> Self {
        Self { conn, keys: Keys::default(), settings, writes: 0, pages: 0 }
    }

    /// Works until nobody can ask any more.
    pub(crate) fn run(mut self, messages: &mpsc::Receiver<Message>) {
        while let Ok(first) = messages.recv() {
            let mut batch = Vec::new();
            let mut polls = Vec::new();
            let (mut bytes, mut full) = (0, false);
            let mut next = Some(first);
            // No waiting for more: under load the next batch fills up during this commit.
            while let Some(message) = next {
                match message {
                    Message::Write(job) => {
                        bytes += job.bytes();
                        batch.push(job);
                    }
                    Message::Poll(reply) => polls.push(reply),
                }
                full = batch.len() == MAX_BATCH || bytes >= MAX_BATCH_BYTES;
                next = if full { None } else { messages.try_recv().ok() };
            }
            batch.retain(|job| !job.is_abandoned());
            self.work(batch);
            for reply in polls {
                // A caller that is gone wants no answer.
                let _ = reply.send(self.writes);
            }
            self.checkpoint(if full { CHECKPOINT_ALWAYS } else { CHECKPOINT_IDLE });
        }
    }

    /// Commits all together; if one of them fails, each by itself, so that it spoils nothing for the others.
    fn work(&mut self, mut batch: Vec<Box<dyn Job>>) {
        match self.commit(&mut batch) {
            Err(JobFailed::Locked) => answer_all(batch, Some(&JobFailed::Locked)),
            Err(_) if batch.len() > 1 => {
                for mut job in batch {
                    let failed = self.commit(std::slice::from_mut(&mut job)).err();
                    job.answer(failed.as_ref());
                }
            }
            outcome => answer_all(batch, outcome.err().as_ref()),
        }
    }

    /// One transaction, from the start again as long as another process is in the way.
    fn commit(&mut self, batch: &mut [Box<dyn Job>]) -> Result<(), JobFailed> {
        if batch.is_empty() {
            return Ok(());
        }
        // The only thing that is timed here is this wait: no row is written or chosen by a clock (S10).
        let deadline = Instant::now() + self.settings.lock_wait;
        loop {
            self.conn.busy_timeout(self.settings.lock_wait.min(BUSY_TIMEOUT))?;
            let failed = match self.try_commit(batch) {
                Ok(()) => return Ok(()),
                Err(failed) => failed,
            };
            self.keys.forget();
            if !self.conn.is_autocommit() {
                // An error that rolled back by itself has left nothing to do here.
                let _ = self.conn.execute_batch("ROLLBACK");
            }
            if !failed.is_busy() {
                return Err(failed);
            }
            if Instant::now() >= deadline {
                return Err(JobFailed::Locked);
            }
        }
    }

    fn try_commit(&mut self, batch: &mut [Box<dyn Job>]) -> Result<(), JobFailed> {
        // Immediate: a transaction that reads first and writes later fails at once where somebody wrote between.
        self.conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut tx = Tx::new(&self.conn, &mut self.keys);
        for job in batch.iter_mut() {
            job.run(&mut tx)?;
        }
        let noteworthy = tx.finish()?;
        self.conn.prepare_cached("COMMIT")?.execute([])?;
        self.writes += u64::from(noteworthy);
        // A guess: a batch has its own copy of about this many pages, and each call about this many more.
        self.pages += 10 + 3 * batch.len();
        Ok(())
    }

    fn checkpoint(&mut self, after_pages: usize) {
        let Some(wal) = &self.settings.wal else { return };
        if self.pages < after_pages {
            return;
        }
        self.pages = 0;
        let size = std::fs::metadata(wal).map_or(0, |found| found.len());
        // A checkpoint that a reader or another process hinders is made good by a later one.
        if size > WAL_BYTES {
            let _ = self.conn.busy_timeout(CUT_WAIT);
            let _ = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        } else {
            let _ = self.conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        }
    }
}

fn answer_all(batch: Vec<Box<dyn Job>>, failed: Option<&JobFailed>) {
    for job in batch {
        job.answer(failed);
    }
}
