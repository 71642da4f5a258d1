//! The handle: one thread that writes, two that read, one that watches the file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use async_trait::async_trait;
use notify_core::delivery::{Attempt, Delivery, NewDelivery};
use notify_core::endpoint::{Disabled, Endpoint};
use notify_core::event::EventKey;
use notify_core::id::Version;
use notify_core::machine::Change;
use notify_core::store::activity::{Activity, ActivityQuery};
use notify_core::store::{
    ApplyOutcome, ClaimBatch, ClaimRequest, DeliveryLog, DeliveryQuery, EndpointAdmin, EndpointDirectory,
    EndpointQuery, EventQuery, EventRecord, InsertOutcome, Mark, Operation, Page, PageRequest, Pruned, PublishBatch,
    Replaced, Stats, Store, StoreError, SweepRequest, Swept,
};
use notify_core::{DeliveryId, EndpointId, EventType, TenantId, Timestamp};
use rusqlite::Connection;

use crate::builder::{OldLibrary, SqliteBuilder};
use crate::open::{library_warning, open_memory, open_reader, open_writer};
use crate::queue::{Gate, ReadQueue, WriteQueue, read_all};
use crate::watch::Watch;
use crate::write::{self, Tx, Writer, WriterSettings};
use crate::{OpenError, read};

const READERS: usize = 2;

/// How many reads may wait.
const MAX_READS: usize = 1024;

/// Rough bytes of a call and of a delivery, beside the payload.
const CALL_BYTES: usize = 256;

/// A store in one SQLite file, for one host: several processes of that host may share the file.
///
/// Clones are the same store. The file and its `-wal` and `-shm` have mode 0600; secrets are in it in plain text.
///
/// # Durability (S9)
/// As [`Synchronous`](crate::Synchronous) says: by default what was answered survives a power cut. Calls that wait
/// at the same time are committed together.
///
/// # Bounds
/// A call waits at most 5 s for a place in the queue, then it is answered `Busy`, nothing done. A full disk is
/// `Full`. The write lock of another process is waited for inside the store.
///
/// # Unreadable rows
/// A claim names a delivery that cannot be read once and leaves it alone from then on (S13: its column `corrupt`
/// says what is wrong); [`load`](Store::load) and the pages of the log leave it out.
#[derive(Clone)]
pub struct SqliteStore(Arc<Shared>);

struct Shared {
    path: Option<PathBuf>,
    writes: WriteQueue,
    /// `None` in memory, where there is one connection for all.
    reads: Option<ReadQueue>,
    /// `None` in memory: nobody else can write there.
    watch: Option<Watch>,
    library_warning: Option<String>,
}

