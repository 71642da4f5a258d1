//! Work that outlives its request: a job sends much to one endpoint, page by page.
//!
//! Jobs live in this process alone, and end with it: the same call again does what is left.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use notify_core::engine::{ControlError, MissingRequest, RecoverRequest};
use notify_core::store::Cursor;
use notify_core::{EndpointId, Engine, TenantId};

/// So many jobs are remembered; the oldest that has ended makes room.
const MOST_JOBS: usize = 100;
/// A count goes so far.
const MOST_COUNTED: usize = 10_000;
/// And over so many pages of the log, of which many may have nothing to send.
const MOST_PAGES: usize = 500;

/// What a job sends.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// What ended.
    Recover(RecoverRequest),
    /// What was never sent.
    Missing(MissingRequest),
}

/// How much there is to send.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    pub(super) found: usize,
    /// There may be more.
    pub(super) more: bool,
}

/// The jobs of this process. A cheap handle.
#[derive(Clone, Debug, Default)]
pub(super) struct Jobs(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    last: u64,
    by_number: BTreeMap<u64, Job>,
}

/// One job, as it stands.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) number: u64,
    pub(super) tenant: TenantId,
    pub(super) endpoint: EndpointId,
    pub(super) count: Count,
    pub(super) sent: u64,
    pub(super) state: JobState,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum JobState {
    Running,
    /// It ends after the page that is under way.
    Stopping,
    Done,
    Stopped,
    /// Why; what was sent before that is sent.
    Failed(String),
}

impl Work {
    /// How much it would send now.
    pub(super) async fn count(mut self, engine: &Engine) -> Result<Count, ControlError> {
        let deliveries = engine.deliveries();
        let mut found = 0;
        for _ in 0..MOST_PAGES {
            let (items, next) = match &self {
                Self::Recover(request) => {
                    let page = deliveries.recoverable(request).await?;
                    (page.items.len(), page.next)
                }
                Self::Missing(request) => {
                    let page = deliveries.missing(request).await?;
                    (page.items.len(), page.next)
                }
            };
            found += items;
            if next.is_none() {
                return Ok(Count { found, more: false });
            }
            if found >= MOST_COUNTED {
                break;
            }
            self.go_on(next);
        }
        Ok(Count { found, more: true })
    }

    /// Sends one page, and says how many that were and where to go on.
    async fn step(&self, engine: &Engine) -> Result<(u32, Option<Cursor>), ControlError> {
        let deliveries = engine.deliveries();
        Ok(match self {
            Self::Recover(request) => {
                let done = deliveries.recover(request).await?;
                (done.resent, done.next)
            }
            Self::Missing(request) => {
                let done = deliveries.send_missing(request).await?;
                (done.sent, done.next)
            }
        })
    }

    const fn go_on(&mut self, after: Option<Cursor>) {
        match self {
            Self::Recover(request) => request.page.after = after,
            Self::Missing(request) => request.page.after = after,
        }
    }

    fn of_whom(&self) -> (TenantId, EndpointId) {
        match self {
            Self::Recover(request) => (request.tenant.clone(), request.endpoint.clone()),
            Self::Missing(request) => (request.tenant.clone(), request.endpoint.clone()),
        }
    }
}

impl Jobs {
    /// Begins a job; `None` where as many run as are remembered.
    pub(super) fn begin(&self, engine: Engine, work: Work, count: Count) -> Option<Job> {
        let (tenant, endpoint) = work.of_whom();
        let job = {
            let mut known = self.lock();
            if known.by_number.len() >= MOST_JOBS {
                let ended = known.by_number.values().find(|job| job.state.has_ended())?.number;
                known.by_number.remove(&ended);
            }
            known.last += 1;
            let job = Job { number: known.last, tenant, endpoint, count, sent: 0, state: JobState::Running };
            known.by_number.insert(job.number, job.clone());
            job
        };
        let (jobs, number) = (self.clone(), job.number);
        tokio::spawn(async move { jobs.run(&engine, work, number).await });
        Some(job)
    }

    /// This tenant's job.
    pub(super) fn get(&self, tenant: &TenantId, number: u64) -> Option<Job> {
        self.lock().by_number.get(&number).filter(|job| job.tenant == *tenant).cloned()
    }

    /// Has the job end after the page that is under way; one that has ended stays as it is.
    pub(super) fn stop(&self, tenant: &TenantId, number: u64) -> Option<Job> {
        let mut known = self.lock();
        let job = known.by_number.get_mut(&number).filter(|job| job.tenant == *tenant)?;
        if job.state == JobState::Running {
            job.state = JobState::Stopping;
        }
        Some(job.clone())
    }

