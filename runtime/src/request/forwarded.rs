//! Who the client is, and what the next hop is told of it.
//!
//! Only what trusted proxies wrote into `x-forwarded-for` is believed: its entries are read from the
//! right, and the first one that is no trusted proxy is the client.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use http::HeaderValue;
use http::header::HeaderMap;
use smallvec::SmallVec;

use super::hygiene::{
    Present, Survey, X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO, X_REQUEST_ID,
};

/// The longest request id that is taken over.
const MAX_REQUEST_ID: usize = 128;

/// The client's address. `peer` is a trusted proxy.
pub(crate) fn client(
    headers: &HeaderMap,
    peer: IpAddr,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> IpAddr {
    let lines: SmallVec<[&[u8]; 2]> = headers
        .get_all(&X_FORWARDED_FOR)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    let entries = lines
        .iter()
        .rev()
        .flat_map(|line| line.rsplit(|&byte| byte == b','));
    let mut client = peer;
    for entry in entries {
        let Some(address) = parse(entry) else {
            break;
        };
        client = address;
        if !is_trusted(address) {
            break;
        }
    }
    client
}

/// An entry: an address, perhaps with a port.
fn parse(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    let address: Option<IpAddr> = bare.parse().ok();
    address
        .or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip()))
        .map(|address| address.to_canonical())
}

/// What a gateway tells the next hop. `host` is what the client asked for; `trusted` whether the peer
/// is a proxy whose word on these matters counts.
pub(crate) fn at_gateway(
    headers: &mut HeaderMap,
    survey: &Survey,
    trusted: bool,
    peer: &HeaderValue,
    scheme: &'static str,
    host: &HeaderValue,
) {
    let chain = if survey.present.has(Present::X_FORWARDED_FOR) {
        appended(headers, peer)
    } else {
        peer.clone()
    };
    headers.insert(X_FORWARDED_FOR.clone(), chain);
    let said = |present| trusted && survey.present.has(present);
    let scheme_said = said(Present::X_FORWARDED_PROTO) && {
        let scheme = headers.get(&X_FORWARDED_PROTO).map(HeaderValue::as_bytes);
        matches!(scheme, Some(b"http" | b"https"))
    };
    if !scheme_said {
        headers.insert(X_FORWARDED_PROTO.clone(), HeaderValue::from_static(scheme));
    }
    if !said(Present::X_FORWARDED_HOST) {
        headers.insert(X_FORWARDED_HOST.clone(), host.clone());
    }
}

fn appended(headers: &HeaderMap, peer: &HeaderValue) -> HeaderValue {
    let mut chain = Vec::with_capacity(64);
    let lines = headers.get_all(&X_FORWARDED_FOR).iter();
    for line in lines
        .map(HeaderValue::as_bytes)
        .filter(|line| !line.is_empty())
    {
        chain.extend_from_slice(line);
        chain.extend_from_slice(b", ");
    }
    chain.extend_from_slice(peer.as_bytes());
    HeaderValue::try_from(chain).unwrap_or_else(|_| peer.clone())
}

/// The request's id: the one that it carries, if that may be kept, else a new one.
pub(crate) fn request_id(
    headers: &mut HeaderMap,
    survey: &Survey,
    keep: bool,
    random: impl FnOnce() -> u128,
) -> SmallVec<[u8; 40]> {
    if keep && survey.present.has(Present::X_REQUEST_ID) {
        let id = headers.get(&X_REQUEST_ID).map(HeaderValue::as_bytes);
        let usable = |id: &&[u8]| {
            (1..=MAX_REQUEST_ID).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
        };
        if let Some(id) = id.filter(usable) {
            return id.into();
        }
    }
    let id = uuid(random());
    if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::copy_from_slice(&id)) {
        headers.insert(X_REQUEST_ID.clone(), value);
    }
    SmallVec::from_slice(&id)
}

/// The id that a request carries, to be logged.
pub(crate) fn carried_id(headers: &HeaderMap, survey: &Survey) -> SmallVec<[u8; 40]> {
    if !survey.present.has(Present::X_REQUEST_ID) {
        return SmallVec::new();
    }
    let id = headers
        .get(&X_REQUEST_ID)
        .map_or(&b""[..], HeaderValue::as_bytes);
    SmallVec::from_slice(&id[..id.len().min(MAX_REQUEST_ID)])
}

/// A random number in the form of a UUID of version 4.
fn uuid(random: u128) -> [u8; 36] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    let versioned = random & !(0xf << 76) | 4 << 76;
    let mut bits = versioned & !(0x3 << 62) | 0x2 << 62;
    let mut text = [b'-'; 36];
    for (at, character) in text.iter_mut().enumerate().rev() {
        if !HYPHENS.contains(&at) {
            *character = HEX[(bits & 0xf) as usize];
            bits >>= 4;
        }
    }
    text
}

