//! The words in the syntax file of Vim.
//!
//! A word that starts a statement is followed by a region in which other words are shown; the words
//! that stand in several regions have groups of their own.

use super::groups;
use mesh_lang::vocabulary::ITEMS;
use mesh_lang::vocabulary::words::{self, Arguments};
use std::fmt::Write as _;

/// The lines with words.
pub(super) fn words() -> String {
    let mut lines = Lines(String::from("\n"));
    items(&mut lines);
    conditions(&mut lines);
    actions(&mut lines);
    callers(&mut lines);
    grammar(&mut lines);
    settings(&mut lines);
    lines.0
}

fn items(lines: &mut Lines) {
    lines.note("Items");
    for (head, named) in [
        ("STRING", ""),
        ("NAME", "skipwhite nextgroup=meshItemName"),
        ("GATEWAY HOST", "skipwhite nextgroup=meshGatewayName"),
    ] {
        let items = ITEMS.iter().filter(|item| item.head == head);
        let items: Vec<_> = items.map(|item| item.word).collect();
        lines.keywords("meshItem", &items, &format!("contained {named}"));
    }
    let named = "contained skipwhite nextgroup=meshLetName";
    lines.keywords("meshItem", &["let", "param"], named);
    let named = "contained skipwhite nextgroup=meshItem";
    lines.keywords("meshModifier", &[words::EXPORT], named);
    lines.statement("meshItem");
    lines.statement("meshModifier");
}

fn conditions(lines: &mut Lines) {
    lines.note("Conditions");
    // These are reserved, so they are no names anywhere.
    lines.keywords("meshOperatorWord", &["and", "in", "not", "or"], "");
    // `contains` would be read as an option of the command.
    let (odd, operators): (Vec<_>, Vec<_>) = groups::operators()
        .into_iter()
        .partition(|word| *word == "contains");
    lines.keywords("meshOperatorWord", &operators, "contained");
    lines.matches("meshOperatorWord", &any(&odd));
    let plain = groups::plain_fields();
    lines.keywords("meshField", &plain, "contained");
    let name = r"\.\%([A-Za-z0-9_/*]\|\.\.\@!\|->\@!\)\+";
    let keyed = any(&words::keyed_fields());
    lines.matches("meshField", &format!(r"{keyed}\%({name}\)\="));
    lines.keywords("meshConditional", &["otherwise"], "");
    let condition = "skipwhite nextgroup=meshWhen";
    lines.keywords("meshConditional", words::CLAUSE_WORDS, condition);
    let condition = "contained skipwhite nextgroup=meshWhen";
    lines.keywords("meshOperatorWord_And", &["and", "or"], condition);
    lines.line("highlight default link meshOperatorWord_And meshOperatorWord");
    lines.statement("meshOperatorWord_And");
}

fn actions(lines: &mut Lines) {
    lines.note("Actions");
    let actions: Vec<_> = words::action_words()
        .into_iter()
        .filter(|word| *word != "respond")
        .chain(["rest"])
        .collect();
    lines.keywords("meshAction", &actions, "contained");
    let rest = "contained skipwhite nextgroup=meshRespond";
    lines.keywords("meshAction", &["respond"], rest);
    lines.keywords("meshSelf", &["self"], "contained");
    let arguments = words::arguments("respond").leading;
    lines.keywords("meshArgument_Respond", &arguments, "contained");
    lines.line("highlight default link meshArgument_Respond meshArgument");
    let contains = "contains=@meshValue,meshArgument_Respond";
    lines.line(&format!("call s:Rest('meshRespond', '{contains}')"));
    let contains = "contains=@meshValue,meshAction,meshSelf";
    lines.line(&format!(
        "execute 'syntax region meshForward matchgroup=meshOperator start=/->/ ' . s:until . '{contains}'"
    ));
}

fn callers(lines: &mut Lines) {
    lines.note("Callers");
    lines.keywords("meshCaller", &["anyone", "internet"], "contained");
    let service = "contained skipwhite nextgroup=meshCaller_Service";
    lines.keywords("meshCaller", &["any"], service);
    lines.keywords("meshCaller_Service", &["service"], "contained");
    lines.line("highlight default link meshCaller_Service meshCaller");
    let name = "contained skipwhite nextgroup=meshItemName";
    lines.keywords("meshCaller", &["namespace"], name);
    lines.line("syntax cluster meshCallers contains=meshCaller,meshConditional");
}

