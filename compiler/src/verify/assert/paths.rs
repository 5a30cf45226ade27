//! Which paths become paths that a pattern takes.
//!
//! A rewrite makes of each path another. What a later table asks of the path is said of the path as it came in: for
//! each pattern there the patterns here whose paths lead to it. That is exact for a path put in place of another, for
//! a prefix swapped, and for templates of whole segments; where it is not known, nothing is said.

use mesh_lang::value::{PathPattern, Segment};

/// What becomes of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Change {
    /// It is this, whatever it was: its segments.
    Constant(Vec<String>),
    /// What stands before its last segments is another.
    Swap {
        /// What stood there; whoever takes the path knows that it did.
        before: Vec<Segment>,
        /// What stands there now: the segments of the prefix as written.
        prefix: Vec<String>,
    },
    /// What the pattern captures, filled in.
    Template {
        /// What the path is like.
        pattern: PathPattern,
        /// What becomes of it.
        template: PathPattern,
    },
}

impl Change {
    /// The prefix `new` in place of what stands before the final `/**` of a pattern; before the whole path where
    /// there is no such pattern.
    pub(super) fn swap(pattern: Option<&PathPattern>, new: &str) -> Self {
        let before = pattern.and_then(|pattern| pattern.segments().split_last());
        let before = match before {
            Some((Segment::Rest { .. }, before)) => before.to_vec(),
            _ => Vec::new(),
        };
        Self::Swap {
            before,
            prefix: segments(new),
        }
    }

    /// A template, filled in with what a pattern captures.
    pub(super) fn template(pattern: Option<&PathPattern>, template: &PathPattern) -> Option<Self> {
        let literal = |it: &Segment| match it {
            Segment::Literal(text) => Some(text.clone()),
            _ => None,
        };
        let constant: Option<Vec<String>> = template.segments().iter().map(literal).collect();
        match constant {
            Some(constant) => Some(Self::Constant(constant)),
            None => Some(Self::Template {
                pattern: pattern?.clone(),
                template: template.clone(),
            }),
        }
    }

    /// The paths that become ones that `pattern` takes, as patterns; none where that is not known.
    pub(super) fn before(&self, pattern: &PathPattern) -> Option<Before> {
        match self {
            Self::Constant(path) => Some(if takes_path(pattern.segments(), path) {
                Before::All
            } else {
                Before::These(Vec::new())
            }),
            Self::Swap { before, prefix } => Some(swapped(before, prefix, pattern)),
            Self::Template {
                pattern: of,
                template,
            } => filled(of, template, pattern),
        }
    }

    /// The path that comes out, where it is always the same.
    pub(super) fn constant(&self) -> Option<String> {
        match self {
            Self::Constant(path) => Some(format!("/{}", path.join("/"))),
            Self::Swap { .. } | Self::Template { .. } => None,
        }
    }
}

/// Which paths lead to a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// All that the change is made to.
    All,
    /// Those that one of these takes.
    These(Vec<PathPattern>),
}

fn segments(path: &str) -> Vec<String> {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split('/').map(str::to_owned).collect()
}

/// Whether a pattern takes a path.
fn takes_path(pattern: &[Segment], path: &[String]) -> bool {
    let rest = quotient(pattern, path);
    let nothing = |left: &Vec<Segment>| left.iter().all(|it| matches!(it, Segment::Rest { .. }));
    rest.iter().any(nothing)
}

/// Whether a segment takes a text.
fn takes(segment: &Segment, text: &str) -> bool {
    match segment {
        Segment::Literal(literal) => literal == text,
        Segment::Any { .. } => !text.is_empty(),
        Segment::Partial { prefix, suffix, .. } => {
            text.len() > prefix.len() + suffix.len()
                && text.starts_with(prefix.as_str())
                && text.ends_with(suffix.as_str())
        }
        Segment::Rest { .. } => true,
    }
}

