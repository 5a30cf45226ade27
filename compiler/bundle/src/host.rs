//! Host names: their one normal form, and the index that finds what a host belongs to.
//!
//! The index is one hash table for the whole bundle. A key is looked up within a scope: the host
//! blocks of one gateway, the service names that hold everywhere, or those of one namespace. A
//! wildcard `*.shop.example` is kept under `.shop.example`; a lookup hashes the host from the right
//! and asks at each dot, so that exact beats the longest wildcard beats `*` in one pass.

use crate::classify::lay_out;
use crate::format::{Bundle, Draft, Gateway, HostBlock, HostSlot, Id, Service, StrId};
use std::borrow::Cow;
use zerocopy::little_endian::U32;

/// Why a `Host` or `:authority` is refused with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// No host.
    #[error("the host is empty")]
    Empty,
    /// A byte that no host name carries (user information, space, a second port …).
    #[error("the host holds byte 0x{0:02x}")]
    Byte(u8),
    /// A label or the whole name is too long, or a label is empty.
    #[error("the host is not a DNS name")]
    NotAName,
    /// What follows the last colon is no port.
    #[error("the port is not a number from 0 to 65535")]
    Port,
}

/// The normal form of a host: lower case, without port and without one trailing dot. An IPv6
/// address keeps its brackets.
pub fn normalise(raw: &str) -> Result<Cow<'_, str>, HostError> {
    let (name, port) = split_port(raw)?;
    if !port.is_none_or(is_port) {
        return Err(HostError::Port);
    }
    if let Some(inner) = name.strip_prefix('[') {
        let address = inner.strip_suffix(']').ok_or(HostError::NotAName)?;
        let address: std::net::Ipv6Addr = address.parse().map_err(|_| HostError::NotAName)?;
        return Ok(Cow::Owned(format!("[{address}]")));
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() {
        return Err(HostError::Empty);
    }
    let mut label = 0;
    for byte in name.bytes() {
        match byte {
            b'.' if label == 0 => return Err(HostError::NotAName),
            b'.' => label = 0,
            b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => label += 1,
            byte => return Err(HostError::Byte(byte)),
        }
        if label > 63 {
            return Err(HostError::NotAName);
        }
    }
    if label == 0 || name.len() > 253 {
        return Err(HostError::NotAName);
    }
    Ok(if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    })
}

/// RFC 3986 §3.2.3: digits, possibly none.
fn is_port(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.is_empty() || digits && text.len() <= 5 && text.parse::<u16>().is_ok()
}

fn split_port(raw: &str) -> Result<(&str, Option<&str>), HostError> {
    if raw.starts_with('[') {
        let end = raw.find(']').ok_or(HostError::NotAName)? + 1;
        return match raw[end..].strip_prefix(':') {
            Some(port) => Ok((&raw[..end], Some(port))),
            None if end == raw.len() => Ok((raw, None)),
            None => Err(HostError::Byte(raw.as_bytes()[end])),
        };
    }
    Ok(match raw.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (raw, None),
    })
}

/// Whose names a key of the index is among.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The host blocks of a gateway.
    Gateway(Id<Gateway>),
    /// Services, from anywhere.
    Everywhere,
    /// Services, from a namespace.
    Namespace(StrId),
}

impl Scope {
    const NAMESPACE: u32 = 1 << 31;

    /// As a number in the record.
    fn number(self) -> u32 {
        match self {
            Self::Gateway(gateway) => gateway.index() as u32,
            Self::Everywhere => u32::MAX,
            Self::Namespace(namespace) => namespace.index() as u32 | Self::NAMESPACE,
        }
    }

    /// From the number in a record.
    pub fn of_number(number: u32) -> Self {
        if number == u32::MAX {
            Self::Everywhere
        } else if number & Self::NAMESPACE == 0 {
            Self::Gateway(Id::new(number))
        } else {
            Self::Namespace(Id::new(number & !Self::NAMESPACE))
        }
    }
}

/// One entry of the index to be.
#[derive(Clone, Debug)]
pub struct HostEntry {
    /// Where the name holds.
    pub scope: Scope,
    /// The exact name, `.suffix`, or `*`.
    pub key: String,
    /// The host block or service.
    pub value: u32,
}

/// Writes the index; returns its seed and its longest probe.
pub fn write(draft: &mut Draft, entries: &[HostEntry]) -> (u64, u32) {
    let key_hash = |seed, entry: &HostEntry| reversed(seed, entry.scope, entry.key.as_bytes());
    let layout = lay_out(entries.len(), |seed, index| key_hash(seed, &entries[index]));
    let mut slots = vec![HostSlot::EMPTY; layout.slots];
    for (entry, &slot) in entries.iter().zip(&layout.slot_of) {
        slots[slot] = HostSlot {
            tag: U32::new((key_hash(layout.seed, entry) >> 32) as u32),
            scope: U32::new(entry.scope.number()),
            key: draft.string(&entry.key),
            value: U32::new(entry.value),
        };
    }
    draft.host_index = slots;
    (layout.seed, layout.probe)
}

/// A hash that takes bytes one by one, from the right: each suffix has its own on the way.
struct Rolling(u64);

impl Rolling {
    fn new(seed: u64, scope: Scope) -> Self {
        Self(
            (seed ^ 0xcbf2_9ce4_8422_2325)
                .wrapping_add(u64::from(scope.number()))
                .wrapping_mul(Self::PRIME),
        )
    }

    const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;

    #[inline]
    fn push(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(Self::PRIME);
        self.0 ^= self.0 >> 29;
    }

    #[inline]
    fn finish(&self) -> u64 {
        let mixed = self.0.wrapping_mul(Self::PRIME);
        mixed ^ (mixed >> 32)
    }
}

