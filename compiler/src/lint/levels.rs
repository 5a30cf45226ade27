//! How strict each lint is, and where it is silent.
//!
//! ```text
//! lints { deny NAME; warn NAME; allow NAME }     of the mesh: for all of it
//! # lint: allow NAME (why)                       above a statement: for it and its block
//! ```
//!
//! In: trees, and what any check found. Out: the same findings with the severities that the mesh asks for,
//! without those it does not want to hear of. Every check reports a lint as if nothing had been said about
//! it; here is the one place that changes what comes of it. Errors are errors: nothing here touches them.

use mesh_lang::codes::{Code, RETIRED, Retired, Severity};
use mesh_lang::diagnostic::{Diagnostic, Fix};
use mesh_lang::nearest::nearest;
use mesh_lang::source::{FileId, Span};
use mesh_lang::syntax::SyntaxKind;
use mesh_lang::tree::{Token, Tree};
use mesh_lang::view::{Block, Item, ItemKind, Setting, Statement, Text, Value};
use std::collections::{BTreeMap, HashSet};

/// How strict a lint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It is not reported.
    Allow,
    /// It is a warning.
    Warn,
    /// It is an error.
    Deny,
}

/// A lint that is allowed at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// The lint.
    pub code: Code,
    /// Where its name stands.
    pub span: Span,
    /// Why it is allowed, in the writer's words.
    pub reason: String,
    /// Whether it silenced something.
    pub used: bool,
    /// The statement that it is about, and its block.
    covers: Span,
    /// What to remove to be rid of it, if it stands alone in its comment.
    line: Option<Span>,
}

impl Suppression {
    /// The name of the lint.
    pub fn name(&self) -> &'static str {
        self.code.name()
    }
}

/// What a mesh asks of its lints.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    by_code: BTreeMap<Code, Level>,
    suppressions: Vec<Suppression>,
    /// Which suppressions are about a lint in a file.
    index: BTreeMap<(Code, FileId), Vec<usize>>,
}

impl Levels {
    /// What the trees of a mesh ask for, and what is wrong with how they do.
    pub fn read(trees: &[Tree]) -> (Self, Vec<Diagnostic>) {
        let mut levels = Self::default();
        let mut diagnostics = Vec::new();
        for tree in trees {
            levels.read_blocks(tree, &mut diagnostics);
            // Most files excuse nothing.
            if tree.text().contains("lint:") {
                levels.read_comments(tree, &mut diagnostics);
            }
        }
        for (index, suppression) in levels.suppressions.iter().enumerate() {
            let key = (suppression.code, suppression.span.file);
            levels.index.entry(key).or_default().push(index);
        }
        (levels, diagnostics)
    }

    /// All places that are excused from a lint, in the order of the source.
    pub fn suppressions(&self) -> &[Suppression] {
        &self.suppressions
    }

    /// The lints that the mesh allows everywhere.
    pub fn allowed(&self) -> impl Iterator<Item = Code> {
        let allowed = self.by_code.iter();
        let allowed = allowed.filter(|(_, level)| **level == Level::Allow);
        allowed.map(|(code, _)| *code)
    }

    /// Gives findings the severity that the mesh asks for, and drops those that it does not want. May be
    /// called again with what was found later.
    pub fn apply(&mut self, diagnostics: &mut Vec<Diagnostic>) {
        diagnostics.retain_mut(|diagnostic| {
            !diagnostic.code.is_lint() || !(self.silences(diagnostic) || self.level(diagnostic))
        });
    }

    /// Whether a lint may come to be reported at all. Those that are no more than good to know are silent unless
    /// the mesh asks for them.
    pub fn wants(&self, code: Code) -> bool {
        match self.by_code.get(&code) {
            Some(level) => *level != Level::Allow,
            None => code.severity() != Severity::Info,
        }
    }

    /// What the suppressions that silenced nothing say, once everything was found.
    pub fn unused(&mut self) -> Vec<Diagnostic> {
        let about_others = |it: &&Suppression| it.code != Code::UnusedSuppression;
        let unused = self.suppressions.iter().filter(|it| !it.used);
        let mut findings: Vec<_> = unused
            .filter(about_others)
            .map(unused_suppression)
            .collect();
        self.apply(&mut findings);
        // Those about suppressions are judged last, and by themselves: nothing excuses them.
        let unused = self.suppressions.iter().filter(|it| !it.used);
        let about_these = unused.filter(|it| it.code == Code::UnusedSuppression);
        let last: Vec<_> = about_these.map(unused_suppression).collect();
        findings.extend(last.into_iter().filter_map(|mut finding| {
            let silent = self.level(&mut finding);
            (!silent).then_some(finding)
        }));
        findings
    }

