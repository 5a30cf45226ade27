//! The records. All numbers are little-endian and unaligned, so that any byte sequence of the right
//! length *is* a slice of records; whether it makes sense is what `validate` decides.

use super::layout::{Enumeration, FieldLayout, FieldValue, Part, Record};
use std::fmt;
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv6Addr};
use zerocopy::little_endian::{U16, U32, U64, U128};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Marks "none" in an index.
const NONE: u32 = u32::MAX;

/// An index into the section of records `R`, or none.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(transparent)]
pub struct Id<R: ?Sized>(U32, PhantomData<R>);

impl<R: ?Sized> Id<R> {
    /// No record.
    pub const NONE: Self = Self(U32::new(NONE), PhantomData);

    /// The record at `index`.
    pub const fn new(index: u32) -> Self {
        Self(U32::new(index), PhantomData)
    }

    /// The index; only meaningful where it is not [`Id::NONE`].
    #[inline]
    pub fn index(self) -> usize {
        self.0.get() as usize
    }

    /// `None` for [`Id::NONE`].
    #[inline]
    pub fn some(self) -> Option<Self> {
        (self != Self::NONE).then_some(self)
    }
}

impl<R: ?Sized> Default for Id<R> {
    fn default() -> Self {
        Self::NONE
    }
}
impl<R: ?Sized> Clone for Id<R> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<R: ?Sized> Copy for Id<R> {}
impl<R: ?Sized> PartialEq for Id<R> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<R: ?Sized> Eq for Id<R> {}
impl<R: ?Sized> PartialOrd for Id<R> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<R: ?Sized> Ord for Id<R> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.get().cmp(&other.0.get())
    }
}
impl<R: ?Sized> std::hash::Hash for Id<R> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.get().hash(state);
    }
}
impl<R: ?Sized> fmt::Debug for Id<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.some() {
            Some(id) => write!(f, "#{}", id.index()),
            None => f.write_str("none"),
        }
    }
}

/// Consecutive records.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Run<R> {
    start: U32,
    count: U32,
    kind: PhantomData<R>,
}

impl<R> Run<R> {
    /// No records.
    pub const EMPTY: Self = Self::new(0, 0);

    /// `count` records from `start` on.
    pub const fn new(start: u32, count: u32) -> Self {
        Self {
            start: U32::new(start),
            count: U32::new(count),
            kind: PhantomData,
        }
    }

    /// Index of the first record.
    #[inline]
    pub fn start(self) -> usize {
        self.start.get() as usize
    }

    /// How many records.
    #[inline]
    pub fn len(self) -> usize {
        self.count.get() as usize
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The indices.
    #[inline]
    pub fn range(self) -> std::ops::Range<usize> {
        self.start()..self.start() + self.len()
    }

    /// The ids.
    pub fn ids(self) -> impl Iterator<Item = Id<R>> {
        self.range().map(|index| Id::new(index as u32))
    }
}

impl<R> Default for Run<R> {
    fn default() -> Self {
        Self::EMPTY
    }
}
impl<R> Clone for Run<R> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<R> Copy for Run<R> {}
impl<R> fmt::Debug for Run<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.range())
    }
}

/// A string or body in the pool. Not a record of its own: offsets and bytes are two sections.
#[derive(Debug)]
pub enum Str {}
/// Names a string.
pub type StrId = Id<Str>;

/// A value at some level that is a record, and who said so.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Choice<R> {
    value: U32,
    /// The statement; no file where the edition says so.
    pub location: Location,
    kind: PhantomData<R>,
}

/// What a [`Choice`] is.
pub enum Chosen<R> {
    /// The level does not say.
    NotSaid,
    /// `off`.
    Off,
    /// This.
    On(Id<R>),
}

impl<R> Choice<R> {
    /// A level that does not say.
    pub const NOT_SAID: Self = Self::of(Setting::UNSET, Location::NOWHERE);

    const fn of(value: u32, location: Location) -> Self {
        Self {
            value: U32::new(value),
            location,
            kind: PhantomData,
        }
    }

    /// `off`, said there.
    pub const fn off(location: Location) -> Self {
        Self::of(Setting::OFF, location)
    }

    /// This, said there.
    pub fn on(id: Id<R>, location: Location) -> Self {
        Self::of(id.0.get(), location)
    }

    /// What it is.
    #[inline]
    pub fn chosen(self) -> Chosen<R> {
        match self.value.get() {
            Setting::UNSET => Chosen::NotSaid,
            Setting::OFF => Chosen::Off,
            index => Chosen::On(Id::new(index)),
        }
    }
}

impl<R> Default for Choice<R> {
    fn default() -> Self {
        Self::NOT_SAID
    }
}
impl<R> Clone for Choice<R> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<R> Copy for Choice<R> {}
impl<R> fmt::Debug for Choice<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.chosen() {
            Chosen::NotSaid => f.write_str("not said"),
            Chosen::Off => f.write_str("off"),
            Chosen::On(id) => write!(f, "{id:?}"),
        }
    }
}

