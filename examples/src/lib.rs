//! What the programs of `src/bin` are made of, so that tests and documentation see it too.

pub mod demo;
pub mod host;

/// The code in the README compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// And so does the code in the guides.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guides/getting-started.md")]
struct GettingStarted;

/// And in the guide to the dashboard.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guides/dashboard.md")]
struct DashboardGuide;

/// And in the guide to retries.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guides/retries.md")]
struct Retries;

/// And in the guide to testing a schedule.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guides/test-your-schedule.md")]
struct TestYourSchedule;

/// And in the simulator's page.
#[cfg(doctest)]
#[doc = include_str!("../../docs/simulation.md")]
struct Simulation;

/// And in the page on security.
#[cfg(doctest)]
#[doc = include_str!("../../docs/security.md")]
struct Security;

/// And in the guide for receivers.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guides/verify.md")]
struct Verify;

/// And in the guide to transactions.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guides/publish-in-your-transaction.md")]
struct PublishInYourTransaction;

/// And in the guide to testing a host.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guides/test-your-host.md")]
struct TestYourHost;

/// And in the guide to stores.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guides/write-your-own-store.md")]
struct WriteYourOwnStore;
