//! Creating and changing a webhook.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use notify_core::engine::ControlError;
use notify_core::{Endpoint, EndpointPatch, InvalidInput, NewEndpoint};

use crate::access::Capability;
use crate::audit::{Verb, audited};
use crate::failure::{Failure, sentence};
use crate::fields::Fields;
use crate::frame::{Frame, Section};
use crate::visit::Visit;
use crate::words;

use super::plan::{Planned, plan};
use super::secret::SecretOnce;
use super::webhook::{Tabs, endpoint_id, find};
use super::webhook_policy::PolicyFields;
use super::{render, render_secret};

#[derive(Template)]
#[template(path = "webhook_form.html")]
struct FormPage {
    frame: Frame,
    /// `None` for a new one.
    tabs: Option<Tabs>,
    heading: String,
    action: String,
    back: String,
    error: Option<FieldError>,
    name: String,
    url: String,
    description: String,
    types: Vec<TypeChoice>,
    patterns: String,
    headers: String,
    header_names: Vec<String>,
    policy: PolicyFields,
    /// What an empty field of the policy means.
    service: PolicyFields,
    plan: Vec<Planned>,
    /// Whether a new one is not to be sent to yet.
    held: bool,
    /// Whether the optional fields are shown at once.
    open: bool,
}

/// What is wrong, and with which field.
#[derive(Debug)]
struct FieldError {
    field: &'static str,
    text: String,
    help: &'static str,
}

#[derive(Debug)]
struct TypeChoice {
    event_type: String,
    ticked: bool,
}

/// `GET /webhooks/new`
pub(super) async fn new(visit: Visit) -> Result<Response, Failure> {
    visit.needs(Capability::Manage)?;
    render(&FormPage::new_webhook(&visit))
}

/// `POST /webhooks`: the one page that shows the new secret.
pub(super) async fn create(visit: Visit, form: Fields) -> Result<Response, Failure> {
    visit.needs(Capability::Manage)?;
    if is_preview(&form) {
        return FormPage::new_webhook(&visit).with_times(&visit, &form);
    }
    let mut endpoint = NewEndpoint::new(form.get("name"), form.get("url")).tenant(visit.tenant.clone());
    if is_held(&form) {
        endpoint = endpoint.disabled(visit.grant.name());
    }
    let created = match options(&form, &mut endpoint.options) {
        Ok(()) => visit.engine().endpoints().create(endpoint).await,
        Err(invalid) => Err(invalid.into()),
    };
    let target = created.as_ref().map(|created| created.endpoint.id.to_string()).unwrap_or_default();
    match audited(&visit, Verb::CreateWebhook, &target, created) {
        Ok(created) => {
            let shown = SecretOnce::new(&visit, &created.endpoint, &created.secret, "Webhook created");
            let mut response = render_secret(&shown)?;
            *response.status_mut() = StatusCode::CREATED;
            Ok(response)
        }
        Err(ControlError::Invalid(invalid)) => FormPage::new_webhook(&visit).again(&visit, &form, &invalid),
        Err(error) => Err(error.into()),
    }
}

/// `GET /webhooks/{id}/edit`
pub(super) async fn edit(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    visit.needs(Capability::Manage)?;
    let endpoint = find(&visit, &id).await?;
    render(&FormPage::of(&visit, &endpoint))
}

