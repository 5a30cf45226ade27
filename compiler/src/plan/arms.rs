//! Tables of arms, and what their paths capture, as records.

use super::policies::push;
use super::table::Match;
use super::{PlanError, Planner};
use crate::model::policy::PathRewrite;
use crate::model::{self, Action, Redirect, RedirectPath, RedirectTo};
use mesh_bundle::format::{self as format, CaptureKind, Id, Run, TemplatePart, extend};
use mesh_lang::source::Span;
use mesh_lang::value::{PathPattern, Segment};
use zerocopy::little_endian::{U16, U32};

/// What a path pattern captures under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Captured<'p> {
    name: &'p str,
    kind: CaptureKind,
    index: u32,
    before: u32,
    after: u32,
}

impl Planner<'_> {
    pub(super) fn table(&mut self, table: &model::Table) -> Result<Id<format::Table>, PlanError> {
        // What is done may depend on which of an arm's patterns took the path: such an arm is several.
        let methods = table.methods();
        let mut asked: Vec<(usize, Vec<PathPattern>)> = Vec::new();
        for (index, arm) in table.arms.iter().enumerate() {
            asked.extend(pattern_groups(arm).into_iter().map(|paths| (index, paths)));
        }
        let mut arms = Vec::with_capacity(asked.len());
        for (index, paths) in &asked {
            arms.push(self.arm(&table.arms[*index], paths.first())?);
        }
        let matches: Vec<Match<'_>> = asked
            .iter()
            .map(|(index, paths)| Match {
                methods: &methods[*index],
                paths,
                condition: table.arms[*index].condition.as_ref(),
            })
            .collect();
        let spans: Vec<Span> = asked
            .iter()
            .map(|(index, _)| table.arms[*index].span)
            .collect();
        let mut record = self.diagrams(&matches, &spans)?;
        record.arms = extend(&mut self.draft.arms, arms);
        Ok(push(&mut self.draft.tables, record))
    }

    /// An arm, for the patterns that do the same as `pattern`.
    fn arm(
        &mut self,
        arm: &model::Arm,
        pattern: Option<&PathPattern>,
    ) -> Result<format::Arm, PlanError> {
        let captures = match pattern {
            Some(pattern) if fills_in(arm) => captures(pattern),
            _ => Vec::new(),
        };
        let mut status = 0;
        let (action, a, b) = match &arm.action {
            Action::Forward(target) => {
                let (service, version) = self.target_words(*target);
                (format::ArmAction::Forward, service, version)
            }
            Action::Split(shares) => {
                let mut end = 0;
                let shares: Vec<format::Share> = shares
                    .iter()
                    // A share of nothing is never drawn.
                    .filter(|share| share.parts > 0)
                    .map(|share| {
                        end += share.parts;
                        let (service, version) = self.target_words(share.target);
                        format::Share {
                            end: U32::new(end),
                            service: Id::new(service),
                            version: U32::new(version),
                        }
                    })
                    .collect();
                let run = extend(&mut self.draft.shares, shares);
                (
                    format::ArmAction::Split,
                    run.start() as u32,
                    run.len() as u32,
                )
            }
            Action::Redirect(redirect) => {
                let record = self.redirect(redirect, &captures);
                let redirect = push(&mut self.draft.redirects, record);
                (format::ArmAction::Redirect, redirect.index() as u32, 0)
            }
            Action::Respond { status: says, body } => {
                status = *says;
                let body = body.as_ref().map_or(u32::MAX, |body| {
                    self.draft.bytes(&body.bytes).index() as u32
                });
                (format::ArmAction::Respond, body, 0)
            }
        };
        let before = pattern.and_then(segments_before_rest).unwrap_or_default();
        let policy = self.policy(&arm.policy, &captures)?;
        let captures: Vec<format::Capture> = captures
            .iter()
            .map(|captured| format::Capture {
                name: self.draft.string(captured.name),
                kind: captured.kind.code(),
                index: U32::new(captured.index),
                before: U32::new(captured.before),
                after: U32::new(captured.after),
            })
            .collect();
        Ok(format::Arm {
            name: self.draft.string(&arm.name),
            text: self.text_of(arm.span, &arm.name),
            location: self.location(arm.span),
            action: action.code(),
            // A path has at most 65,535 bytes, but a pattern that long is refused before.
            prefix_segments: u8::try_from(before).unwrap_or(u8::MAX),
            status: U16::new(status),
            a: U32::new(a),
            b: U32::new(b),
            captures: extend(&mut self.draft.captures, captures),
            policy,
        })
    }

    fn redirect(&mut self, redirect: &Redirect, captures: &[Captured<'_>]) -> format::Redirect {
        let mut record = format::Redirect {
            status: U16::new(redirect.status),
            ..format::Redirect::default()
        };
        match &redirect.to {
            RedirectTo::Url(url) => record.url = self.draft.string(url),
            RedirectTo::Parts {
                scheme,
                host,
                port,
                path,
            } => {
                record.scheme = self.opt_string(scheme.as_deref());
                record.host = self.opt_string(host.as_deref());
                record.port = U16::new(port.unwrap_or_default());
                match path {
                    RedirectPath::Keep => {}
                    RedirectPath::Whole(path) => record.path = self.template(path, captures),
                    RedirectPath::Prefix(prefix) => record.prefix = self.draft.string(prefix),
                }
            }
        }
        record
    }

    /// A path that is put together: texts, and captures by their place among those of the arm.
    pub(super) fn template(
        &mut self,
        template: &PathPattern,
        captures: &[Captured<'_>],
    ) -> Run<TemplatePart> {
        let mut parts: Vec<TemplatePart> = Vec::new();
        let mut text = String::new();
        for segment in template.segments() {
            let (before, name, after) = match segment {
                Segment::Literal(literal) => (literal.as_str(), None, ""),
                Segment::Any { name } | Segment::Rest { name } => ("", name.as_deref(), ""),
                Segment::Partial {
                    prefix,
                    name,
                    suffix,
                } => (prefix.as_str(), Some(name.as_str()), suffix.as_str()),
            };
            let capture = name.and_then(|name| captures.iter().position(|it| it.name == name));
            // A rest has a `/` before each of its segments, and none where there are none.
            let is_rest = capture.is_some_and(|at| captures[at].kind == CaptureKind::Rest);
            if !is_rest {
                text.push('/');
            }
            text.push_str(before);
            if let Some(capture) = capture {
                if !text.is_empty() {
                    parts.push(self.text_part(&std::mem::take(&mut text)));
                }
                parts.push(TemplatePart {
                    text: Id::NONE,
                    capture: U32::new(capture as u32),
                });
            }
            text.push_str(after);
        }
        if !text.is_empty() {
            parts.push(self.text_part(&text));
        }
        extend(&mut self.draft.template_parts, parts)
    }

    fn text_part(&mut self, text: &str) -> TemplatePart {
        TemplatePart {
            text: self.draft.string(text),
            capture: U32::new(TemplatePart::NO_CAPTURE),
        }
    }
}

/// Whether an arm fills captures in.
fn fills_in(arm: &model::Arm) -> bool {
    let names = |template: &PathPattern| template.names().next().is_some();
    let rewrites = match arm.policy.rewrite.path.as_ref().map(|said| &said.value) {
        Some(PathRewrite::Template(template)) => names(template),
        Some(PathRewrite::Prefix(_)) | None => false,
    };
    let redirects = match &arm.action {
        Action::Redirect(Redirect {
            to:
                RedirectTo::Parts {
                    path: RedirectPath::Whole(template),
                    ..
                },
            ..
        }) => names(template),
        _ => false,
    };
    rewrites || redirects
}

/// What a pattern captures, in its order.
fn captures(pattern: &PathPattern) -> Vec<Captured<'_>> {
    let segments = pattern.segments();
    let rest = segments
        .iter()
        .position(|segment| matches!(segment, Segment::Rest { .. }));
    let mut all = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        // What stands behind a rest is counted from the right.
        let (kind, place) = match rest {
            Some(rest) if index > rest => {
                (CaptureKind::FromRight, (segments.len() - 1 - index) as u32)
            }
            _ => (CaptureKind::FromLeft, index as u32),
        };
        let Some(name) = segment.name() else { continue };
        let captured = match segment {
            Segment::Literal(_) => continue,
            Segment::Any { .. } => Captured {
                name,
                kind,
                index: place,
                before: 0,
                after: 0,
            },
            Segment::Partial { prefix, suffix, .. } => Captured {
                name,
                kind,
                index: place,
                before: prefix.len() as u32,
                after: suffix.len() as u32,
            },
            Segment::Rest { .. } => Captured {
                name,
                kind: CaptureKind::Rest,
                index: place,
                before: (segments.len() - 1 - index) as u32,
                after: 0,
            },
        };
        all.push(captured);
    }
    all
}

