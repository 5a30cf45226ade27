//! The matrix for spreadsheets: a line for each caller and cell (RFC 4180).

use super::{Because, Matrix};

/// The columns.
const HEAD: [&str; 9] = [
    "caller", "service", "methods", "paths", "decision", "rule", "place", "calls", "example",
];

/// Comma-separated values, the first line their names.
pub fn csv(matrix: &Matrix) -> String {
    let mut text = line(HEAD.map(str::to_owned));
    for column in &matrix.services {
        for row in &column.callers {
            for caller in &row.callers {
                for cell in &row.cells {
                    let told: Vec<String> = cell.because.iter().map(rule).collect();
                    let places = cell.because.iter().map(|it| it.place.as_str());
                    let places: Vec<&str> = places.filter(|place| !place.is_empty()).collect();
                    let calls = if row.not_called_by.contains(caller) {
                        "no"
                    } else {
                        "yes"
                    };
                    text.push_str(&line([
                        caller.clone(),
                        column.service.clone(),
                        cell.methods_in_words().to_owned(),
                        cell.paths_in_words().to_owned(),
                        cell.decision.word().to_owned(),
                        told.join("; else "),
                        places.join("; "),
                        calls.to_owned(),
                        cell.example.clone().unwrap_or_default(),
                    ]));
                }
            }
        }
    }
    text
}

fn rule(because: &Because) -> String {
    Because {
        place: String::new(),
        ..because.clone()
    }
    .told()
}

fn line(values: [String; HEAD.len()]) -> String {
    let mut text = values.map(|value| quoted(&value)).join(",");
    text.push_str("\r\n");
    text
}

/// A value, in quotes where it needs them.
fn quoted(value: &str) -> String {
    if value.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value.to_owned()
    }
}
