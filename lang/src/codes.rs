//! The registry of everything there is to report: stable codes, their names and severities, and the
//! page that explains each.
//!
//! A finding is added with one line in the table below and its page in `codes/`. Codes count upward
//! within their family: E01xx syntax, E02xx names and values, E03xx routes, E04xx security, E05xx
//! assertions and tests; L1xx traffic, L2xx resilience, L3xx security, L4xx style. A code is never
//! used again: one that goes moves to [`RETIRED`], and its page away.

use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know; silent unless the mesh asks for it.
    Info,
    /// Most likely not what was meant.
    Warning,
    /// Does not compile.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

macro_rules! codes {
    ($($id:ident $variant:ident $name:literal $severity:ident $summary:literal;)*) => {
        /// A kind of finding.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = concat!(stringify!($id), " `", $name, "`: ", $summary)] $variant,)*
        }

        impl Code {
            /// All of them, in the order of their codes.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The stable code: `E0101`.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => stringify!($id)),* }
            }

            /// The stable name: `unexpected-token`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// How bad it is, unless the mesh gives it another level.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),* }
            }

            /// One line on what it says.
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary),* }
            }

            /// The page that explains it, in Markdown.
            pub const fn explanation(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("codes/", stringify!($id), ".md"))),* }
            }
        }
    };
}

