//! Rules that a caller gets around: by another spelling of the path, by what is left out of the request.
//!
//! A path is matched as it is normalised, letter by letter. The application behind may be less strict: `/admin/`,
//! `/ADMIN` and `/admin;x` may all be `/admin` to it. So for a rule that keeps some paths from being let in, a
//! request is looked for that it keeps out and that something else would let in; its path is then spelled in each of
//! these ways and put before the code that decides. Fields that callers choose are looked at in the same way: what
//! becomes of the request without them. Each finding shows the request that gets around.

use super::not_decided;
use crate::model::Mesh;
use crate::model::authz::Rule;
use crate::model::condition::{Condition, Field, Predicate, Test};
use crate::plan::formula::FormulaId;
use crate::plan::match_of;
use crate::spell::Place;
use crate::verify::reach::Proof;
use crate::verify::rules::Rules;
use crate::verify::{Reason, Request, Verdict};
use mesh_bundle::path::EncodedSlash;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::source::Span;

/// Rules that allow of which each is asked by itself, for each rule that denies.
const EACH: usize = 16;

/// What has to be asked of requests besides the rules, each of which has a formula in the proof.
pub(super) struct Questions<'m> {
    mesh: &'m Mesh,
    asked: Vec<Asked>,
    conditions: Vec<Condition>,
}

/// One of them, about a rule.
enum Asked {
    /// That it has this field, which the rule tests so that it need not be there.
    Present(u32, Field, Span),
    /// What the rule asks but for the paths that it leaves out.
    WithoutPaths(u32),
}

impl<'m> Questions<'m> {
    /// What has to be asked about the own rules of a block.
    pub(super) fn about(mesh: &'m Mesh, rules: &Rules<'_>) -> Self {
        let mut it = Self {
            mesh,
            asked: Vec::new(),
            conditions: Vec::new(),
        };
        for index in rules.own() {
            let rule = rules.all[index as usize];
            if !rule.allows {
                continue;
            }
            for test in negated(rule) {
                it.ask(
                    Asked::Present(index, test.field.clone(), test.span),
                    Condition::Test(Test {
                        predicate: Predicate::Present,
                        ..test.clone()
                    }),
                );
            }
            if let Some(without) = without_paths(mesh, rule) {
                it.ask(Asked::WithoutPaths(index), without);
            }
        }
        it
    }

    fn ask(&mut self, asked: Asked, condition: Condition) {
        self.asked.push(asked);
        self.conditions.push(condition);
    }

    /// The conditions whose formulas [`Questions::findings`] takes, in this order.
    pub(super) fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// The rules that a caller gets around.
    pub(super) fn findings(
        &self,
        rules: &Rules<'_>,
        proof: &mut Proof<'_>,
        formulas: &[FormulaId],
    ) -> Vec<Diagnostic> {
        let numbers = (0u32..).zip(&rules.all);
        let allowing = numbers.filter(|(_, rule)| rule.allows);
        let allowing: Vec<u32> = allowing.map(|(index, _)| index).collect();
        if allowing.is_empty() {
            return Vec::new(); // nobody gets in
        }
        let allowed = proof.space.one_of(proof.table, allowing.into_iter());
        let mut search = Search {
            mesh: self.mesh,
            rules,
            proof,
            allowed,
            unanswered: Vec::new(),
        };
        let mut found = Vec::new();
        for index in rules.own() {
            found.extend(search.deny(index));
        }
        for (asked, &formula) in self.asked.iter().zip(formulas) {
            found.extend(match asked {
                Asked::Present(index, field, span) => search.absent(*index, field, *span, formula),
                Asked::WithoutPaths(index) => search.left_out(*index, formula),
            });
        }
        let what = "whether a caller gets around this rule";
        found.extend(not_decided(what, &search.unanswered));
        found
    }
}

struct Search<'s, 'm, 'p> {
    mesh: &'m Mesh,
    rules: &'s Rules<'m>,
    proof: &'s mut Proof<'p>,
    /// "Some rule that allows fits."
    allowed: FormulaId,
    unanswered: Vec<(Span, Reason)>,
}

