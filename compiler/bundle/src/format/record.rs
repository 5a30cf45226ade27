//! The records. All numbers are little-endian and unaligned, so that any byte sequence of the right
//! length *is* a slice of records; whether it makes sense is what `validate` decides.

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

macro_rules! records {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
        #[repr(C)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* })*
    };
}

records! {
    /// Where in the source something was said.
    Location {
        /// The file's name as the compiler printed it; none for what nobody wrote.
        file: StrId,
        /// The line, from 1.
        line: U32,
    }

    /// What holds for the whole mesh.
    Mesh {
        /// The mesh's name.
        name: StrId,
        /// SPIFFE trust domain.
        trust_domain: StrId,
        /// The edition that pinned the defaults.
        edition: U32,
        /// Where callers reach a sidecar whose endpoint names no `via` address.
        sidecar_port: U16,
        /// 1: `%2F` and `%5C` in paths are kept; 0: they are refused.
        encoded_slash: u8,
        /// Protection that the runtime must provide; see [`Protection`].
        protection: u8,
        /// Seed of the host index.
        host_seed: U64,
        /// Longest probe of the host index.
        host_probe: U32,
        /// The weakest level: edition and `defaults`.
        timeouts: Id<Timeouts>,
    }

    /// A fact about how the bundle came to be.
    Provenance {
        /// Such as `compiler`, or `param canary`.
        key: StrId,
        /// As text.
        value: StrId,
    }

    /// A gateway.
    Gateway {
        /// Its name.
        name: StrId,
        /// Its namespace.
        namespace: StrId,
        /// Its listeners.
        listeners: Run<Listener>,
        /// Its host blocks.
        hosts: Run<HostBlock>,
        /// Whose `x-forwarded-for` is believed.
        trusted_proxies: Run<Cidr>,
        /// Where it is declared.
        location: Location,
    }

    /// A listener of a gateway.
    Listener {
        /// The address in 16 bytes (IPv4 mapped into IPv6); all zero: every address.
        address: [u8; 16],
        /// The port.
        port: U16,
        /// 0 `http`, 1 `https`; see [`ListenerProtocol`].
        protocol: u8,
        /// Bit 0: HTTP/2 is offered. Bit 1: everything is redirected to `https`.
        flags: u8,
        /// The certificate chain's file (`https`).
        certificate: StrId,
        /// The private key's file (`https`).
        key: StrId,
        /// Where it is declared.
        location: Location,
    }

    /// An address range.
    Cidr {
        /// The network's address in 16 bytes (IPv4 mapped into IPv6).
        address: [u8; 16],
        /// Leading bits that count, of 128.
        prefix: u8,
    }

    /// A `host` block of a gateway.
    HostBlock {
        /// The patterns as written, for logs.
        name: StrId,
        /// Its arms.
        table: Id<Table>,
        /// Host, gateway and everything weaker.
        timeouts: Id<Timeouts>,
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
        /// A host block or a service, by the scope.
        value: U32,
    }

    /// A service.
    Service {
        /// Its name.
        name: StrId,
        /// Its namespace.
        namespace: StrId,
        /// See [`Protocol`].
        protocol: u8,
        /// Bit 0: it says whom it calls, and its sidecar lets it call only those.
        flags: u8,
        /// Its `route`, or none.
        route: Id<Table>,
        /// All its endpoints.
        endpoints: Run<Endpoint>,
        /// Its versions.
        versions: Run<Version>,
        /// Whom it calls, ordered by target.
        calls: Run<Call>,
        /// What its own block says.
        timeouts: Id<Timeouts>,
        /// Where it is declared.
        location: Location,
    }

    /// A version of a service.
    Version {
        /// Its name.
        name: StrId,
        /// Its endpoints, within those of the service.
        endpoints: Run<Endpoint>,
        /// Where it is declared.
        location: Location,
    }

    /// An endpoint of a service.
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

    /// `calls` of a service.
    Call {
        /// The callee.
        target: Id<Service>,
        /// What the block says for this caller.
        timeouts: Id<Timeouts>,
        /// Where it is declared.
        location: Location,
    }

    /// A value at some level, and who said so.
    Setting {
        /// [`Setting::UNSET`], [`Setting::OFF`], or the value in its unit.
        value: U32,
        /// The statement; no file where the edition says so.
        location: Location,
    }

    /// The timeouts that one level sets, in milliseconds.
    Timeouts {
        /// From the request's head to the end of the response.
        request: Setting,
        /// From dialling to a usable connection.
        connect: Setting,
        /// How long an unused upstream connection is kept.
        idle: Setting,
    }

    /// A table of arms.
    Table {
        /// Its arms, in the order of the source.
        arms: Run<Arm>,
        /// The facets its diagrams ask.
        facets: Run<Facet>,
        /// Classifies paths.
        path: Id<PathAutomaton>,
        /// The roots for each path class.
        classes: Run<PathClass>,
        /// Its diagrams.
        code: Run<U32>,
    }

    /// An arm of a table. One arm of the source may be several here, where what is done depends on
    /// which of its patterns took the path.
    Arm {
        /// Its name, or the text of its match.
        name: StrId,
        /// Where it is declared.
        location: Location,
        /// See [`ArmAction`].
        action: u8,
        /// Segments before the pattern's final `/**`; for redirects of a prefix.
        prefix_segments: u8,
        /// The status of a response.
        status: U16,
        /// By the action: service, first share, redirect, body.
        a: U32,
        /// By the action: version, count of shares.
        b: U32,
        /// What its block says.
        timeouts: Id<Timeouts>,
    }

    /// A share of a split.
    Share {
        /// Where the share ends, in millionths: shares are taken in order.
        end: U32,
        /// The target service.
        service: Id<Service>,
        /// Its version, [`Target::OWN`], or none for its route.
        version: U32,
    }

    /// A redirect.
    Redirect {
        /// The status.
        status: U16,
        /// The port, or 0 to derive it.
        port: U16,
        /// `http` or `https`, or none to keep it.
        scheme: StrId,
        /// The host, or none to keep it.
        host: StrId,
        /// The whole path, or none.
        path: StrId,
        /// What replaces the segments before the final `/**`, or none.
        prefix: StrId,
        /// The whole location, or none to build it from the parts.
        url: StrId,
    }

    /// A field that a table's diagrams ask, with its classifier.
    Facet {
        /// See [`FieldKind`].
        field: u8,
        /// See [`ClassifierKind`].
        classifier: u8,
        /// Name of a header, query parameter or cookie.
        name: StrId,
        /// First slot, bound, or the automaton.
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
        /// The state it leaves, or [`PathEdge::EMPTY`].
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

impl Timeouts {
    /// A level that says nothing.
    pub const NOT_SAID: Self = Self {
        request: Setting::NOT_SAID,
        connect: Setting::NOT_SAID,
        idle: Setting::NOT_SAID,
    };
}

impl PathState {
    /// On a next state: the walk may end there, whatever follows does not change the class.
    pub const FINAL: u32 = 1 << 31;
}

impl PathEdge {
    /// The `state` of an empty slot.
    pub const EMPTY: u32 = u32::MAX;
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
}

impl Service {
    /// Bit of `flags`: it may call only what its `calls` name.
    pub const CALLS_LISTED: u8 = 1;
}

impl Target {
    /// In place of a version: the service's own endpoints, its route left aside.
    pub const OWN: u32 = u32::MAX - 1;
}

macro_rules! coded {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal,)* })*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$variant_doc])* $variant = $code,)* }

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
    /// What a listener speaks.
    ListenerProtocol {
        /// HTTP in the clear.
        Http = 0,
        /// HTTP over TLS.
        Https = 1,
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

    /// The protection a mesh asks for. A runtime that does not know the code refuses the bundle:
    /// never is open what was written closed.
    Protection {
        /// `mtls off`, `authz open-by-default`.
        Open = 0,
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