codes! {
    E0101 UnexpectedToken "unexpected-token" Error "a word or sign stands where the grammar has another";
    E0102 UnknownCharacter "unknown-character" Error "a character that starts no word of the language";
    E0103 UnclosedString "unclosed-string" Error "a string without its closing quote";
    E0104 UnknownEscape "unknown-escape" Error "an escape in a string that means nothing";
    E0105 UnclosedBracket "unclosed-bracket" Error "a `(` or `[` without its counterpart";
    E0106 UnclosedBlock "unclosed-block" Error "a `{` without its `}`";
    E0107 StrayBrace "stray-brace" Error "a `}` that closes nothing";
    E0108 BraceOnNextLine "brace-on-next-line" Error "a `{` on the line after its statement";
    E0109 NestedTooDeeply "nested-too-deeply" Error "blocks, brackets or `not` more than 64 deep";
    E0110 NotText "not-text" Error "a file that is not UTF-8, or too long";

    E0201 UnknownStatement "unknown-statement" Error "a word that is no statement of its block";
    E0202 MisplacedStatement "misplaced-statement" Error "a statement in a block where it means nothing";
    E0203 BadArguments "bad-arguments" Error "arguments that do not fit their statement";
    E0204 MissingBlock "missing-block" Error "a statement without the block that it consists of";
    E0205 UnexpectedBlock "unexpected-block" Error "a block behind a statement that takes none";
    E0206 BadValue "bad-value" Error "a value that its kind does not have";
    E0207 MissingUnit "missing-unit" Error "a number that says nothing without a unit";
    E0208 PatternNotNormal "pattern-not-normal" Error "a path pattern that no normalised path matches";
    E0209 BadName "bad-name" Error "a name that is not a DNS label";
    E0210 ReservedName "reserved-name" Error "a name that is a word of the grammar";
    E0211 UnknownField "unknown-field" Error "a condition on something that requests do not have";
    E0212 BadComparison "bad-comparison" Error "a comparison that its field does not take";
    E0213 WildcardLiteral "wildcard-literal" Error "a `*` inside a segment or a label";
    E0214 HostLiteralHasPort "host-literal-has-port" Error "a host written with a port";
    E0215 PercentMissing "percent-missing" Error "a share that is not written";
    E0216 RetryConditionsMissing "retry-conditions-missing" Error "a `retry` that does not say on what";
    E0217 FailmodeMissing "failmode-missing" Error "a remote decision that does not say what happens when it fails";
    E0218 MissingStatement "missing-statement" Error "a block without a statement that it needs";
    E0219 RepeatedStatement "repeated-statement" Error "a statement that may stand once and stands twice";
    E0220 LimitZero "limit-zero" Error "a limit of zero, which lets nothing through";
    E0221 L7PolicyOnL4Port "l7-policy-on-l4-port" Error "a statement about requests where there are only bytes";
    E0222 UnresolvedRef "unresolved-ref" Error "a name that nothing declares";
    E0223 DuplicateDecl "duplicate-decl" Error "a name that is declared twice";
    E0224 CyclicValue "cyclic-value" Error "a name that stands for itself";
    E0225 BadTarget "bad-target" Error "a name of another kind than its place takes";
    E0226 NoMesh "no-mesh" Error "files without a `mesh` item";
    E0227 BadRegex "bad-regex" Error "a regular expression that cannot be used";
    E0228 NoEndpoints "no-endpoints" Error "a service or version with nowhere to send requests";
    E0229 UnreadableFile "unreadable-file" Error "a file named by the policy that cannot be read";
    E0230 PolicyConflict "policy-conflict" Error "two policies of one block that disagree";
    E0231 RetryOnClientError "retry-on-client-error" Error "a retry of what the request itself is to blame for";
    E0232 HashWithLocality "hash-with-locality" Error "an endpoint chosen by hash and by zone";
    E0233 ImportCycle "import-cycle" Error "directories that import each other";
    E0234 ProtocolMismatch "protocol-mismatch" Error "a service that does not speak what is sent to it";
    E0235 FailoverWithoutHealth "failover-without-health" Error "a `failover` of which nothing tells when it is due";
    E0236 FailoverCycle "failover-cycle" Error "services that take over for each other in a circle";

    E0301 RouteShadowed "route-shadowed" Error "an arm that can never be taken";
    E0302 WeightsNot100 "weights-not-100" Error "shares of a split that do not sum to 100 %";
    E0303 SplitCycle "split-cycle" Error "routes that lead around in a circle";
    E0304 HostOwnedTwice "host-owned-twice" Error "a host that two blocks or services claim";
    E0305 ListenerConflict "listener-conflict" Error "a port that two listeners have";
    E0306 RegexTooBig "regex-too-big" Error "a regular expression whose automaton is too large";
    E0307 PatternTooComplex "pattern-too-complex" Error "path patterns that no automaton can hold";
    E0308 ConditionTooComplex "condition-too-complex" Error "a condition without a small decision diagram";
    E0309 FragmentNotOpen "fragment-not-open" Error "arms for paths that their host does not open";
    E0310 MatchEmpty "match-empty" Error "an arm that no request fits";
    E0311 RedirectLoop "redirect-loop" Error "a redirect that leads to where it was asked";
    E0312 HostNotOnListener "host-not-on-listener" Error "a host of a gateway where no requests come in";

    E0401 TenantEscape "tenant-escape" Error "a private service aimed at from another namespace";
    E0402 AuthzL7OnL4 "authz-l7-on-l4" Error "a rule about requests where there are only connections";
    E0403 ClientIpUntrusted "client-ip-untrusted" Error "an address tested at a gateway that trusts nobody aloud";
    E0404 CredentialAsField "credential-as-field" Error "a header that carries a token, compared as a header";
    E0405 ClaimWithoutProvider "claim-without-provider" Error "a test of a token that nothing asks for";
    E0406 AuthzNeedsMtls "authz-needs-mtls" Error "a rule that names a caller whom nobody can verify";
    E0407 AuthzUnreachable "authz-unreachable" Error "a rule that never allows anything, since all is denied";
    E0408 CallRefused "call-refused" Error "an arm or a `calls` that its target refuses altogether";
    E0409 MtlsMismatch "mtls-mismatch" Error "a caller that cannot prove itself where it has to";
    E0410 JwksOrigin "jwks-origin" Error "keys of tokens from where others could put theirs";
    E0411 TlsDouble "tls-double" Error "TLS around a connection that is TLS already";
    E0412 CertInvalid "cert-invalid" Error "a certificate that no client would take";

    E0501 TestFailed "test-failed" Error "a test whose expectation is not met";
    E0502 AssertFailed "assert-failed" Error "a claim that some request shows to be wrong";
    E0503 AssertNotProved "assert-not-proved" Error "a claim of which it was not found out whether it holds";

    L101 NotActedOn "not-acted-on" Warning "a statement that the runtime of this version does not act on";
    L102 NotDecided "not-decided" Warning "a question that no proof answers, and why not";
    L103 MatchRedundant "match-redundant" Warning "an arm or a rule without which nothing would change";
    L104 RoutePartlyShadowed "route-partly-shadowed" Info "an arm that loses requests to a more general one above";
    L105 NoCatchAll "no-catch-all" Info "a table that leaves some requests to no arm";
    L106 VersionUnused "version-unused" Warning "a version that nothing is sent to";
    L107 MirrorLoop "mirror-loop" Warning "copies that lead to calls that are copied again";
    L108 RawPrefixBoundary "raw-prefix-boundary" Warning "a prefix of the path that ends within a segment";
    L109 RedirectDowngrade "redirect-downgrade" Warning "a redirect from TLS to a place without it";
    L110 ServerFirstPort "server-first-port" Warning "requests to a port where the server speaks first";
    L111 AffinityIneffectiveInSplit "affinity-ineffective-in-split" Warning "a hash that a split tears apart";
    L112 UnusedDecl "unused-decl" Warning "a declaration that nothing uses";
    L113 RegexUnanchoredIntent "regex-unanchored-intent" Warning "a regular expression that is plain text";
    L114 ListenerUnreachable "listener-unreachable" Warning "a listener at which everything is answered 404";
    L115 MirrorUnsafeMethods "mirror-unsafe-methods" Warning "a mirror of requests none of which is copied";
    L116 MirrorAmplification "mirror-amplification" Warning "copies that multiply from hop to hop";
    L117 CallLoop "call-loop" Warning "services that call each other in a circle";
    L118 ScopeUnbounded "scope-unbounded" Warning "sidecars that hold all that may let them in";
    L119 EndpointProtocolClash "endpoint-protocol-clash" Warning "an address at which two things are spoken";
    L120 EndpointLoopback "endpoint-loopback" Warning "an address at which callers elsewhere meet themselves";
    L121 PolicyIneffective "policy-ineffective" Warning "a statement that changes nothing where it stands";
    L122 SubsetSelectsNothing "subset-selects-nothing" Warning "a choice of the inventory that no entry fits";

    L201 RetryAmplification "retry-amplification" Warning "tries that multiply from hop to hop";
    L202 TimeoutChainInversion "timeout-chain-inversion" Warning "a caller that gives up while its callee still waits";
    L203 RetryTimeInversion "retry-time-inversion" Warning "tries for which no time is left";
    L204 FaultInRelease "fault-in-release" Warning "a fault without an end";
    L205 TimeoutLengthened "timeout-lengthened" Warning "an arm that waits longer than the service says it takes";
    L206 MissingTimeout "missing-timeout" Info "a call whose time nobody wrote";
    L207 OutlierIneffective "outlier-ineffective" Warning "an ejection that never happens, or that changes nothing";
    L208 RetryNonidempotent "retry-nonidempotent" Warning "a `retry` of requests that are never tried again";
    L209 RetryBodyUnbuffered "retry-body-unbuffered" Warning "a `retry` of bodies that are too large to be kept";
    L210 TimeoutOnStream "timeout-on-stream" Warning "a stream that ends when its time is over";
    L211 LimitUnusedForProtocol "limit-unused-for-protocol" Warning "a limit that means nothing to the protocol";
    L212 HashKeyMissing "hash-key-missing" Info "a hash of what some requests do not have";
    L213 RatelimitKeyUnbounded "ratelimit-key-unbounded" Warning "a rate counted by what clients make up";
    L214 RatelimitPerReplica "ratelimit-per-replica" Info "a limit that each proxy counts for itself";

    L301 AllowUnused "allow-unused" Warning "a rule for a caller that never calls";
    L302 OpenService "open-service" Warning "a service that allows everybody everything";
    L303 EgressOpen "egress-open" Warning "a mesh that lets through to every host";
    L304 CorsWildcardCredentials "cors-wildcard-credentials" Warning "cookies for pages of every origin";
    L305 JwtNoAudience "jwt-no-audience" Warning "tokens that may have been made for others";
    L306 AssertVacuous "assert-vacuous" Warning "a claim about what does not exist";
    L307 AuthzNegativePath "authz-negative-path" Warning "a refused path that another spelling gets around";
    L308 DenyAvoidable "deny-avoidable" Warning "a deny that callers avoid by leaving something out";
    L309 AbsentAllowed "absent-allowed" Warning "a rule that also allows requests without what it asks for";
    L310 JwtOptionalUnguarded "jwt-optional-unguarded" Warning "a token or key that is accepted and that nothing depends on";
    L311 MtlsPermissiveInRelease "mtls-permissive-in-release" Warning "callers that are taken without proof of who they are";
    L312 InternalHeaderTrusted "internal-header-trusted" Warning "a header of proxies that clients may write as well";
    L313 SecretInline "secret-inline" Warning "a secret written into the policy";
    L314 TlsUnverified "tls-unverified" Warning "requests that leave the mesh in the clear";
    L315 CertExpiring "cert-expiring" Warning "a certificate that is not valid for long, or not at all";
    L316 CertMissesHost "cert-misses-host" Warning "a host that no certificate of its listener names";
    L317 CertCoalescingHazard "cert-coalescing-hazard" Warning "hosts that share a certificate and not their TLS settings";
    L318 RoutePublic "route-public" Info "an arm by which anybody reaches a service";

    L401 UnusedSuppression "unused-suppression" Warning "a `# lint:` comment that silences nothing";
    L402 MalformedSuppression "malformed-suppression" Warning "a `# lint:` comment without a reason, or that cannot be read";
    L403 MixedAndOr "mixed-and-or" Warning "`and` and `or` side by side without parentheses";
}

