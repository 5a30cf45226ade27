//! The sections a bundle may hold. Numbers are part of the format and never reused.
//!
//! The list below is the only one: the sections and their numbers, what the compiler fills
//! ([`super::Draft`]) and what a reader sees of a bundle ([`super::Bundle`]) are made from it.

use super::Bundle;
use super::container::TocEntry;
use super::layout::{FieldLayout, FieldType, FieldValue, Record, Stored};
use super::record::*;
use zerocopy::little_endian::U32;

/// Hands the list of all sections of records to a macro: for each its documentation, its name in the
/// code, its number, its name in messages, its record, and what the records and one of them are called.
macro_rules! for_each_section {
    ($then:ident) => {
        $then! {
            /// Key and value pairs: compiler version, parameters.
            Provenance = 4, "PROVENANCE", Provenance, provenances, provenance;
            /// What nodes need of their runtime.
            Needs = 5, "NEEDS", Need, needs, need;
            /// Gateways.
            Gateways = 6, "GATEWAYS", Gateway, gateways, gateway;
            /// Listeners of gateways.
            Listeners = 7, "LISTENERS", Listener, listeners, listener;
            /// Certificates of listeners and host blocks.
            Certificates = 8, "CERTIFICATES", Certificate, certificates, certificate;
            /// Names for which listeners pass TLS on.
            PassedNames = 9, "PASSED_NAMES", PassedName, passed_names, passed_name;
            /// Host blocks of gateways.
            HostBlocks = 10, "HOST_BLOCKS", HostBlock, host_blocks, host_block;
            /// Hash table from host names to host blocks (gateways) and services (sidecars).
            HostIndex = 11, "HOST_INDEX", HostSlot, host_index, host_slot;
            /// Address ranges: trusted proxies.
            Cidrs = 12, "CIDRS", Cidr, cidrs, cidr;
            /// Services, and what is outside the mesh.
            Services = 13, "SERVICES", Service, services, service;
            /// Versions of services.
            Versions = 14, "VERSIONS", Version, versions, version;
            /// Listed endpoints of services, those of one version side by side.
            Endpoints = 15, "ENDPOINTS", Endpoint, endpoints, endpoint;
            /// Who names endpoints that are not listed.
            EndpointSources = 16, "ENDPOINT_SOURCES", EndpointSource, endpoint_sources, endpoint_source;
            /// Which service calls which.
            Calls = 17, "CALLS", Call, calls, call;
            /// How endpoints are chosen.
            Spreads = 18, "SPREADS", Spread, spreads, spread;
            /// How much one proxy lets through.
            Limits = 19, "LIMITS", Limits, limits, limit;
            /// Outlier ejections.
            Ejects = 20, "EJECTS", Eject, ejects, eject;
            /// Active health checks.
            Healths = 21, "HEALTHS", Health, healths, health;
            /// Ranges of statuses.
            StatusRanges = 22, "STATUS_RANGES", StatusRange, status_ranges, status_range;
            /// What levels say about traffic.
            Policies = 23, "POLICIES", Policy, policies, policy;
            /// Further tries.
            Retries = 24, "RETRIES", Retry, retries, retry;
            /// Which pages of other origins may call.
            Corses = 25, "CORS", Cors, corses, cors;
            /// What is forwarded in place of what came.
            Rewrites = 26, "REWRITES", Rewrite, rewrites, rewrite;
            /// Parts of paths that are put together.
            TemplateParts = 27, "TEMPLATE_PARTS", TemplatePart, template_parts, template_part;
            /// Rate limits.
            RateLimits = 28, "RATE_LIMITS", RateLimit, rate_limits, rate_limit;
            /// Copies of requests.
            Mirrors = 29, "MIRRORS", Mirror, mirrors, mirror;
            /// Faults.
            Faults = 30, "FAULTS", Fault, faults, fault;
            /// Changes of headers.
            HeaderOperations = 31, "HEADER_OPERATIONS", HeaderOperation, header_operations, header_operation;
            /// Tokens and keys that requests need.
            Requires = 32, "REQUIRES", Require, requires, require;
            /// Tokens and keys that are verified if they are there.
            Accepts = 33, "ACCEPTS", Accept, accepts, accept;
            /// Issuers of tokens.
            Jwts = 34, "JWTS", Jwt, jwts, jwt;
            /// API keys.
            Keys = 35, "KEYS", Keys, keys, keys_of;
            /// Where in requests tokens and keys are.
            TokenPlaces = 36, "TOKEN_PLACES", TokenPlace, token_places, token_place;
            /// Texts of which there are several.
            Texts = 37, "TEXTS", Text, texts, text;
            /// Fields that are used as keys.
            FieldRefs = 38, "FIELD_REFS", FieldRef, field_refs, field_ref;
            /// Who may call.
            Authzs = 39, "AUTHZ", Authz, authzs, authz;
            /// Tables: a gateway host's arms, a service's route, rules, conditions.
            Tables = 40, "TABLES", Table, tables, table;
            /// Arms of tables, in the order of the source.
            Arms = 41, "ARMS", Arm, arms, arm;
            /// Rules of tables, in the order in which they decide.
            Rules = 42, "RULES", Rule, rules, rule;
            /// What the paths of arms capture.
            Captures = 43, "CAPTURES", Capture, captures, capture;
            /// Shares of splits.
            Shares = 44, "SHARES", Share, shares, share;
            /// Redirects.
            Redirects = 45, "REDIRECTS", Redirect, redirects, redirect;
            /// Facets: a field of a table with its classifier.
            Facets = 46, "FACETS", Facet, facets, facet;
            /// Hash tables of literal values.
            Literals = 47, "LITERALS", Literal, literals, literal;
            /// Byte automata.
            Automata = 48, "AUTOMATA", Automaton, automata, automaton;
            /// Transitions of byte automata.
            Transitions = 49, "TRANSITIONS", U32, transitions, transition;
            /// Bounds of intervals.
            Bounds = 50, "BOUNDS", Bound, bounds, bound;
            /// Path automata.
            PathAutomata = 51, "PATH_AUTOMATA", PathAutomaton, path_automata, path_automaton;
            /// States of path automata.
            PathStates = 52, "PATH_STATES", PathState, path_states, path_state;
            /// Hash tables of the edges of path automata.
            PathEdges = 53, "PATH_EDGES", PathEdge, path_edges, path_edge;
            /// Words: partial segments of path states.
            PathPartials = 54, "PATH_PARTIALS", U32, path_partials, path_partial;
            /// The two diagram roots of each path class of a table.
            PathClasses = 55, "PATH_CLASSES", PathClass, path_classes, path_class;
            /// Words: decision diagrams.
            Code = 56, "CODE", U32, code, code_word;
            /// What the compiler held the mesh against before it wrote the bundle.
            Checks = 57, "CHECKS", Check, checks, check;
            /// Lints that the mesh does not want to hear of.
            Suppressions = 58, "SUPPRESSIONS", Suppression, suppressions, suppression;
            /// Requests that nodes hold the bundle against before they serve it.
            Samples = 59, "SAMPLES", Sample, samples, sample;
            /// What samples carry.
            SampleFacts = 60, "SAMPLE_FACTS", SampleFact, sample_facts, sample_fact;
            /// Where samples are to arrive.
            SampleTargets = 61, "SAMPLE_TARGETS", SampleTarget, sample_targets, sample_target;
            /// Of a slice: who in the mesh has an identity of its own, and no other record here.
            Bearers = 62, "BEARERS", Bearer, bearers, bearer;
        }
    };
}
pub(super) use for_each_section;