fn reversed(seed: u64, scope: Scope, key: &[u8]) -> u64 {
    let mut hash = Rolling::new(seed, scope);
    key.iter().rev().for_each(|&byte| hash.push(byte));
    hash.finish()
}

fn find(bundle: &Bundle, scope: Scope, hash: u64, key: &[u8]) -> Option<u32> {
    let slots = bundle.host_index();
    let mask = slots.len().checked_sub(1)?;
    for step in 0..=bundle.mesh().host_probe.get() as usize {
        let slot = &slots[(hash as usize).wrapping_add(step) & mask];
        let slot_key = slot.key.some()?;
        if slot.tag.get() == (hash >> 32) as u32
            && slot.scope.get() == scope.number()
            && bundle.str_bytes(slot_key) == key
        {
            return Some(slot.value.get());
        }
    }
    None
}

/// The host block of `gateway` that `host` (normalised) belongs to.
pub fn host_block(bundle: &Bundle, gateway: Id<Gateway>, host: &str) -> Option<Id<HostBlock>> {
    let scope = Scope::Gateway(gateway);
    let seed = bundle.mesh().host_seed.get();
    let bytes = host.as_bytes();
    let mut hash = Rolling::new(seed, scope);
    let mut best = None;
    for (at, &byte) in bytes.iter().enumerate().rev() {
        hash.push(byte);
        // `*.x` takes one label or more: something must stand before the dot.
        if byte == b'.' && at > 0 {
            best = find(bundle, scope, hash.finish(), &bytes[at..]).or(best);
        }
    }
    find(bundle, scope, hash.finish(), bytes)
        .or(best)
        .or_else(|| find(bundle, scope, reversed(seed, scope, b"*"), b"*"))
        .map(Id::new)
}

/// How closely the patterns of `gateway` name `host` (normalised): the longer, the closer, and itself closest;
/// `None` where none does.
pub fn rank(bundle: &Bundle, gateway: Id<Gateway>, host: &str) -> Option<usize> {
    let scope = Scope::Gateway(gateway);
    let seed = bundle.mesh().host_seed.get();
    let has = |key: &str| {
        let key = key.as_bytes();
        find(bundle, scope, reversed(seed, scope, key), key).is_some()
    };
    if has(host) {
        return Some(usize::MAX);
    }
    let dots = host.match_indices('.').filter(|(at, _)| *at > 0);
    let mut suffixes = dots.map(|(at, _)| &host[at..]);
    let longest = suffixes.find(|suffix| has(suffix)).map(str::len);
    longest.or_else(|| has("*").then_some(0))
}

/// The service that callers in `namespace` mean by `host` (normalised): a name that holds
/// everywhere, else one of the namespace's own, else one at top level.
pub fn service(bundle: &Bundle, namespace: StrId, host: &str) -> Named {
    let seed = bundle.mesh().host_seed.get();
    let look = |scope| {
        find(
            bundle,
            scope,
            reversed(seed, scope, host.as_bytes()),
            host.as_bytes(),
        )
    };
    match look(Scope::Everywhere).or_else(|| look(Scope::Namespace(namespace))) {
        None => Named::Unknown,
        Some(HostSlot::NOBODY) => Named::NotForThisNode,
        Some(service) => Named::Service(Id::new(service)),
    }
}

/// What a caller means by a host name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// This service.
    Service(Id<Service>),
    /// A service of the mesh that the node whose slice the bundle is may not call.
    NotForThisNode,
    /// Nothing in the mesh.
    Unknown,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn normal_form() {
        assert_eq!(normalise("Shop.Example").unwrap(), "shop.example");
        assert_eq!(normalise("shop.example:8443").unwrap(), "shop.example");
        assert_eq!(normalise("shop.example.").unwrap(), "shop.example");
        assert_eq!(normalise("A.EX.com.:8443").unwrap(), "a.ex.com");
        assert_eq!(normalise("shop.example:").unwrap(), "shop.example");
        assert_eq!(normalise("127.0.0.1:80").unwrap(), "127.0.0.1");
        assert_eq!(normalise("[::1]:80").unwrap(), "[::1]");
        assert_eq!(normalise("[0:0::1]").unwrap(), "[::1]");
        assert_eq!(normalise("my_service").unwrap(), "my_service");
    }

    #[test]
    fn refusals() {
        assert_eq!(normalise(""), Err(HostError::Empty));
        assert_eq!(normalise(":80"), Err(HostError::Empty));
        assert_eq!(normalise("."), Err(HostError::Empty));
        assert_eq!(normalise("a..b"), Err(HostError::NotAName));
        assert_eq!(normalise(".a"), Err(HostError::NotAName));
        assert_eq!(normalise("a.."), Err(HostError::NotAName));
        assert_eq!(normalise(&"a".repeat(64)), Err(HostError::NotAName));
        assert_eq!(normalise(&"abc.".repeat(70)), Err(HostError::NotAName));
        assert_eq!(normalise("user@host"), Err(HostError::Byte(b'@')));
        assert_eq!(normalise("a b"), Err(HostError::Byte(b' ')));
        assert_eq!(normalise("a:b"), Err(HostError::Port));
        assert_eq!(normalise("a:+80"), Err(HostError::Port));
        assert_eq!(normalise("a:65536"), Err(HostError::Port));
        assert_eq!(normalise("a:80:80"), Err(HostError::Port));
        assert_eq!(normalise("[::1"), Err(HostError::NotAName));
        assert_eq!(normalise("[::1]x"), Err(HostError::Byte(b'x')));
        assert_eq!(normalise("[nonsense]"), Err(HostError::NotAName));
        assert_eq!(normalise("h\u{e9}"), Err(HostError::Byte(0xc3)));
    }
}
