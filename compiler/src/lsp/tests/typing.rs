//! Policies typed character by character: the server never fails, and never answers for another text than the one
//! it was asked about.

use super::session::{Session, example, is_outdated};
use gen_lsp_types::{Position, SelectionRange};
use lsp_server::RequestId;
use mesh_lang::vocabulary::{ITEMS, statements};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::VecDeque;

/// What is asked at a place.
const AT_PLACE: &[&str] = &[
    "textDocument/completion",
    "textDocument/hover",
    "textDocument/definition",
    "textDocument/documentHighlight",
    "textDocument/prepareRename",
    "textDocument/prepareCallHierarchy",
];

/// What is asked of a whole document.
const OF_DOCUMENT: &[&str] = &[
    "textDocument/codeLens",
    "textDocument/documentLink",
    "textDocument/documentSymbol",
    "textDocument/foldingRange",
    "textDocument/semanticTokens/full",
];

/// What is asked of a part of a document.
const OF_RANGE: &[&str] = &[
    "textDocument/codeAction",
    "textDocument/inlayHint",
    "textDocument/semanticTokens/range",
];

/// Somebody who types.
struct Typist {
    session: Session,
    text: String,
    at: Position,
    /// What is to be answered: each with the end of the text when it was asked.
    asked: VecDeque<(RequestId, Position)>,
    version: i32,
}

const FILE: &str = "a.mesh";

impl Typist {
    fn new(text: &str) -> Self {
        let mut session = Session::start(&[]);
        session.open(FILE, text);
        Self {
            session,
            text: text.to_owned(),
            at: end(text),
            asked: VecDeque::new(),
            version: 1,
        }
    }

    /// Types a character behind what is there.
    fn press(&mut self, character: char) {
        let range = json!({ "start": self.at, "end": self.at });
        let change = json!({ "range": range, "text": character.to_string() });
        self.version = self.session.edit(FILE, &change);
        self.text.push(character);
        self.at = end(&self.text);
    }

    /// Asks something that nobody's answer may fail.
    fn ask(&mut self, which: usize) -> RequestId {
        let document = self.session.document(FILE);
        let at_place = AT_PLACE.get(which);
        let of_document = OF_DOCUMENT.get(which.wrapping_sub(AT_PLACE.len()));
        let of_range = OF_RANGE.get(which.wrapping_sub(AT_PLACE.len() + OF_DOCUMENT.len()));
        match (at_place, of_document, of_range) {
            (Some(method), ..) => {
                let place = self.session.place(FILE, self.at);
                self.session.send_request(method, place)
            }
            (_, Some(method), _) => self
                .session
                .send_request(method, json!({ "textDocument": document })),
            (_, _, Some(method)) => {
                let start = Position {
                    line: self.at.line.saturating_sub(1),
                    character: 0,
                };
                let params = json!({
                    "textDocument": document,
                    "range": { "start": start, "end": self.at },
                    "context": { "diagnostics": [] },
                });
                self.session.send_request(method, params)
            }
            _ => {
                let mut place = self.session.place(FILE, self.at);
                place["ch"] = json!("}");
                place["options"] = json!({ "tabSize": 2, "insertSpaces": true });
                self.session
                    .send_request("textDocument/onTypeFormatting", place)
            }
        }
    }

    /// Asks what is around the cursor: the answer tells how long the text is.
    fn ask_for_the_end(&mut self) {
        let params = json!({ "textDocument": self.session.document(FILE), "positions": [self.at] });
        let id = self
            .session
            .send_request("textDocument/selectionRange", params);
        self.asked.push_back((id, self.at));
    }

    /// Reads all answers about the end, each of which is that of its text, or refused.
    fn check_the_ends(&mut self) -> usize {
        let mut answered = 0;
        for (id, end) in std::mem::take(&mut self.asked) {
            let answer = self.session.answer(&id);
            if is_outdated(&answer) {
                continue;
            }
            let ranges: Vec<SelectionRange> =
                serde_json::from_value(answer.expect("an answer")).expect("ranges");
            let mut outermost = &ranges[0];
            while let Some(parent) = &outermost.parent {
                outermost = parent;
            }
            assert_eq!(outermost.range.end, end, "it is of another text");
            answered += 1;
        }
        answered
    }

