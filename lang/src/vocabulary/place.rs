//! The places where statements stand.

/// A kind of block, by what its statements are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The top of a file.
    File,
    /// The block of a `namespace`.
    Namespace,
    /// The block of a `mesh`.
    Mesh,
    /// `defaults` of a mesh.
    Defaults,
    /// `lints` of a mesh.
    Lints,
    /// The block of a `policy`.
    Policy,
    /// The block of a `service`.
    Service,
    /// `version` of a service.
    Version,
    /// The block of an `external`.
    External,
    /// The block of a `gateway`.
    Gateway,
    /// `listen` of a gateway, for HTTP or HTTPS.
    Listen,
    /// `listen … tls passthrough` of a gateway.
    Passthrough,
    /// `host` of a gateway.
    Host,
    /// The block of `routes`: arms for a gateway's host.
    Fragment,
    /// `route` of a service.
    Route,
    /// The block of an arm of a gateway.
    Arm,
    /// The block of an arm of a service's `route`.
    RouteArm,
    /// The block of a `redirect` without a URL: its parts.
    Redirect,
    /// `calls` of a service.
    Calls,
    /// `authz` of a service, an external or a host.
    Authz,
    /// `authz` of a namespace.
    NamespaceAuthz,
    /// `authz external`.
    ExternalAuthz,
    /// The block of a `jwt`.
    Jwt,
    /// The block of a `keys`.
    Keys,
    /// The block of an `env`.
    Env,
    /// The block of an `assert`.
    Assert,
    /// The block of a `test`.
    Test,
    /// The block of a `request` of a test.
    Request,
    /// `jwt` of a request, and the objects in it.
    Claims,
    /// `timeout`.
    Timeout,
    /// `retry`.
    Retry,
    /// `limits`.
    Limits,
    /// `eject`.
    Eject,
    /// `balance`.
    Balance,
    /// `health`.
    Health,
    /// `rate-limit`.
    RateLimit,
    /// `rate-limit shared`.
    SharedRateLimit,
    /// `mirror`.
    Mirror,
    /// `cors`.
    Cors,
    /// `header-limits`.
    HeaderLimits,
}

impl Place {
    /// What messages call it.
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::File => "the top of a file",
            Self::Namespace => "a `namespace`",
            Self::Mesh => "a `mesh`",
            Self::Defaults => "`defaults`",
            Self::Lints => "`lints`",
            Self::Policy => "a `policy`",
            Self::Service => "a `service`",
            Self::Version => "a `version`",
            Self::External => "an `external`",
            Self::Gateway => "a `gateway`",
            Self::Listen => "a `listen`",
            Self::Passthrough => "a `listen … tls passthrough`",
            Self::Host => "a `host`",
            Self::Fragment => "a `routes`",
            Self::Route => "the `route` of a service",
            Self::Arm => "an arm of a gateway",
            Self::RouteArm => "an arm of a service",
            Self::Redirect => "a `redirect` without a URL",
            Self::Calls => "a `calls`",
            Self::Authz => "an `authz`",
            Self::NamespaceAuthz => "the `authz` of a namespace",
            Self::ExternalAuthz => "an `authz external`",
            Self::Jwt => "a `jwt`",
            Self::Keys => "a `keys`",
            Self::Env => "an `env`",
            Self::Assert => "an `assert`",
            Self::Test => "a `test`",
            Self::Request => "a `request`",
            Self::Claims => "the claims of a token",
            Self::Timeout => "a `timeout`",
            Self::Retry => "a `retry`",
            Self::Limits => "`limits`",
            Self::Eject => "an `eject`",
            Self::Balance => "a `balance`",
            Self::Health => "a `health`",
            Self::RateLimit => "a `rate-limit`",
            Self::SharedRateLimit => "a `rate-limit shared`",
            Self::Mirror => "a `mirror`",
            Self::Cors => "a `cors`",
            Self::HeaderLimits => "`header-limits`",
        }
    }

    /// Where arms stand.
    pub const ARMS: &[Self] = &[Self::Host, Self::Fragment, Self::Route];

    /// Where rules stand.
    pub const RULES: &[Self] = &[Self::Authz, Self::NamespaceAuthz];
}

/// "in a `host`, a `routes` or the `route` of a service", "at the top of a file or in a
/// `namespace`".
pub(super) fn within(places: &[Place]) -> String {
    let mut phrases: Vec<String> = Vec::new();
    let mut says_in = false;
    for place in places {
        phrases.push(match place {
            Place::File => format!("at {}", place.phrase()),
            _ if says_in => place.phrase().to_owned(),
            _ => format!("in {}", place.phrase()),
        });
        says_in = *place != Place::File;
    }
    super::shape::alternatives(&phrases)
}