/// The patterns of an arm in the groups for which it does the same: one group, or one for each number
/// of segments before `/**` where those are replaced, and for each way of capturing.
pub(crate) fn pattern_groups(arm: &model::Arm) -> Vec<Vec<PathPattern>> {
    let redirects_prefix = matches!(
        &arm.action,
        Action::Redirect(Redirect {
            to: RedirectTo::Parts {
                path: RedirectPath::Prefix(_),
                ..
            },
            ..
        })
    );
    let rewrites_prefix = matches!(
        arm.policy.rewrite.path.as_ref().map(|said| &said.value),
        Some(PathRewrite::Prefix(_))
    );
    let by_prefix = redirects_prefix || rewrites_prefix;
    let by_captures = fills_in(arm);
    if !by_prefix && !by_captures || arm.paths.is_empty() {
        return vec![arm.paths.clone()];
    }
    let mut groups: Vec<Vec<PathPattern>> = Vec::new();
    for pattern in &arm.paths {
        let same = |group: &&mut Vec<PathPattern>| {
            let first = &group[0];
            (!by_prefix || segments_before_rest(first) == segments_before_rest(pattern))
                && (!by_captures || captures(first) == captures(pattern))
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(pattern.clone()),
            None => groups.push(vec![pattern.clone()]),
        }
    }
    groups
}

/// How many segments stand before the final `/**` of a pattern that ends in one.
fn segments_before_rest(pattern: &PathPattern) -> Option<usize> {
    let (last, before) = pattern.segments().split_last()?;
    matches!(last, Segment::Rest { .. }).then_some(before.len())
}
