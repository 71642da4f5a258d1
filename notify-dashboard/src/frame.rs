//! What is around every page: title, navigation, theme, and what was just done.

use axum::http::HeaderMap;

use crate::access::Scope;
use crate::visit::Visit;
use crate::zone::Zone;
use crate::{assets, cookie};

const COOKIE_NAME: &str = "notify_theme";

/// Light, dark, or as the system says.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Theme {
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub(crate) const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Auto => "Auto",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    pub(crate) fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|theme| theme.as_str() == text).unwrap_or_default()
    }

    pub(crate) fn of_cookies(headers: &HeaderMap) -> Self {
        cookie::read(headers, COOKIE_NAME).map(Self::parse).unwrap_or_default()
    }

    pub(crate) fn cookie(self, root: &str) -> String {
        cookie::remembering(COOKIE_NAME, self.as_str(), root)
    }
}

/// One entry of the navigation.
#[derive(Debug)]
pub(crate) struct NavItem {
    pub(crate) href: String,
    pub(crate) label: &'static str,
    pub(crate) current: bool,
}

/// What a page says about itself.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) title: String,
    pub(crate) style: String,
    pub(crate) script: String,
    pub(crate) icon: String,
    pub(crate) home: String,
    pub(crate) nav: Vec<NavItem>,
    pub(crate) theme: Theme,
    pub(crate) theme_action: String,
    pub(crate) zone: Zone,
    pub(crate) zone_action: String,
    pub(crate) here: String,
    pub(crate) done: &'static str,
    pub(crate) by: String,
    pub(crate) back: Option<(String, String)>,
    pub(crate) tenant: Option<String>,
}

/// The pages of the navigation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Section {
    Overview,
    Webhooks,
    Logs,
    EventTypes,
    About,
}

impl Section {
    const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Overview, "/", "Overview"),
        (Self::Webhooks, "/webhooks", "Webhooks"),
        (Self::Logs, "/logs", "Logs"),
        (Self::EventTypes, "/event-types", "Event types"),
        (Self::About, "/about", "About"),
    ];
}

impl Frame {
    /// The frame of a page for somebody who was let in.
    pub(crate) fn new(visit: &Visit, section: Option<Section>, title: impl Into<String>) -> Self {
        let links = &visit.links;
        let nav = Section::ALL.into_iter().map(|(its, path, label)| NavItem {
            href: links.to(path),
            label,
            current: section == Some(its),
        });
        Self {
            home: links.to("/"),
            nav: nav.collect(),
            theme: visit.theme,
            theme_action: links.to("/theme"),
            zone: visit.zone,
            zone_action: links.to("/zone"),
            here: visit.here.clone(),
            done: done(visit.query.get("done")),
            by: visit.grant.name().to_owned(),
            back: visit.shared.back.clone(),
            tenant: (*visit.grant.scope() == Scope::All).then(|| visit.tenant.to_string()),
            ..Self::bare(links, title)
        }
    }

    /// The frame of a page for somebody who was not: without navigation.
    pub(crate) fn bare(links: &crate::links::Links, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            style: links.asset(&assets::STYLE.path),
            script: links.asset(&assets::SCRIPT.path),
            icon: links.asset(&assets::ICON.path),
            home: String::new(),
            nav: Vec::new(),
            theme: Theme::Auto,
            theme_action: String::new(),
            zone: Zone::default(),
            zone_action: String::new(),
            here: String::new(),
            done: "",
            by: String::new(),
            back: None,
            tenant: None,
        }
    }
}

/// The sentence for what was just done. Only these: the word stands in the address, where anybody can write.
fn done(word: &str) -> &'static str {
    match word {
        "saved" => "Saved.",
        "disabled" => "Disabled. What is published meanwhile is kept, and sent when you enable it again.",
        "enabled" => "Enabled.",
        "deleted" => "Deleted. What was still waiting for it is cancelled, and its log stays.",
        "resent" => "Sent again: a new round has begun, with the same id and the same bytes.",
        "cancelled" => "Cancelled.",
        "switched" => "Switched: the staged secret is the current one now.",
        "retired" => "Retired: the previous secret signs no longer.",
        _ => "",
    }
}