impl Search<'_, '_, '_> {
    /// A deny, and the ways around it.
    fn deny(&mut self, index: u32) -> Vec<Diagnostic> {
        let rule = self.rules.all[index as usize];
        let chosen = chosen_by_callers(rule);
        let asks_path = asks_path(rule);
        if rule.allows || !asks_path && chosen.is_empty() {
            return Vec::new();
        }
        let mut spelled = None;
        let mut avoided = None;
        // Each rule that allows may let in by a way of its own.
        for by in self.let_in_by() {
            let request = match self.proof.ending(Some(index), &[by], &[]) {
                Verdict::Yes(request) => *request,
                // Where nothing would let it in, whatever gets around is refused as well.
                Verdict::No => continue,
                Verdict::NotDecided(reason) => {
                    self.unanswered.push((rule.span, reason));
                    break;
                }
            };
            if asks_path && spelled.is_none() {
                let around = self.respelled(&request);
                spelled = around.map(|around| spelled_otherwise(rule, &request, &around));
            }
            if avoided.is_none() {
                let mut fields = chosen.iter();
                let around = fields.find_map(|field| {
                    let without = without_field(&request, field)?;
                    Some((field, self.let_in(without)?))
                });
                avoided = around.map(|(field, around)| self.avoided(rule, field, &around));
            }
        }
        spelled.into_iter().chain(avoided).collect()
    }

    /// What lets requests in: each rule that allows by itself, or all together where there are many.
    fn let_in_by(&self) -> Vec<FormulaId> {
        let rules = (0u32..).zip(&self.rules.all);
        let allowing = rules.filter(|(_, rule)| rule.allows);
        let each: Vec<FormulaId> = allowing
            .map(|(index, _)| self.proof.formula(index))
            .collect();
        if each.len() > EACH {
            vec![self.allowed]
        } else {
            each
        }
    }

    /// An allow that leaves paths out, and the ways around that.
    fn left_out(&mut self, index: u32, without_paths: FormulaId) -> Option<Diagnostic> {
        let rule = self.rules.all[index as usize];
        let paths = self.proof.space.arm_paths(self.proof.table, index);
        let methods = self.proof.space.methods(self.rules.methods(index));
        let asked = [methods, paths, without_paths];
        match self.proof.some(&asked, &[self.allowed]) {
            Ok(None) => None,
            Ok(Some((_, request))) => {
                let around = self.respelled(&request)?;
                std::ptr::eq(around.by, rule).then(|| spelled_otherwise(rule, &request, &around))
            }
            Err(reason) => {
                self.unanswered.push((rule.span, reason));
                None
            }
        }
    }

    /// An allow that needs a field to be something else, and also takes requests that do not have it.
    fn absent(
        &mut self,
        index: u32,
        field: &Field,
        span: Span,
        present: FormulaId,
    ) -> Option<Diagnostic> {
        let rule = self.rules.all[index as usize];
        match self.proof.ending(Some(index), &[], &[present]) {
            Verdict::No => None,
            Verdict::NotDecided(reason) => {
                self.unanswered.push((rule.span, reason));
                None
            }
            Verdict::Yes(request) => {
                let field = Place::top(self.mesh).field(field);
                let message = format!("this allows requests without `{field}`, too");
                Some(
                    Diagnostic::new(Code::AbsentAllowed, message)
                        .primary(span, "holds of them as well")
                        .note(format!("for example: {request}  → allowed"))
                        .help(format!(
                            "add `and {field} present`, or say what it is to be"
                        )),
                )
            }
        }
    }

    /// A request with its path spelled otherwise that is let in.
    fn respelled(&self, request: &Request) -> Option<Around<'_>> {
        let encoded_slash = self.mesh.encoded_slash.value;
        let spellings = spellings(request.path.as_str(), encoded_slash);
        spellings.into_iter().find_map(|(spelling, path)| {
            let path = Request::normal_path(&path, encoded_slash)?;
            let respelled = Request {
                path,
                ..request.clone()
            };
            let mut around = self.let_in(respelled)?;
            around.spelling = Some(spelling);
            Some(around)
        })
    }

    /// A request with the rule that lets it in, if one does.
    fn let_in(&self, request: Request) -> Option<Around<'_>> {
        let by = self.rules.all[(self.proof.decide)(&request)? as usize];
        by.allows.then_some(Around {
            request,
            by,
            spelling: None,
        })
    }

    fn avoided(&self, rule: &Rule, field: &Field, around: &Around<'_>) -> Diagnostic {
        let field = Place::top(self.mesh).field(field);
        let message = format!("callers avoid this rule: they choose `{field}` themselves");
        Diagnostic::new(Code::DenyAvoidable, message)
            .primary(rule.span, "this denies …")
            .secondary(around.by.span, "… and lets in who leaves it out")
            .note(format!("for example: {}  → allowed", around.request))
            .help("say what is allowed instead, or ask for what callers cannot choose: `source`, `client-ip`, a token")
    }
}