/// A peer's address as a header's value.
pub(crate) fn address_value(address: IpAddr) -> HeaderValue {
    let mut text = String::with_capacity(40);
    // Writing into a String cannot fail, and an address is always a header's value.
    let _ = write!(text, "{address}");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("unknown"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn chain(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR.clone(), line.parse().unwrap());
        }
        headers
    }

    fn client_of(lines: &[&str]) -> String {
        let trusted = |address: IpAddr| address.to_string().starts_with("10.");
        client(&chain(lines), "10.0.0.1".parse().unwrap(), trusted).to_string()
    }

    #[test]
    fn the_client_is_the_first_stranger_from_the_right() {
        assert_eq!(client_of(&[]), "10.0.0.1");
        assert_eq!(client_of(&["192.0.2.7"]), "192.0.2.7");
        assert_eq!(client_of(&["6.6.6.6, 192.0.2.7, 10.0.0.2"]), "192.0.2.7");
        assert_eq!(
            client_of(&["6.6.6.6", "192.0.2.7", "10.0.0.2"]),
            "192.0.2.7"
        );
        assert_eq!(
            client_of(&["10.0.0.9, 10.0.0.2"]),
            "10.0.0.9",
            "all trusted: the leftmost"
        );
    }

    #[test]
    fn what_is_no_address_ends_the_walk() {
        assert_eq!(client_of(&["192.0.2.7, unknown, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(client_of(&["192.0.2.7, , 10.0.0.2"]), "10.0.0.2");
        assert_eq!(client_of(&["junk"]), "10.0.0.1");
    }

    #[test]
    fn addresses_are_read_in_every_form() {
        assert_eq!(client_of(&["192.0.2.7:4711"]), "192.0.2.7");
        assert_eq!(client_of(&["2001:db8::1"]), "2001:db8::1");
        assert_eq!(client_of(&["[2001:db8::1]"]), "2001:db8::1");
        assert_eq!(client_of(&["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(client_of(&["::ffff:192.0.2.7"]), "192.0.2.7");
    }

    fn told(lines: &[(&'static str, &'static str)], trusted: bool) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let survey = Survey::of(&headers);
        let [peer, host] = ["192.0.2.7", "shop.example:8443"].map(HeaderValue::from_static);
        at_gateway(&mut headers, &survey, trusted, &peer, "https", &host);
        let names = [&X_FORWARDED_FOR, &X_FORWARDED_PROTO, &X_FORWARDED_HOST];
        let values = names.map(|name| {
            let values: Vec<_> = headers
                .get_all(name)
                .iter()
                .map(|it| it.to_str().unwrap())
                .collect();
            values.join(" | ")
        });
        values.to_vec()
    }

    #[test]
    fn the_next_hop_is_told_what_this_one_knows() {
        assert_eq!(
            told(&[], false),
            ["192.0.2.7", "https", "shop.example:8443"]
        );
        let said = [
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-for", "7.7.7.7"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-host", "evil.example"),
        ];
        let chain = "6.6.6.6, 7.7.7.7, 192.0.2.7";
        assert_eq!(told(&said, false), [chain, "https", "shop.example:8443"]);
        assert_eq!(told(&said, true), [chain, "http", "evil.example"]);
        assert_eq!(told(&[("x-forwarded-proto", "ftp")], true)[1], "https");
    }

    #[test]
    fn ids_are_kept_from_those_who_may_give_them() {
        let id = |value: &'static str, keep| {
            let mut headers = HeaderMap::new();
            headers.insert(X_REQUEST_ID.clone(), HeaderValue::from_static(value));
            let survey = Survey::of(&headers);
            let id = request_id(&mut headers, &survey, keep, || u128::MAX);
            assert_eq!(headers[&X_REQUEST_ID].as_bytes(), &*id);
            String::from_utf8(id.to_vec()).unwrap()
        };
        let fresh = "ffffffff-ffff-4fff-bfff-ffffffffffff";
        assert_eq!(id("abc-1", true), "abc-1");
        assert_eq!(id("abc-1", false), fresh);
        assert_eq!(id("", true), fresh);
        assert_eq!(id("a b", true), fresh);
    }

    #[test]
    fn uuids_say_their_version() {
        assert_eq!(&uuid(0), b"00000000-0000-4000-8000-000000000000");
        assert_eq!(
            &uuid(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
            b"01234567-89ab-4def-8123-456789abcdef"
        );
    }
}