macro_rules! records {
    ($($(#[$doc:meta])* $name:ident { $($(#[doc = $about:literal])* $field:ident: $type:ty,)* })*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
        #[repr(C)]
        pub struct $name { $($(#[doc = $about])* pub $field: $type,)* }

        impl Record for $name {
            const FIELDS: &'static [FieldLayout] = &[$(FieldLayout {
                name: stringify!($field),
                about: concat!($($about,)*).trim_ascii(),
                offset: std::mem::offset_of!($name, $field),
                length: size_of::<$type>(),
                kind: <$type as Part>::TYPE,
            },)*];

            fn values(&self) -> Vec<FieldValue> {
                vec![$(self.$field.shown(),)*]
            }
        })*
    };
}

records! {
    /// Where in the source something was said.
    #[derive(Default)]
    Location {
        /// The file's name as the compiler printed it; none for what nobody wrote.
        file: StrId,
        /// The line, from 1.
        line: U32,
    }

    /// What holds for the whole mesh.
    #[derive(Default)]
    Mesh {
        /// The mesh's name.
        name: StrId,
        /// SPIFFE trust domain.
        trust_domain: StrId,
        /// The edition that pinned the defaults.
        edition: Setting,
        /// See [`Mtls`].
        mtls: Setting,
        /// 1: a service without rules is open; 0: it is closed.
        open_by_default: Setting,
        /// 1: sidecars let through to hosts that the mesh does not know; 0: they do not.
        egress: Setting,
        /// 1: requests are logged.
        access_log: Setting,
        /// 1: `%2F` and `%5C` in paths are kept; 0: they are refused.
        encoded_slash: Setting,
        /// Where callers reach a sidecar whose endpoint names no `via` address.
        sidecar_port: Setting,
        /// Which share of the requests is traced, in millionths, or `off`.
        tracing: Setting,
        /// Where traces go, or none.
        tracing_url: StrId,
        /// 0 OTLP, 1 Zipkin.
        tracing_zipkin: u8,
        /// Seed of the host index.
        host_seed: U64,
        /// Longest probe of the host index.
        host_probe: U32,
        /// The weakest level: edition and `defaults`.
        policy: Id<Policy>,
        /// Whose slice the bundle is. See [`SliceOf`].
        slice: u8,
        /// The namespace of the gateway or service whose slice it is, or none.
        slice_namespace: StrId,
        /// The name of the gateway or service whose slice it is, or none.
        slice_name: StrId,
    }

    /// A fact about how the bundle came to be.
    #[derive(Default)]
    Provenance {
        /// Such as `compiler`, or `param canary`.
        key: StrId,
        /// As text.
        value: StrId,
    }

    /// Something that the compiler held the mesh against, and that held.
    #[derive(Default)]
    Check {
        /// See [`CheckKind`].
        kind: u8,
        /// What it is called.
        title: StrId,
        /// Claims that were proved, or requests that were sent.
        count: U32,
        /// Where it is written.
        location: Location,
    }

    /// A lint that is not heard of, everywhere or at one place.
    #[derive(Default)]
    Suppression {
        /// The lint's code, such as `L101`.
        code: StrId,
        /// Its name.
        lint: StrId,
        /// Why, in the writer's words; none: the mesh allows it everywhere.
        reason: StrId,
        /// Where that is said.
        location: Location,
    }

    /// A request of the mesh's tests, and what is to come of it; see [`crate::sample`].
    #[derive(Default)]
    Sample {
        /// What the test is called.
        title: StrId,
        /// Where the expectation is written.
        location: Location,
        /// Whose application sends it; none: a client of a gateway does.
        from: Id<Service>,
        /// 1: by `https`; 0: by `http`.
        https: u8,
        /// At which port, or 0 for whichever there is.
        port: U16,
        /// The method.
        method: StrId,
        /// The host, in normal form.
        host: StrId,
        /// The path as it is sent.
        path: StrId,
        /// What follows `?`, or none.
        query: StrId,
        /// The client's address.
        client: [u8; 16],
        /// What it carries.
        facts: Run<SampleFact>,
        /// See [`SampleExpect`].
        expect: u8,
        /// The expected status.
        status: U16,
        /// The expected body or location, or none.
        text: StrId,
        /// Where it is to arrive.
        targets: Run<SampleTarget>,
    }

    /// A service or gateway of the mesh that is not in the slice, and whose identity is not the one that follows from
    /// its name: rules of the node may still speak of it.
    #[derive(Default)]
    Bearer {
        /// Its SPIFFE ID.
        identity: StrId,
        /// Its namespace.
        namespace: StrId,
        /// Its name.
        name: StrId,
    }

    /// Something that a sample carries.
    #[derive(Default)]
    SampleFact {
        /// See [`SampleFactKind`].
        kind: u8,
        /// The issuer of the token or the keys.
        provider: U32,
        /// The name of the header, or of the claim, as facets have it; none where there is no name.
        name: StrId,
        /// The value; none where there is none.
        value: StrId,
    }

    /// Where a share of a sample's requests is to arrive.
    #[derive(Default)]
    SampleTarget {
        /// The service …
        service: Id<Service>,
        /// … and its version, [`Target::OWN`], or all ones for whichever.
        version: U32,
        /// How many, in millionths.
        share: U32,
    }

    /// What a node needs of its runtime; see [`crate::needs`].
    #[derive(Default)]
    Need {
        /// The feature's code.
        feature: U16,
        /// 1: a node that cannot provide it must not serve.
        protection: u8,
        /// Whose need it is. See [`NeedScope`].
        scope: u8,
        /// The gateway or service, or none.
        subject: U32,
        /// The statement that asks for it.
        location: Location,
    }

    /// An issuer of tokens, and how they are verified.
    #[derive(Default)]
    Jwt {
        /// Its name.
        name: StrId,
        /// Its namespace.
        namespace: StrId,
        /// The issuer that tokens name.
        issuer: StrId,
        /// The audiences of which a token names one; none: any.
        audiences: Run<Text>,
        /// 0: the keys are at a URL, 1: in a file.
        jwks_kind: u8,
        /// The URL or the file.
        jwks: StrId,
        /// How often keys are fetched from a URL, in milliseconds.
        every: Setting,
        /// Where in a request the token is.
        places: Run<TokenPlace>,
        /// Where it is declared.
        location: Location,
    }

    /// API keys.
    #[derive(Default)]
    Keys {
        /// Their name.
        name: StrId,
        /// Their namespace.
        namespace: StrId,
        /// The file that holds their hashes.
        file: StrId,
        /// Where in a request a key is.
        places: Run<TokenPlace>,
        /// Where they are declared.
        location: Location,
    }

    /// Where in a request a token or key is.
    #[derive(Default)]
    TokenPlace {
        /// See [`PlaceKind`].
        kind: u8,
        /// The header, in lower case, the cookie, or the parameter.
        name: StrId,
        /// What stands before it in a header.
        prefix: StrId,
        /// Where that is said; no file where the edition says so.
        location: Location,
    }

    /// A text among several.
    #[derive(Default)]
    Text {
        /// It.
        text: StrId,
    }

    /// A field of a request, used as a key.
    #[derive(Default)]
    FieldRef {
        /// See [`FieldKind`].
        field: u8,
        /// The token or keys whose claim or consumer it is.
        provider: U32,
        /// Name of a header, query parameter, cookie or claim.
        name: StrId,
    }

    /// A gateway.
    #[derive(Default)]
    Gateway {
        /// Its name.
        name: StrId,
        /// Its namespace.
        namespace: StrId,
        /// Its SPIFFE ID.
        identity: StrId,
        /// Its listeners.
        listeners: Run<Listener>,
        /// Its host blocks.
        hosts: Run<HostBlock>,
        /// Whose `x-forwarded-for` is believed.
        trusted_proxies: Run<Cidr>,
        /// How many headers a request may have.
        header_count: Setting,
        /// How many bytes they may have together.
        header_bytes: SizeSetting,
        /// Where it is declared.
        location: Location,
    }

    /// A listener of a gateway.
    #[derive(Default)]
    Listener {
        /// The address in 16 bytes (IPv4 mapped into IPv6); all zero: every address.
        address: [u8; 16],
        /// The port.
        port: U16,
        /// See [`ListenerProtocol`].
        protocol: u8,
        /// Bit 0: HTTP/2 is offered. Bit 1: everything is redirected to `https`. Bit 2: clients may come
        /// without a certificate.
        flags: u8,
        /// What it proves itself with (`https`).
        certificates: Run<Certificate>,
        /// The file of the authorities that client certificates come from (`https`), or none.
        client_ca: StrId,
        /// Where all its connections go (`tcp`): the service …
        service: Id<Service>,
        /// … and its version, [`Target::OWN`] or none.
        version: U32,
        /// Where connections go by the name they ask for (`tls passthrough`).
        names: Run<PassedName>,
        /// Where it is declared.
        location: Location,
    }

    /// A certificate and its key.
    #[derive(Default)]
    Certificate {
        /// The file of the certificate chain.
        certificate: StrId,
        /// The file of the private key.
        key: StrId,
        /// Where it is said.
        location: Location,
    }

    /// A name for which TLS connections are passed on.
    #[derive(Default)]
    PassedName {
        /// The name, `*.suffix`, or `*`.
        pattern: StrId,
        /// The service.
        service: Id<Service>,
        /// Its version, [`Target::OWN`] or none.
        version: U32,
    }

    /// An address range.
    #[derive(Default)]
    Cidr {
        /// The network's address in 16 bytes (IPv4 mapped into IPv6).
        address: [u8; 16],
        /// Leading bits that count, of 128.
        prefix: u8,
    }

    /// A `host` block of a gateway.
    #[derive(Default)]
    HostBlock {
        /// The patterns as written, for logs.
        name: StrId,
        /// Its arms.
        table: Id<Table>,
        /// Host, gateway and everything weaker.
        policy: Id<Policy>,
        /// Its rules, or none.
        authz: Id<Authz>,
        /// Certificates of its own.
        certificates: Run<Certificate>,
        /// Where it is declared.
        location: Location,
    }

    /// A slot of the host index; see [`crate::host`].
    HostSlot {
        /// Upper half of the key's hash.
        tag: U32,
        /// Whose names these are.
        scope: U32,
        /// The host name, `.suffix` for a wildcard, or `*`; none marks an empty slot.
        key: StrId,
        /// A host block or a service, by the scope; all ones for a service that is not there because the node
        /// whose slice this is may not call it.
        value: U32,
    }

    /// A service, or something outside the mesh.
    #[derive(Default)]
    Service {
        /// Its name.
        name: StrId,
        /// Its namespace.
        namespace: StrId,
        /// Its SPIFFE ID.
        identity: StrId,
        /// See [`Protocol`].
        protocol: u8,
        /// Bit 0: it says whom it calls, and its sidecar lets it call only those. Bit 1: it is outside the
        /// mesh. Bit 2: nothing terminates mTLS in front of it. Bit 3: other namespaces may aim at it.
        flags: u8,
        /// See [`Mtls`].
        mtls: Setting,
        /// See [`UpstreamTls`].
        tls: Setting,
        /// The name that callers verify, or none.
        tls_name: StrId,
        /// Its `route`, or none.
        route: Id<Table>,
        /// All its listed endpoints.
        endpoints: Run<Endpoint>,
        /// Who names its endpoints, those of versions aside, or none.
        source: Id<EndpointSource>,
        /// Its versions.
        versions: Run<Version>,
        /// Whom it calls, ordered by target.
        calls: Run<Call>,
        /// What its own block says about traffic.
        policy: Id<Policy>,
        /// How an endpoint is chosen, or none.
        spread: Id<Spread>,
        /// Who takes over when no endpoint is healthy: a service or none …
        failover: Id<Service>,
        /// … and its version, [`Target::OWN`] or none.
        failover_version: U32,
        /// Its rules; none: it is open.
        authz: Id<Authz>,
        /// Where it is declared.
        location: Location,
    }

    /// A version of a service.
    #[derive(Default)]
    Version {
        /// Its name.
        name: StrId,
        /// Its endpoints, within those of the service.
        endpoints: Run<Endpoint>,
        /// Who names its endpoints, or none.
        source: Id<EndpointSource>,
        /// How one is chosen where that is not as in the rest of the service, or none.
        spread: Id<Spread>,
        /// Where it is declared.
        location: Location,
    }

    /// An endpoint of a service.
    #[derive(Default)]
    Endpoint {
        /// Where the application listens; IPv4 mapped into IPv6.
        address: [u8; 16],
        /// Where callers reach its sidecar.
        sidecar: [u8; 16],
        /// The application's port.
        port: U16,
        /// The sidecar's port.
        sidecar_port: U16,
        /// Its share of the load, at least 1.
        weight: U32,
        /// Whose it is.
        service: Id<Service>,
        /// Which version of it, or none.
        version: Id<Version>,
        /// Where it is declared.
        location: Location,
    }

    /// Who names endpoints.
    #[derive(Default)]
    EndpointSource {
        /// See [`SourceKind`].
        kind: u8,
        /// By the kind: a name, a file, `NAMESPACE/NAME:PORT`, a prefix, or none.
        text: StrId,
        /// The port (address records).
        port: U16,
        /// How often it is asked, in milliseconds (DNS).
        every: Setting,
        /// Which entries of an inventory: a table of one arm, or none for all.
        filter: Id<Table>,
        /// Where it is said.
        location: Location,
    }

    /// `calls` of a service.
    #[derive(Default)]
    Call {
        /// The callee.
        target: Id<Service>,
        /// What the block says for this caller.
        policy: Id<Policy>,
        /// A local address at which the application finds the callee …
        on: [u8; 16],
        /// … and its port, or 0.
        on_port: U16,
        /// Where it is declared.
        location: Location,
    }

    /// How endpoints are chosen.
    #[derive(Default)]
    Spread {
        /// See [`Algorithm`].
        algorithm: Setting,
        /// The field whose hash chooses, or none.
        hash: Id<FieldRef>,
        /// How long a new endpoint gets less than its share, in milliseconds.
        slow_start: Setting,
        /// 1: endpoints of the caller's zone come first.
        prefer_zone: Setting,
        /// How much one proxy lets through.
        limits: Choice<Limits>,
        /// When an endpoint gets no requests for a while.
        eject: Choice<Eject>,
        /// The request that tells whether an endpoint is healthy.
        health: Choice<Health>,
    }

    /// How much one proxy lets through at a time.
    #[derive(Default)]
    Limits {
        /// Open connections.
        connections: Setting,
        /// Requests that wait for one.
        pending: Setting,
        /// Requests under way.
        requests: Setting,
        /// Requests after which a connection is closed.
        per_connection: Setting,
    }

    /// Outlier ejection.
    #[derive(Default)]
    Eject {
        /// After how many errors in a row.
        after: U32,
        /// How often it is decided who comes back, in milliseconds.
        every: Setting,
        /// How long the first time is, in milliseconds.
        time: Setting,
        /// Which share may be out at a time, in millionths.
        at_most: Setting,
        /// The share of healthy endpoints below which all are used, in millionths.
        min_healthy: Setting,
    }

    /// Active health checks.
    #[derive(Default)]
    Health {
        /// The method.
        method: StrId,
        /// The path, with a query where one is written.
        path: StrId,
        /// How often, in milliseconds.
        every: Setting,
        /// How long the answer may take, in milliseconds.
        timeout: Setting,
        /// Good answers in a row that make an endpoint healthy.
        healthy: Setting,
        /// Failures in a row that make it unhealthy.
        unhealthy: Setting,
        /// Good statuses.
        expect: Run<StatusRange>,
        /// Where they are said.
        expect_location: Location,
    }

    /// Statuses, both ends included.
    #[derive(Default)]
    StatusRange {
        /// The first.
        low: U16,
        /// The last.
        high: U16,
    }

    /// A value at some level, and who said so.
    Setting {
        /// [`Setting::UNSET`], [`Setting::OFF`], or the value in its unit.
        value: U32,
        /// The statement; no file where the edition says so.
        location: Location,
    }

    /// A number of bytes at some level, and who said so.
    SizeSetting {
        /// [`SizeSetting::UNSET`], [`SizeSetting::OFF`], or the bytes.
        value: U64,
        /// The statement; no file where the edition says so.
        location: Location,
    }

    /// What one level says about traffic.
    #[derive(Default)]
    Policy {
        /// From the request's head to the end of the response, in milliseconds.
        request: Setting,
        /// From dialling to a usable connection, in milliseconds.
        connect: Setting,
        /// How long an unused upstream connection is kept, in milliseconds.
        idle: Setting,
        /// When a second try starts beside the first, in milliseconds.
        hedge: Setting,
        /// 1: responses are compressed.
        compress: Setting,
        /// How large a request's body may be.
        max_body: SizeSetting,
        /// Up to which size a request is read before it is forwarded.
        buffer: SizeSetting,
        /// Further tries.
        retry: Choice<Retry>,
        /// Which pages of other origins may call.
        cors: Choice<Cors>,
        /// The field that keeps its share of a split.
        sticky: Choice<FieldRef>,
        /// What is forwarded in place of what came, or none.
        rewrite: Id<Rewrite>,
        /// What of the levels outside does not hold: bits of `OFF_…`.
        off: u8,
        /// Rate limits.
        rate_limits: Run<RateLimit>,
        /// Copies.
        mirrors: Run<Mirror>,
        /// Faults.
        faults: Run<Fault>,
        /// Changes of the request's headers.
        request_headers: Run<HeaderOperation>,
        /// Changes of the response's headers.
        response_headers: Run<HeaderOperation>,
        /// Tokens and keys without which requests are refused.
        requires: Run<Require>,
        /// Tokens and keys that are verified if they are there.
        accepts: Run<Accept>,
    }

    /// Further tries.
    #[derive(Default)]
    Retry {
        /// How many.
        attempts: U32,
        /// After what: bits by [`RetryCondition`].
        on: U32,
        /// After which statuses besides.
        statuses: Run<StatusRange>,
        /// How long each may take, in milliseconds.
        per_try: Setting,
        /// The first wait, in milliseconds.
        backoff: Setting,
        /// The longest wait, in milliseconds.
        backoff_most: U32,
        /// The budget: a share of requests, in millionths.
        budget: Setting,
        /// What the budget always allows.
        budget_least: U32,
        /// In so many milliseconds; 0: at a time.
        budget_per: U32,
        /// The budget's window in milliseconds; 0: requests under way.
        budget_over: U32,
        /// 1: requests that change something are tried again, too.
        any_method: Setting,
    }

    /// Which pages of other origins may call.
    #[derive(Default)]
    Cors {
        /// The origins, or `*`.
        origins: Run<Text>,
        /// The methods they may use.
        methods: Run<Text>,
        /// Where the methods are said.
        methods_location: Location,
        /// The headers they may send.
        headers: Run<Text>,
        /// The headers they may read.
        expose: Run<Text>,
        /// 1: cookies are sent along.
        credentials: u8,
        /// How long a preflight holds, in seconds.
        max_age: Setting,
    }

    /// What is forwarded in place of what came.
    #[derive(Default)]
    Rewrite {
        /// The whole path, captures filled in; none: it stays, or its prefix changes.
        path: Run<TemplatePart>,
        /// What replaces the segments before the final `/**`, or none.
        prefix: StrId,
        /// Where the path is said.
        path_location: Location,
        /// The host, or none.
        host: StrId,
        /// Where the host is said.
        host_location: Location,
    }

    /// A part of a path that is put together.
    #[derive(Default)]
    TemplatePart {
        /// A text, or none.
        text: StrId,
        /// In place of a text: what the arm captures, counted from its first capture.
        capture: U32,
    }

    /// What an arm's path captures.
    #[derive(Default)]
    Capture {
        /// Its name.
        name: StrId,
        /// See [`CaptureKind`].
        kind: u8,
        /// By the kind: the segment's place, counted from 0.
        index: U32,
        /// Bytes of the segment before what is captured; for a rest the segments after it.
        before: U32,
        /// Bytes of the segment after what is captured.
        after: U32,
    }

    /// How many requests are let through.
    #[derive(Default)]
    RateLimit {
        /// How many …
        count: U32,
        /// … in how many milliseconds.
        per: U32,
        /// How many may come at once.
        burst: Setting,
        /// What is counted apart.
        fields: Run<FieldRef>,
        /// See [`Counter`].
        counter: u8,
        /// Where it is said.
        location: Location,
    }

    /// A copy of a share of the requests.
    #[derive(Default)]
    Mirror {
        /// Which share, in millionths.
        share: U32,
        /// The service that gets it …
        service: Id<Service>,
        /// … its version, [`Target::OWN`] or none.
        version: U32,
        /// 1: requests that change something are copied, too.
        any_method: Setting,
        /// Where it is said.
        location: Location,
    }

    /// A try that is delayed or fails on purpose.
    #[derive(Default)]
    Fault {
        /// Which share, in millionths.
        share: U32,
        /// 0: a delay, 1: an answer.
        kind: u8,
        /// Milliseconds, or the status.
        value: U32,
        /// The year of the day from which on it does not happen; 0: it always does.
        until_year: U16,
        /// The month, from 1.
        until_month: u8,
        /// The day, from 1.
        until_day: u8,
        /// Where it is said.
        location: Location,
    }

    /// A change of headers.
    #[derive(Default)]
    HeaderOperation {
        /// See [`HeaderOp`].
        kind: u8,
        /// The header, in lower case.
        name: StrId,
        /// The value, or none.
        value: StrId,
        /// Where it is said.
        location: Location,
    }

    /// A token or key without which requests are refused.
    #[derive(Default)]
    Require {
        /// 0: a token, 1: a key.
        kind: u8,
        /// Which.
        provider: U32,
        /// When: a table of one arm, or none for always.
        condition: Id<Table>,
        /// Where it is said.
        location: Location,
    }

    /// A token or key that is verified if it is there.
    #[derive(Default)]
    Accept {
        /// 0: a token, 1: a key.
        kind: u8,
        /// Which.
        provider: U32,
        /// Where it is said.
        location: Location,
    }

    /// Who may call.
    #[derive(Default)]
    Authz {
        /// The rules in the order in which they decide; none: nobody may.
        rules: Id<Table>,
        /// Rules that only count what they would refuse, or none.
        shadow: Id<Table>,
        /// Who is asked besides, or none.
        external: StrId,
        /// How long the answer may take, in milliseconds.
        timeout: Setting,
        /// 1: requests pass when there is none.
        fail_open: u8,
        /// Where it is said; no file where the edition says so.
        location: Location,
    }

    /// A table: arms, or rules.
    #[derive(Default)]
    Table {
        /// Its arms, in the order of the source.
        arms: Run<Arm>,
        /// Its rules, in the order in which they decide.
        rules: Run<Rule>,
        /// Fields that a request may have once, or it is refused before the rules are asked.
        single: Run<FieldRef>,
        /// The facets its diagrams ask.
        facets: Run<Facet>,
        /// Classifies paths.
        path: Id<PathAutomaton>,
        /// The roots for each path class.
        classes: Run<PathClass>,
        /// Its diagrams.
        code: Run<U32>,
    }

    /// A rule.
    #[derive(Default)]
    Rule {
        /// Its name, or its text.
        name: StrId,
        /// Its text: whom it lets do what, and when.
        text: StrId,
        /// Where it is declared.
        location: Location,
        /// 1: it allows; 0: it denies.
        allows: u8,
    }

    /// An arm of a table. One arm of the source may be several here, where what is done depends on
    /// which of its patterns took the path.
    #[derive(Default)]
    Arm {
        /// Its name, or the text of its match.
        name: StrId,
        /// The text of its match.
        text: StrId,
        /// Where it is declared.
        location: Location,
        /// See [`ArmAction`].
        action: u8,
        /// Segments before the pattern's final `/**`; for what replaces a prefix.
        prefix_segments: u8,
        /// The status of a response.
        status: U16,
        /// By the action: service, first share, redirect, body.
        a: U32,
        /// By the action: version, count of shares.
        b: U32,
        /// What its path captures.
        captures: Run<Capture>,
        /// What its block says.
        policy: Id<Policy>,
    }

    /// A share of a split.
    #[derive(Default)]
    Share {
        /// Where the share ends, in millionths: shares are taken in order.
        end: U32,
        /// The target service.
        service: Id<Service>,
        /// Its version, [`Target::OWN`], or none for its route.
        version: U32,
    }

    /// A redirect.
    #[derive(Default)]
    Redirect {
        /// The status.
        status: U16,
        /// The port, or 0 to derive it.
        port: U16,
        /// `http` or `https`, or none to keep it.
        scheme: StrId,
        /// The host, or none to keep it.
        host: StrId,
        /// The whole path, captures filled in, or none.
        path: Run<TemplatePart>,
        /// What replaces the segments before the final `/**`, or none.
        prefix: StrId,
        /// The whole location, or none to build it from the parts.
        url: StrId,
    }

    /// A field that a table's diagrams ask, with its classifier.
    #[derive(Default)]
    Facet {
        /// See [`FieldKind`].
        field: u8,
        /// See [`ClassifierKind`].
        classifier: u8,
        /// The token or keys whose claim or consumer it is.
        provider: U32,
        /// Name of a header, query parameter, cookie, claim or field of an inventory.
        name: StrId,
        /// First slot, bound, the automaton, or the member's text.
        start: U32,
        /// Slots (a power of two) or bounds.
        count: U32,
        /// Seed of the slots.
        seed: U64,
        /// Longest probe of the slots.
        probe: U32,
    }

    /// A slot of a table of literals.
    Literal {
        /// Upper half of the value's hash.
        tag: U32,
        /// The value's bytes in the pool.
        value: StrId,
        /// Its class; 0 marks an empty slot.
        class: U32,
    }

    /// A byte automaton with a yes/no answer. State 0 is dead; states from `first_accepting` on accept.
    Automaton {
        /// Which bytes it does not tell apart.
        byte_classes: [u8; 256],
        /// How many classes of bytes.
        byte_class_count: U32,
        /// `states × byte_class_count` next states.
        transitions: Run<U32>,
        /// Where it starts.
        start: U32,
        /// The first accepting state.
        first_accepting: U32,
    }

    /// Values from `low` up to the next bound are in `class`.
    Bound {
        /// The least value.
        low: U128,
        /// Its class.
        class: U32,
    }

    /// An automaton over the segments of a path, or over its segments from the right.
    PathAutomaton {
        /// Its states; the first is where it starts.
        states: Run<PathState>,
        /// Its edges: a hash table, a power of two of slots, or empty.
        edges: Run<PathEdge>,
        /// Seed of the edges.
        seed: U64,
        /// Longest probe of the edges.
        probe: U32,
        /// Classes; those of its states are lower.
        class_count: U32,
    }

    /// A state of a path automaton. A next state may carry [`PathState::FINAL`].
    PathState {
        /// Next on a segment that no edge names.
        other: U32,
        /// Next on the empty segment.
        empty: U32,
        /// The class of a path that ends here.
        class: U32,
        /// Its partial segments in [`super::Section::PathPartials`], or none.
        partials: U32,
    }

    /// A slot of the edges of a path automaton.
    PathEdge {
        /// The state it leaves, or all ones in an empty slot.
        state: U32,
        /// Next state.
        next: U32,
        /// Length of the segment, or [`PathEdge::LONG`].
        length: u8,
        /// The segment; a long one's string id in the first four bytes.
        segment: [u8; 23],
    }

    /// The roots of a path class: see [`crate::decide`].
    PathClass {
        /// Of the arms held to few path classes.
        narrow: U32,
        /// Of the wide ones.
        wide: U32,
    }
}

impl Location {
    /// Nobody wrote it.
    pub const NOWHERE: Self = Self {
        file: Id::NONE,
        line: U32::ZERO,
    };
}

impl Setting {
    /// This level does not say.
    pub const UNSET: u32 = u32::MAX;
    /// `off`.
    pub const OFF: u32 = u32::MAX - 1;
    /// The largest value.
    pub const MAX: u32 = u32::MAX - 2;
    /// A level that does not say.
    pub const NOT_SAID: Self = Self {
        value: U32::new(Self::UNSET),
        location: Location::NOWHERE,
    };
}

impl Default for Setting {
    fn default() -> Self {
        Self::NOT_SAID
    }
}

impl Setting {
    /// A value, said there.
    pub const fn new(value: u32, location: Location) -> Self {
        Self {
            value: U32::new(value),
            location,
        }
    }

    /// The value; `None` where the level does not say, or says `off`.
    #[inline]
    pub fn get(self) -> Option<u32> {
        match self.value.get() {
            Self::UNSET | Self::OFF => None,
            value => Some(value),
        }
    }

    /// Whether it is a flag that is set.
    #[inline]
    pub fn is_set(self) -> bool {
        self.value.get() == 1
    }
}

impl SizeSetting {
    /// This level does not say.
    pub const UNSET: u64 = u64::MAX;
    /// `off`.
    pub const OFF: u64 = u64::MAX - 1;
    /// The largest value.
    pub const MAX: u64 = u64::MAX - 2;

    /// A value, said there.
    pub const fn new(value: u64, location: Location) -> Self {
        Self {
            value: U64::new(value),
            location,
        }
    }

    /// The value; `None` where the level does not say, or says `off`.
    #[inline]
    pub fn get(self) -> Option<u64> {
        match self.value.get() {
            Self::UNSET | Self::OFF => None,
            value => Some(value),
        }
    }
}

impl Default for SizeSetting {
    fn default() -> Self {
        Self::new(Self::UNSET, Location::NOWHERE)
    }
}

impl Policy {
    /// Bit of `off`: rate limits.
    pub const OFF_RATE_LIMITS: u8 = 1;
    /// Bit of `off`: mirrors.
    pub const OFF_MIRRORS: u8 = 2;
    /// Bit of `off`: faults.
    pub const OFF_FAULTS: u8 = 4;
    /// Bit of `off`: changes of the request's headers.
    pub const OFF_REQUEST_HEADERS: u8 = 8;
    /// Bit of `off`: changes of the response's headers.
    pub const OFF_RESPONSE_HEADERS: u8 = 16;
    /// Bit of `off`: rewrites.
    pub const OFF_REWRITE: u8 = 32;
    /// All bits of `off`.
    pub const OFF_ALL: u8 = 63;
}

impl PathState {
    /// On a next state: the walk may end there, whatever follows does not change the class.
    pub const FINAL: u32 = 1 << 31;
}

impl PathEdge {
    /// The `state` of an empty slot.
    pub const EMPTY_STATE: u32 = u32::MAX;
    /// An empty slot.
    pub const EMPTY: Self = Self {
        state: U32::new(Self::EMPTY_STATE),
        next: U32::ZERO,
        length: 0,
        segment: [0; Self::INLINE],
    };
    /// The `length` of a segment that lies in the string pool.
    pub const LONG: u8 = u8::MAX;
    /// Segments up to this length lie in the slot.
    pub const INLINE: usize = 23;
}

impl Listener {
    /// Bit of `flags`: HTTP/2 is offered.
    pub const HTTP2: u8 = 1;
    /// Bit of `flags`: everything is redirected to `https`.
    pub const REDIRECT_HTTPS: u8 = 2;
    /// Bit of `flags`: clients may come without a certificate.
    pub const CLIENT_CA_OPTIONAL: u8 = 4;
}

impl Service {
    /// Bit of `flags`: it may call only what its `calls` name.
    pub const CALLS_LISTED: u8 = 1;
    /// Bit of `flags`: it is outside the mesh.
    pub const EXTERNAL: u8 = 2;
    /// Bit of `flags`: nothing terminates mTLS in front of it.
    pub const SIDECAR_NONE: u8 = 4;
    /// Bit of `flags`: other namespaces may aim at it.
    pub const EXPORTED: u8 = 8;
}

impl RetryCondition {
    /// The bits of all conditions.
    pub const ALL: u32 = (1 << (Self::GrpcUnavailable as u32 + 1)) - 1;
}

impl Literal {
    /// An empty slot.
    pub const EMPTY: Self = Self {
        tag: U32::ZERO,
        value: Id::NONE,
        class: U32::ZERO,
    };
}

impl HostSlot {
    /// An empty slot.
    pub const EMPTY: Self = Self {
        tag: U32::ZERO,
        scope: U32::ZERO,
        key: Id::NONE,
        value: U32::ZERO,
    };
    /// The `value` of a name that belongs to the mesh and that the node may not call.
    pub const NOBODY: u32 = u32::MAX;
}

impl FieldRef {
    /// Parts the names of the objects around a claim and its own.
    pub const CLAIM_SEPARATOR: char = '\0';
}

impl TemplatePart {
    /// The `capture` of a text.
    pub const NO_CAPTURE: u32 = u32::MAX;
}

impl Target {
    /// In place of a version: the service's own endpoints, its route left aside.
    pub const OWN: u32 = u32::MAX - 1;
}

macro_rules! coded {
    ($($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $about:literal])* $variant:ident = $code:literal,)* })*) => {
        /// What codes in records stand for.
        pub const ENUMERATIONS: &[Enumeration] = &[$(Enumeration {
            name: stringify!($name),
            about: concat!($($doc,)*).trim_ascii(),
            codes: &[$(($code, stringify!($variant), concat!($($about,)*).trim_ascii()),)*],
        },)*];

        $($(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[doc = $about])* $variant = $code,)* }

        impl $name {
            /// The variant with this code.
            #[inline]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }

            /// Its code in a record.
            pub const fn code(self) -> u8 {
                self as u8
            }
        })*
    };
}