/// A code that is reported no more. Its number and its name stay taken, so that what was written
/// about it never means something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retired {
    /// The code it was.
    pub id: &'static str,
    /// The name it had.
    pub name: &'static str,
    /// Why it went, in one sentence.
    pub reason: &'static str,
    /// What is reported in its place.
    pub instead: Option<Code>,
}

/// All that are reported no more, in the order of their codes.
pub const RETIRED: &[Retired] = &[];

impl Retired {
    /// The one of `retired`, which is [`RETIRED`], with this code or name.
    pub fn find<'r>(retired: &'r [Self], text: &str) -> Option<&'r Self> {
        let mut all = retired.iter();
        all.find(|code| code.id.eq_ignore_ascii_case(text) || code.name == text)
    }
}

impl fmt::Display for Retired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id, name, reason, ..
        } = self;
        write!(f, "{id} {name} is reported no more: {reason}")?;
        match self.instead {
            Some(code) => write!(f, "; see {code} {}", code.name()),
            None => Ok(()),
        }
    }
}

impl Code {
    /// The code with this code or name: `E0101` or `unexpected-token`.
    pub fn find(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.id().eq_ignore_ascii_case(text) || code.name() == text)
    }

    /// Whether it is a lint: its level can be changed, and a place can be excused from it. Everything
    /// else is an error and stays one.
    pub fn is_lint(self) -> bool {
        self.id().starts_with('L')
    }

    /// Whether it is about syntax: what it is about does not parse.
    pub fn is_syntax(self) -> bool {
        self.id().starts_with("E01")
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_and_names_are_unique_and_found() {
        let retired = || RETIRED.iter();
        let ids = Code::ALL.iter().map(|code| code.id());
        let names = Code::ALL.iter().map(|code| code.name());
        let ids: HashSet<_> = ids.chain(retired().map(|code| code.id)).collect();
        let names: HashSet<_> = names.chain(retired().map(|code| code.name)).collect();
        assert_eq!(ids.len(), Code::ALL.len() + RETIRED.len());
        assert_eq!(names.len(), Code::ALL.len() + RETIRED.len());
        for &code in Code::ALL {
            assert_eq!(Code::find(code.id()), Some(code));
            assert_eq!(Code::find(code.name()), Some(code));
        }
        assert_eq!(Code::find("e0101"), Some(Code::UnexpectedToken));
        assert_eq!(Code::find("E9999"), None);
    }

    #[test]
    fn families_count_upward_without_gaps() {
        let mut ids: Vec<_> = Code::ALL.iter().map(|code| code.id()).collect();
        assert!(ids.is_sorted());
        ids.extend(RETIRED.iter().map(|code| code.id));
        ids.sort_unstable();
        let split = |id: &'static str| {
            let (family, number) = id.split_at(id.len() - 2);
            (family, number.parse::<u32>().unwrap())
        };
        for pair in ids.windows(2) {
            let ((family, number), (next_family, next)) = (split(pair[0]), split(pair[1]));
            let first = family != next_family;
            assert_eq!(next, if first { 1 } else { number + 1 }, "{}", pair[1]);
        }
    }

    #[test]
    fn errors_are_errors_and_lints_are_none_unless_asked_for() {
        for &code in Code::ALL {
            let error = code.severity() == Severity::Error;
            assert_eq!(error, !code.is_lint(), "{code}");
        }
    }

    #[test]
    fn what_is_retired_says_what_came_instead() {
        let retired = [
            Retired {
                id: "E0299",
                name: "name-too-short",
                reason: "short names are names",
                instead: Some(Code::BadName),
            },
            Retired {
                id: "L499",
                name: "tab",
                reason: "tabs are white space",
                instead: None,
            },
        ];
        let find = |text| Retired::find(&retired, text).map(ToString::to_string);
        let renamed =
            "E0299 name-too-short is reported no more: short names are names; see E0209 bad-name";
        assert_eq!(find("e0299").as_deref(), Some(renamed));
        assert_eq!(find("name-too-short").as_deref(), Some(renamed));
        assert_eq!(
            find("L499").as_deref(),
            Some("L499 tab is reported no more: tabs are white space")
        );
        assert_eq!(find("E0209"), None);
    }

    #[test]
    fn every_page_explains_with_an_example_and_its_correction() {
        for code in Code::ALL {
            let page = code.explanation();
            let title = format!("# {} {}", code.id(), code.name());
            assert_eq!(page.lines().next(), Some(title.as_str()), "{code}");
            let fences = page.lines().filter(|line| line.starts_with("```")).count();
            assert!(fences >= 4, "{code} shows what is wrong and what is right");
            let lines = page.lines().count();
            assert!((10..=40).contains(&lines), "{code} has {lines} lines");
        }
    }
}
