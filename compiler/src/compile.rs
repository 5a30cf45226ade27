//! The whole way: files, trees, model, bundle.
//!
//! [`check`] goes as far as the model and reports everything there is to report, for the mesh as it is
//! written and for each of its environments; [`Checked::plan`] goes on to the bundle where nothing stands
//! against it, and proves its tables. Whatever is found passes the levels of its lints.

use crate::lint::{self, levels::Levels};
use crate::model::Mesh;
use crate::plan::needs::{self, Asked};
use crate::plan::origin::{Check, Origin, Suppression, source_hash};
use crate::plan::slice::{self, NodeName};
use crate::plan::table::TableError;
use crate::plan::{self, PlanError, Planned};
use crate::project::Project;
use crate::report::{self, Files, Report};
use crate::resolve::{self, Input};
use crate::spell::expand;
use crate::testing;
use crate::verify;
use mesh_bundle::format::CheckKind;
use mesh_bundle::needs::Feature;
use mesh_bundle::{Bundle, BundleId};
use mesh_lang::codes::{Code, Severity};
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::parser::parse;
use mesh_lang::source::{Sources, Span};
use mesh_lang::vocabulary;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// What is compiled of a mesh, and with which values.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The environment that is in force; without one the mesh is as it is written, and every
    /// environment is checked besides.
    pub environment: Option<String>,
    /// Parameters set from outside; of two for one parameter the later counts.
    pub settings: Vec<ParamSetting>,
}

/// `NAME=VALUE`, a parameter set from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamSetting {
    /// The parameter; of a namespace with `NAMESPACE/` before its name.
    pub name: String,
    /// Its value, as it would be written in the source.
    pub value: String,
    /// Where it comes from, as messages call it: `--set canary`.
    pub from: String,
}

impl std::str::FromStr for ParamSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() && !value.trim().is_empty() => {
                Ok(Self {
                    name: name.trim().to_owned(),
                    value: value.trim().to_owned(),
                    from: format!("--set {}", name.trim()),
                })
            }
            _ => Err(format!("`{text}` sets nothing; write `canary=25%`")),
        }
    }
}