coded! {
    /// Whose a bundle is.
    SliceOf {
        /// Everybody's: the whole mesh is in it.
        Everybody = 0,
        /// That of one gateway.
        Gateway = 1,
        /// That of the sidecars of one service.
        Sidecar = 2,
    }

    /// What a mesh was held against.
    CheckKind {
        /// An `assert`, proved for all requests.
        Assertion = 0,
        /// A `test`, whose requests had the outcomes that it expects.
        Test = 1,
    }

    /// What is expected of a sample.
    SampleExpect {
        /// It is answered with a status, whoever answers.
        Status = 0,
        /// It arrives at a target.
        Arrival = 1,
        /// Shares of such requests arrive at targets, and nothing elsewhere.
        Shares = 2,
        /// It is pointed elsewhere, with a status.
        Redirect = 3,
        /// An arm answers it, with a status and a body.
        Answer = 4,
    }

    /// What a sample carries.
    SampleFactKind {
        /// A header: lower-case name, and value.
        Header = 0,
        /// A valid token of an issuer; its claims follow.
        Token = 1,
        /// A claim of the token: path, and value.
        Claim = 2,
        /// A claim of the token that is a list: path; its members follow.
        ClaimList = 3,
        /// A member of the list.
        ClaimMember = 4,
        /// A valid key: the consumer.
        Key = 5,
    }

    /// What a listener speaks.
    ListenerProtocol {
        /// HTTP in the clear.
        Http = 0,
        /// HTTP over TLS.
        Https = 1,
        /// Bytes for one service.
        Tcp = 2,
        /// TLS that goes on as it is.
        Passthrough = 3,
    }

    /// Whether a service takes only callers whose identity it verified.
    Mtls {
        /// Only those.
        Strict = 0,
        /// Others, too.
        Permissive = 1,
        /// It verifies nobody.
        Off = 2,
    }

    /// Whether callers speak TLS that is not the mesh's own.
    UpstreamTls {
        /// The proxy does, and verifies a name.
        Verify = 1,
        /// The application does.
        Passthrough = 2,
    }

    /// Where in a request a token or key is.
    PlaceKind {
        /// In a header.
        Header = 0,
        /// In a cookie.
        Cookie = 1,
        /// In a query parameter.
        Query = 2,
    }

    /// Who names endpoints.
    SourceKind {
        /// Address records.
        Dns = 0,
        /// Service records.
        DnsService = 1,
        /// The node's inventory.
        Inventory = 2,
        /// A file of the inventory's form.
        File = 3,
        /// A service of Kubernetes.
        Kubernetes = 4,
        /// The keys of etcd below a prefix.
        Etcd = 5,
    }

    /// The rule by which an endpoint is chosen.
    Algorithm {
        /// Of two, the one with fewer requests under way.
        LeastRequest = 0,
        /// One after the other.
        RoundRobin = 1,
        /// Any.
        Random = 2,
        /// Of two, the one that answers sooner.
        Ewma = 3,
        /// The address that the caller meant.
        Passthrough = 4,
        /// By the hash of a field.
        Hash = 5,
    }

    /// What a further try may follow, as the number of a bit.
    RetryCondition {
        /// Any 5xx, or no answer.
        ServerError = 0,
        /// 502, 503, 504.
        GatewayError = 1,
        /// The connection was reset before an answer.
        Reset = 2,
        /// There was no connection.
        ConnectFailure = 3,
        /// The stream was refused unprocessed.
        RefusedStream = 4,
        /// 409.
        Retriable4xx = 5,
        /// The try took too long.
        Timeout = 6,
        /// gRPC says so.
        GrpcCancelled = 7,
        /// gRPC says so.
        GrpcDeadlineExceeded = 8,
        /// gRPC says so.
        GrpcInternal = 9,
        /// gRPC says so.
        GrpcResourceExhausted = 10,
        /// gRPC says so.
        GrpcUnavailable = 11,
    }

    /// What a capture captures.
    CaptureKind {
        /// A segment, or a part of it, counted from the left.
        FromLeft = 0,
        /// A segment, or a part of it, counted from the right.
        FromRight = 1,
        /// The segments from one on, each with the `/` before it; `before` stand after them.
        Rest = 2,
    }

    /// Who counts requests.
    Counter {
        /// Each proxy by itself.
        Own = 0,
        /// A shared store; without it requests pass.
        SharedOpen = 1,
        /// A shared store; without it requests are refused.
        SharedClosed = 2,
    }

    /// What becomes of a header.
    HeaderOp {
        /// It is this.
        Set = 0,
        /// One more.
        Add = 1,
        /// Gone.
        Remove = 2,
    }

    /// Whose need something is.
    NeedScope {
        /// Every node's.
        Everyone = 0,
        /// That of the gateway `subject`.
        Gateway = 1,
        /// That of the sidecars of the service `subject`.
        Sidecar = 2,
        /// That of every node that calls the service `subject`.
        Caller = 3,
    }

    /// What a service speaks.
    Protocol {
        /// HTTP/1.1 and HTTP/2: what arrives as gRPC goes on as HTTP/2, the rest as HTTP/1.1.
        Http = 0,
        /// HTTP/1.1 only.
        Http1 = 1,
        /// HTTP/2 only.
        Http2 = 2,
        /// gRPC: HTTP/2 with trailers.
        Grpc = 3,
        /// Bytes.
        Tcp = 4,
    }

    /// What an arm does.
    ArmAction {
        /// `a` is a service, `b` its version, [`Target::OWN`] or none.
        Forward = 0,
        /// `b` shares from `a` on.
        Split = 1,
        /// `a` is a redirect.
        Redirect = 2,
        /// `status`, and `a` the body or none.
        Respond = 3,
    }

    /// A field of a request.
    FieldKind {
        /// The method.
        Method = 0,
        /// The host, normalised.
        Host = 1,
        /// `http` or `https`.
        Scheme = 2,
        /// The listener's port.
        Port = 3,
        /// A header's value, lines joined by `,`.
        Header = 4,
        /// The first query parameter of a name, decoded.
        Query = 5,
        /// The first cookie of a name.
        Cookie = 6,
        /// The calling service or gateway, as `namespace/name`.
        Source = 7,
        /// The caller's namespace.
        SourceNamespace = 8,
        /// The address of the peer.
        SourceIp = 9,
        /// The address of the client, through trusted proxies.
        ClientIp = 10,
        /// The path as text.
        PathText = 11,
        /// The path's segments, from the right.
        PathTail = 12,
        /// How many segments the path has.
        PathLength = 13,
        /// The names in the client's certificate: a list.
        ClientCertSan = 14,
        /// Whether a valid token is there.
        Jwt = 15,
        /// A claim of a valid token.
        Claim = 16,
        /// The consumer that a valid key belongs to.
        Key = 17,
        /// A field of an entry of an inventory.
        Inventory = 18,
    }

    /// How a facet's values are told apart. Class 0 is "any other", class 1 "absent".
    ClassifierKind {
        /// A hash table of values.
        Literals = 0,
        /// A byte automaton: class 2 where it accepts.
        Automaton = 1,
        /// Bounds on a number.
        Bounds = 2,
        /// Bounds on the text of a decimal integer; text that is none is in class 0.
        Decimal = 3,
        /// A path automaton over the segments from the right.
        Tail = 4,
        /// Class 2 where a list holds a text, or a text holds it between spaces.
        Member = 5,
    }
}