    /// Whether a comment silences a finding; the innermost one that does is needed.
    fn silences(&mut self, diagnostic: &Diagnostic) -> bool {
        let Some(span) = diagnostic.span() else {
            return false;
        };
        let about = self.index.get(&(diagnostic.code, span.file));
        let covering = about.into_iter().flatten().copied().filter(|&index| {
            let covers = self.suppressions[index].covers;
            covers.start <= span.start && span.start < covers.end
        });
        let innermost = covering.max_by_key(|&index| self.suppressions[index].covers.start);
        if let Some(index) = innermost {
            self.suppressions[index].used = true;
        }
        innermost.is_some()
    }

    /// Gives a finding its level; whether that is to be silent.
    fn level(&self, diagnostic: &mut Diagnostic) -> bool {
        match self.by_code.get(&diagnostic.code) {
            None | Some(Level::Allow) => return !self.wants(diagnostic.code),
            Some(Level::Warn) => diagnostic.severity = Severity::Warning,
            Some(Level::Deny) => diagnostic.severity = Severity::Error,
        }
        false
    }

    /// Reads the `lints` of a file's `mesh`.
    fn read_blocks(&mut self, tree: &Tree, diagnostics: &mut Vec<Diagnostic>) {
        let meshes = tree.items().filter_map(|item| match item {
            Item::Block(item) if item.kind() == ItemKind::Mesh => item.block(),
            _ => None,
        });
        let lints = meshes.flat_map(|block| block.settings("lints"));
        let settings = lints.filter_map(Setting::block);
        let settings = settings.flat_map(Block::statements);
        let mut said: BTreeMap<Code, Span> = BTreeMap::new();
        for setting in settings.filter_map(Statement::setting) {
            let level = match setting.keyword().text {
                "allow" => Level::Allow,
                "warn" => Level::Warn,
                "deny" => Level::Deny,
                _ => continue,
            };
            let words = setting.values().filter_map(|value| match value {
                Value::Word(word) => Some(word),
                _ => None,
            });
            for word in words {
                let code = match lint_called(word) {
                    Ok(code) => code,
                    Err(diagnostic) => {
                        diagnostics.push(*diagnostic);
                        continue;
                    }
                };
                if let Some(&first) = said.get(&code) {
                    diagnostics.push(said_twice(word, first));
                } else {
                    said.insert(code, word.span);
                    self.by_code.insert(code, level);
                }
            }
        }
    }

    /// Reads the `# lint:` comments of a file.
    fn read_comments(&mut self, tree: &Tree, diagnostics: &mut Vec<Diagnostic>) {
        let mut taken = HashSet::new();
        for statement in tree.root().descendants().filter_map(Statement::cast) {
            let node = statement.node();
            for comment in node.leading_comments().filter(|it| is_directive(*it)) {
                // What stands first in a statement that did not parse has the same comments.
                if taken.insert(comment.index()) {
                    let covers = comment.span().to(node.span());
                    self.read_comment(comment, covers, diagnostics);
                }
            }
        }
        let others = tree.root().tokens().filter(|token| is_directive(*token));
        let others = others.filter(|token| !taken.contains(&token.index()));
        diagnostics.extend(others.map(above_nothing));
    }

    fn read_comment(
        &mut self,
        comment: Token<'_>,
        covers: Span,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let directive = match Directive::read(comment) {
            Ok(directive) => directive,
            Err(diagnostic) => {
                diagnostics.push(*diagnostic);
                return;
            }
        };
        let alone = directive.names.len() == 1;
        for name in directive.names {
            match lint_called(name) {
                Ok(code) => self.suppressions.push(Suppression {
                    code,
                    span: name.span,
                    reason: directive.reason.to_owned(),
                    used: false,
                    covers,
                    line: alone.then(|| line_of(comment)),
                }),
                Err(diagnostic) => diagnostics.push(*diagnostic),
            }
        }
    }
}

/// `# lint: allow NAME, … (why)`.
struct Directive<'t> {
    names: Vec<Text<'t>>,
    reason: &'t str,
}

/// How such a comment starts, its sign aside.
const START: &str = "lint:";

fn is_directive(token: Token<'_>) -> bool {
    token.kind() == SyntaxKind::Comment && said_in(token).starts_with(START)
}

/// What a comment says.
fn said_in(comment: Token<'_>) -> &str {
    comment.text().trim_start_matches('#').trim()
}