macro_rules! sections {
    ($($(#[doc = $doc:literal])* $variant:ident = $number:literal, $name:literal, $record:ident, $all:ident, $one:ident;)*) => {
        /// A section by what it holds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Section {
            /// One record: what holds for the whole mesh.
            Mesh,
            /// Where each string starts in the bytes; one entry more than there are strings.
            StringOffsets,
            /// The bytes of all strings and bodies.
            StringBytes,
            $($(#[doc = $doc])* $variant,)*
        }

        impl Section {
            /// All sections that this build knows, in the order in which they are written.
            pub const ALL: &[Self] = &[
                Self::Mesh, Self::StringOffsets, Self::StringBytes, $(Self::$variant,)*
            ];

            /// The number in the table of contents.
            pub const fn number(self) -> u32 {
                match self {
                    Self::Mesh => 1,
                    Self::StringOffsets => 2,
                    Self::StringBytes => 3,
                    $(Self::$variant => $number,)*
                }
            }

            /// Bytes of a record, as this build knows it.
            pub const fn record_length(self) -> usize {
                match self {
                    Self::Mesh => size_of::<Mesh>(),
                    Self::StringOffsets => size_of::<U32>(),
                    Self::StringBytes => 1,
                    $(Self::$variant => size_of::<$record>(),)*
                }
            }

            /// The name that messages use.
            pub const fn name(self) -> &'static str {
                match self {
                    Self::Mesh => "MESH",
                    Self::StringOffsets => "STRING_OFFSETS",
                    Self::StringBytes => "STRING_BYTES",
                    $(Self::$variant => $name,)*
                }
            }

            /// What it holds, in a sentence.
            pub const fn about(self) -> &'static str {
                match self {
                    Self::Mesh => "One record: what holds for the whole mesh.",
                    Self::StringOffsets => {
                        "Where each string starts in the bytes; one entry more than there are strings."
                    }
                    Self::StringBytes => "The bytes of all strings and bodies.",
                    $(Self::$variant => concat!($($doc,)*).trim_ascii(),)*
                }
            }

            /// What its records are made of.
            pub const fn fields(self) -> &'static [FieldLayout] {
                match self {
                    Self::Mesh => Mesh::FIELDS,
                    Self::StringOffsets => U32::FIELDS,
                    Self::StringBytes => &[],
                    $(Self::$variant => $record::FIELDS,)*
                }
            }
        }

        impl Bundle {
            /// The values of a record, in the order of [`Section::fields`]; `None` where there is none. The
            /// bytes of strings have none.
            pub fn values(&self, section: Section, index: usize) -> Option<Vec<FieldValue>> {
                Some(match section {
                    Section::Mesh => (index == 0).then(|| self.mesh())?.values(),
                    Section::StringOffsets => self.string_offsets().get(index)?.values(),
                    Section::StringBytes => return None,
                    $(Section::$variant => self.$all().get(index)?.values(),)*
                })
            }
        }

        $(impl_stored!($variant, $record);)*
    };
}

/// Says which section the ids of a record name; words are in several.
macro_rules! impl_stored {
    ($variant:ident, U32) => {};
    ($variant:ident, $record:ident) => {
        impl Stored for $record {
            const ID: FieldType = FieldType::Id(Some(Section::$variant));
            const RUN: FieldType = FieldType::Run(Some(Section::$variant));
        }
    };
}
for_each_section!(sections);

impl Section {
    /// The section with this number in the table of contents.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|section| section.number() == number)
    }

    /// Bytes of a record in format 1.0: no bundle has shorter ones. What was added since is zero in the
    /// records of older bundles, and means that nothing is said.
    pub const fn first_record_length(self) -> usize {
        self.record_length() // none has grown
    }

    /// What its entry in the table of contents says. A reader that does not know what a node has to
    /// provide must refuse the bundle.
    pub(super) const fn flags(self) -> u32 {
        match self {
            Self::Needs => TocEntry::MUST_UNDERSTAND,
            _ => 0,
        }
    }
}
