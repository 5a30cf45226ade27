//! Who may call: rules of `authz`.
//!
//! Their order does not matter: a deny that matches wins, one of the namespace included, else an allow that
//! matches, else the request is refused. [`Authz::in_order`] is that, as an order.

use super::condition::Condition;
use super::policy::OnFailure;
use super::said::Said;
use super::{GatewayId, ServiceId};
use mesh_lang::source::Span;
use mesh_lang::value::PathPattern;

/// The `authz` of a service, an external or a host.
#[derive(Clone, Debug)]
pub struct Authz {
    /// The rules; `None` where only others are asked.
    pub rules: Option<Vec<Rule>>,
    /// Rules that only count what they would refuse.
    pub shadow: Option<Vec<Rule>>,
    /// Who is asked besides, after the rules.
    pub external: Option<Said<ExternalAuthz>>,
    /// The first of its statements.
    pub span: Span,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name, or its text.
    pub name: String,
    /// Where it is.
    pub span: Span,
    /// Whether it allows; else it denies.
    pub allows: bool,
    /// Whom.
    pub who: Vec<Who>,
    /// The methods it names, as written; none: any.
    pub methods: Vec<String>,
    /// The path patterns it names; none: any.
    pub paths: Vec<PathPattern>,
    /// What else must hold; an `unless` is negated.
    pub condition: Option<Condition>,
}

impl Rule {
    /// The rule that everybody may, where nothing else is said: at `span`, if something is.
    pub fn open_by_default(span: Span) -> Self {
        Self {
            name: "open-by-default".to_owned(),
            span,
            allows: true,
            who: vec![Who::Anyone],
            methods: Vec::new(),
            paths: Vec::new(),
            condition: None,
        }
    }
}

/// A caller, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Whoever it is, identity or none.
    Anyone,
    /// A service whose identity was verified; no gateway.
    AnyService,
    /// A service of this namespace.
    Namespace(String),
    /// This service.
    Service(ServiceId),
    /// This gateway.
    Gateway(GatewayId),
}

/// Somebody who is asked by HTTP.
#[derive(Clone, Debug, PartialEq)]
pub struct ExternalAuthz {
    /// Where.
    pub url: String,
    /// How long the answer may take, in milliseconds.
    pub timeout: Said<u32>,
    /// What happens without one.
    pub on_failure: OnFailure,
}

impl ExternalAuthz {
    /// How long an answer may take where nothing else is said, in milliseconds.
    pub const TIMEOUT: u32 = 200;
}

/// The rules of a service in the order in which they decide: denies, those of the namespace first,
/// then allows. None that matches: refused.
pub fn in_order<'r>(namespace: &'r [Rule], own: &'r [Rule]) -> impl Iterator<Item = &'r Rule> {
    let all = || namespace.iter().chain(own);
    let denies = all().filter(|rule| !rule.allows);
    denies.chain(all().filter(|rule| rule.allows))
}