/// Where a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A service, through its own route.
    Service(Id<Service>),
    /// A service's endpoints, its route left aside.
    Own(Id<Service>),
    /// A version of a service.
    Version(Id<Service>, Id<Version>),
}

impl Target {
    /// From the two words of a record.
    pub fn from_words(service: u32, version: u32) -> Self {
        let service = Id::new(service);
        match version {
            NONE => Self::Service(service),
            Self::OWN => Self::Own(service),
            version => Self::Version(service, Id::new(version)),
        }
    }

    /// The two words of a record.
    pub fn words(self) -> (u32, u32) {
        match self {
            Self::Service(service) => (service.index() as u32, NONE),
            Self::Own(service) => (service.index() as u32, Self::OWN),
            Self::Version(service, version) => (service.index() as u32, version.index() as u32),
        }
    }

    /// Its service.
    pub fn service(self) -> Id<Service> {
        match self {
            Self::Service(service) | Self::Own(service) | Self::Version(service, _) => service,
        }
    }
}

/// What an arm does, read from its record.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// Send it on.
    Forward(Target),
    /// Draw one of these.
    Split(Run<Share>),
    /// Point elsewhere.
    Redirect(Id<Redirect>),
    /// Answer.
    Respond {
        /// The status.
        status: u16,
        /// The body, or none.
        body: StrId,
    },
}

