//! The kinds of values that arguments have.
//!
//! In: a value of the tree and the kind that is due. Out: whether it fits; if it looks like one of
//! the kind but is not, the [`ValueError`] says why. A bare name fits any kind that is no name
//! itself: it refers to a `param` or a `let`.

use crate::codes::Code;
use crate::value::{
    Address, Cidr, Date, Duration, DurationRange, HeaderName, HostPattern, Integer, Method, Name,
    PathPattern, Percent, Port, RESERVED, Rate, Segment, Size, Status, StatusSet, Target, Url,
    ValueError,
};
use crate::view::{Text, Value};

/// What kind of value an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The name of something declared elsewhere.
    Name,
    /// The same, its namespace before it where that is another: `corp`, `payments/corp`.
    Reference,
    /// A name that is declared here.
    NewName,
    /// `reviews`, `reviews.v2`, `payments/ledger`.
    Target,
    /// A name that is its own identity, or a SPIFFE id.
    Identity,
    /// The name of a lint.
    Lint,
    /// The name of a header.
    Header,
    /// The name of a cookie or of a query parameter.
    Parameter,
    /// `GET`.
    Method,
    /// `http` or `https`.
    Scheme,
    /// `shop.example`, `*.shop.example`, `*`.
    Host,
    /// `shop.example`.
    HostName,
    /// `250ms`; above zero.
    Duration,
    /// `1h`, or no time at all.
    Age,
    /// `25ms..250ms`.
    DurationRange,
    /// `2026-12-01`.
    Date,
    /// `10%`.
    Percent,
    /// `64KiB`.
    Size,
    /// `100/s`.
    Rate,
    /// A whole number above zero.
    Count,
    /// A whole number.
    Number,
    /// A port.
    Port,
    /// `503`.
    Status,
    /// `503`, `5xx`, `500..599`.
    Statuses,
    /// `301`, `302`, `303`, `307`, `308`.
    RedirectStatus,
    /// `127.0.0.1:9080`, `[::1]:80`.
    Endpoint,
    /// `db.internal:5432`, or the name of an SRV record.
    DnsName,
    /// `10.0.0.7`.
    Ip,
    /// `10.0.0.0/8`, or an address alone.
    Network,
    /// `NAMESPACE/NAME:PORT`.
    KubernetesService,
    /// `/users/{id}`, `/static/**`.
    PathPattern,
    /// `/products/{id}`: captures are filled in.
    PathTemplate,
    /// `/new`: neither captures nor wildcards.
    PathPrefix,
    /// `/healthz?full=1`: as it is sent.
    RequestPath,
    /// A string.
    Text,
    /// A string that a header may hold.
    HeaderValue,
    /// A string that names a file.
    File,
    /// A URL of HTTP.
    Url,
    /// A URL of HTTP, or a path on the same host.
    Location,
    /// `"https://app.example"`, or `"*"`.
    Origin,
    /// What a claim of a token holds: a string, a number, `true`, `false`, or a list of these.
    Claim,
}

/// Why a value does not fit a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Misfit {
    /// It looks like something else.
    OtherKind,
    /// It looks like one of the kind, but is not.
    Wrong(ValueError),
}

impl From<ValueError> for Misfit {
    fn from(error: ValueError) -> Self {
        Self::Wrong(error)
    }
}

type Fit = Result<(), Misfit>;