/// The statements that only the grammar knows.
const GRAMMAR: &[(&str, &[&str], &[&str], &str)] = &[
    ("Rule", words::RULE_WORDS, &["to"], "@meshCallers"),
    ("To", &["to"], &[], "@meshCallers"),
    (
        "Claim",
        &["always", "never", "only"],
        &["at", "reach", "reaches", "transitively"],
        "@meshCallers",
    ),
    (
        "Every",
        &["every"],
        &["has", "in", "jwt", "key", "requires", "route", "to"],
        "@meshCondition,@meshCallers",
    ),
    ("Expect", &["expect"], &[], "meshAction,meshSelf"),
];

fn grammar(lines: &mut Lines) {
    lines.note("Statements of the grammar");
    for (name, words, arguments, contains) in GRAMMAR {
        lines.with_rest(name, words, arguments, &[], contains);
    }
    let kind = "contained skipwhite nextgroup=meshSetKind";
    lines.keywords("meshStatement_Set", &["set"], kind);
    let rest = "contained skipwhite nextgroup=meshRequest";
    lines.keywords("meshStatement_Request", &["request"], rest);
    for name in ["Set", "Request"] {
        let group = format!("meshStatement_{name}");
        lines.line(&format!("highlight default link {group} meshStatement"));
        lines.statement(&group);
    }
    lines.keywords("meshFrom", &["from"], "contained");
}

/// Statements of the vocabulary, those with the same arguments together.
fn settings(lines: &mut Lines) {
    lines.note("Statements of the vocabulary, and their arguments");
    // What an item or a statement of the grammar starts with, too, has been dealt with.
    let is_done =
        |word: &&str| *word == "jwt" || GRAMMAR.iter().any(|(_, words, ..)| words.contains(word));
    for (arguments, mut statements) in groups::arguments() {
        let Arguments {
            leading,
            values,
            fields,
        } = arguments;
        statements.retain(|word| !is_done(word));
        let name = statements[0].replace('-', "_");
        let contains = if fields {
            "meshConditional,meshForward,meshField"
        } else {
            "meshConditional,meshForward"
        };
        lines.with_rest(&name, &statements, &leading, &values, contains);
        lines.line(&format!(
            "syntax cluster meshSetting add=meshStatement_{name}"
        ));
    }
}

struct Lines(String);

impl Lines {
    fn line(&mut self, line: &str) {
        writeln!(self.0, "{line}").expect("a string takes all");
    }

    fn note(&mut self, text: &str) {
        writeln!(self.0, "\n\" {text}\n").expect("a string takes all");
    }

    /// These words, broken into lines.
    fn keywords(&mut self, group: &str, words: &[&str], options: &str) {
        let mut line = format!("syntax keyword {group} {options}");
        line.truncate(line.trim_end().len());
        for word in words {
            if line.len() + word.len() > 118 {
                self.line(&line);
                line = String::from("      \\");
            }
            line.push(' ');
            line.push_str(word);
        }
        self.line(&line);
    }

    /// What a pattern matches, up to the end of the word.
    fn matches(&mut self, group: &str, pattern: &str) {
        self.line(&format!(
            "call s:Match('{group}', '{pattern}' . s:end, 'contained')"
        ));
    }

    /// That this group starts statements.
    fn statement(&mut self, group: &str) {
        self.line(&format!("syntax cluster meshStatement add={group}"));
    }

    /// Statements that start with one of the words and go on with these arguments and what else `contains`
    /// says.
    fn with_rest(
        &mut self,
        name: &str,
        words: &[&str],
        leading: &[&str],
        values: &[&str],
        contains: &str,
    ) {
        let mut contains = format!("@meshValue,{contains}");
        for (kind, words) in [("Argument", leading), ("Constant", values)] {
            if !words.is_empty() {
                let group = format!("mesh{kind}_{name}");
                self.keywords(&group, words, "contained");
                self.line(&format!("highlight default link {group} mesh{kind}"));
                write!(contains, ",{group}").expect("a string takes all");
            }
        }
        let rest = format!("meshRest_{name}");
        self.line(&format!("call s:Rest('{rest}', 'contains={contains}')"));
        let group = format!("meshStatement_{name}");
        let next = format!("contained skipwhite nextgroup={rest}");
        self.keywords(&group, words, &next);
        self.line(&format!("highlight default link {group} meshStatement"));
        self.statement(&group);
    }
}

/// Any of the words, as Vim's regular expressions have it.
fn any(words: &[&str]) -> String {
    format!(r"\%({}\)", words.join(r"\|"))
}
