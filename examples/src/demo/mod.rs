//! The demo: an engine on SQLite, three receivers that verify signatures, and a view of every delivery.

mod board;
mod dashboard;
mod receiver;
mod row;
mod watch;

use std::error::Error;
use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::pin::pin;
use std::time::Duration;

use notify_core::event::EventKey;
use notify_core::{
    ConnectionCreated, ConnectionUpdated, Engine, EventPayload, NewEndpoint, NewEvent, Policy, RetrySchedule, TenantId,
};
use notify_http::HttpTransport;
use notify_store_sqlite::SqliteStore;
use tokio::sync::mpsc;

use board::{Board, View};
use receiver::{Behaviour, Receivers};
use watch::Watch;

const SCHEDULE: &str = "1s,2s,3s,4s,5s";
/// Without `--once`, a sample event is published this often.
const NOW_AND_THEN: Duration = Duration::from_secs(10);
/// With `--once`, what has not settled by then never will.
const LONG_ENOUGH: Duration = Duration::from_secs(60);
const REDRAW: Duration = Duration::from_millis(250);

/// What the command line says.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long it runs.
    pub until: Until,
    /// How it is shown.
    pub look: Look,
}

/// How long the demo runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Until {
    /// Until Ctrl-C.
    Stopped,
    /// Until everything has settled.
    Settled,
}

/// How the demo is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Look {
    /// One table that is drawn again and again.
    Table,
    /// One line for each change.
    Lines,
}

/// Whether all went as it must.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Every delivery ended as its receiver makes it end, and every signature was verified.
    AsExpected,
    /// Something did not.
    Unexpected,
}

impl Options {
    /// Reads the arguments.
    ///
    /// # Errors
    /// One line about what is wrong.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let look = if std::io::stdout().is_terminal() { Look::Table } else { Look::Lines };
        let mut options = Self { until: Until::Stopped, look };
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
            match argument {
                lexopt::Arg::Long("once") => options.until = Until::Settled,
                lexopt::Arg::Long("plain") => options.look = Look::Lines,
                lexopt::Arg::Long(_) | lexopt::Arg::Short(_) | lexopt::Arg::Value(_) => {
                    return Err(format!("{}; the options are --once and --plain", argument.unexpected()));
                }
            }
        }
        Ok(options)
    }
}

/// Runs the demo.
///
/// # Errors
/// It could not start, or the store failed.
pub async fn run(options: &Options) -> Result<Verdict, Box<dyn Error>> {
    let folder = tempfile::Builder::new().prefix("notify-demo-").tempdir()?;
    let file = folder.path().join("notify.db");
    let schedule: RetrySchedule = SCHEDULE.parse()?;
    println!("notify demo   store: sqlite {}   retries shortened: 1, 2, 3, 4, 5 s", file.display());

    let mut policy = Policy::default();
    policy.schedule = schedule;
    // The receivers are on this computer, over plain http. Production must not allow this: it would let whoever
    // registers an endpoint reach your own network.
    let transport = HttpTransport::builder().allow_cidr("127.0.0.0/8").build()?;
    let (changes, changed) = mpsc::unbounded_channel();
    let engine = Engine::builder(SqliteStore::open(&file).await?)
        .transport(transport)
        .policy(policy)
        .event_type::<ConnectionCreated>()
        .event_type::<ConnectionUpdated>()
        .reveal_secrets()
        .observer(Watch::new(changes))
        .build()?;

    let mut receivers = Receivers::default();
    for (behaviour, port) in [(Behaviour::Steady, 3001), (Behaviour::Flaky, 3002), (Behaviour::Down, 3003)] {
        let listener = receiver::bind(behaviour.name(), port).await?;
        let url = format!("http://{}/hook", listener.local_addr()?);
        let created = engine.endpoints().create(NewEndpoint::new(behaviour.name(), url)).await?;
        receivers.start(behaviour, listener, created.endpoint.id.clone(), created.secret);
    }

    let mut board = Board::new(engine.clone(), receivers, options.look);
    if options.until == Until::Stopped {
        let address = dashboard::serve(&engine).await?;
        board.note(format!("dashboard  {address}   (this computer only)   Ctrl-C stops"));
    }
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = engine.run(async { drop(stopped.await) });
    let showing = async {
        let verdict = show(&engine, board, changed, options.until).await;
        drop(stop);
        verdict
    };
    let (report, verdict) = tokio::join!(running, showing);
    report?;
    verdict
}

async fn show(
    engine: &Engine,
    mut board: Board,
    mut changed: mpsc::UnboundedReceiver<watch::Changed>,
    until: Until,
) -> Result<Verdict, Box<dyn Error>> {
    for event in [NewEvent::of(&ConnectionCreated::example())?, NewEvent::of(&ConnectionUpdated::example())?] {
        publish(engine, &mut board, event).await?;
    }
    let mut redraw = tokio::time::interval(REDRAW);
    let mut next_sample = tokio::time::interval(NOW_AND_THEN);
    next_sample.reset();
    let mut overdue = pin!(tokio::time::sleep(LONG_ENOUGH));
    // One listener for the whole time: a new one each turn would miss what comes between.
    let mut ctrl_c = pin!(tokio::signal::ctrl_c());
    loop {
        tokio::select! {
            biased;
            _ = &mut ctrl_c => return Ok(board.verdict(until)),
            Some(change) = changed.recv() => board.update(&change).await?,
            _ = next_sample.tick(), if until == Until::Stopped => {
                publish(engine, &mut board, NewEvent::of(&ConnectionUpdated::example())?).await?;
            }
            () = &mut overdue, if until == Until::Settled => break,
            _ = redraw.tick() => board.draw(View::Running),
        }
        if until == Until::Settled && board.is_settled() {
            break;
        }
    }
    board.draw(View::Final);
    println!("{}", board.summary());
    Ok(board.verdict(until))
}

async fn publish(engine: &Engine, board: &mut Board, event: NewEvent) -> Result<(), Box<dyn Error>> {
    let receipt = engine.publish_event(event).await?;
    board.expect(EventKey { tenant: TenantId::default(), id: receipt.event_id }).await
}