/// A mesh that was read and checked.
#[derive(Debug)]
pub struct Checked {
    /// Where its files lie.
    pub root: PathBuf,
    /// Its files, and behind them what was given by `--set`.
    pub sources: Sources,
    /// How many of the sources are files.
    pub files: usize,
    /// What its lints are to be, and where they are silent.
    pub levels: Levels,
    /// What it means; none where nothing could be made of it.
    pub mesh: Option<Mesh>,
    /// Whether its bundle is to hold the mesh spelled out.
    pub keeps_text: bool,
    /// What there is to report, in the order of the source.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks a mesh.
pub fn check(mut project: Project, selection: &Selection) -> Checked {
    for tree in &project.trees {
        project.diagnostics.extend(vocabulary::check(tree));
    }
    check_meaning(project, selection)
}

/// Checks what a mesh means, whose words were checked: what the vocabulary says of them is among the
/// findings of the project.
pub fn check_meaning(project: Project, selection: &Selection) -> Checked {
    let Project {
        root,
        mut sources,
        trees,
        mut diagnostics,
        imported,
    } = project;
    diagnostics.extend(lint::style::findings(&trees));
    let misplaced: HashSet<Span> = diagnostics.iter().filter_map(Diagnostic::span).collect();
    // Of a statement that is wrong as such, what it would mean is of no interest.
    let of_interest = |it: &Diagnostic| !it.span().is_some_and(|span| misplaced.contains(&span));
    let files = trees.len();
    let (mut levels, found) = Levels::read(&trees);
    diagnostics.extend(found);
    let mut settings = Vec::new();
    for setting in &selection.settings {
        let file = sources.add(setting.from.clone(), setting.text());
        let parsed = parse(file, sources.get(file).text());
        diagnostics.extend(parsed.diagnostics);
        settings.push(parsed.tree);
    }
    let input = Input {
        sources: &sources,
        root: &root,
        trees: &trees,
        settings: &settings,
        environment: selection.environment.as_deref(),
        imported: &imported,
    };
    let (mut mesh, mut found) = resolve::resolve(&input);
    found.retain(of_interest);
    if selection.environment.is_none() {
        for name in resolve::environments(&trees) {
            let input = Input {
                environment: Some(name),
                ..input
            };
            let (other, there) = resolve::resolve(&input);
            if let (Some(mesh), Some(other)) = (&mut mesh, other) {
                mesh.unused.retain(|it| other.unused.contains(it));
            }
            let only_there = there
                .into_iter()
                .filter(|it| of_interest(it) && !found.contains(it));
            diagnostics.extend(only_there.map(|it| it.note(format!("in environment `{name}`"))));
        }
    }
    if let Some(mesh) = mesh
        .as_mut()
        .filter(|it| !it.unused.is_empty() && selection.environment.is_some())
    {
        // What is not used here may be used in the mesh as it is written, or in another environment.
        let all = resolve::environments(&trees).into_iter().map(Some);
        for environment in all.chain([None]) {
            let input = Input {
                environment,
                ..input
            };
            if let (Some(other), _) = resolve::resolve(&input) {
                mesh.unused.retain(|it| other.unused.contains(it));
            }
        }
    }
    diagnostics.extend(found);
    diagnostics.extend(lint::ineffective::shares(&trees));
    drop_followers(&mut diagnostics);
    levels.apply(&mut diagnostics);
    report::sort(&mut diagnostics);
    Checked {
        root,
        sources,
        files,
        levels,
        mesh,
        keeps_text: false,
        diagnostics,
    }
}

impl ParamSetting {
    /// It, as a file of its own would set it.
    fn text(&self) -> String {
        let Self { name, value, .. } = self;
        match name.split_once('/') {
            Some((namespace, name)) => {
                format!("namespace {namespace} {{ param {name} = {value} }}\n")
            }
            None => format!("param {name} = {value}\n"),
        }
    }
}

/// Drops what only follows from another finding: what is wrong with a value wherever it is used, if it is
/// wrong where it is given.
fn drop_followers(diagnostics: &mut Vec<Diagnostic>) {
    let known: HashSet<(Span, Code)> = diagnostics
        .iter()
        .filter_map(|it| Some((it.span()?, it.code)))
        .collect();
    diagnostics.retain(|it| {
        let Some(own) = it.span() else { return true };
        let mut given = it.labels.iter().filter(|label| !label.primary);
        !given.any(|label| label.span != own && known.contains(&(label.span, it.code)))
    });
}

impl Checked {
    /// Whether something keeps it from becoming a bundle.
    pub fn has_errors(&self) -> bool {
        report::has_errors(&self.diagnostics)
    }

    /// Adds a warning for each kind of statement that reaches the bundle and that the runtime of this
    /// version does not act on.
    pub fn warn_of_what_is_not_acted_on(&mut self) {
        if self.has_errors() {
            return; // first things first
        }
        let lacking = self.mesh.as_ref().map(not_acted_on);
        self.diagnostics.extend(lacking.into_iter().flatten());
    }

    /// Makes the bundle, proves its tables, and runs the tests of the mesh on it; `None` where there are
    /// errors, which may only be found now.
    pub fn plan(&mut self) -> Option<Planned> {
        self.plan_while(&|| true)
    }

    /// The same for somebody who may lose interest: then not everything is found, and nothing comes of it.
    pub fn plan_while(&mut self, is_wanted: &dyn Fn() -> bool) -> Option<Planned> {
        let planned = self.lay_out();
        let mesh = self.mesh.as_ref()?;
        let bundle = planned.as_ref().map(|planned| planned.bytes.clone());
        let bundle = bundle.and_then(|bytes| Bundle::open(bytes).ok());
        debug_assert_eq!(
            planned.is_some(),
            bundle.is_some(),
            "what was planned opens"
        );
        let wanted = |code| self.levels.wants(code);
        let interest = verify::Interest {
            wants: &wanted,
            goes_on: is_wanted,
        };
        let mut found = verify::findings(mesh, &self.sources, bundle.as_ref(), interest);
        if !is_wanted() {
            return None;
        }
        if let Some(bundle) = &bundle {
            found.extend(lint::findings(mesh, &self.root));
            if self.levels.wants(Code::RoutePublic) {
                found.extend(lint::exposed::findings(mesh, &self.sources, bundle));
            }
            let trials = testing::run(&mesh.tests, bundle);
            found.extend(testing::findings(&trials, bundle));
            found.extend(verify::assertions(mesh, &self.sources, bundle));
        }
        found.retain(|it| !self.diagnostics.contains(it));
        self.diagnostics.extend(found);
        self.levels.apply(&mut self.diagnostics);
        // Only now everything was found that a suppression could have been about.
        if planned.is_some() {
            self.diagnostics.extend(self.levels.unused());
        }
        report::sort(&mut self.diagnostics);
        planned.filter(|_| !self.has_errors())
    }