impl Arm {
    /// What it does.
    #[inline]
    pub fn action(&self) -> Action {
        let (a, b) = (self.a.get(), self.b.get());
        match ArmAction::from_code(self.action) {
            Some(ArmAction::Forward) => Action::Forward(Target::from_words(a, b)),
            Some(ArmAction::Split) => Action::Split(Run::new(a, b)),
            Some(ArmAction::Redirect) => Action::Redirect(Id::new(a)),
            // No other code passes validation.
            Some(ArmAction::Respond) | None => Action::Respond {
                status: self.status.get(),
                body: Id::new(a),
            },
        }
    }
}

/// An address in the 16 bytes of a record.
pub fn address_bytes(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// The address in the 16 bytes of a record.
pub fn address_from_bytes(bytes: [u8; 16]) -> IpAddr {
    Ipv6Addr::from(bytes).to_canonical()
}

/// An address as the number that bounds are compared with.
pub fn address_number(address: IpAddr) -> u128 {
    u128::from_be_bytes(address_bytes(address))
}

impl Cidr {
    /// Whether `address` lies in the range. A range of IPv6 addresses holds no IPv4 address, even
    /// where it spans the block into which those are mapped.
    pub fn contains(&self, address: IpAddr) -> bool {
        if address.to_canonical().is_ipv4() && self.prefix < 96 {
            return false;
        }
        let shift = 128 - u32::from(self.prefix.min(128));
        let differing = address_number(address) ^ u128::from_be_bytes(self.address);
        differing.checked_shr(shift).unwrap_or(0) == 0
    }
}

impl Endpoint {
    /// Where the application listens.
    pub fn application(&self) -> std::net::SocketAddr {
        (address_from_bytes(self.address), self.port.get()).into()
    }

    /// Where callers reach it.
    pub fn sidecar(&self) -> std::net::SocketAddr {
        (address_from_bytes(self.sidecar), self.sidecar_port.get()).into()
    }
}
