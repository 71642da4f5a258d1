//! Every delivery, shown as it changes, and the judgement at the end.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write as _;

use notify_core::delivery::{Attempt, Delivery, State};
use notify_core::event::EventKey;
use notify_core::{DeliveryId, Engine, Timestamp};

use super::receiver::{Behaviour, Receivers};
use super::row::Row;
use super::watch::Changed;
use super::{Look, Until, Verdict};

/// A table longer than this would scroll, and could not be drawn in place.
const MAX_ROWS: usize = 15;
const NONE: &str = "\u{2013}";

#[derive(Debug)]
pub(super) struct Board {
    engine: Engine,
    receivers: Receivers,
    look: Look,
    /// In the order of their publish.
    order: Vec<DeliveryId>,
    rows: BTreeMap<DeliveryId, (Behaviour, Row)>,
    started: Timestamp,
    drawn: usize,
    foot: Option<String>,
}

/// Whether the table will be drawn again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum View {
    Running,
    Final,
}

impl Board {
    pub(super) fn new(engine: Engine, receivers: Receivers, look: Look) -> Self {
        if look == Look::Lines {
            println!("   TIME  {}", Row::HEAD);
        }
        let (started, order, rows) = (engine.now(), Vec::new(), BTreeMap::new());
        Self { engine, receivers, look, order, rows, started, drawn: 0, foot: None }
    }

    /// Shows the deliveries of an event that was just published.
    pub(super) async fn expect(&mut self, key: EventKey) -> Result<(), Box<dyn Error>> {
        let Some(record) = self.engine.history().event(&key).await? else { return Ok(()) };
        for delivery in &record.deliveries {
            let Some(receiver) = self.receivers.of(delivery.endpoint()) else { continue };
            let row = self.row(delivery, receiver.behaviour, record.event.event_type.as_str());
            self.rows.entry(delivery.id()).or_insert((receiver.behaviour, row));
            self.order.push(delivery.id());
        }
        Ok(())
    }

    /// Shows a delivery's new state.
    pub(super) async fn update(&mut self, changed: &Changed) -> Result<(), Box<dyn Error>> {
        let attempts = self.engine.history().attempts(&changed.delivery).await?;
        let refused = self.receivers.of(&changed.endpoint).is_some_and(|receiver| receiver.seen().refused > 0);
        let Some((_, row)) = self.rows.get_mut(&changed.delivery) else { return Ok(()) };
        row.state = changed.state;
        row.tried = u32::try_from(attempts.len()).unwrap_or(u32::MAX);
        row.code = attempts.last().and_then(|attempt| attempt.status_code);
        row.next = changed.next_attempt_at;
        row.signature = match changed.state {
            _ if refused => "WRONG",
            State::Delivered => "verified",
            State::Scheduled | State::InFlight | State::Failed | State::Held | State::Cancelled => NONE,
        };
        if self.look == Look::Lines {
            // As of the attempt's end, from which the delay runs: a slow machine prints the same line.
            let ended = attempts.last().map_or_else(|| self.engine.now(), Attempt::ended_at);
            let seconds = ended.since(self.started).as_secs_f32();
            println!("{seconds:>6.1}s  {}", row.line(ended));
        }
        Ok(())
    }

    /// A last line below everything.
    pub(super) fn note(&mut self, text: String) {
        match self.look {
            Look::Table => self.foot = Some(text),
            Look::Lines => println!("{text}"),
        }
    }

    /// Draws the table over its last drawing.
    pub(super) fn draw(&mut self, view: View) {
        if self.look == Look::Lines {
            return;
        }
        let now = self.engine.now();
        let shown = self.order.iter().skip(self.order.len().saturating_sub(MAX_ROWS));
        let rows = shown.filter_map(|id| self.rows.get(id)).map(|(_, row)| row.line(now));
        let mut lines = vec![Row::HEAD.to_owned()];
        lines.extend(rows);
        if view == View::Running {
            lines.extend(self.foot.clone());
        }
        let mut out = std::io::stdout().lock();
        if self.drawn > 0 {
            // Up over the last drawing, and clear from there.
            let _ = write!(out, "\x1b[{}A\x1b[J", self.drawn);
        }
        let _ = writeln!(out, "{}", lines.join("\n"));
        let _ = out.flush();
        self.drawn = lines.len();
    }

    pub(super) fn is_settled(&self) -> bool {
        !self.rows.is_empty() && self.rows.values().all(|(_, row)| !row.state.is_open())
    }

    /// Whether every delivery ended as it must and every signature was right. What is still open is as it must be
    /// only where nobody waits for its end.
    pub(super) fn verdict(&self, until: Until) -> Verdict {
        let as_it_must = |(behaviour, row): &(Behaviour, Row)| match row.state.is_open() {
            true => until == Until::Stopped,
            false => behaviour.expected() == (row.state, row.tried),
        };
        match self.receivers.totals() {
            (1.., 0) if self.rows.values().all(as_it_must) => Verdict::AsExpected,
            _ => Verdict::Unexpected,
        }
    }

    /// The result in one line.
    pub(super) fn summary(&self) -> String {
        let count = |state| self.rows.values().filter(|(_, row)| row.state == state).count();
        let (delivered, failed) = (count(State::Delivered), count(State::Failed));
        let (verified, refused) = self.receivers.totals();
        let signatures = match refused {
            0 => format!("all {verified} requests had a valid signature"),
            _ => format!("{refused} of {} requests had a WRONG signature", verified + refused),
        };
        let seconds = self.engine.now().since(self.started).as_secs();
        let verdict = match self.verdict(Until::Settled) {
            Verdict::AsExpected => "as expected",
            Verdict::Unexpected => "NOT as expected",
        };
        format!("{delivered} delivered, {failed} failed, {signatures}: {verdict}, after {seconds} s")
    }

    fn row(&self, delivery: &Delivery, behaviour: Behaviour, event: &str) -> Row {
        Row {
            webhook: behaviour.name().to_owned(),
            event: event.to_owned(),
            state: State::Scheduled,
            tried: 0,
            tries: self.engine.policy().schedule.attempts(),
            code: None,
            next: delivery.ready_at(),
            signature: NONE,
        }
    }
}
