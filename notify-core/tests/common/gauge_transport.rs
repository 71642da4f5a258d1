//! A transport that takes its time and counts how many requests are under way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use notify_core::InvalidInput;
use notify_core::engine::Clock;
use notify_core::testing::ManualClock;
use notify_core::transport::{Request, Response, SendFailure, Transport};

/// Answers 200 after a while; to a URL with `hang` in it never.
#[derive(Clone, Debug)]
pub struct GaugeTransport {
    clock: ManualClock,
    takes: Duration,
    gauge: Arc<Mutex<Gauge>>,
}

#[derive(Debug, Default)]
struct Gauge {
    running: BTreeMap<String, u32>,
    most: u32,
    most_for_one: u32,
    answered: BTreeMap<String, u32>,
}

impl GaugeTransport {
    pub fn new(clock: &ManualClock, takes: Duration) -> Self {
        Self { clock: clock.clone(), takes, gauge: Arc::default() }
    }

    /// The most requests that were under way at once.
    pub fn most(&self) -> u32 {
        self.gauge.lock().unwrap().most
    }

    /// The same to one URL.
    pub fn most_for_one(&self) -> u32 {
        self.gauge.lock().unwrap().most_for_one
    }

    pub fn running(&self) -> u32 {
        self.gauge.lock().unwrap().running.values().sum()
    }

    pub fn answered(&self, url: &str) -> u32 {
        self.gauge.lock().unwrap().answered.get(url).copied().unwrap_or(0)
    }
}

#[async_trait]
impl Transport for GaugeTransport {
    fn check(&self, _url: &str) -> Result<(), InvalidInput> {
        Ok(())
    }

    async fn send(&self, request: Request) -> Result<Response, SendFailure> {
        let url = request.url.to_string();
        {
            let mut gauge = self.gauge.lock().unwrap();
            let running = gauge.running.entry(url.clone()).or_default();
            *running += 1;
            let (here, all) = (*running, gauge.running.values().sum());
            gauge.most = gauge.most.max(all);
            gauge.most_for_one = gauge.most_for_one.max(here);
        }
        let _under_way = UnderWay { gauge: Arc::clone(&self.gauge), url: url.clone() };
        if url.contains("hang") {
            std::future::pending::<()>().await;
        }
        if !self.takes.is_zero() {
            self.clock.sleep(self.takes).await;
        }
        *self.gauge.lock().unwrap().answered.entry(url).or_default() += 1;
        Ok(Response::new(200))
    }
}

struct UnderWay {
    gauge: Arc<Mutex<Gauge>>,
    url: String,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        *self.gauge.lock().unwrap().running.entry(self.url.clone()).or_default() -= 1;
    }
}