impl<'t> Directive<'t> {
    fn read(comment: Token<'t>) -> Result<Self, Box<Diagnostic>> {
        let wrong = |message| Err(Box::new(malformed(comment, message)));
        let said = said_in(comment);
        let said = said.strip_prefix(START).unwrap_or(said).trim();
        let Some(rest) = said.strip_prefix("allow") else {
            return wrong("a `# lint:` comment can only `allow`");
        };
        let (names, reason) = match rest.split_once('(') {
            Some((names, reason)) => (names, reason.strip_suffix(')').map(str::trim)),
            None => (rest, None),
        };
        let names = names.split(',').map(str::trim);
        let names: Vec<Text<'_>> = names
            .filter(|name| !name.is_empty())
            .map(|text| Text {
                span: part_of(comment, text),
                text,
            })
            .collect();
        if names.is_empty() || !rest.starts_with([' ', '\t', '(']) {
            return wrong("this comment does not say which lint it allows");
        }
        match reason {
            Some(reason) if !reason.is_empty() => Ok(Self { names, reason }),
            _ => wrong("this comment does not say why, and so allows nothing"),
        }
    }
}

/// Where a part of a comment's text stands.
fn part_of(comment: Token<'_>, part: &str) -> Span {
    let before = part.as_ptr().addr() - comment.text().as_ptr().addr();
    let start = comment.span().start + before as u32;
    Span::new(comment.span().file, start, start + part.len() as u32)
}

/// The line of a comment that stands alone on it, or else the comment and the white space before it.
fn line_of(comment: Token<'_>) -> Span {
    let Span { file, start, end } = comment.span();
    let text = comment.tree().text();
    let before = &text[..start as usize];
    let start = before.trim_end_matches([' ', '\t']).len() as u32;
    let behind = &text[end as usize..];
    let line_end = match behind.as_bytes() {
        _ if !comment.starts_line() => 0,
        [b'\r', b'\n', ..] => 2,
        [b'\n' | b'\r', ..] => 1,
        _ => 0,
    };
    Span::new(file, start, end + line_end)
}

/// The lint with this name.
fn lint_called(name: Text<'_>) -> Result<Code, Box<Diagnostic>> {
    let Text { text, span } = name;
    let none = || Diagnostic::new(Code::UnresolvedRef, format!("no lint is called `{text}`"));
    Err(Box::new(match Code::find(text) {
        Some(code) if code.is_lint() && code.name() == text => return Ok(code),
        Some(code) if code.is_lint() => {
            let title = format!("write `{}`", code.name());
            let fix = Fix::safe(title, span, code.name());
            none()
                .primary(span, "")
                .note("lints are called by their names, which say what they are about")
                .fix(fix)
        }
        Some(code) => {
            let message = format!("`{}` is an error, and stays one", code.name());
            Diagnostic::new(Code::BadTarget, message)
                .primary(span, "")
                .help("only lints have levels; `meshc explain` lists them, with an L")
        }
        None => {
            let diagnostic = none().primary(span, "");
            let lints = Code::ALL.iter().filter(|code| code.is_lint());
            match (
                Retired::find(RETIRED, text),
                nearest(text, lints.map(|code| code.name())),
            ) {
                (Some(retired), _) => diagnostic.note(retired.to_string()),
                (None, Some(near)) => diagnostic
                    .help(format!("perhaps `{near}` is meant"))
                    .fix(Fix::guess(format!("write `{near}`"), span, near)),
                (None, None) => diagnostic.help("`meshc explain` lists all lints, with an L"),
            }
        }
    }))
}

fn said_twice(name: Text<'_>, first: Span) -> Diagnostic {
    let message = format!("the level of `{}` is said twice", name.text);
    Diagnostic::new(Code::RepeatedStatement, message)
        .primary(name.span, "again here")
        .secondary(first, "first here")
        .help("keep one of them")
}

fn malformed(comment: Token<'_>, message: &str) -> Diagnostic {
    Diagnostic::new(Code::MalformedSuppression, message)
        .primary(comment.span(), "")
        .help(
            "write which lints are allowed, and why: `# lint: allow missing-timeout (it streams)`",
        )
}

/// A comment that no statement follows.
fn above_nothing(comment: Token<'_>) -> Diagnostic {
    let message = "this comment stands above no statement, and so allows nothing";
    Diagnostic::new(Code::UnusedSuppression, message)
        .primary(comment.span(), "")
        .help("put it on a line of its own, right above the statement that it is about")
}

