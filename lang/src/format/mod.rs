//! The one layout of a file.
//!
//! In: the [`Tree`] of a file. Out: its text as all files are laid out, or the edits that lead there.
//! There is nothing to choose. Only white space, `;` and the comma behind the last element of a list
//! change; every other token and every comment stays, in its order, so what comes out has the same
//! tree.
//!
//! ```text
//!  tree ─ body ─▶ statements, blank lines, comments ─ head ─▶ pieces ─ layout ─▶ lines ─ rows ─▶ text
//!                                                                              columns, indentation
//! ```
//!
//! - `body` goes through the statements of files and blocks. A block that is written on one line stays
//!   on it if it fits; any other has a line for each statement. Blank lines are kept, one where there
//!   were several.
//! - `head` cuts a statement, its block aside, into pieces, and says where a line may end. It may only
//!   where the grammar reads on.
//! - `layout` writes pieces on one line, or on several where they do not fit [`WIDTH`].
//! - `rows` holds back consecutive lines until the columns that they share are known: the `->` of arms,
//!   and comments at the end of lines.
//! - `gap` reads what stands between two statements.
//! - `damage` says what stays as it is in a file that does not parse: each broken statement, and each
//!   item whose braces do not pair. There the parser goes by indentation, so what comes out is parsed
//!   again (`same`), and if it reads differently, the file stays as it was.

mod body;
mod damage;
mod edits;
mod gap;
mod head;
mod layout;
mod line;
mod rows;
mod same;

use self::body::Formatter;
use crate::parser::parse;
use crate::syntax::SyntaxKind;
use crate::tree::Tree;

pub use self::edits::edits;
pub use self::same::same;

/// How many columns a line has, wherever it may end before.
pub const WIDTH: u32 = 100;

/// How many columns further right the statements of a block stand.
pub const INDENT: u32 = 2;

/// The text of a file in the one layout.
///
/// What does not parse stays as it is, byte for byte but for its line ends. Those are `\r\n` all over
/// the file if its first one is, else `\n`. A byte order mark stays.
pub fn format(tree: &Tree) -> String {
    let formatted = Formatter::new(tree).file();
    let text = match first_line_end(tree) {
        Some("\r\n") => formatted.text.replace('\n', "\r\n"),
        _ => formatted.text,
    };
    // In a file without damage nothing depends on the layout.
    let is_safe =
        !formatted.damaged || text == tree.text() || same(tree, &parse(tree.file(), &text).tree);
    if is_safe {
        text
    } else {
        tree.text().to_owned()
    }
}

fn first_line_end(tree: &Tree) -> Option<&str> {
    let tokens = tree.tokens();
    let kinds = tokens.kinds();
    let first = kinds.iter().position(|kind| *kind == SyntaxKind::Newline)?;
    Some(tokens.text(tree.text(), first))
}