/// `POST /webhooks/{id}`
pub(super) async fn change(visit: Visit, Path(id): Path<String>, form: Fields) -> Result<Response, Failure> {
    visit.needs(Capability::Manage)?;
    if is_preview(&form) {
        let endpoint = find(&visit, &id).await?;
        return FormPage::of(&visit, &endpoint).with_times(&visit, &form);
    }
    let id = endpoint_id(&id)?;
    let mut patch = EndpointPatch::default();
    patch.name = Some(form.get("name").to_owned());
    patch.url = Some(form.get("url").to_owned());
    let done = match options(&form, &mut patch) {
        Ok(()) => visit.engine().endpoints().update(&visit.tenant, &id, &patch).await,
        Err(invalid) => Err(invalid.into()),
    };
    match audited(&visit, Verb::ChangeWebhook, id.as_str(), done) {
        Ok(_) => Ok(visit.go(&format!("/webhooks/{id}"), "saved")),
        Err(ControlError::Invalid(invalid)) => {
            let endpoint = visit.engine().endpoints().get(&visit.tenant, &id).await?;
            FormPage::of(&visit, &endpoint).again(&visit, &form, &invalid)
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the button was the one that only shows the times of the schedule that was typed.
fn is_preview(form: &Fields) -> bool {
    !form.raw("times").is_empty()
}

fn is_held(form: &Fields) -> bool {
    !form.raw("disabled").is_empty()
}

/// What is optional.
fn options(form: &Fields, patch: &mut EndpointPatch) -> Result<(), InvalidInput> {
    patch.description = Some(form.get("description").replace("\r\n", "\n"));
    let typed = form.get("patterns").split([',', '\n']).map(str::trim).filter(|pattern| !pattern.is_empty());
    let patterns: Vec<String> = form.all("events").chain(typed).map(str::to_owned).collect();
    patch.events = Some(Some(patterns).filter(|patterns| !patterns.is_empty()));
    PolicyFields::typed(form).write_to(patch)?;
    // Values are not shown again, so an empty field means: as they are.
    if !form.get("headers").is_empty() {
        let mut headers = Vec::new();
        for line in form.get("headers").lines().map(str::trim).filter(|line| !line.is_empty() && *line != "-") {
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| InvalidInput::new("headers", "NTF-HEADER", "has a line that is not name: value"))?;
            headers.push((name.trim().to_owned(), value.trim().to_owned()));
        }
        patch.headers = Some(headers);
    }
    Ok(())
}

impl FormPage {
    fn new_webhook(visit: &Visit) -> Self {
        Self {
            frame: Frame::new(visit, Some(Section::Webhooks), "New webhook"),
            tabs: None,
            heading: "New webhook".into(),
            action: visit.links.to("/webhooks"),
            back: visit.links.to("/webhooks"),
            error: None,
            name: String::new(),
            url: String::new(),
            description: String::new(),
            types: Self::types(visit, &[]),
            patterns: String::new(),
            headers: String::new(),
            header_names: Vec::new(),
            policy: PolicyFields::default(),
            service: PolicyFields::of_service(visit.engine().policy()),
            plan: plan(visit, &visit.engine().policy().schedule),
            held: false,
            open: false,
        }
    }

    fn of(visit: &Visit, endpoint: &Endpoint) -> Self {
        let name = words::visible(endpoint.name.as_str());
        let patterns = endpoint.filter.patterns().unwrap_or_default();
        let types = Self::types(visit, &patterns);
        let listed = |pattern: &String| types.iter().any(|choice| choice.event_type == **pattern);
        let others: Vec<String> = patterns.iter().filter(|pattern| !listed(pattern)).cloned().collect();
        Self {
            frame: Frame::new(visit, Some(Section::Webhooks), format!("Settings of {name}")),
            tabs: Some(Tabs::new(visit, &endpoint.id, "settings")),
            heading: name,
            action: visit.links.to(&format!("/webhooks/{}", endpoint.id)),
            back: visit.links.to(&format!("/webhooks/{}", endpoint.id)),
            error: None,
            // As it is, since it is sent back: what is spelt out here would be stored spelt out.
            name: endpoint.name.to_string(),
            url: endpoint.url.to_string(),
            description: endpoint.description.clone(),
            patterns: others.join(", "),
            types,
            headers: String::new(),
            header_names: endpoint.headers.iter().map(|header| header.name().to_owned()).collect(),
            policy: PolicyFields::of(&endpoint.policy),
            service: PolicyFields::of_service(visit.engine().policy()),
            plan: plan(visit, &endpoint.policy.over(visit.engine().policy()).schedule),
            held: false,
            open: true,
        }
    }

    fn types(visit: &Visit, ticked: &[String]) -> Vec<TypeChoice> {
        let entries = visit.engine().catalogue().entries();
        let choices = entries.map(|entry| {
            let event_type = entry.event_type.to_string();
            TypeChoice { ticked: ticked.contains(&event_type), event_type }
        });
        choices.collect()
    }

    /// The same form with what was typed.
    fn typed(mut self, visit: &Visit, form: &Fields) -> Self {
        self.name = form.raw("name").to_owned();
        self.url = form.raw("url").to_owned();
        self.description = form.raw("description").to_owned();
        self.patterns = form.raw("patterns").to_owned();
        self.headers = form.raw("headers").to_owned();
        self.policy = PolicyFields::typed(form);
        self.held = is_held(form);
        self.open = true;
        // Of a text that is no schedule there are no times.
        self.plan = match self.policy.schedule() {
            Ok(own) => plan(visit, own.as_ref().unwrap_or(&visit.engine().policy().schedule)),
            Err(_) => Vec::new(),
        };
        for choice in &mut self.types {
            choice.ticked = form.all("events").any(|ticked| ticked == choice.event_type);
        }
        self
    }

    /// The same form with the times of the schedule that was typed. Nothing is saved.
    fn with_times(self, visit: &Visit, form: &Fields) -> Result<Response, Failure> {
        match PolicyFields::typed(form).schedule() {
            Ok(_) => render_secret(&self.typed(visit, form)),
            Err(invalid) => self.again(visit, form, &invalid),
        }
    }

    /// The same form with what was typed, and what is wrong with it.
    fn again(self, visit: &Visit, form: &Fields, invalid: &InvalidInput) -> Result<Response, Failure> {
        let mut page = self.typed(visit, form);
        page.frame.title = format!("Error: {}", page.frame.title);
        let text = sentence(&words::visible(&invalid.to_string()));
        page.error = Some(FieldError { field: invalid.field(), text, help: invalid.help().unwrap_or_default() });
        let mut response = render_secret(&page)?;
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        Ok(response)
    }

    fn has_error(&self, field: &str) -> bool {
        self.error.as_ref().is_some_and(|error| error.field == field)
    }
}
