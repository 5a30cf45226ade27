//! The sections a bundle may hold. Numbers are part of the format and never reused.

use super::record::*;
use zerocopy::little_endian::U32;

macro_rules! sections {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal: $record:ty;)*) => {
        /// A section by what it holds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Section { $($(#[$doc])* $variant,)* }

        impl Section {
            /// All sections that this build knows, in the order in which they are written.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The number in the table of contents.
            pub const fn number(self) -> u32 {
                match self { $(Self::$variant => $number,)* }
            }

            /// Bytes of a record, as this build knows it.
            pub const fn record_length(self) -> usize {
                match self { $(Self::$variant => size_of::<$record>(),)* }
            }

            /// The name that messages use.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

sections! {
    /// One record: what holds for the whole mesh.
    Mesh = 1, "MESH": Mesh;
    /// Where each string starts in the bytes; one entry more than there are strings.
    StringOffsets = 2, "STRING_OFFSETS": U32;
    /// The bytes of all strings and bodies.
    StringBytes = 3, "STRING_BYTES": u8;
    /// Key and value pairs: compiler version, parameters.
    Provenance = 4, "PROVENANCE": Provenance;
    /// Gateways.
    Gateways = 5, "GATEWAYS": Gateway;
    /// Listeners of gateways.
    Listeners = 6, "LISTENERS": Listener;
    /// Host blocks of gateways.
    HostBlocks = 7, "HOST_BLOCKS": HostBlock;
    /// Hash table from host names to host blocks (gateways) and services (sidecars).
    HostIndex = 8, "HOST_INDEX": HostSlot;
    /// Address ranges: trusted proxies.
    Cidrs = 9, "CIDRS": Cidr;
    /// Services.
    Services = 10, "SERVICES": Service;
    /// Versions of services.
    Versions = 11, "VERSIONS": Version;
    /// Endpoints of services, those of one version side by side.
    Endpoints = 12, "ENDPOINTS": Endpoint;
    /// Which service calls which.
    Calls = 13, "CALLS": Call;
    /// Timeouts by level.
    Timeouts = 14, "TIMEOUTS": Timeouts;
    /// Tables: a gateway host's arms, a service's route.
    Tables = 15, "TABLES": Table;
    /// Arms of tables, in the order of the source.
    Arms = 16, "ARMS": Arm;
    /// Shares of splits.
    Shares = 17, "SHARES": Share;
    /// Redirects.
    Redirects = 18, "REDIRECTS": Redirect;
    /// Facets: a field of a table with its classifier.
    Facets = 19, "FACETS": Facet;
    /// Hash tables of literal values.
    Literals = 20, "LITERALS": Literal;
    /// Byte automata.
    Automata = 21, "AUTOMATA": Automaton;
    /// Transitions of byte automata.
    Transitions = 22, "TRANSITIONS": U32;
    /// Bounds of intervals.
    Bounds = 23, "BOUNDS": Bound;
    /// Path automata.
    PathAutomata = 24, "PATH_AUTOMATA": PathAutomaton;
    /// States of path automata.
    PathStates = 25, "PATH_STATES": PathState;
    /// Hash tables of the edges of path automata.
    PathEdges = 26, "PATH_EDGES": PathEdge;
    /// Words: partial segments of path states.
    PathPartials = 27, "PATH_PARTIALS": U32;
    /// The two diagram roots of each path class of a table.
    PathClasses = 28, "PATH_CLASSES": PathClass;
    /// Words: decision diagrams.
    Code = 29, "CODE": U32;
}

impl Section {
    /// The section with this number in the table of contents.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|section| section.number() == number)
    }
}
