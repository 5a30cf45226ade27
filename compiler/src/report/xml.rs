//! Text in pages and pictures: what would be markup is escaped.

use std::fmt;

/// Text of XML, and of HTML; characters that XML cannot hold are left out.
pub(crate) struct Xml<'t>(pub(crate) &'t str);

impl fmt::Display for Xml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\n' | '\t' => write!(f, "{character}")?,
                character if character.is_control() => {}
                '\u{fffe}' | '\u{ffff}' => {}
                character => write!(f, "{character}")?,
            }
        }
        Ok(())
    }
}