impl Kind {
    /// What signatures call it: `DURATION`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name | Self::Reference | Self::NewName | Self::Parameter => "NAME",
            Self::Target => "SERVICE",
            Self::Identity => "IDENTITY",
            Self::Lint => "LINT",
            Self::Header => "HEADER",
            Self::Method => "METHOD",
            Self::Scheme => "SCHEME",
            Self::Host | Self::HostName => "HOST",
            Self::Duration | Self::Age => "DURATION",
            Self::DurationRange => "DURATION..DURATION",
            Self::Date => "DATE",
            Self::Percent => "PERCENT",
            Self::Size => "SIZE",
            Self::Rate => "RATE",
            Self::Count | Self::Number => "NUMBER",
            Self::Port => "PORT",
            Self::Status | Self::RedirectStatus => "STATUS",
            Self::Statuses => "STATUSES",
            Self::Endpoint | Self::Ip => "ADDRESS",
            Self::DnsName => "HOST:PORT",
            Self::Network => "NETWORK",
            Self::KubernetesService => "NAMESPACE/NAME:PORT",
            Self::PathPattern | Self::PathTemplate | Self::PathPrefix | Self::RequestPath => "PATH",
            Self::Text | Self::HeaderValue => "STRING",
            Self::File => "FILE",
            Self::Url | Self::Location => "URL",
            Self::Origin => "ORIGIN",
            Self::Claim => "VALUE",
        }
    }

    /// What messages call it: "a duration such as `250ms`".
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Name | Self::Reference | Self::NewName => "a name",
            Self::Target => "a service such as `reviews` or `payments/ledger`",
            Self::Identity => "a name or a SPIFFE id",
            Self::Lint => "the name of a lint such as `open-service`",
            Self::Header => "the name of a header such as `x-team`",
            Self::Parameter => "the name of a cookie or a parameter",
            Self::Method => "a method such as `GET`",
            Self::Scheme => "`http` or `https`",
            Self::Host => "a host such as `shop.example` or `*.shop.example`",
            Self::HostName => "a host such as `shop.example`",
            Self::Duration | Self::Age => "a duration such as `250ms`",
            Self::DurationRange => "a range of durations such as `25ms..250ms`",
            Self::Date => "a date such as `2026-12-01`",
            Self::Percent => "a percentage such as `10%`",
            Self::Size => "a size such as `64KiB`",
            Self::Rate => "a rate such as `100/s`",
            Self::Count | Self::Number => "a whole number",
            Self::Port => "a port",
            Self::Status => "a status such as `503`",
            Self::Statuses => "statuses such as `503`, `5xx` or `500..599`",
            Self::RedirectStatus => "`301`, `302`, `303`, `307` or `308`",
            Self::Endpoint => "an address such as `10.0.0.9:5432`",
            Self::DnsName => "a host with its port, such as `db.internal:5432`",
            Self::Ip => "an address such as `10.0.0.7`",
            Self::Network => "a network such as `10.0.0.0/8`",
            Self::KubernetesService => "a service such as `default/reviews:9080`",
            Self::PathPattern => "a path such as `/reviews/**`",
            Self::PathTemplate => "a path such as `\"/products/{id}\"`",
            Self::PathPrefix => "a path such as `\"/new\"`",
            Self::RequestPath => "a path such as `/healthz`",
            Self::Text | Self::HeaderValue => "a string",
            Self::File => "a file name in quotes",
            Self::Url => "a URL such as `\"https://auth.example.com\"`",
            Self::Location => "a URL or a path in quotes",
            Self::Origin => "an origin such as `\"https://app.example\"`",
            Self::Claim => "a string, a number, `true`, `false`, or a list of these",
        }
    }

    /// Whether a bare name refers to a `param` or a `let` of this kind; else it is a name itself.
    pub const fn takes_params(self) -> bool {
        !matches!(
            self,
            Self::Name
                | Self::Reference
                | Self::NewName
                | Self::Target
                | Self::Identity
                | Self::Lint
                | Self::Header
                | Self::Parameter
                | Self::Method
                | Self::Scheme
                | Self::Host
                | Self::HostName
        )
    }

    /// Whether `value` fits.
    pub(super) fn fit(self, value: Value<'_>) -> Fit {
        match value {
            Value::Word(word) if self.takes_params() && is_reference(word) => Ok(()),
            Value::Word(word) => self.fit_word(word.text),
            Value::Str(string) => self.fit_string(&string.unescaped()),
            Value::Path(path) => self.fit_path(path.text),
            Value::Range(low, high) => match self {
                Self::DurationRange => Ok(DurationRange::parse(low.text, high.text).map(drop)?),
                Self::Statuses => Ok(StatusSet::parse_range(low.text, high.text).map(drop)?),
                _ => Err(Misfit::OtherKind),
            },
            Value::List(list) if self == Self::Claim => {
                let fits = |value| !matches!(value, Value::List(_)) && self.fit(value).is_ok();
                if list.values().all(fits) {
                    Ok(())
                } else {
                    Err(Misfit::OtherKind)
                }
            }
            Value::List(_) => Err(Misfit::OtherKind),
        }
    }

    fn fit_word(self, text: &str) -> Fit {
        let is_number = text.starts_with(|first: char| first.is_ascii_digit());
        match self {
            Self::Name | Self::Lint => Ok(Name::check_label(text)?),
            Self::Reference => Ok(Name::check_reference(text)?),
            Self::Target => Ok(Target::parse(text).map(drop)?),
            Self::Identity if text.starts_with("spiffe://") => Ok(check_spiffe_id(text)?),
            Self::Identity | Self::NewName => Ok(Name::check(text)?),
            Self::Header => Ok(HeaderName::parse(text).map(drop)?),
            Self::Parameter => Ok(()),
            Self::Method => Ok(Method::parse(text).map(drop)?),
            Self::Scheme if matches!(text, "http" | "https") => Ok(()),
            Self::Host => Ok(HostPattern::parse(text).map(drop)?),
            Self::HostName => Ok(check_host_name(text)?),
            Self::Claim if matches!(text, "true" | "false") => Ok(()),
            Self::Claim => Ok(Integer::parse(text).map(drop)?),
            Self::Url if text.contains("://") => Ok(Url::parse(text).map(drop)?),
            Self::Origin | Self::Location if text.contains("://") => Err(unquoted(text)),
            Self::Text | Self::HeaderValue | Self::File => Err(unquoted(text)),
            Self::DnsName => fit_dns_name(text),
            Self::KubernetesService => Ok(check_kubernetes_service(text)?),
            // `::1` starts with a colon and `fd00::1` with a letter.
            Self::Endpoint | Self::Ip | Self::Network if is_number || text.contains([':', '.']) => {
                self.fit_address(text)
            }
            _ if is_number => self.fit_number(text),
            _ => Err(Misfit::OtherKind),
        }
    }

    fn fit_number(self, text: &str) -> Fit {
        match self {
            Self::Duration => {
                if Duration::parse(text)? == Duration::ZERO {
                    return Err(ValueError::new(format!("`{text}` is no time at all")).into());
                }
            }
            Self::Age => drop(Duration::parse(text)?),
            Self::DurationRange => {
                let error = match Duration::parse(text) {
                    Ok(_) => ValueError::new(format!("`{text}` is no range"))
                        .perhaps(format!("{text}..{text}")),
                    Err(error) => error,
                };
                return Err(error.into());
            }
            Self::Date => drop(Date::parse(text)?),
            Self::Percent => drop(Percent::parse(text)?),
            Self::Size => drop(Size::parse(text)?),
            Self::Rate => drop(Rate::parse(text)?),
            Self::Count => {
                if Integer::parse(text)? == Integer(0) {
                    let message = format!("`{text}` lets nothing through");
                    return Err(ValueError::with_code(Code::LimitZero, message).into());
                }
            }
            Self::Number => drop(Integer::parse(text)?),
            Self::Port => drop(Port::parse(text)?),
            Self::Status => drop(Status::parse(text)?),
            Self::Statuses => drop(StatusSet::parse(text)?),
            Self::RedirectStatus => {
                if !["301", "302", "303", "307", "308"].contains(&text) {
                    return Err(ValueError::new(format!(
                        "`{text}` redirects nothing; `301`, `302`, `303`, `307` and `308` do"
                    ))
                    .into());
                }
            }
            _ => return Err(Misfit::OtherKind),
        }
        Ok(())
    }

    fn fit_address(self, text: &str) -> Fit {
        match self {
            Self::Endpoint => match Address::parse(text)? {
                Address {
                    host: crate::value::Host::Name(_),
                    ..
                } => Err(ValueError::new(format!(
                    "`{text}` is a name, and how it is looked up has to be written"
                ))
                .perhaps(format!("dns {text}"))
                .into()),
                _ => Ok(()),
            },
            Self::Ip => match text.parse::<std::net::IpAddr>() {
                Ok(_) => Ok(()),
                Err(_) => Err(ValueError::new(format!("`{text}` is no address")).into()),
            },
            _ => Ok(Cidr::parse(text).map(drop)?),
        }
    }

    fn fit_string(self, text: &str) -> Fit {
        match self {
            Self::File if text.is_empty() => Err(ValueError::new("a file has a name").into()),
            Self::Text | Self::Claim | Self::File | Self::Parameter => Ok(()),
            Self::HeaderValue => Ok(check_header_value(text)?),
            Self::Location if text.starts_with('/') => Ok(check_header_value(text)?),
            Self::Url | Self::Location => Ok(Url::parse(text).map(drop)?),
            Self::Origin => Ok(check_origin(text)?),
            Self::Host => Ok(HostPattern::parse(text).map(drop)?),
            Self::HostName => Ok(check_host_name(text)?),
            Self::Header => Ok(HeaderName::parse(text).map(drop)?),
            Self::Identity if text.starts_with("spiffe://") => Ok(check_spiffe_id(text)?),
            Self::PathPattern | Self::PathTemplate | Self::PathPrefix | Self::RequestPath => {
                self.fit_path(text)
            }
            // What is right but for its quotes.
            _ if self.fit_word(text).is_ok() => Err(ValueError::new(format!(
                "`{text}` is written without quotes"
            ))
            .meaning(text)
            .into()),
            _ => Err(Misfit::OtherKind),
        }
    }

    fn fit_path(self, text: &str) -> Fit {
        match self {
            Self::PathPattern => Ok(PathPattern::parse(text).map(drop)?),
            Self::PathTemplate if PathPattern::parse(text)?.is_template() => Ok(()),
            Self::PathTemplate => Err(ValueError::new(format!(
                "nothing says what to write for the wildcards of `{text}`"
            ))
            .into()),
            Self::PathPrefix => match PathPattern::parse(text)?.segments() {
                segments if segments.iter().all(|it| matches!(it, Segment::Literal(_))) => Ok(()),
                _ => Err(ValueError::new(format!(
                    "`{text}` takes the place of a prefix and holds no wildcard"
                ))
                .into()),
            },
            Self::RequestPath => Ok(check_request_path(text)?),
            Self::Location | Self::Text | Self::HeaderValue | Self::File => Err(unquoted(text)),
            _ => Err(Misfit::OtherKind),
        }
    }
}