/// A request that gets around a rule.
struct Around<'r> {
    request: Request,
    /// The rule that lets it in.
    by: &'r Rule,
    spelling: Option<Spelling>,
}

/// How a path may be spelled that some applications take for the same.
#[derive(Clone, Copy)]
enum Spelling {
    /// With a `/` at the end, or without.
    Slash,
    /// In capitals, or in small letters.
    Case,
    /// With a parameter of a segment (RFC 3986 §3.3).
    Parameter,
}

impl Spelling {
    fn who(self) -> &'static str {
        match self {
            Self::Slash => "does not care about a `/` at the end",
            Self::Case => "does not tell capitals from small letters",
            Self::Parameter => "cuts off what stands behind `;`",
        }
    }
}

/// A path in other spellings: what is most often taken for the same comes first.
fn spellings(path: &str, encoded_slash: EncodedSlash) -> Vec<(Spelling, String)> {
    let mut all = Vec::new();
    match path.strip_suffix('/') {
        Some("") => {}
        Some(without) => all.push((Spelling::Slash, without.to_owned())),
        None => all.push((Spelling::Slash, format!("{path}/"))),
    }
    let segments: Vec<&str> = path.split('/').collect();
    let with = |index: usize, other: String| {
        let mut segments = segments.clone();
        segments[index] = &other;
        segments.join("/")
    };
    // A segment that is captured may be anything; the last ones are most likely the rule's own.
    for (index, segment) in segments.iter().enumerate().rev() {
        let capitals = segment.to_ascii_uppercase();
        let other = if capitals == *segment {
            segment.to_ascii_lowercase()
        } else {
            capitals
        };
        // The letters of an escape are capitals once it is normalised.
        let is_other = other != *segment && !segment.contains('%');
        if is_other {
            all.push((Spelling::Case, with(index, other)));
        }
    }
    for (index, segment) in segments.iter().enumerate().rev() {
        if !segment.is_empty() {
            all.push((Spelling::Parameter, with(index, format!("{segment};x"))));
        }
    }
    all.retain(|(_, path)| Request::normal_path(path, encoded_slash).is_some());
    all
}

fn spelled_otherwise(rule: &Rule, request: &Request, around: &Around<'_>) -> Diagnostic {
    let (path, other) = (request.path.as_str(), around.request.path.as_str());
    let message = format!("`{path}` is refused, and `{other}` is let in");
    let diagnostic = Diagnostic::new(Code::AuthzNegativePath, message);
    let diagnostic = if std::ptr::eq(rule, around.by) {
        diagnostic.primary(rule.span, "all paths that are not named are let in")
    } else {
        diagnostic
            .primary(rule.span, "refuses the one …")
            .secondary(around.by.span, "… and this allows the other")
    };
    let who = around.spelling.map_or("", Spelling::who);
    diagnostic
        .note(format!("for example: {}  → allowed", around.request))
        .note(format!(
            "an application that {who} takes the one for the other"
        ))
        .help("let the rules that allow name the paths they mean, so that no spelling is forgotten")
}