fn unused_suppression(suppression: &Suppression) -> Diagnostic {
    let message = format!("nothing here needs `{}` to be allowed", suppression.name());
    let diagnostic = Diagnostic::new(Code::UnusedSuppression, message)
        .primary(suppression.span, "")
        .note(format!("the reason given is: {}", suppression.reason));
    match suppression.line {
        Some(line) => {
            diagnostic
                .help("remove the comment")
                .fix(Fix::safe("remove the comment", line, ""))
        }
        None => diagnostic.help("remove the name from the comment"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::has_errors;
    use mesh_lang::parser::parse;

    /// A lint that has nothing to do with what is tested, as any check would find it.
    const LINT: Code = Code::MalformedSuppression;

    fn read(text: &str) -> (Levels, Vec<Diagnostic>) {
        Levels::read(&[parse(FileId(0), text)].map(|parsed| parsed.tree))
    }

    /// The findings of a lint at words of a text, after the text had its say.
    fn left(text: &str, words: &[&str]) -> (Vec<String>, Levels) {
        let (mut levels, wrong) = read(text);
        assert_eq!(wrong, []);
        let found = words.iter().map(|word| {
            let start = text.find(word).unwrap() as u32;
            let span = Span::new(FileId(0), start, start + word.len() as u32);
            Diagnostic::new(LINT, *word).primary(span, "")
        });
        let mut found: Vec<_> = found.collect();
        levels.apply(&mut found);
        let left = found.into_iter().map(|it| it.message).collect();
        (left, levels)
    }

    fn messages(diagnostics: &[Diagnostic]) -> Vec<&str> {
        diagnostics.iter().map(|it| it.message.as_str()).collect()
    }

    #[test]
    fn a_comment_excuses_a_statement_and_its_block_and_no_more() {
        let text = "service before {}\n\
                    # lint: allow malformed-suppression (so it is (really))\n\
                    ## A doc comment.\n\
                    service cart {\n  timeout 5s\n}\n\
                    service behind {}\n";
        let (left, mut levels) = left(text, &["before", "cart", "timeout", "behind"]);
        assert_eq!(left, ["before", "behind"]);
        assert_eq!(levels.unused(), []);
        let [suppression] = levels.suppressions() else {
            panic!("{levels:?}");
        };
        assert_eq!(suppression.name(), "malformed-suppression");
        assert_eq!(suppression.reason, "so it is (really)");
        assert_eq!(suppression.span.text(text), "malformed-suppression");
        assert!(suppression.used);
    }

    #[test]
    fn in_a_block_it_excuses_one_statement() {
        let text =
            "service a {\n  # lint: allow malformed-suppression (why)\n  retry; timeout 5s\n}\n";
        let (left, _) = left(text, &["service", "retry", "timeout"]);
        assert_eq!(left, ["service", "timeout"]);
    }

    #[test]
    fn the_innermost_comment_is_the_one_that_is_needed() {
        let text = "# lint: allow malformed-suppression (outer)\nservice a {\n\
                    # lint: allow malformed-suppression (inner)\n  timeout 5s\n}\n";
        let (left, mut levels) = left(text, &["timeout"]);
        assert!(left.is_empty());
        let unused = levels.unused();
        assert_eq!(unused.len(), 1);
        assert_eq!(unused[0].notes, ["the reason given is: outer"]);
    }

    #[test]
    fn several_lints_share_a_reason() {
        let text = "# lint: allow malformed-suppression, unused-suppression (generated)\n\
                    service a {}\n";
        let (left, levels) = left(text, &["service"]);
        assert!(left.is_empty());
        let names = levels.suppressions().iter().map(|it| it.span.text(text));
        assert_eq!(
            names.collect::<Vec<_>>(),
            ["malformed-suppression", "unused-suppression"]
        );
    }

    #[test]
    fn what_silences_nothing_is_reported_with_its_removal() {
        let text = "service a {\r\n  timeout 5s\r\n  # lint: allow malformed-suppression (why)\r\n  retry\r\n}\r\n";
        let (_, mut levels) = left(text, &[]);
        let unused = levels.unused();
        assert_eq!(
            messages(&unused),
            ["nothing here needs `malformed-suppression` to be allowed"]
        );
        let edit = &unused[0].fixes[0].edits[0];
        let mut fixed = text.to_owned();
        fixed.replace_range(edit.span.range(), &edit.replacement);
        assert_eq!(fixed, "service a {\r\n  timeout 5s\r\n  retry\r\n}\r\n");
    }

    #[test]
    fn unused_suppressions_can_be_excused_but_not_by_themselves() {
        let text = "# lint: allow unused-suppression (generated)\n\
                    # lint: allow malformed-suppression (generated)\nservice a {}\n";
        assert_eq!(left(text, &[]).1.unused(), []);
        let alone = "# lint: allow unused-suppression (generated)\nservice a {}\n";
        assert_eq!(left(alone, &[]).1.unused().len(), 1);
        let nowhere = "mesh m { lints { allow unused-suppression } }\n";
        let (_, mut levels) = left(&format!("{nowhere}{alone}"), &[]);
        assert_eq!(levels.unused(), []);
    }

    #[test]
    fn comments_above_no_statement_excuse_nothing() {
        for text in [
            "service a {} # lint: allow malformed-suppression (why)\n",
            "service a {\n  timeout 5s\n  # lint: allow malformed-suppression (why)\n}\n",
            "# lint: allow malformed-suppression (why)\n",
        ] {
            let (levels, found) = read(text);
            assert_eq!(
                messages(&found),
                ["this comment stands above no statement, and so allows nothing"],
                "{text}"
            );
            assert!(levels.suppressions().is_empty());
        }
    }

    #[test]
    fn comments_that_cannot_be_read_say_so() {
        for (comment, message) in [
            (
                "allow unused-suppression",
                "this comment does not say why, and so allows nothing",
            ),
            (
                "allow unused-suppression ()",
                "this comment does not say why, and so allows nothing",
            ),
            (
                "allow unused-suppression (a) b",
                "this comment does not say why, and so allows nothing",
            ),
            (
                "allow (because)",
                "this comment does not say which lint it allows",
            ),
            (
                "allowed unused-suppression (a)",
                "this comment does not say which lint it allows",
            ),
            (
                "deny unused-suppression (a)",
                "a `# lint:` comment can only `allow`",
            ),
            ("", "a `# lint:` comment can only `allow`"),
        ] {
            let (levels, found) = read(&format!("# lint: {comment}\nservice a {{}}\n"));
            assert_eq!(messages(&found), [message], "{comment}");
            assert_eq!(found[0].code, Code::MalformedSuppression);
            assert!(levels.suppressions().is_empty());
        }
        for prose in ["# linted: no", "# about lint: allow", "## lint: allow x"] {
            assert_eq!(read(&format!("{prose}\nservice a {{}}\n")).1, []);
        }
    }

    #[test]
    fn the_mesh_says_how_strict_a_lint_is() {
        let finding = |level: &str| {
            let text = format!("mesh m {{ lints {{ {level} malformed-suppression }} }}");
            let (mut levels, wrong) = read(&text);
            assert_eq!(wrong, []);
            let mut found = vec![Diagnostic::new(LINT, "m")];
            levels.apply(&mut found);
            found.first().map(|it| it.severity)
        };
        assert_eq!(finding("allow"), None);
        assert_eq!(finding("warn"), Some(Severity::Warning));
        assert_eq!(finding("deny"), Some(Severity::Error));
    }

    #[test]
    fn errors_are_not_changed() {
        let text = "mesh m { lints { allow bad-value } }\n\
                    # lint: allow bad-value (why)\nservice a {}\n";
        let (mut levels, found) = read(text);
        let stays = "`bad-value` is an error, and stays one";
        assert_eq!(messages(&found), [stays, stays]);
        assert!(found.iter().all(|it| it.code == Code::BadTarget));
        let span = Span::new(FileId(0), text.len() as u32 - 5, text.len() as u32 - 3);
        let mut errors = vec![Diagnostic::new(Code::BadValue, "m").primary(span, "")];
        levels.apply(&mut errors);
        assert!(has_errors(&errors));
    }

    #[test]
    fn names_of_no_lint_are_errors_that_help() {
        let found = read("mesh m { lints { deny unused-supression; warn nonsense } }").1;
        assert_eq!(
            messages(&found),
            [
                "no lint is called `unused-supression`",
                "no lint is called `nonsense`"
            ]
        );
        assert_eq!(
            found[0].help.as_deref(),
            Some("perhaps `unused-suppression` is meant")
        );
        let found = read("# lint: allow L401 (why)\nservice a {}\n").1;
        assert_eq!(found[0].fixes[0].edits[0].replacement, "unused-suppression");
    }

    #[test]
    fn a_level_is_said_once() {
        let text = "mesh m { lints { deny unused-suppression; allow unused-suppression } }";
        let (_, found) = read(text);
        assert_eq!(
            messages(&found),
            ["the level of `unused-suppression` is said twice"]
        );
    }
}