/// Whether a word may be the name of a `param` or a `let`.
pub(super) fn is_reference(word: Text<'_>) -> bool {
    Name::is_label(word.text) && !RESERVED.contains(&word.text)
}

fn unquoted(text: &str) -> Misfit {
    ValueError::new(format!("`{text}` stands in quotes"))
        .meaning(format!("\"{text}\""))
        .into()
}

/// A host that no wildcard is in.
fn check_host_name(text: &str) -> Result<(), ValueError> {
    match HostPattern::parse(text)? {
        HostPattern::Exact(_) => Ok(()),
        HostPattern::Suffix(_) | HostPattern::Any => Err(ValueError::with_code(
            Code::WildcardLiteral,
            format!("`{text}` is no host of its own"),
        )),
    }
}

/// `HOST:PORT`, or the name of an SRV record, which has its port in the answer.
fn fit_dns_name(text: &str) -> Fit {
    if text.starts_with('_') {
        return Ok(check_host_name(text)?);
    }
    Ok(Address::parse(text).map(drop)?)
}

/// `NAMESPACE/NAME:PORT`.
fn check_kubernetes_service(text: &str) -> Result<(), ValueError> {
    let parts = text
        .split_once('/')
        .and_then(|(namespace, rest)| Some((namespace, rest.split_once(':')?)));
    let Some((namespace, (name, port))) = parts else {
        return Err(ValueError::new(format!(
            "`{text}` is no service with its namespace and port; `default/reviews:9080` is"
        )));
    };
    // A port of Kubernetes may have a name.
    let port = if port.starts_with(|first: char| first.is_ascii_digit()) {
        Port::parse(port).map(drop)
    } else {
        Name::check_label(port)
    };
    Name::check_label(namespace)
        .and(Name::check_label(name))
        .and(port)
        .map_err(ValueError::alone)
}