    /// Reads an answer, which may be refused for no other reason than that the text has changed.
    fn check(&mut self, id: &RequestId) {
        let answer = self.session.answer(id);
        assert!(
            answer.is_ok() || is_outdated(&answer),
            "{answer:?} in {:?}",
            self.text
        );
        let published = self.session.published.get(FILE).and_then(|it| it.version);
        assert!(published.is_none_or(|version| version <= self.version));
    }
}

/// Where a text ends.
fn end(text: &str) -> Position {
    let line = text.matches('\n').count() as u32;
    let start = text.rfind('\n').map_or(0, |newline| newline + 1);
    Position {
        line,
        character: (text.len() - start) as u32,
    }
}

/// How many different things may be asked.
const QUESTIONS: usize = AT_PLACE.len() + OF_DOCUMENT.len() + OF_RANGE.len() + 1;

#[test]
fn an_example_is_typed_and_everything_is_asked() {
    let mut typist = Typist::new("");
    for (index, character) in example("bookinfo/bookinfo.mesh").chars().enumerate() {
        typist.press(character);
        typist.ask_for_the_end();
        assert_eq!(typist.check_the_ends(), 1);
        let id = typist.ask(index % QUESTIONS);
        typist.check(&id);
    }
    // What was typed bit by bit is understood as if it had been there at once.
    assert_eq!(typist.session.findings(FILE), [""; 0]);
}

#[test]
fn every_statement_is_typed_in_an_open_block() {
    for (start, place) in [
        ("", ""),
        ("service a {\n  ", "\n}\n"),
        ("gateway g {\n  host a.example {\n    ", ""),
    ] {
        let mut typist = Typist::new(start);
        let examples = ITEMS
            .iter()
            .map(|item| item.example)
            .chain(statements().map(|it| it.example));
        for (index, example) in examples.enumerate().skip(start.len() % 3).step_by(5) {
            for character in example.chars().chain(place.chars()).chain(['\n']) {
                typist.press(character);
            }
            let id = typist.ask(index % QUESTIONS);
            typist.check(&id);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_those_of_the_text_that_was_asked_about(
        from in 0_usize..3000,
        steps in prop::collection::vec((1_usize..4, 0..QUESTIONS, any::<bool>()), 1..40),
    ) {
        let example = example("bookinfo/bookinfo.mesh");
        let from = example.floor_char_boundary(from);
        let mut typist = Typist::new(&example[..from]);
        let mut rest = example[from..].chars();
        let mut pending = Vec::new();
        for (count, question, waits) in steps {
            for character in rest.by_ref().take(count) {
                typist.press(character);
            }
            typist.ask_for_the_end();
            pending.push(typist.ask(question));
            if waits {
                typist.check_the_ends();
                for id in pending.drain(..) {
                    typist.check(&id);
                }
            }
        }
        typist.check_the_ends();
        for id in pending {
            typist.check(&id);
        }
        // The last text is the one that findings are about.
        typist.session.findings(FILE);
    }

    #[test]
    fn any_edit_of_any_text_leaves_the_server_well(
        edits in prop::collection::vec((0_u32..12, 0_u32..40, 0_u32..12, 0_u32..40, "[ -~\n{}é𝄞]{0,12}", 0..QUESTIONS), 1..20),
    ) {
        let text = example("bookinfo/bookinfo.mesh");
        let mut typist = Typist::new(&text);
        for (line, character, other_line, other_character, text, question) in edits {
            let range = json!({
                "start": { "line": line, "character": character },
                "end": { "line": other_line, "character": other_character },
            });
            typist.version = typist.session.edit(FILE, &json!({ "range": range, "text": text }));
            typist.at = Position { line, character };
            let id = typist.ask(question);
            typist.check(&id);
        }
        let whole = typist.session.change(FILE, &text);
        typist.version = whole;
        prop_assert_eq!(typist.session.findings(FILE), [""; 0]);
        prop_assert_eq!(typist.session.request("shutdown", Value::Null).is_ok(), true);
    }
}
