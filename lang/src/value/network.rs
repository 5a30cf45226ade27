//! Addresses, networks and ports.

use std::fmt;
use std::net::IpAddr;

use nom::branch::alt;
use nom::bytes::complete::{take_till1, take_while1};
use nom::character::complete::{char, digit1};
use nom::combinator::{all_consuming, rest};
use nom::sequence::{delimited, separated_pair};
use nom::{IResult, Parser};

use super::host::check_host;
use super::{Integer, ValueError};

/// A port from 1 to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(u16);

impl Port {
    /// Its number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Reads `443`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        Integer::parse(text)
            .ok()
            .and_then(|number| u16::try_from(number.0).ok())
            .filter(|number| *number > 0)
            .map(Self)
            .ok_or_else(|| {
                ValueError::new(format!("`{text}` is no port; they go from `1` to `65535`"))
            })
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A machine: by address or by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// An address.
    Ip(IpAddr),
    /// A name in lower case.
    Name(String),
}

impl Host {
    /// Reads `10.0.0.9`, `db.internal` or, without brackets, `::1`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        if let Ok(ip) = text.parse() {
            return Ok(Self::Ip(ip));
        }
        // `10.0.0.256` and `10.0.0` look like addresses and would be taken for names.
        if text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
        {
            return Err(ValueError::new(format!("`{text}` is no address")));
        }
        check_host(text)?;
        Ok(Self::Name(text.to_owned()))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A machine and a port: `127.0.0.1:9080`, `[::1]:80`, `db.internal:5432`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The machine.
    pub host: Host,
    /// The port, not 0.
    pub port: u16,
}

/// `[::1]:80` or `HOST:80`: the host without brackets, and the port.
fn host_and_port(input: &str) -> IResult<&str, (&str, &str), ()> {
    let bracketed = delimited(char('['), take_till1(|c| c == ']'), char(']'));
    let plain = take_till1(|c| c == ':' || c == '[');
    all_consuming(separated_pair(alt((bracketed, plain)), char(':'), digit1)).parse_complete(input)
}

impl Address {
    /// Reads `IP:PORT`, `[IPV6]:PORT` or `HOST:PORT`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let Ok((_, (host, port))) = host_and_port(text) else {
            return Err(Self::other_form(text));
        };
        let host = Host::parse(host).map_err(|error| {
            let rebuild = |host: &str| format!("{host}:{port}");
            error.of_part(rebuild, |address| Self::parse(address).is_ok())
        })?;
        let port = Port::parse(port)?.number();
        if matches!(host, Host::Name(_)) && text.starts_with('[') {
            return Err(ValueError::new(format!(
                "`{host}` is no address of version 6"
            )));
        }
        Ok(Self { host, port })
    }

    fn other_form(text: &str) -> ValueError {
        if Host::parse(text).is_ok() {
            return ValueError::new(format!("`{text}` has no port, as in `10.0.0.9:5432`"));
        }
        let error = ValueError::new(format!(
            "`{text}` is no address; `127.0.0.1:9080` and `[::1]:80` are"
        ));
        // `2001:db8::7:80` may be an address alone as well.
        match text.rsplit_once(':') {
            Some((host, port)) if host.parse::<std::net::Ipv6Addr>().is_ok() => {
                error.perhaps(format!("[{host}]:{port}"))
            }
            _ => error,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]:{}", self.port),
            host => write!(f, "{host}:{}", self.port),
        }
    }
}

/// A network: `10.0.0.0/8`. An address alone is the network of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    /// The first address, its host bits zero.
    pub ip: IpAddr,
    /// How many bits are the network's.
    pub prefix: u8,
}

impl Cidr {
    /// Reads `10.0.0.0/8`, `fd00::/8` or an address alone.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        if let Ok(ip) = text.parse() {
            let prefix = width(ip);
            return Ok(Self { ip, prefix });
        }
        let address = take_while1(|c: char| c.is_ascii_hexdigit() || c == '.' || c == ':');
        let mut network = separated_pair(address, char::<_, ()>('/'), rest);
        let no_network = || {
            ValueError::new(format!(
                "`{text}` is no network; `10.0.0.0/8` and `fd00::/8` are"
            ))
        };
        let (_, (address, prefix)) = network.parse_complete(text).map_err(|_| no_network())?;
        let ip: IpAddr = address.parse().map_err(|_| no_network())?;
        let width = width(ip);
        let prefix = Integer::parse(prefix)
            .ok()
            .and_then(|number| u8::try_from(number.0).ok())
            .filter(|prefix| *prefix <= width)
            .ok_or_else(|| {
                ValueError::new(format!(
                    "`{prefix}` is no length of such a network: it has `0` to `{width}` bits"
                ))
            })?;
        let network = Self {
            ip: without_host_bits(ip, prefix),
            prefix,
        };
        if network.ip != ip {
            return Err(ValueError::new(format!(
                "`{text}` is an address in the network `{network}`, not a network"
            ))
            .perhaps(network.to_string()));
        }
        Ok(network)
    }

    /// Whether `ip` is in it.
    pub fn contains(self, ip: IpAddr) -> bool {
        width(ip) == width(self.ip) && without_host_bits(ip, self.prefix) == self.ip
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.prefix == width(self.ip) {
            self.ip.fmt(f)
        } else {
            write!(f, "{}/{}", self.ip, self.prefix)
        }
    }
}

fn width(ip: IpAddr) -> u8 {
    match ip {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn without_host_bits(ip: IpAddr, prefix: u8) -> IpAddr {
    let prefix = u32::from(prefix);
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
            IpAddr::V4((ip.to_bits() & mask).into())
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
            IpAddr::V6((ip.to_bits() & mask).into())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn addresses_have_a_port() {
        for text in [
            "127.0.0.1:9080",
            "[::1]:80",
            "db.internal:5432",
            "[2001:db8::7]:1",
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "10.0.0.9",
            ":80",
            "10.0.0.9:",
            "10.0.0.9:0",
            "10.0.0.9:70000",
            "10.0.0.256:1",
            "[db]:80",
            "[::1]",
            "::1:80x",
            "DB:80",
            "a:b:80",
            "1.2.3:80",
            "[]:1",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
        let error = Address::parse("2001:db8::7:80").unwrap_err();
        assert!(error.message.contains("no port"), "{error}");
    }

    #[test]
    fn networks_have_no_host_bits() {
        for text in [
            "10.0.0.0/8",
            "fd00::/8",
            "0.0.0.0/0",
            "::/0",
            "10.1.2.3",
            "::1",
        ] {
            assert_eq!(Cidr::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Cidr::parse("10.1.2.3/32"), Cidr::parse("10.1.2.3"));
        for (text, right) in [("10.1.2.3/8", "10.0.0.0/8"), ("fd00::1/8", "fd00::/8")] {
            let suggestion = Cidr::parse(text).unwrap_err().suggestion.unwrap();
            assert_eq!(suggestion.text, right);
            assert!(!suggestion.certain, "it may be the address that was meant");
        }
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0/8",
            "x/8",
            "::/129",
            "10.0.0.0/8/9",
        ] {
            assert!(Cidr::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn networks_contain_addresses() {
        let network = Cidr::parse("10.1.0.0/16").unwrap();
        assert!(network.contains("10.1.255.0".parse().unwrap()));
        assert!(!network.contains("10.2.0.0".parse().unwrap()));
        assert!(!network.contains("::".parse().unwrap()));
    }
}
