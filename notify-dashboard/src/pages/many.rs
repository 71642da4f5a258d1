//! Many deliveries at once: each that is ticked is judged alone, and the page says what became of each.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use notify_core::delivery::Delivery;
use notify_core::engine::ControlError;
use notify_core::{DeliveryId, EndpointId};

use crate::access::Capability;
use crate::audit::{Verb, audited};
use crate::builder::is_local;
use crate::failure::{Failure, sentence};
use crate::fields::Fields;
use crate::frame::{Frame, Section};
use crate::visit::Visit;
use crate::words::{Mark, delivery_mark, mark};

use super::names::Names;
use super::refused::come_again;
use super::render;
use super::wish::{Wish, concerns_one};

/// As many as a page of a list can have.
const MOST: usize = 100;

/// The form around a table whose rows can be ticked.
#[derive(Debug)]
pub(super) struct Many {
    pub(super) action: String,
    pub(super) here: String,
}

#[derive(Template)]
#[template(path = "many.html")]
struct ManyPage {
    frame: Frame,
    heading: String,
    rows: Vec<Row>,
    stopped: Option<Failure>,
    back: String,
}

#[derive(Debug)]
struct Row {
    mark: Mark,
    id: String,
    href: String,
    webhook: String,
    why: String,
}

/// What became of one of them.
enum Fate {
    Done(Delivery),
    /// It stays as it is, and why.
    Refused(Option<Delivery>, String),
    /// The store did not answer: it may have been done.
    Unknown,
    /// The store did not answer for one before it.
    NotTried,
}

impl Many {
    /// For who may resend, where there is anything to tick.
    pub(super) fn of(visit: &Visit, rows: usize) -> Option<Self> {
        (visit.can(Capability::Resend) && rows > 0)
            .then(|| Self { action: visit.links.to("/logs/deliveries/many"), here: visit.here.clone() })
    }
}

/// `POST /logs/deliveries/many`, with `do` = `resend` or `cancel`, and a `delivery` for each that is ticked
pub(super) async fn act(visit: Visit, form: Fields) -> Result<Response, Failure> {
    visit.needs(Capability::Resend)?;
    let wish = Wish::parse(form.get("do")).ok_or_else(Failure::unreadable_form)?;
    let mut ticked: Vec<&str> = Vec::new();
    for id in form.all("delivery") {
        // Sent twice it would begin two rounds.
        if !ticked.contains(&id) && ticked.len() <= MOST {
            ticked.push(id);
        }
    }
    if ticked.is_empty() {
        return Err(refused("No delivery was ticked, so nothing was done. Go back and tick some."));
    }
    if ticked.len() > MOST {
        return Err(refused(format!("At most {MOST} deliveries are taken at once. Nothing was done.")));
    }
    let mut fates = Vec::with_capacity(ticked.len());
    let mut stopped = None;
    for id in ticked {
        let fate = if stopped.is_some() { Ok(Fate::NotTried) } else { one(&visit, wish, id).await };
        let fate = fate.unwrap_or_else(|failure| {
            stopped = Some(failure);
            Fate::Unknown
        });
        fates.push((id, fate));
    }
    answer(&visit, &form, wish, &fates, stopped).await
}

/// # Errors
/// What concerns all the others too.
async fn one(visit: &Visit, wish: Wish, text: &str) -> Result<Fate, Failure> {
    let missing = || Fate::Refused(None, sentence(&ControlError::NoSuchDelivery.to_string()));
    let Ok(id) = text.parse::<DeliveryId>() else { return Ok(missing()) };
    let before = match visit.engine().deliveries().get(&visit.tenant, &id).await {
        Ok(delivery) => delivery,
        Err(ControlError::NoSuchDelivery) => return Ok(missing()),
        Err(error) => return Err(error.into()),
    };
    match audited(visit, verb(wish), text, wish.carry_out(visit, &id).await) {
        Ok(after) => Ok(Fate::Done(after)),
        Err(error) if concerns_one(&error) => Ok(Fate::Refused(Some(before), sentence(&error.to_string()))),
        Err(error) => Err(error.into()),
    }
}

async fn answer(
    visit: &Visit,
    form: &Fields,
    wish: Wish,
    fates: &[(&str, Fate)],
    stopped: Option<Failure>,
) -> Result<Response, Failure> {
    let ids: Vec<&EndpointId> = fates.iter().filter_map(|(_, fate)| fate.delivery()).map(Delivery::endpoint).collect();
    // Where the store is down, what was done is worth more than names.
    let names = if stopped.is_some() { None } else { Names::of(visit, &ids).await.ok() };
    let rows = fates.iter().map(|(id, fate)| {
        let (mark, why) = fate.in_words();
        Row {
            mark,
            why,
            // Only what was found has a page; the rest is whatever was sent.
            href: fate
                .delivery()
                .map(|known| visit.links.to(&format!("/logs/deliveries/{}", known.id())))
                .unwrap_or_default(),
            id: crate::words::visible(id),
            webhook: names
                .as_ref()
                .zip(fate.delivery())
                .map(|(names, known)| names.get(known.endpoint()))
                .unwrap_or_default(),
        }
    });
    let here = form.get("here");
    let heading = heading(wish, fates);
    let page = ManyPage {
        frame: Frame::new(visit, Some(Section::Logs), heading.clone()),
        rows: rows.collect(),
        heading,
        back: if is_local(here) { visit.links.asset(here) } else { visit.links.to("/logs") },
        stopped,
    };
    let mut response = render(&page)?;
    if let Some(failure) = &page.stopped {
        *response.status_mut() = failure.status;
        come_again(&mut response);
    }
    Ok(response)
}

/// "3 sent again, 2 refused, 1 not known."
fn heading(wish: Wish, fates: &[(&str, Fate)]) -> String {
    let count = |is: fn(&Fate) -> bool| fates.iter().filter(|(_, fate)| is(fate)).count();
    let done = count(|fate| matches!(fate, Fate::Done(_)));
    let refused = count(|fate| matches!(fate, Fate::Refused(..)));
    let unknown = count(|fate| matches!(fate, Fate::Unknown));
    let not_tried = count(|fate| matches!(fate, Fate::NotTried));
    let mut text = format!("{done} {}, {refused} refused", wish.done());
    for (number, words) in [(unknown, "not known"), (not_tried, "not tried")] {
        if number > 0 {
            text.push_str(&format!(", {number} {words}"));
        }
    }
    text
}

fn refused(text: impl Into<String>) -> Failure {
    Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "Nothing done", text)
}

const fn verb(wish: Wish) -> Verb {
    match wish {
        Wish::Resend => Verb::ResendDelivery,
        Wish::Cancel => Verb::CancelDelivery,
    }
}

impl Fate {
    const fn delivery(&self) -> Option<&Delivery> {
        match self {
            Self::Done(delivery) | Self::Refused(Some(delivery), _) => Some(delivery),
            Self::Refused(None, _) | Self::Unknown | Self::NotTried => None,
        }
    }

    fn in_words(&self) -> (Mark, String) {
        match self {
            Self::Done(after) => (delivery_mark(after), String::new()),
            Self::Refused(_, why) => (mark("\u{2717}", "Refused", "bad"), why.clone()),
            Self::Unknown => {
                (mark("?", "Not known", "warn"), "It may have been done: look at it before you repeat it.".into())
            }
            Self::NotTried => (mark("\u{25e6}", "Not tried", "idle"), "Nothing was done to it.".into()),
        }
    }
}