    /// Makes the bundle of a mesh whose tests may fail.
    pub fn lay_out(&mut self) -> Option<Planned> {
        // A lint that the mesh denies is an error of what can be planned.
        let broken = |it: &Diagnostic| it.severity == Severity::Error && !it.code.is_lint();
        let sound = !self.diagnostics.iter().any(broken);
        let mesh = self.mesh.as_ref().filter(|_| sound)?;
        match plan::plan_from(mesh, &self.sources, &self.origin(mesh)) {
            Ok(planned) => Some(planned),
            Err(error) => {
                self.diagnostics.push(plan_problem(error));
                None
            }
        }
    }

    /// For each node, by its name, the bundle of what it can need of the whole one.
    pub fn slices<'c>(
        &'c self,
        mesh: &'c Mesh,
        whole: BundleId,
    ) -> impl Iterator<Item = (NodeName<'c>, Result<Planned, PlanError>)> + use<'c> {
        let origin = Origin {
            sources: Some(source_hash(&self.sources, self.files)),
            whole: Some(whole),
            ..Origin::default() // what was checked, the whole one says
        };
        let asked = needs::of(mesh);
        slice::nodes(mesh).map(move |node| {
            let planned = plan::plan_slice(mesh, &self.sources, &origin, &asked, node);
            (node.name(mesh), planned)
        })
    }

    /// Where a bundle of the mesh comes from.
    pub fn origin(&self, mesh: &Mesh) -> Origin {
        let everywhere = self.levels.allowed().map(|code| Suppression {
            code: code.id(),
            lint: code.name(),
            reason: None,
            span: mesh.span,
        });
        let places = self.levels.suppressions().iter().map(|it| Suppression {
            code: it.code.id(),
            lint: it.name(),
            reason: Some(it.reason.clone()),
            span: it.span,
        });
        // A bundle is only written when all of them are proved, and pass.
        let assertions = mesh.assertions.iter().map(|assertion| Check {
            kind: CheckKind::Assertion,
            title: assertion.title.clone(),
            count: assertion.claims.len() as u32,
            span: assertion.span,
        });
        let tests = mesh.tests.iter().map(|test| Check {
            kind: CheckKind::Test,
            title: test.title.clone(),
            count: test.requests().count() as u32,
            span: test.span,
        });
        Origin {
            sources: Some(source_hash(&self.sources, self.files)),
            whole: None,
            checks: assertions.chain(tests).collect(),
            text: self.keeps_text.then(|| expand(mesh, &self.sources)),
            suppressions: everywhere.chain(places).collect(),
        }
    }

    /// What there is to report, for a command that runs `here`.
    pub fn report<'r>(&'r self, here: Option<&'r Path>) -> Report<'r> {
        Report {
            diagnostics: &self.diagnostics,
            files: Files {
                sources: &self.sources,
                root: Some(&self.root),
                count: self.files,
                here,
            },
        }
    }
}

/// Statements that reach the bundle and that the runtime of this version does not act on: a finding for
/// each kind.
fn not_acted_on(mesh: &Mesh) -> Vec<Diagnostic> {
    let all = needs::of(mesh);
    let features = Feature::ALL.iter().filter(|feature| !feature.is_acted_on());
    features
        .filter_map(|feature| {
            let asked = all.iter().filter(|asked| asked.feature == *feature);
            let asked: Vec<&Asked> = asked.collect();
            (!asked.is_empty()).then(|| lacking(*feature, &asked, mesh))
        })
        .collect()
}

/// Places shown of one kind.
const PLACES: usize = 4;

fn lacking(feature: Feature, asked: &[&Asked], mesh: &Mesh) -> Diagnostic {
    let mut spans: Vec<Span> = asked.iter().filter_map(|asked| asked.span).collect();
    spans.sort_unstable();
    spans.dedup();
    let what = feature.name();
    let message = if feature.is_protection() {
        format!(
            "`{what}` reaches the bundle, and meshd of this version refuses to serve a node that needs it"
        )
    } else {
        format!("`{what}` reaches the bundle, and meshd of this version does not act on it")
    };
    let mut diagnostic = Diagnostic::new(Code::NotActedOn, message);
    let (first, more) = match spans.split_first() {
        Some((first, more)) => (*first, more),
        None => (mesh.span, &[][..]),
    };
    let why = if spans.is_empty() { "the default" } else { "" };
    diagnostic = diagnostic.primary(first, why);
    for span in more.iter().take(PLACES - 1) {
        diagnostic = diagnostic.secondary(*span, "");
    }
    match more.len().checked_sub(PLACES) {
        Some(further) => diagnostic.note(format!("and at {} more places", further + 1)),
        None => diagnostic,
    }
}

/// What cannot be compiled, though each part of it is right.
fn plan_problem(PlanError { error, span }: PlanError) -> Diagnostic {
    match error {
        TableError::Regex(regex) => {
            let message = format!("this regular expression is too large: {}", regex.error);
            Diagnostic::new(Code::RegexTooBig, message)
                .primary(span, "")
                .help("ask for less: a shorter repetition, a fixed beginning, or `contains`")
        }
        TableError::Path(_, pattern) => {
            let message =
                format!("the path patterns of this table are too entangled, around `{pattern}`");
            Diagnostic::new(Code::PatternTooComplex, message)
                .primary(span, "in the table of this arm")
                .help("use one capture for a whole segment where several partial ones compete")
        }
        TableError::Facets(count) => {
            let message = format!("this table tests {count} different fields");
            Diagnostic::new(Code::ConditionTooComplex, message)
                .primary(span, "in the table of this arm")
        }
        TableError::Condition(_) => {
            let message = "the condition of this arm ties too many fields to each other";
            Diagnostic::new(Code::ConditionTooComplex, message)
                .primary(span, "")
                .help("split it over several arms")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Checked {
        check(Project::of_texts([("a.mesh", text)]), &Selection::default())
    }

    const MESH: &str = "mesh t { mtls off; authz open-by-default; lints { allow open-service } }\n";
    const DENIED: &str = "mesh t { mtls off; authz open-by-default; lints { allow open-service; deny unused-suppression } }\n";
    const UNUSED: &str = "# lint: allow malformed-suppression (why)\n\
                          service cart { endpoints 127.0.0.1:9001 }\n";

    #[test]
    fn what_a_suppression_is_for_is_known_when_all_was_found() {
        let mut checked = checked(&format!("{MESH}{UNUSED}"));
        assert_eq!(checked.diagnostics, []);
        assert!(checked.plan().is_some());
        assert_eq!(checked.diagnostics.len(), 1);
        assert!(checked.plan().is_some());
        assert_eq!(checked.diagnostics.len(), 1, "once is enough");
    }

    #[test]
    fn a_denied_lint_keeps_the_bundle_from_being_made() {
        let mut checked = checked(&format!("{DENIED}{UNUSED}"));
        assert!(!checked.has_errors());
        assert!(checked.plan().is_none());
        assert!(checked.has_errors());
    }

    #[test]
    fn what_only_follows_from_another_finding_is_not_told() {
        let text = format!("{MESH}service a {{ endpoints 127.0.0.1:1; hedge after 5 }}\n");
        let codes = checked(&text).diagnostics.into_iter().map(|it| it.code);
        assert_eq!(codes.collect::<Vec<_>>(), [Code::MissingUnit]);
    }
}
