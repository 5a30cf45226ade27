//! The matrix as a page that needs nothing else.

use super::table::{requests, who, why};
use super::{Cell, Column, Decision, Matrix};
use crate::report::xml::Xml;
use std::fmt::Write as _;

const STYLE: &str = include_str!("page.css");

/// A page with a table for each service.
pub fn html(matrix: &Matrix) -> String {
    let title = format!("{}: who may do what", matrix.mesh);
    let title = Xml(&title);
    let mut text = format!(
        "<!DOCTYPE html>\n\
         <html lang=\"en\">\n\
         <head>\n\
         <meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{title}</title>\n\
         <style>\n{STYLE}</style>\n\
         </head>\n\
         <body>\n\
         <h1>{title}</h1>\n"
    );
    for column in &matrix.services {
        section(&mut text, column);
    }
    text.push_str("</body>\n</html>\n");
    text
}

fn section(text: &mut String, column: &Column) {
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "<section>\n<h2>{} <small>{}</small></h2>\n<table>\n\
         <thead><tr><th scope=\"col\">from</th><th scope=\"col\">requests</th>\
         <th scope=\"col\">decision</th><th scope=\"col\">by</th></tr></thead>\n<tbody>",
        Xml(&column.service),
        Xml(&column.place)
    );
    for row in &column.callers {
        for (index, cell) in row.cells.iter().enumerate() {
            text.push_str("<tr>");
            if index == 0 {
                let mut title = row.callers.join(", ");
                if !row.not_called_by.is_empty() {
                    let silent = row.not_called_by.join(", ");
                    title = format!("{title}\nnot among the calls of: {silent}");
                }
                let _ = write!(
                    text,
                    "<th scope=\"rowgroup\" rowspan=\"{}\" title=\"{}\">{}</th>",
                    row.cells.len(),
                    Xml(&title),
                    Xml(&who(column, row))
                );
            }
            cell_row(text, cell);
            text.push_str("</tr>\n");
        }
    }
    text.push_str("</tbody>\n</table>\n</section>\n");
}

fn cell_row(text: &mut String, cell: &Cell) {
    let class = match cell.decision {
        Decision::Allow => "allow",
        Decision::Deny => "deny",
        Decision::Depends => "depends",
        Decision::NotDecided => "not-decided",
    };
    let example = cell.example.as_deref().unwrap_or_default();
    let _ = write!(
        text,
        "<td title=\"{}\"><code>{}</code></td><td class=\"{class}\">{}</td><td>{}</td>",
        Xml(example),
        Xml(&requests(cell)),
        cell.decision.word(),
        Xml(&why(cell))
    );
}
