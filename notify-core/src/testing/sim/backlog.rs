//! An operator who enables an endpoint without its backlog, step by step, as `Endpoints::enable` does.

use std::time::Duration;

use crate::delivery::State;
use crate::engine::parts::stands;
use crate::id::{ChangeId, EndpointId, TenantId};
use crate::machine::cancel;
use crate::store::{Cursor, DeliveryLog, DeliveryQuery, EndpointDirectory, PageRequest, Store};

use super::mishaps::Taken;
use super::operating::{Operating, Progress, Step};
use super::ready;
use super::seen::Seen;
use super::world::World;

/// Rows of one page: few, so that others act between two.
const PAGE: u32 = 20;

impl World<'_> {
    /// Reads a page, and plans what follows from it.
    pub(super) fn read_held(&self, operation: &mut Operating, id: &EndpointId, after: Option<Cursor>) -> Progress {
        let Some(decision) = &operation.decision else { return Progress::Over };
        let query = DeliveryQuery {
            tenant: TenantId::default(),
            state: Some(State::Held),
            until: Some(decision.at.saturating_add(Duration::from_millis(1))),
            page: PageRequest { after, limit: PAGE },
            ..DeliveryQuery::default()
        };
        let Ok(page) = ready(self.store.deliveries(&query)) else { return Progress::Failed };
        operation.page = page.items.into_iter().filter(|held| held.endpoint() == id).collect();
        let mut follows = Vec::new();
        if !operation.page.is_empty() {
            follows.extend([Step::StillDecided, Step::CancelHeld]);
        }
        follows.extend(page.next.map(|next| Step::ReadHeld(Some(next))));
        for (index, step) in follows.into_iter().enumerate() {
            // The first step is this one.
            operation.steps.insert(index + 1, step);
        }
        Progress::Done
    }

    pub(super) fn still_decided(&self, operation: &Operating, id: &EndpointId) -> Progress {
        let found = ready(self.store.get(std::slice::from_ref(id))).unwrap_or_default().into_iter().next().flatten();
        match (found, &operation.decision) {
            (Some(now), Some(decision)) if stands(&now.status, decision).is_ok() => Progress::Done,
            _ => Progress::Outdone,
        }
    }

    pub(super) fn cancel_held(&mut self, operation: &mut Operating) -> Progress {
        let page = std::mem::take(&mut operation.page);
        let now = self.clock_of(operation.process());
        let changes: Vec<_> =
            page.iter().filter_map(|row| cancel(row, now, ChangeId::new(u128::from(self.rng.next()))).ok()).collect();
        let _ = ready(self.store.apply(&changes));
        let ids: Vec<_> = page.iter().map(|row| row.id()).collect();
        for after in ready(self.store.load(&ids)).unwrap_or_default() {
            let Some(before) = self.ledger.rows.get(&after.id()).map(|known| known.row.clone()) else { continue };
            if before == after {
                continue;
            }
            if before.state() != State::Held {
                self.fail("conservation", format!("with a backlog {} is cancelled, which was not held", after.id()));
            }
            self.step(Taken::between(before.state(), after.state()));
            self.note(33, [0, 0], || format!("{} is cancelled with its backlog", after.id()));
            self.see(&Seen::ByHand { after: &after });
            self.ledger.write(&after);
        }
        self.wrote(Some(operation.process()));
        Progress::Done
    }
}