/// What has to stand behind `path` for a pattern to take both: one of these.
fn quotient(pattern: &[Segment], path: &[String]) -> Vec<Vec<Segment>> {
    let Some((text, after)) = path.split_first() else {
        return vec![pattern.to_vec()];
    };
    match pattern.split_first() {
        Some((Segment::Rest { .. }, behind)) => {
            let mut all = quotient(pattern, after);
            all.extend(quotient(behind, path));
            all
        }
        Some((segment, behind)) if takes(segment, text) => quotient(behind, after),
        Some(_) | None => Vec::new(),
    }
}

fn swapped(before: &[Segment], prefix: &[String], pattern: &PathPattern) -> Before {
    let pattern = pattern.segments();
    // Behind the prefix something follows, and then a slash at its end does not count.
    let trimmed = match prefix.split_last() {
        Some((last, others)) if last.is_empty() => others,
        _ => prefix,
    };
    let behind = quotient(pattern, trimmed);
    let mut all: Vec<Vec<Segment>> = behind.into_iter().filter(|it| !it.is_empty()).collect();
    for patterns in &mut all {
        patterns.splice(0..0, before.iter().cloned());
    }
    // Or nothing does.
    if takes_path(pattern, prefix) && !before.is_empty() {
        all.push(before.to_vec());
    }
    Before::These(
        all.into_iter()
            .filter_map(PathPattern::of_segments)
            .collect(),
    )
}

/// What is asked of what a pattern captures, by name.
type Bound<'p> = Vec<(&'p str, Vec<Segment>)>;

fn filled(of: &PathPattern, template: &PathPattern, pattern: &PathPattern) -> Option<Before> {
    let mut found = Vec::new();
    align(
        template.segments(),
        pattern.segments(),
        Vec::new(),
        &mut found,
    )?;
    if let [Segment::Rest { name: Some(name) }] = template.segments()
        && takes_path(pattern.segments(), &[String::new()])
    {
        found.push(vec![(name.as_str(), Vec::new())]); // of nothing comes `/`
    }
    let mut all = Vec::new();
    for bound in found {
        let mut segments = Vec::new();
        for segment in of.segments() {
            let asked = bound.iter().find(|(name, _)| Some(*name) == segment.name());
            match (segment, asked) {
                (Segment::Partial { .. }, Some(_)) => return None,
                (_, Some((_, asked))) => segments.extend(asked.iter().cloned()),
                (segment, None) => segments.push(segment.clone()),
            }
        }
        all.extend(PathPattern::of_segments(segments));
    }
    // A part of a segment may come out as `..`, which leads elsewhere.
    let filled_in = |it: &&Segment| template.names().any(|name| Some(name) == it.name());
    let mut captured = of.segments().iter().filter(filled_in);
    if captured.any(|it| matches!(it, Segment::Partial { .. })) {
        return None;
    }
    Some(Before::These(all))
}

/// What has to be captured for the template to become a path that the pattern takes; none where that is not known.
fn align<'p>(
    template: &'p [Segment],
    pattern: &[Segment],
    bound: Bound<'p>,
    found: &mut Vec<Bound<'p>>,
) -> Option<()> {
    let Some((first, after)) = template.split_first() else {
        if pattern.iter().all(|it| matches!(it, Segment::Rest { .. })) {
            found.push(bound);
        }
        return Some(());
    };
    if let Segment::Rest { name } = first {
        // It takes all that is left, if nothing follows.
        if !after.is_empty() {
            return None;
        }
        let bound = bind(bound, name.as_deref()?, pattern.to_vec())?;
        found.push(bound);
        return Some(());
    }
    let Some((asked, behind)) = pattern.split_first() else {
        return Some(());
    };
    if let Segment::Rest { .. } = asked {
        align(template, behind, bound.clone(), found)?;
        return align(after, pattern, bound, found);
    }
    let bound = match (first, asked) {
        (Segment::Literal(text), asked) if takes(asked, text) => bound,
        (Segment::Literal(_), _) => return Some(()),
        (Segment::Any { .. }, Segment::Any { .. }) => bound,
        (Segment::Any { .. }, Segment::Literal(text)) if text.is_empty() => return Some(()),
        (Segment::Any { name }, asked) => bind(bound, name.as_deref()?, vec![asked.clone()])?,
        (Segment::Partial { .. } | Segment::Rest { .. }, _) => return None,
    };
    align(after, behind, bound, found)
}

