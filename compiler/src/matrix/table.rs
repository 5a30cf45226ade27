//! The matrix for people at a terminal.

use super::{Cell, Column, Decision, Matrix, Row};
use crate::report::Style;
use std::fmt::Write as _;

/// Callers that are named; of more the first, and how many there are.
const NAMED: usize = 4;
/// How wide a column is at most; text that is longer stands out.
const WIDTH: usize = 40;

/// A block for each service: who, which requests, what becomes of them and by whom.
pub fn table(matrix: &Matrix, style: Style) -> String {
    let mut text = String::new();
    for column in &matrix.services {
        if !text.is_empty() {
            text.push('\n');
        }
        block(&mut text, column, style);
    }
    text
}

fn block(text: &mut String, column: &Column, style: Style) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{}  {}", style.bold(&column.service), column.place);
    let lines: Vec<[String; 2]> = column
        .callers
        .iter()
        .flat_map(|row| lines(column, row))
        .collect();
    let width = |index: usize| {
        let widths = lines.iter().map(|line| line[index].chars().count());
        widths.filter(|width| *width <= WIDTH).max().unwrap_or(0)
    };
    let (callers, requests) = (width(0), width(1));
    let cells = column.callers.iter().flat_map(|row| &row.cells);
    let words = cells.map(|cell| cell.decision.word().len()).max();
    let words = words.unwrap_or(0);
    let mut lines = lines.iter();
    for row in &column.callers {
        for cell in &row.cells {
            let Some([who, what]) = lines.next() else {
                continue;
            };
            let word = format!("{:words$}", cell.decision.word());
            let word = match cell.decision {
                Decision::Allow => style.added(&word),
                Decision::Deny => style.removed(&word),
                Decision::Depends | Decision::NotDecided => word,
            };
            let _ = writeln!(
                text,
                "  {who:callers$}  {what:requests$}  {word}  {}",
                why(cell)
            );
        }
    }
}

/// The callers, where they are not those of the line above, and the requests.
fn lines(column: &Column, row: &Row) -> impl Iterator<Item = [String; 2]> {
    row.cells.iter().enumerate().map(|(index, cell)| {
        let who = if index == 0 {
            who(column, row)
        } else {
            String::new()
        };
        [who, requests(cell)]
    })
}

/// `storefront, checkout`, `any other (5)`.
pub(super) fn who(column: &Column, row: &Row) -> String {
    let count = row.callers.len();
    if row.others && count > 1 {
        return format!("any other ({count})");
    }
    if count > 1 && column.callers.len() == 1 {
        return format!("everybody ({count})");
    }
    if count <= NAMED {
        return row.callers.join(", ");
    }
    let first = row.callers[..NAMED].join(", ");
    format!("{first} and {} more", count - NAMED)
}

/// `GET, HEAD /items/**`, `any request`.
pub(super) fn requests(cell: &Cell) -> String {
    if cell.otherwise {
        return "anything else".to_owned();
    }
    match (cell.methods.as_str(), cell.paths.as_str()) {
        ("any", "any") => "any request".to_owned(),
        ("any", paths) if paths.starts_with("any") => paths.replacen("any", "any path", 1),
        ("any", paths) => paths.to_owned(),
        (methods, "any") if methods.starts_with("any") => methods.replacen("any", "any method", 1),
        (methods, "any") => methods.to_owned(),
        (methods, paths) if paths.starts_with("any") => {
            format!("{methods} {}", paths.replacen("any", "any path", 1))
        }
        (methods, paths) => format!("{methods} {paths}"),
    }
}

/// Who decides.
pub(super) fn why(cell: &Cell) -> String {
    let told: Vec<String> = cell.because.iter().map(super::Because::told).collect();
    told.join("; else ")
}
