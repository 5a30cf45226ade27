//! The graph as a page: the picture, a search, and what belongs together under the pointer.

use super::Graph;
use super::svg::{element, heading};
use crate::report::xml::Xml;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A page that loads nothing: picture, style and script stand in it.
pub fn html(graph: &Graph) -> String {
    let heading = heading(graph);
    let (heading, picture) = (Xml(&heading), element(graph, false));
    format!(
        "<!DOCTYPE html>\n\
         <html lang=\"en\">\n\
         <head>\n\
         <meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{heading}</title>\n\
         <style>\n{STYLE}</style>\n\
         </head>\n\
         <body>\n\
         <header><h1>{heading}</h1><input type=\"search\" placeholder=\"Search\" aria-label=\"Search\"/></header>\n\
         <main>\n{picture}</main>\n\
         <script>\n{SCRIPT}</script>\n\
         </body>\n\
         </html>\n"
    )
}
