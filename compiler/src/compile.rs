//! The whole way: files, trees, model, bundle.
//!
//! [`check`] goes as far as the model and reports everything there is to report; [`Checked::plan`] goes
//! on to the bundle where nothing stands against it. Whatever is found passes the levels of its lints.

use crate::lint::levels::Levels;
use crate::model::Mesh;
use crate::plan::table::TableError;
use crate::plan::{self, PlanError, Planned};
use crate::project::Project;
use crate::report::{self, Files, Report};
use crate::resolve::{self, Input};
use mesh_lang::codes::{Code, Severity};
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::parser::parse;
use mesh_lang::source::{Sources, Span};
use mesh_lang::tree::Tree;
use mesh_lang::vocabulary;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// `NAME=VALUE`, a parameter set from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamSetting {
    /// The parameter.
    pub name: String,
    /// Its value, as it would be written in the source.
    pub value: String,
}

impl std::str::FromStr for ParamSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() && !value.is_empty() => Ok(Self {
                name: name.trim().to_owned(),
                value: value.trim().to_owned(),
            }),
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
    /// What there is to report, in the order of the source.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads and checks a mesh.
pub fn check(project: Project, settings: &[ParamSetting]) -> Checked {
    let Project {
        root,
        mut sources,
        mut diagnostics,
    } = project;
    let mut trees: Vec<Tree> = Vec::new();
    for (file, source) in sources.iter() {
        let parsed = parse(file, source.text());
        diagnostics.extend(parsed.diagnostics);
        diagnostics.extend(vocabulary::check(&parsed.tree));
        trees.push(parsed.tree);
    }
    let files = trees.len();
    let (mut levels, found) = Levels::read(&trees);
    diagnostics.extend(found);
    let mut setting_trees = Vec::new();
    for ParamSetting { name, value } in settings {
        let file = sources.add(format!("--set {name}"), format!("param {name} = {value}\n"));
        let parsed = parse(file, sources.get(file).text());
        diagnostics.extend(parsed.diagnostics);
        setting_trees.push(parsed.tree);
    }
    let input = Input {
        sources: &sources,
        root: &root,
        trees: &trees,
        settings: &setting_trees,
    };
    let (mesh, found) = resolve::resolve(&input);
    diagnostics.extend(found);
    drop_followers(&mut diagnostics);
    levels.apply(&mut diagnostics);
    report::sort(&mut diagnostics);
    Checked {
        root,
        sources,
        files,
        levels,
        mesh,
        diagnostics,
    }
}

/// Drops what only follows from another finding: "would have no effect" of a statement that has an
/// error of its own, and what is wrong with a value wherever it is used, if it is wrong where it is given.
fn drop_followers(diagnostics: &mut Vec<Diagnostic>) {
    let mut places: Vec<(Span, Code)> = diagnostics
        .iter()
        .filter_map(|it| Some((it.span()?, it.code)))
        .collect();
    places.sort_unstable();
    let known: HashSet<_> = places.iter().copied().collect();
    diagnostics.retain(|it| {
        let Some(own) = it.span() else { return true };
        if it.code == Code::WithoutEffect {
            let first = places.partition_point(|(span, _)| *span < Span { end: 0, ..own });
            let inside = places[first..].iter();
            let mut inside = inside
                .take_while(|(span, _)| span.file == own.file && span.start <= own.end)
                .filter(|(span, _)| span.end <= own.end);
            return !inside.any(|(_, code)| *code != Code::WithoutEffect);
        }
        let mut given = it.labels.iter().filter(|label| !label.primary);
        !given.any(|label| label.span != own && known.contains(&(label.span, it.code)))
    });
}

impl Checked {
    /// Whether something keeps it from becoming a bundle.
    pub fn has_errors(&self) -> bool {
        report::has_errors(&self.diagnostics)
    }

    /// Makes the bundle; `None` where there are errors, which may only be found now.
    pub fn plan(&mut self) -> Option<Planned> {
        // A lint that the mesh denies is an error of what can be planned.
        let broken = |it: &Diagnostic| it.severity == Severity::Error && !it.code.is_lint();
        let sound = !self.diagnostics.iter().any(broken);
        let planned = match plan::plan(self.mesh.as_ref().filter(|_| sound)?, &self.sources) {
            Ok(planned) => Some(planned),
            Err(error) => {
                self.diagnostics.push(plan_problem(error));
                None
            }
        };
        self.levels.apply(&mut self.diagnostics);
        // Only now everything was found that a suppression could have been about.
        if planned.is_some() {
            self.diagnostics.extend(self.levels.unused());
        }
        report::sort(&mut self.diagnostics);
        planned.filter(|_| !self.has_errors())
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
        check(Project::of_texts([("a.mesh", text)]), &[])
    }

    const MESH: &str = "mesh t { mtls off; authz open-by-default }\n";
    const DENIED: &str =
        "mesh t { mtls off; authz open-by-default; lints { deny unused-suppression } }\n";
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