/// `spiffe://TRUST-DOMAIN/PATH`, as the standard has it.
fn check_spiffe_id(text: &str) -> Result<(), ValueError> {
    let id = text.strip_prefix("spiffe://").unwrap_or(text);
    let (domain, path) = id.split_once('/').unwrap_or((id, ""));
    let is_domain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_')
    };
    let is_segment = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    };
    let well_formed = (1..=255).contains(&domain.len())
        && domain.bytes().all(is_domain)
        && path.split('/').all(is_segment)
        && text.len() <= 2048;
    if well_formed {
        Ok(())
    } else {
        Err(ValueError::new(format!(
            "`{text}` is no SPIFFE id; `spiffe://shop.example/ns/default/svc/cart` is"
        )))
    }
}

/// A path as it is sent, with its query: printable, and without a fragment.
fn check_request_path(text: &str) -> Result<(), ValueError> {
    let is_sent = |byte: u8| (0x21..0x7f).contains(&byte) && byte != b'#';
    if text.starts_with('/') && text.bytes().all(is_sent) {
        Ok(())
    } else {
        Err(ValueError::new(format!(
            "`{text}` is no path that can be sent; `/healthz` is"
        )))
    }
}

/// What a header may hold: no line ends and no other control characters.
fn check_header_value(text: &str) -> Result<(), ValueError> {
    if text
        .chars()
        .any(|character| character.is_control() && character != '\t')
    {
        return Err(ValueError::new("a header holds no control characters"));
    }
    Ok(())
}