/// Asks something of a capture, of which nothing was asked before.
fn bind<'p>(mut bound: Bound<'p>, name: &'p str, asked: Vec<Segment>) -> Option<Bound<'p>> {
    match bound.iter().find(|(known, _)| *known == name) {
        Some((_, known)) if *known == asked => Some(bound),
        Some(_) => None,
        None => {
            bound.push((name, asked));
            Some(bound)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> PathPattern {
        PathPattern::parse(text).unwrap()
    }

    fn before(change: &Change, asked: &str) -> String {
        match change.before(&pattern(asked)) {
            None => "not known".to_owned(),
            Some(Before::All) => "all".to_owned(),
            Some(Before::These(patterns)) => {
                let all = patterns.iter().map(ToString::to_string);
                all.collect::<Vec<_>>().join(" ")
            }
        }
    }

    fn swap(of: &str, new: &str, asked: &str) -> String {
        before(&Change::swap(Some(&pattern(of)), new), asked)
    }

    fn template(of: &str, new: &str, asked: &str) -> String {
        before(
            &Change::template(Some(&pattern(of)), &pattern(new)).unwrap(),
            asked,
        )
    }

    #[test]
    fn a_prefix_is_swapped_back() {
        assert_eq!(swap("/old/**", "/new", "/new/a"), "/old/a");
        assert_eq!(swap("/old/**", "/new", "/new/**"), "/old/** /old");
        assert_eq!(swap("/old/**", "/new", "/new"), "/old");
        assert_eq!(swap("/old/**", "/new", "/new/"), "/old/");
        assert_eq!(swap("/old/**", "/new", "/other/**"), "");
        assert_eq!(swap("/old/**", "/", "/refund/**"), "/old/refund/**");
        assert_eq!(swap("/old/**", "/", "/"), "/old/ /old");
        assert_eq!(swap("/old/**", "/a/b", "/a/{x}/c"), "/old/c");
        assert_eq!(swap("/o/{p}/**", "/n", "/n/*/x"), "/o/{p}/*/x");
    }

    #[test]
    fn of_what_floats_each_place_is_tried() {
        assert_eq!(swap("/old/**", "/a/b", "/**/b/c"), "/old/**/b/c /old/c");
        assert_eq!(swap("/old/**", "/a/b", "/**/b"), "/old/**/b /old");
    }

    #[test]
    fn before_a_whole_path_something_is_put() {
        let change = Change::swap(Some(&pattern("/a/{x}")), "/new");
        assert_eq!(before(&change, "/new/a/*"), "/a/*");
        assert_eq!(before(&change, "/new"), "");
    }

    #[test]
    fn a_template_asks_what_it_captures() {
        let api = |asked| template("/api/v1/products/{id}", "/products/{id}", asked);
        assert_eq!(api("/products/7"), "/api/v1/products/7");
        assert_eq!(api("/products/{name}"), "/api/v1/products/{id}");
        assert_eq!(api("/products/{name}.json"), "/api/v1/products/{name}.json");
        assert_eq!(api("/products/**"), "/api/v1/products/{id}");
        assert_eq!(api("/products"), "");
        assert_eq!(api("/**/7"), "/api/v1/products/7");
        let rest = |asked| template("/x/{r**}", "/{r**}", asked);
        assert_eq!(rest("/a/**"), "/x/a/**");
        assert_eq!(rest("/"), "/x/ /x");
        assert_eq!(template("/a/{x}/{y}", "/{y}/{x}", "/1/2"), "/a/2/1");
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        assert_eq!(template("/f/{n}.json", "/g/{n}", "/g/a"), "not known");
        assert_eq!(template("/f/{r**}/z", "/{r**}/y", "/a/y"), "not known");
        assert_eq!(template("/f/{n}", "/g/v{n}", "/g/v1"), "not known");
    }

    #[test]
    fn a_path_in_place_of_all_is_asked_at_once() {
        assert_eq!(template("/a/**", "/b/c", "/b/*"), "all");
        assert_eq!(template("/a/**", "/b/c", "/b"), "");
    }
}
