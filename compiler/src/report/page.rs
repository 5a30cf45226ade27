//! The pages behind codes, for a terminal: Markdown made readable as it stands.
//!
//! Pages are our own and use four things: a title, paragraphs, fenced blocks of code and `words` of code.

use super::Style;

/// A page as a terminal shows it: the title bold, code indented and without its fences.
pub fn draw(page: &str, style: Style) -> String {
    let mut lines = Vec::new();
    let mut in_code = false;
    for line in page.lines() {
        if line.starts_with("```") {
            in_code = !in_code;
            continue;
        }
        lines.push(match line.strip_prefix('#') {
            _ if line.is_empty() => String::new(),
            _ if in_code => format!("    {}", style.hint(line)),
            Some(title) => style.bold(title.trim_start_matches('#').trim_start()),
            None => words(line, style),
        });
    }
    lines.push(String::new());
    lines.join("\n")
}

/// A page as plain text.
pub(super) fn in_plain(page: &str) -> String {
    draw(page, Style::PLAIN)
}

/// A line of a paragraph; what colour marks as code needs no quotes.
fn words(line: &str, style: Style) -> String {
    if !style.color {
        return line.to_owned();
    }
    let mut parts = line.split('`').peekable();
    let mut out = String::new();
    let mut is_code = false;
    while let Some(part) = parts.next() {
        match (is_code, parts.peek()) {
            // A quote that nothing closes is one.
            (true, None) => out.extend(["`", part]),
            (true, Some(_)) => out.push_str(&style.hint(part)),
            (false, _) => out.push_str(part),
        }
        is_code = !is_code;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_lang::codes::Code;

    const PAGE: &str =
        "# E1 a-name\n\nA `word` in a line.\n\n```mesh\nservice a {\n\n}\n```\n\nA stray ` sign.\n";

    #[test]
    fn a_page_is_readable_without_colours() {
        let drawn = draw(PAGE, Style::PLAIN);
        assert_eq!(
            drawn,
            "E1 a-name\n\nA `word` in a line.\n\n    service a {\n\n    }\n\nA stray ` sign.\n"
        );
    }

    #[test]
    fn colours_take_the_place_of_signs() {
        let style = Style {
            color: true,
            ..Style::PLAIN
        };
        let drawn = draw(PAGE, style);
        assert!(
            drawn.starts_with("\u{1b}[1mE1 a-name\u{1b}[0m\n"),
            "{drawn:?}"
        );
        assert!(drawn.contains("A \u{1b}[36mword\u{1b}[0m in"), "{drawn:?}");
        assert!(drawn.contains("A stray ` sign"), "{drawn:?}");
    }

    #[test]
    fn no_page_shows_its_fences() {
        for code in Code::ALL {
            let drawn = draw(code.explanation(), Style::PLAIN);
            assert!(!drawn.contains("```") && !drawn.starts_with('#'), "{drawn}");
        }
    }
}