/// Whether a rule names paths.
fn asks_path(rule: &Rule) -> bool {
    let tests = rule.condition.iter().flat_map(Condition::tests);
    !rule.paths.is_empty() || tests.into_iter().any(|test| test.field == Field::Path)
}

/// The fields whose values callers choose as they like and that a rule compares with something. Where it is enough
/// that one is there, being without it may be all that is asked.
fn chosen_by_callers(rule: &Rule) -> Vec<Field> {
    let tests = rule.condition.iter().flat_map(Condition::tests);
    let chosen = tests.filter(|test| {
        let by_caller = matches!(
            test.field,
            Field::Header(_) | Field::Query(_) | Field::Cookie(_)
        );
        by_caller && test.predicate != Predicate::Present
    });
    let mut fields: Vec<Field> = chosen.map(|test| test.field.clone()).collect();
    fields.sort();
    fields.dedup();
    fields
}

/// A request without a field, if it has it.
fn without_field(request: &Request, field: &Field) -> Option<Request> {
    let mut without = request.clone();
    let (all, name) = match field {
        Field::Header(name) => (&mut without.headers, name),
        Field::Query(name) => (&mut without.query, name),
        Field::Cookie(name) => (&mut without.cookies, name),
        _ => return None,
    };
    let before = all.len();
    all.retain(|(has, _)| has != name);
    (all.len() < before).then_some(without)
}

/// The tests of a rule that must fail, of fields that a request need not have.
fn negated(rule: &Rule) -> Vec<&Test> {
    fn collect<'c>(condition: &'c Condition, fails: bool, into: &mut Vec<&'c Test>) {
        match condition {
            Condition::And(parts) | Condition::Or(parts) => {
                for part in parts {
                    collect(part, fails, into);
                }
            }
            Condition::Not(part) => collect(part, !fails, into),
            Condition::Test(test) => {
                let optional = match test.field {
                    Field::Header(_)
                    | Field::Query(_)
                    | Field::Cookie(_)
                    | Field::Source
                    | Field::SourceNamespace
                    | Field::ClientCertSan
                    | Field::Claim(..)
                    | Field::Key(_) => true,
                    Field::Method
                    | Field::Path
                    | Field::Host
                    | Field::Scheme
                    | Field::Port
                    | Field::SourceIp
                    | Field::ClientIp
                    | Field::Jwt(_)
                    | Field::Inventory(_) => false,
                };
                if fails && optional && test.predicate != Predicate::Present {
                    into.push(test);
                }
            }
        }
    }
    let mut tests = Vec::new();
    if let Some(condition) = &rule.condition {
        collect(condition, false, &mut tests);
    }
    tests
}

/// What a rule asks, but for the paths that it leaves out; none if it leaves out none.
fn without_paths(mesh: &Mesh, rule: &Rule) -> Option<Condition> {
    let leaves_out = |part: &Condition| {
        let tests = part.tests();
        matches!(part, Condition::Not(_))
            && !tests.is_empty()
            && tests.iter().all(|test| test.field == Field::Path)
    };
    let parts = match rule.condition.as_ref()? {
        Condition::And(parts) => parts.clone(),
        other => vec![other.clone()],
    };
    let (out, rest): (Vec<Condition>, Vec<Condition>) = parts.into_iter().partition(leaves_out);
    let rule = Rule {
        condition: Some(Condition::And(rest)),
        ..rule.clone()
    };
    match_of(mesh, &rule).filter(|_| !out.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_spelled_in_the_ways_that_applications_take_for_the_same() {
        let of = |path: &str| -> Vec<String> {
            let all = spellings(path, EncodedSlash::Reject).into_iter();
            all.map(|(_, path)| path).collect()
        };
        assert_eq!(
            of("/a/Me"),
            ["/a/Me/", "/a/ME", "/A/Me", "/a/Me;x", "/a;x/Me"]
        );
        assert_eq!(of("/7/"), ["/7", "/7;x/"]);
        assert_eq!(of("/"), Vec::<String>::new());
        assert_eq!(of("/%20"), ["/%20/", "/%20;x"]);
    }
}