/// `SCHEME://HOST[:PORT]`, or `*`.
fn check_origin(text: &str) -> Result<(), ValueError> {
    if text == "*" {
        return Ok(());
    }
    let url = Url::parse(text)?;
    let origin = match url.port {
        Some(port) => format!("{}://{}:{port}", url.scheme, url.host),
        None => format!("{}://{}", url.scheme, url.host),
    };
    if text == origin {
        Ok(())
    } else {
        Err(ValueError::new(format!(
            "`{text}` is no origin: it is scheme, host and port, in lower case"
        ))
        .meaning(format!("\"{origin}\"")))
    }
}

/// The kinds whose values start with a digit.
const NUMBERS: &[Kind] = &[
    Kind::Number,
    Kind::Age,
    Kind::Percent,
    Kind::Size,
    Kind::Rate,
    Kind::Statuses,
    Kind::Date,
    Kind::Endpoint,
    Kind::Network,
];

/// Whether a value that may be of any kind, and is no list, is a value of some kind. A word that
/// starts with a digit has to be a number, with a unit or without; any other word names something.
pub(super) fn check_any(value: Value<'_>) -> Result<(), ValueError> {
    let word = match value {
        Value::Word(word) => word.text,
        Value::Range(low, high) => {
            return match DurationRange::parse(low.text, high.text) {
                Err(error) if StatusSet::parse_range(low.text, high.text).is_err() => Err(error),
                _ => Ok(()),
            };
        }
        Value::Path(path) => return PathPattern::parse(path.text).map(drop),
        Value::Str(_) | Value::List(_) => return Ok(()),
    };
    if !word.starts_with(|first: char| first.is_ascii_digit()) {
        return Ok(());
    }
    if NUMBERS.iter().any(|kind| kind.fit_word(word).is_ok()) {
        return Ok(());
    }
    // The unit tells what was meant.
    let error = |result: Result<(), ValueError>| result.err();
    let candidates = [
        word.contains('/')
            .then(|| error(Rate::parse(word).map(drop)).or(error(Cidr::parse(word).map(drop)))),
        word.contains(':')
            .then(|| error(Address::parse(word).map(drop))),
        word.contains('%')
            .then(|| error(Percent::parse(word).map(drop))),
        word.to_ascii_lowercase()
            .contains('b')
            .then(|| error(Size::parse(word).map(drop))),
        Some(error(Duration::parse(word).map(drop))),
    ];
    match candidates.into_iter().flatten().flatten().next() {
        Some(error) => Err(error),
        None => Ok(()),
    }
}
