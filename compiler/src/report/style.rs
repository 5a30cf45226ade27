//! Colours and links: what a terminal can that a file cannot.

use anstyle::{AnsiColor, Effects, Style as Ansi};
use std::fmt::Display;

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// With colours.
    pub color: bool,
    /// With links that a terminal opens (OSC 8).
    pub links: bool,
}

/// Where the pages of codes are published, if whoever builds says so: the address of the page of E0301 is
/// this, then `E0301`.
const PAGES: Option<&str> = option_env!("MESHC_PAGES");

impl Style {
    /// Text and nothing else.
    pub const PLAIN: Self = Self {
        color: false,
        links: false,
    };

    pub(crate) fn bold(self, text: impl Display) -> String {
        self.paint(Ansi::new().bold(), text)
    }

    pub(super) fn faint(self, text: impl Display) -> String {
        self.paint(Ansi::new().effects(Effects::DIMMED), text)
    }

    pub(super) fn hint(self, text: impl Display) -> String {
        self.paint(AnsiColor::Cyan.on_default(), text)
    }

    pub(crate) fn added(self, text: impl Display) -> String {
        self.paint(AnsiColor::Green.on_default(), text)
    }

    pub(crate) fn removed(self, text: impl Display) -> String {
        self.paint(AnsiColor::Red.on_default(), text)
    }

    /// Text that leads somewhere.
    pub(super) fn link(self, address: Option<&str>, text: impl Display) -> String {
        match address {
            Some(address) if self.links => {
                format!("\u{1b}]8;;{address}\u{1b}\\{text}\u{1b}]8;;\u{1b}\\")
            }
            _ => text.to_string(),
        }
    }

    fn paint(self, style: Ansi, text: impl Display) -> String {
        let text = text.to_string();
        if self.color && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text
        }
    }
}

/// The address of a code's page.
pub(super) fn page_of(code: impl Display) -> Option<String> {
    PAGES.map(|pages| format!("{pages}{code}"))
}