impl SqliteStore {
    /// Opens the store in the file `path`, and makes it if there is none, with the defaults of the
    /// [builder](Self::builder).
    ///
    /// # Errors
    /// See [`OpenError`]. A file that is refused is not changed.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::builder(path).open().await
    }

    /// Settings for the file `path`.
    pub fn builder(path: impl AsRef<Path>) -> SqliteBuilder {
        SqliteBuilder::new(path.as_ref().to_owned())
    }

    /// A store in memory, gone with its last handle: for tests.
    ///
    /// # Errors
    /// [`OpenError::Sqlite`]; [`OpenError::Io`] if no thread can be started.
    pub fn open_in_memory() -> Result<Self, OpenError> {
        let builder = SqliteBuilder::new(PathBuf::from(":memory:"));
        Self::start(&builder, open_memory()?, None)
    }

    /// What is wrong with the SQLite library, if anything: log it once at the start. `None` with the bundled one.
    #[must_use]
    pub fn library_warning(&self) -> Option<&str> {
        self.0.library_warning.as_deref()
    }

    /// The file; `None` in memory.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    pub(crate) async fn open_with(builder: SqliteBuilder) -> Result<Self, OpenError> {
        let path = builder.path.clone();
        let opened = tokio::task::spawn_blocking(move || {
            if builder.old_library == OldLibrary::Refuse && library_warning().is_some() {
                return Err(OpenError::OldLibrary { version: rusqlite::version().to_owned() });
            }
            let writer = open_writer(&builder)?;
            // One more, to watch the file.
            let readers = (0..=READERS).map(|_| open_reader(&builder.path)).collect::<Result<Vec<_>, _>>()?;
            Self::start(&builder, writer, Some(readers))
        });
        // A blocking task ends early only when the runtime does.
        opened.await.unwrap_or_else(|error| Err(OpenError::Io { path, source: std::io::Error::other(error) }))
    }

    fn start(builder: &SqliteBuilder, writer: Connection, readers: Option<Vec<Connection>>) -> Result<Self, OpenError> {
        let failed = |error| OpenError::Io { path: builder.path.clone(), source: error };
        let path = readers.is_some().then(|| builder.path.clone());
        let (writes, messages) = WriteQueue::new(Gate::new(builder.queue_ops, builder.queue_bytes, builder.admission));
        let settings = WriterSettings { lock_wait: builder.lock_wait, wal: path.as_deref().map(wal_path) };
        let writer = Writer::new(writer, settings);
        thread::Builder::new().name("notify-sqlite-w".into()).spawn(move || writer.run(&messages)).map_err(failed)?;
        let (mut reads, mut watch) = (None, None);
        if let Some(mut readers) = readers {
            watch = readers.pop().map(Watch::start).transpose().map_err(failed)?;
            let (queue, jobs) = ReadQueue::new(Gate::new(MAX_READS, 1, builder.admission));
            let jobs = Arc::new(Mutex::new(jobs));
            for (index, conn) in readers.into_iter().enumerate() {
                let jobs = Arc::clone(&jobs);
                let reader = thread::Builder::new().name(format!("notify-sqlite-r{index}"));
                reader.spawn(move || read_all(&conn, &jobs)).map_err(failed)?;
            }
            reads = Some(queue);
        }
        Ok(Self(Arc::new(Shared { path, writes, reads, watch, library_warning: library_warning() })))
    }

    pub(crate) async fn write<T, F>(&self, operation: Operation, bytes: usize, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> rusqlite::Result<Result<T, StoreError>> + Send + 'static,
    {
        self.0.writes.call(operation, bytes, work).await
    }

    pub(crate) async fn read<T, F>(&self, operation: Operation, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> rusqlite::Result<Result<T, StoreError>> + Send + 'static,
    {
        match &self.0.reads {
            Some(reads) => reads.call(operation, work).await,
            None => self.0.writes.call(operation, 0, move |tx| work(tx.conn())).await,
        }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.0.path).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn insert(&self, batch: &PublishBatch) -> Result<InsertOutcome, StoreError> {
        let bytes = batch
            .events
            .iter()
            .map(|published| CALL_BYTES + published.event.body.len() + CALL_BYTES * published.deliveries.len())
            .sum();
        let batch = batch.clone();
        self.write(Operation::Insert, bytes, move |tx| write::insert(tx, &batch).map(Ok)).await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<ClaimBatch, StoreError> {
        let request = request.clone();
        self.write(Operation::Claim, CALL_BYTES, move |tx| write::claim(tx, &request).map(Ok)).await
    }

    async fn apply(&self, changes: &[Change]) -> Result<Vec<ApplyOutcome>, StoreError> {
        let responses: usize = changes
            .iter()
            .flat_map(Change::attempts)
            .filter_map(|attempt| attempt.response.as_ref())
            .map(|head| head.bytes.len())
            .sum();
        let bytes = responses + CALL_BYTES * changes.len();
        let changes = changes.to_vec();
        self.write(Operation::Apply, bytes, move |tx| write::apply(tx, &changes).map(Ok)).await
    }

    /// Asks the thread that writes, behind what waits there: the answer covers a call whose future was dropped.
    async fn load(&self, ids: &[DeliveryId]) -> Result<Vec<Delivery>, StoreError> {
        let ids = ids.to_vec();
        self.write(Operation::Load, CALL_BYTES, move |tx| read::load(tx.conn(), &ids).map(Ok)).await
    }

    async fn attach(&self, event: &EventKey, deliveries: &[NewDelivery]) -> Result<usize, StoreError> {
        let bytes = CALL_BYTES * (1 + deliveries.len());
        let (event, deliveries) = (event.clone(), deliveries.to_vec());
        self.write(Operation::Attach, bytes, move |tx| write::attach(tx, &event, &deliveries)).await
    }

    async fn sweep(&self, request: &SweepRequest) -> Result<Swept, StoreError> {
        let request = request.clone();
        self.write(Operation::Sweep, CALL_BYTES, move |tx| write::sweep(tx, &request).map(Ok)).await
    }

    async fn changed(&self, since: Mark) -> Result<Mark, StoreError> {
        match &self.0.watch {
            Some(watch) => watch.changed(since).await,
            None => self.0.writes.poll().await.map(Mark),
        }
    }

    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }
}

#[async_trait]
impl EndpointDirectory for SqliteStore {
    async fn subscribed(&self, tenant: &TenantId, event_type: &EventType) -> Result<Vec<Arc<Endpoint>>, StoreError> {
        let (tenant, event_type) = (tenant.clone(), event_type.clone());
        self.read(Operation::Endpoints, move |conn| read::subscribed(conn, &tenant, &event_type)).await
    }

    async fn get(&self, ids: &[EndpointId]) -> Result<Vec<Option<Arc<Endpoint>>>, StoreError> {
        let ids = ids.to_vec();
        self.read(Operation::Endpoints, move |conn| read::get(conn, &ids)).await
    }

    async fn disable(&self, id: &EndpointId, disabled: &Disabled) -> Result<bool, StoreError> {
        let (id, disabled) = (id.clone(), disabled.clone());
        self.write(Operation::Endpoints, CALL_BYTES, move |tx| write::disable(tx, &id, &disabled)).await
    }
}

#[async_trait]
impl EndpointAdmin for SqliteStore {
    async fn create(&self, endpoint: &Endpoint) -> Result<(), StoreError> {
        let endpoint = endpoint.clone();
        self.write(Operation::Endpoints, CALL_BYTES, move |tx| write::create(tx, &endpoint).map(Ok)).await
    }

    async fn replace(&self, expected: Version, next: &Endpoint) -> Result<Replaced, StoreError> {
        let next = next.clone();
        self.write(Operation::Endpoints, CALL_BYTES, move |tx| write::replace(tx, expected, &next).map(Ok)).await
    }

    async fn list(&self, query: &EndpointQuery) -> Result<Page<Arc<Endpoint>>, StoreError> {
        let query = query.clone();
        self.read(Operation::Endpoints, move |conn| read::list(conn, &query)).await
    }

    async fn delete(&self, tenant: &TenantId, id: &EndpointId, at: Timestamp) -> Result<bool, StoreError> {
        let (tenant, id) = (tenant.clone(), id.clone());
        self.write(Operation::Endpoints, CALL_BYTES, move |tx| write::delete(tx, &tenant, &id, at).map(Ok)).await
    }
}

#[async_trait]
impl DeliveryLog for SqliteStore {
    async fn event(&self, key: &EventKey) -> Result<Option<EventRecord>, StoreError> {
        let key = key.clone();
        self.read(Operation::Log, move |conn| read::event(conn, &key)).await
    }

    async fn attempts(&self, delivery: &DeliveryId) -> Result<Vec<Attempt>, StoreError> {
        let delivery = *delivery;
        self.read(Operation::Log, move |conn| read::attempts(conn, &delivery)).await
    }

    async fn events(&self, query: &EventQuery) -> Result<Page<EventRecord>, StoreError> {
        let query = query.clone();
        self.read(Operation::Log, move |conn| read::events(conn, &query).map(Ok)).await
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Page<Delivery>, StoreError> {
        let query = query.clone();
        self.read(Operation::Log, move |conn| read::deliveries(conn, &query).map(Ok)).await
    }

    async fn stats(&self, tenant: Option<&TenantId>, _now: Timestamp) -> Result<Stats, StoreError> {
        let tenant = tenant.cloned();
        self.read(Operation::Log, move |conn| read::stats(conn, tenant.as_ref()).map(Ok)).await
    }

    async fn activity(&self, query: &ActivityQuery) -> Result<Vec<Activity>, StoreError> {
        let query = query.clone();
        self.read(Operation::Log, move |conn| read::activity(conn, &query).map(Ok)).await
    }

    async fn failing_since(&self, endpoints: &[EndpointId]) -> Result<Vec<Option<Timestamp>>, StoreError> {
        let endpoints = endpoints.to_vec();
        self.read(Operation::Log, move |conn| read::failing_since(conn, &endpoints).map(Ok)).await
    }

    async fn tenants_with_held(&self, page: PageRequest) -> Result<Page<TenantId>, StoreError> {
        self.read(Operation::Log, move |conn| read::tenants_with_held(conn, page).map(Ok)).await
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<Pruned, StoreError> {
        self.write(Operation::Log, CALL_BYTES, move |tx| write::prune(tx, before, limit).map(Ok)).await
    }
}

fn wal_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests;
