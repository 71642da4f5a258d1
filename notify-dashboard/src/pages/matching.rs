//! All deliveries that match a filter: first how many, then the act, each judged alone.

use askama::Template;
use axum::response::Response;
use notify_core::Timestamp;
use notify_core::delivery::Delivery;
use notify_core::store::Cursor;

use crate::access::Capability;
use crate::audit::{Verb, audited};
use crate::failure::Failure;
use crate::fields::Fields;
use crate::frame::{Frame, Section};
use crate::visit::Visit;
use crate::words::When;

use super::filter::{Filter, View};
use super::found::Found;
use super::names::Names;
use super::recover::{MOST, MOST_PAGES};
use super::refused::come_again;
use super::render;
use super::wish::{Wish, concerns_one};

const PATH: &str = "/logs/deliveries/matching";
const PAGE: u32 = 100;

/// Where the list's filter leads on, for who may act on all that match.
#[derive(Debug)]
pub(super) struct Matching {
    pub(super) resend: Option<String>,
    pub(super) cancel: Option<String>,
}

#[derive(Template)]
#[template(path = "matching.html")]
struct MatchingPage {
    frame: Frame,
    wish: Wish,
    /// The filter, field by field.
    filter: Vec<(&'static str, String)>,
    from: Option<When>,
    to: Option<When>,
    action: String,
    /// What had not ended by then was not meant.
    asked: i64,
    back: String,
    step: Step,
}

/// Where somebody stands.
enum Step {
    Ask(Found),
    Done(Box<Tally>),
}

/// What became of them.
#[derive(Debug, Default)]
struct Tally {
    done: u32,
    refused: u32,
    next: Option<Cursor>,
    stopped: Option<Failure>,
}

impl Matching {
    /// `None` where nothing is listed that anything can be done to.
    pub(super) fn of(visit: &Visit, filter: &Filter, rows: usize) -> Option<Self> {
        if filter.view != View::Deliveries || rows == 0 || !visit.can(Capability::Resend) {
            return None;
        }
        let link = |wish: Wish| {
            let is_for = filter.state().is_none_or(|state| wish.is_for(state));
            is_for.then(|| filter.link_to(visit, PATH, &[("do", wish.as_str())]))
        };
        let (resend, cancel) = (link(Wish::Resend), link(Wish::Cancel));
        (resend.is_some() || cancel.is_some()).then_some(Self { resend, cancel })
    }
}

/// `GET /logs/deliveries/matching`, with the filter of the log, and `do` = `resend` or `cancel`
pub(super) async fn ask(visit: Visit) -> Result<Response, Failure> {
    visit.needs(Capability::Resend)?;
    let (filter, wish) = read(&visit, visit.query.get("do"))?;
    let mut found = Found::default();
    let mut query = filter.deliveries(&visit);
    for _ in 0..MOST_PAGES {
        query.page.limit = found.room();
        let page = visit.engine().history().deliveries(&query).await?;
        let meant = page.items.iter().filter(|delivery| is_meant(delivery, wish, visit.now));
        meant.for_each(|delivery| found.add(&visit, delivery.as_stored().created_at));
        found.more = page.next.is_some();
        query.page.after = page.next;
        if page.next.is_none() || found.room() == 0 {
            break;
        }
    }
    render(&page(&visit, &filter, wish, visit.now, Step::Ask(found)).await?)
}

/// `POST /logs/deliveries/matching`, with the filter in its address as the page before had it, `do`, `asked` = when that
/// page was made, and `cursor` where an earlier form ended
pub(super) async fn act(visit: Visit, form: Fields) -> Result<Response, Failure> {
    visit.needs(Capability::Resend)?;
    let (filter, wish) = read(&visit, form.get("do"))?;
    let asked = form.get("asked").parse().map(Timestamp::from_millis).map_err(|_| Failure::unreadable_form())?;
    let next = match form.get("cursor") {
        "" => None,
        cursor => Some(cursor.parse().map_err(|_| Failure::unreadable_form())?),
    };
    let mut tally = Tally { next, ..Tally::default() };
    let done = carry_out(&visit, &filter, wish, asked, &mut tally).await;
    if let Err(failure) = audited(&visit, verb(wish), &filter.as_text(), done) {
        if tally.done + tally.refused == 0 {
            return Err(failure);
        }
        tally.stopped = Some(failure);
    }
    let status = tally.stopped.as_ref().map(|failure| failure.status);
    let mut response = render(&page(&visit, &filter, wish, asked, Step::Done(Box::new(tally))).await?)?;
    if let Some(status) = status {
        *response.status_mut() = status;
        come_again(&mut response);
    }
    Ok(response)
}

/// Goes on to the end or to the most that one form may do. What became of each stands in `tally`, also where it breaks
/// off.
async fn carry_out(
    visit: &Visit,
    filter: &Filter,
    wish: Wish,
    asked: Timestamp,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let mut query = filter.deliveries(visit);
    query.page.after = tally.next;
    for _ in 0..MOST_PAGES {
        query.page.limit = PAGE.min(MOST.saturating_sub(tally.done + tally.refused));
        let page = visit.engine().history().deliveries(&query).await?;
        for delivery in page.items.iter().filter(|delivery| is_meant(delivery, wish, asked)) {
            match wish.carry_out(visit, &delivery.id()).await {
                Ok(_) => tally.done += 1,
                Err(error) if concerns_one(&error) => tally.refused += 1,
                Err(error) => return Err(error.into()),
            }
        }
        query.page.after = page.next;
        tally.next = page.next;
        if page.next.is_none() || tally.done + tally.refused >= MOST {
            break;
        }
    }
    Ok(())
}

/// Whether somebody who asked at that time meant this one: what has ended since then was sent again meanwhile.
fn is_meant(delivery: &Delivery, wish: Wish, asked: Timestamp) -> bool {
    wish.is_for(delivery.state()) && delivery.as_stored().settled_at.is_none_or(|ended| ended <= asked)
}

fn read(visit: &Visit, wish: &str) -> Result<(Filter, Wish), Failure> {
    let filter = Filter::of(visit)?;
    let wish = Wish::parse(wish).ok_or_else(Failure::unreadable_form)?;
    if filter.view != View::Deliveries || !filter.problems().is_empty() {
        return Err(Failure::unreadable_form());
    }
    Ok((filter, wish))
}

const fn verb(wish: Wish) -> Verb {
    match wish {
        Wish::Resend => Verb::ResendMatching,
        Wish::Cancel => Verb::CancelMatching,
    }
}

async fn page(
    visit: &Visit,
    filter: &Filter,
    wish: Wish,
    asked: Timestamp,
    step: Step,
) -> Result<MatchingPage, Failure> {
    let mut words = filter.in_words();
    if let Some(id) = filter.endpoint() {
        // Where the store is down, what was done is worth more than a name.
        let name = match Names::of(visit, &[id]).await {
            Ok(names) => names.get(id),
            Err(_) if matches!(step, Step::Done(_)) => id.to_string(),
            Err(failure) => return Err(failure),
        };
        words.push(("Webhook", name));
    }
    let (from, to) = filter.between();
    let heading = match wish {
        Wish::Resend => "Send all that match again",
        Wish::Cancel => "Cancel all that match",
    };
    let frozen = filter.until(asked.saturating_add(std::time::Duration::from_millis(1)));
    let frozen: Vec<(&str, &str)> = frozen.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Ok(MatchingPage {
        frame: Frame::new(visit, Some(Section::Logs), heading),
        wish,
        filter: words,
        from: from.map(|at| visit.when(at)),
        to: to.map(|at| visit.when(at)),
        action: visit.links.with(PATH, &frozen),
        asked: asked.as_millis(),
        back: filter.link(visit, None),
        step,
    })
}
