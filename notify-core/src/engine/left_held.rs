//! Held deliveries that nobody looks at again, since whoever wrote them died before the look.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::delivery::State;
use crate::id::{EndpointId, TenantId};
use crate::store::{Cursor, DeliveryQuery, Operation, PageRequest, StoreError};

use super::held::{each_once, try_look_again};
use super::shared::{STORE_DEADLINE, Shared};

/// How often a run looks at what is held. Each look begins where the last one ended.
const LOOK_EVERY: Duration = Duration::from_secs(600);
/// How many pages one look reads at most: one where nothing is held, and never a million held rows at once.
const MOST_PAGES: usize = 100;
const PAGE: u32 = 100;

/// Looks now and then, for as long as the run lives.
pub(super) async fn look_now_and_then(shared: Arc<Shared>) {
    let mut tour = Tour::default();
    loop {
        tour.look(&shared).await;
        shared.clock.sleep(LOOK_EVERY).await;
    }
}

/// Looks once: for a run that ends when nothing is due. It begins with the newest each time, so what lies behind some
/// 9,900 deliveries that are rightly held is found by a run that goes on, and not by this.
pub(super) async fn look_once(shared: Arc<Shared>) {
    Tour::default().look(&shared).await;
}

/// How far a tour through all that is held has come.
#[derive(Debug, Default)]
struct Tour {
    /// Tenants that are still to be read.
    tenants: VecDeque<TenantId>,
    more_tenants: Option<Cursor>,
    /// Within the first tenant.
    after: Option<Cursor>,
}

/// What a page was followed by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Next {
    Page,
    Nothing,
}

impl Tour {
    /// Reads up to so many pages, or to the end. What fails is tried again at the next look.
    async fn look(&mut self, shared: &Shared) {
        for _ in 0..MOST_PAGES {
            match self.page(shared).await {
                Ok(Next::Page) => {}
                Ok(Next::Nothing) => return,
                Err(error) => return shared.store_failed(Operation::Log, &error),
            }
        }
    }

    async fn page(&mut self, shared: &Shared) -> Result<Next, StoreError> {
        let Some(tenant) = self.tenants.front() else { return self.page_of_tenants(shared).await };
        let query = DeliveryQuery {
            tenant: tenant.clone(),
            state: Some(State::Held),
            page: PageRequest { after: self.after, limit: PAGE },
            ..DeliveryQuery::default()
        };
        let page = shared.within(STORE_DEADLINE, Operation::Log, shared.log.deliveries(&query)).await?;
        let endpoints: Vec<EndpointId> = page.items.iter().map(|held| held.endpoint().clone()).collect();
        if !endpoints.is_empty() {
            try_look_again(shared, &each_once(endpoints)).await?;
        }
        self.after = page.next;
        if page.next.is_none() {
            self.tenants.pop_front();
        }
        Ok(self.next())
    }

    async fn page_of_tenants(&mut self, shared: &Shared) -> Result<Next, StoreError> {
        let request = PageRequest { after: self.more_tenants, limit: PAGE };
        let page = shared.within(STORE_DEADLINE, Operation::Log, shared.log.tenants_with_held(request)).await?;
        self.tenants = page.items.into();
        self.more_tenants = page.next;
        Ok(self.next())
    }

    /// The tour is over when nothing is left of it; the next one begins anew.
    fn next(&self) -> Next {
        if self.tenants.is_empty() && self.more_tenants.is_none() { Next::Nothing } else { Next::Page }
    }
}
