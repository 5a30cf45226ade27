//! A line in the making, and what is known about places in it.

/// The text of a statement without its indentation.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) text: String,
    /// How many columns it has, if it is one line.
    pub(super) width: u32,
    /// Where the match of an arm starts that has a name before it.
    pub(super) matched: Option<Place>,
    /// Where the `->` of an arm is.
    pub(super) arrow: Option<Place>,
}

/// A place in a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) byte: usize,
    pub(super) column: u32,
}

impl Line {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.width = 0;
        self.matched = None;
        self.arrow = None;
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.width += columns(text);
    }

    /// Opens a block behind what is written, if anything is.
    pub(super) fn open_brace(&mut self) {
        let needs_space = !self.text.is_empty() && !self.text.ends_with(' ');
        self.push(if needs_space { " {" } else { "{" });
    }

    /// The place behind what is written.
    pub(super) fn end(&self) -> Place {
        Place {
            byte: self.text.len(),
            column: self.width,
        }
    }
}

/// How many columns a text takes.
pub(super) fn columns(text: &str) -> u32 {
    if text.is_ascii() {
        text.len() as u32
    } else {
        text.chars().count() as u32
    }
}

/// Appends `width` spaces.
pub(super) fn pad(text: &mut String, width: u32) {
    text.extend(std::iter::repeat_n(' ', width as usize));
}

/// Appends lines that stay as they are, but for what ends them.
pub(super) fn push_lines(text: &mut String, lines: &str) {
    let mut rest = lines;
    while let Some((line, further)) = rest.split_once('\r') {
        text.push_str(line);
        text.push('\n');
        rest = further.strip_prefix('\n').unwrap_or(further);
    }
    text.push_str(rest);
}
