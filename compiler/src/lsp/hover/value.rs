//! Values with their units normalised, and patterns with what they take.

use super::Told;
use mesh_lang::syntax::SyntaxKind;
use mesh_lang::tree::Token;
use mesh_lang::value::{
    Cidr, Duration, HostPattern, PathPattern, Percent, Rate, Segment, Size, StatusSet,
};
use std::net::{IpAddr, Ipv4Addr};

/// Adds what a literal comes to, if the token is one.
pub(super) fn add(token: Token<'_>, told: &mut Told) {
    let sentence = match token.kind() {
        SyntaxKind::Path => PathPattern::parse(token.text()).ok().map(|it| path(&it)),
        SyntaxKind::Word => word(token.text()),
        _ => None,
    };
    if let Some(sentence) = sentence {
        told.text(sentence);
    }
}

/// What a word comes to that is a value by its shape.
pub(in crate::lsp) fn word(text: &str) -> Option<String> {
    if text.starts_with("*.") {
        let pattern = HostPattern::parse(text).ok()?;
        return Some(host(&pattern));
    }
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    if let Ok(percent) = Percent::parse(text) {
        return Some(share(percent));
    }
    if let Ok(time) = Duration::parse(text) {
        return Some(duration(time));
    }
    if let Ok(rate) = Rate::parse(text) {
        return Some(self::rate(rate));
    }
    if text.contains('/')
        && let Ok(network) = Cidr::parse(text)
    {
        return Some(self::network(network));
    }
    if text.ends_with("xx")
        && let Ok(statuses) = StatusSet::parse(text)
    {
        return Some(format!("statuses {}..{}", statuses.from, statuses.to));
    }
    if text.ends_with('B')
        && let Ok(size) = Size::parse(text)
    {
        return Some(format!("{} bytes", grouped(size.bytes())));
    }
    None
}

fn share(percent: Percent) -> String {
    match percent.millionths() {
        0 => "none".to_owned(),
        1_000_000 => "all".to_owned(),
        parts if 1_000_000 % parts == 0 => {
            format!("one in {}", grouped(u64::from(1_000_000 / parts)))
        }
        parts => format!("{} in 1 000 000", grouped(u64::from(parts))),
    }
}

fn duration(time: Duration) -> String {
    let (second, millisecond) = (1_000_000_000, 1_000_000);
    let nanoseconds = time.nanoseconds();
    let (whole, unit) = match nanoseconds {
        all if all.is_multiple_of(second) => (all / second, "seconds"),
        all if all.is_multiple_of(millisecond) => (all / millisecond, "milliseconds"),
        all => (all, "nanoseconds"),
    };
    let unit = if whole == 1 {
        unit.trim_end_matches('s')
    } else {
        unit
    };
    format!("{} {unit}", grouped(whole))
}

fn rate(rate: Rate) -> String {
    let second = 1_000_000_000;
    let (count, seconds) = (rate.count, rate.per.nanoseconds() / second);
    let every = |seconds: u64| {
        if seconds == 1 {
            "second".to_owned()
        } else {
            format!("{seconds} seconds")
        }
    };
    if seconds <= 1 {
        return format!("{} in a second", grouped(count));
    }
    if count.is_multiple_of(seconds) {
        return format!(
            "{} in a second, counted over {}",
            grouped(count / seconds),
            every(seconds)
        );
    }
    if seconds.is_multiple_of(count) {
        return format!(
            "one every {}, counted over {}",
            every(seconds / count),
            every(seconds)
        );
    }
    format!("{} in {}", grouped(count), every(seconds))
}

fn network(network: Cidr) -> String {
    match network.ip {
        IpAddr::V4(first) => {
            let hosts = 32_u32.saturating_sub(u32::from(network.prefix));
            let count = 1_u64 << hosts;
            let last = u64::from(u32::from(first)) + count - 1;
            let last = Ipv4Addr::from(u32::try_from(last).unwrap_or(u32::MAX));
            format!("{first} to {last}: {} addresses", grouped(count))
        }
        IpAddr::V6(_) => format!(
            "all addresses whose first {} bits are these",
            network.prefix
        ),
    }
}

fn host(pattern: &HostPattern) -> String {
    match pattern {
        HostPattern::Exact(host) => format!("exactly `{host}`"),
        HostPattern::Suffix(suffix) => {
            format!("`x.{suffix}`, `x.y.{suffix}`, …; not `{suffix}` itself")
        }
        HostPattern::Any => "any host".to_owned(),
    }
}

/// What paths a pattern takes, by example.
fn path(pattern: &PathPattern) -> String {
    let takes = |rest: &[&str]| {
        let mut path = String::new();
        for segment in pattern.segments() {
            match segment {
                Segment::Literal(text) => push(&mut path, text),
                Segment::Any { .. } => push(&mut path, "x"),
                Segment::Partial { prefix, suffix, .. } => {
                    push(&mut path, &format!("{prefix}x{suffix}"));
                }
                Segment::Rest { .. } => rest.iter().for_each(|text| push(&mut path, text)),
            }
        }
        if path.is_empty() {
            "/".to_owned()
        } else {
            path
        }
    };
    let has_rest = pattern
        .segments()
        .iter()
        .any(|it| matches!(it, Segment::Rest { .. }));
    if pattern.is_exact() {
        return format!("exactly `{}`", takes(&[]));
    }
    if !has_rest {
        return format!(
            "such as `{}`: one segment for each capture, none of them empty",
            takes(&[])
        );
    }
    let (none, one, more) = (takes(&[]), takes(&["x"]), takes(&["x", "y"]));
    format!("`{none}`, `{one}`, `{more}`, …: any number of segments in place of `**`")
}

fn push(path: &mut String, segment: &str) {
    path.push('/');
    path.push_str(segment);
}

/// A number in groups of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && digits.len() > 4 {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_to_their_base_units() {
        let told = |text: &str| word(text).unwrap_or_default().replace('\u{a0}', " ");
        assert_eq!(told("1m30s"), "90 seconds");
        assert_eq!(told("250ms"), "250 milliseconds");
        assert_eq!(told("1s"), "1 second");
        assert_eq!(told("64KiB"), "65 536 bytes");
        assert_eq!(told("10%"), "one in 10");
        assert_eq!(told("0.01%"), "one in 10 000");
        assert_eq!(told("33%"), "330 000 in 1 000 000");
        assert_eq!(told("600/min"), "10 in a second, counted over 60 seconds");
        assert_eq!(
            told("6/min"),
            "one every 10 seconds, counted over 60 seconds"
        );
        assert_eq!(told("5xx"), "statuses 500..599");
        assert_eq!(
            told("10.0.0.0/8"),
            "10.0.0.0 to 10.255.255.255: 16 777 216 addresses"
        );
        assert_eq!(
            told("*.shop.example"),
            "`x.shop.example`, `x.y.shop.example`, …; not `shop.example` itself"
        );
        assert_eq!(told("reviews"), "");
        assert_eq!(told("404"), "");
    }

    #[test]
    fn patterns_take_paths() {
        let told = |text: &str| path(&PathPattern::parse(text).expect("a pattern"));
        assert_eq!(told("/a"), "exactly `/a`");
        assert_eq!(told("/"), "exactly `/`");
        assert!(told("/admin/**").starts_with("`/admin`, `/admin/x`, `/admin/x/y`"));
        assert!(told("/**").starts_with("`/`, `/x`, `/x/y`"));
        assert!(told("/u/{id}.json").starts_with("such as `/u/x.json`"));
    }
}
