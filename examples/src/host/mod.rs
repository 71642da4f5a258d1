//! The example host: a service that embeds notify and shows it as JSON over HTTP.
//!
//! | call | does |
//! | --- | --- |
//! | `POST /endpoints` `{name, url, description?, events?, secret?, success?, headers?, tenant?, schedule?}` | registers; its 201 is the one time the secret is shown |
//! | `GET /endpoints` · `GET`, `PATCH`, `DELETE /endpoints/{id}` | lists, reads, changes, deletes |
//! | `POST /endpoints/{id}/disable` · `/enable` `{backlog?: "resume" or "cancel"}` | holds deliveries; resumes or cancels them |
//! | `POST /endpoints/{id}/ping` `{event?, data?}` · `/secret/rotate` `{overlap?}` · `/secret/stage` · `/secret/switch` · `/secret/retire` | sends a test event; replaces the secret, at once or in stages |
//! | `POST /endpoints/{id}/recover` `{mode: "failed", "missing" or "all", since, until?, status_code?, reason?, dry_run?}` | a job sends again what failed (with `all`: what was delivered, too), or what was never sent; 202 `{job, count, more}`, and with `dry_run` it only counts |
//! | `GET /jobs/{id}` · `POST /jobs/{id}/stop` | `{id, endpoint_id, state, count, more, sent, error?}`: `running`, `done`, `stopped` or `failed`. Jobs end with this process; the same call again does what is left |
//! | `POST /deliveries/{id}/resend` · `/cancel` | begins a new round; ends an open delivery |
//! | `POST /events` `{event, data, event_id?, idempotency_key?, timestamp?, tenant?, not_before?}` | publishes; 202 `{event_id, deliveries, duplicate}` once durable |
//! | `POST /events/batch` `[…]` | the same for up to 1,000, all or nothing |
//! | `GET /events/{id}` | one event with its bytes, deliveries and attempts |
//! | `GET /events` `?status=&event=&endpoint=&idempotency_key=&purpose=&since=&until=&cursor=&limit=` | the log by event, newest first |
//! | `GET /deliveries` `?status=&reason=&class=&event=&endpoint=&purpose=&since=&until=&cursor=&limit=` | the same by delivery |
//! | `GET /stats` · `GET /health` | counts; 200 while the engine runs and the store answers, else 503 |
//!
//! Every call takes `?tenant=`; another tenant's id is a 404. Errors are `{"error":{"code","field?","message","help?"}}`:
//! 400 for what cannot be read, 422 for a refused value, 404, 405, 409 (conflict), 413 (too large), 503 (the store
//! cannot take it now, with `Retry-After`). Unknown fields and parameters are refused. A page of a list may be short, even
//! empty, and still have a `next_cursor`: only `null` is the end.

mod api;
mod jobs;
mod options;
mod serve;

pub use options::{DashboardChoice, LogFormat, Options, RedisUrl, StoreChoice};
pub use serve::serve;
