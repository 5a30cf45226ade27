//! By what GitHub's code scanning knows a finding again when lines have moved: a hash of what stands from
//! its line on.
//!
//! The hash is the one that GitHub's own upload computes where a file brings none, so that findings stay the
//! same whichever way they are uploaded: over the next hundred UTF-16 units, white space left out, rolling
//! along the file; lines with equal hashes are counted.

use std::collections::HashMap;

const WINDOW: usize = 100;
const FACTOR: u64 = 37;
/// What stands behind the last unit.
const END: u16 = 0xffff;

/// The fingerprint of every line of a text.
pub(super) fn of_lines(text: &str) -> Vec<String> {
    let mut lines = Lines {
        window: [0; WINDOW],
        starts: [false; WINDOW],
        at: 0,
        hash: 0,
        leaving: (0..WINDOW).fold(1, |power: u64, _| power.wrapping_mul(FACTOR)),
        seen: HashMap::new(),
        found: Vec::new(),
    };
    let mut starts_line = true;
    let mut behind_return = false;
    for unit in text.encode_utf16().chain([END]) {
        let is = |byte: u8| unit == u16::from(byte);
        if is(b' ') || is(b'\t') || (behind_return && is(b'\n')) {
            behind_return = false;
            continue;
        }
        behind_return = is(b'\r');
        let unit = if behind_return {
            u16::from(b'\n')
        } else {
            unit
        };
        lines.push(unit, starts_line);
        starts_line = unit == u16::from(b'\n');
    }
    for _ in 0..WINDOW {
        lines.push(0, false);
    }
    lines.found
}

struct Lines {
    /// The last units, in a ring.
    window: [u16; WINDOW],
    /// Which of them start a line whose hash is not known yet.
    starts: [bool; WINDOW],
    /// Where the oldest is, and the next goes.
    at: usize,
    hash: u64,
    /// The weight of the oldest unit once another has come.
    leaving: u64,
    seen: HashMap<u64, u32>,
    found: Vec<String>,
}

impl Lines {
    fn push(&mut self, unit: u16, starts_line: bool) {
        // The window is full from a line's start on: that is its hash.
        if std::mem::replace(&mut self.starts[self.at], starts_line) {
            let count = self.seen.entry(self.hash).or_default();
            *count += 1;
            self.found.push(format!("{:x}:{count}", self.hash));
        }
        let oldest = u64::from(std::mem::replace(&mut self.window[self.at], unit));
        self.hash = self
            .hash
            .wrapping_mul(FACTOR)
            .wrapping_add(u64::from(unit))
            .wrapping_sub(self.leaving.wrapping_mul(oldest));
        self.at = (self.at + 1) % WINDOW;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_github() {
        assert_eq!(of_lines(""), ["c129715d7a2bc9a3:1"]);
        assert_eq!(
            of_lines(" a\nb\n  \t\tc\n d"),
            [
                "271789c17abda88f:1",
                "54703d4cd895b18:1",
                "180aee12dab6264:1",
                "a23a3dc5e078b07b:1",
            ]
        );
        assert_eq!(
            of_lines("x = 2\nx = 1\nprint(x)\nx = 3\nprint(x)\nx = 4\nprint(x)\n"),
            [
                "e54938cc54b302f1:1",
                "bb609acbe9138d60:1",
                "1131fd5871777f34:1",
                "5c482a0f8b35ea28:1",
                "54517377da7028d2:1",
                "2c644846cb18d53e:1",
                "f1b89f20de0d133:1",
                "c129715d7a2bc9a3:1",
            ]
        );
    }

    #[test]
    fn line_ends_and_indents_do_not_matter() {
        let lines = [
            "e9496ae3ebfced30:1",
            "fb7c023a8b9ccb3f:1",
            "ce8ba1a563dcdaca:1",
            "e20e36e16fcb0cc8:1",
            "b3edc88f2938467e:1",
            "c8e28b0b4002a3a0:1",
            "c129715d7a2bc9a3:1",
        ];
        for text in [
            " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n",
            " hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r",
            " hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n",
            " hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n",
        ] {
            assert_eq!(of_lines(text), lines, "{text:?}");
        }
    }

    #[test]
    fn equal_lines_are_counted() {
        let text = "Lorem ipsum dolor sit amet.\n".repeat(10);
        let lines = of_lines(&text);
        assert_eq!(lines.len(), 11);
        assert_eq!(lines[0], "a7f2ff13bc495cf2:1");
        assert_eq!(lines[5], "a7f2ff13bc495cf2:6");
        assert_eq!(lines[6], "a7f2ff1481e87703:1");
    }
}