    async fn run(&self, engine: &Engine, mut work: Work, number: u64) {
        loop {
            let step = work.step(engine).await;
            let mut known = self.lock();
            let Some(job) = known.by_number.get_mut(&number) else { return };
            match step {
                Err(error) => job.state = JobState::Failed(error.to_string()),
                Ok((sent, next)) => {
                    job.sent += u64::from(sent);
                    work.go_on(next);
                    if next.is_none() {
                        job.state = JobState::Done;
                    } else if job.state == JobState::Stopping {
                        job.state = JobState::Stopped;
                    }
                }
            }
            if job.state.has_ended() {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // What is kept is whole between any two statements, whoever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl JobState {
    const fn has_ended(&self) -> bool {
        !matches!(self, Self::Running | Self::Stopping)
    }

    /// The word for the API. One that is to stop runs until it has.
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Running | Self::Stopping => "running",
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Failed(_) => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use notify_core::store::StoreError;
    use notify_core::testing::{Intercept, Intercepted, Reply, ScriptedTransport, StoreCall};
    use notify_core::{MemoryStore, NewEndpoint, NewEvent, Timestamp};

    use super::*;

    const OPEN: u8 = 0;
    const SILENT: u8 = 1;
    const SHUT: u8 = 2;

    /// What pages of the log meet.
    #[derive(Clone, Debug, Default)]
    struct Door(Arc<AtomicU8>);

    impl Intercept for Door {
        async fn around<T: Send>(
            &self,
            call: StoreCall,
            work: impl Future<Output = Result<T, StoreError>> + Send,
        ) -> Result<T, StoreError> {
            match self.0.load(Ordering::SeqCst) {
                SILENT if call == StoreCall::Events => std::future::pending().await,
                SHUT if call == StoreCall::Events => Err(StoreError::unavailable(call.operation(), "scripted")),
                _ => work.await,
            }
        }
    }

    struct World {
        engine: Engine,
        door: Door,
        jobs: Jobs,
        work: Work,
    }

    async fn world() -> World {
        let door = Door::default();
        let store = Intercepted::new(MemoryStore::new(), door.clone());
        let engine = Engine::builder(store).transport(ScriptedTransport::new(Reply::Status(200))).build().unwrap();
        engine.publish_event(NewEvent::new("a.b", "{}").unwrap()).await.unwrap();
        let late = engine.endpoints().create(NewEndpoint::new("late", "https://late.example.com")).await.unwrap();
        let request = MissingRequest::new(TenantId::default(), late.endpoint.id.clone(), Timestamp::EPOCH);
        World { engine, door, jobs: Jobs::default(), work: Work::Missing(request) }
    }

    impl World {
        fn begin(&self) -> Option<u64> {
            let count = Count { found: 1, more: false };
            self.jobs.begin(self.engine.clone(), self.work.clone(), count).map(|job| job.number)
        }

        async fn ended(&self, number: u64) -> JobState {
            loop {
                let job = self.jobs.get(&TenantId::default(), number).unwrap();
                if job.state.has_ended() {
                    return job.state;
                }
                tokio::task::yield_now().await;
            }
        }
    }

    #[tokio::test]
    async fn the_oldest_that_has_ended_makes_room_and_none_that_runs_is_forgotten() {
        let world = world().await;
        let first = world.begin().unwrap();
        assert_eq!(world.ended(first).await, JobState::Done);
        world.door.0.store(SILENT, Ordering::SeqCst);
        for _ in 0..MOST_JOBS {
            world.begin().unwrap();
        }
        assert!(world.jobs.get(&TenantId::default(), first).is_none());
        assert_eq!(world.begin(), None, "as many run as are remembered");
        assert_eq!(world.jobs.get(&TenantId::default(), first + 1).unwrap().state, JobState::Running);
    }

    #[tokio::test]
    async fn a_job_that_the_store_fails_says_why_and_the_next_does_what_is_left() {
        let world = world().await;
        world.door.0.store(SHUT, Ordering::SeqCst);
        let broke = world.begin().unwrap();
        let JobState::Failed(why) = world.ended(broke).await else { panic!("it did not fail") };
        assert!(why.contains("NTF-STORE"), "{why}");
        world.door.0.store(OPEN, Ordering::SeqCst);
        let next = world.begin().unwrap();
        assert_eq!(world.ended(next).await, JobState::Done);
        assert_eq!(world.jobs.get(&TenantId::default(), next).unwrap().sent, 1);
    }
}
