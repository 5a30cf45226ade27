//! The examples of the pages that explain codes. Of a code that this crate reports, the first is
//! found fault with for what the page says and the second with nothing; of any other, nothing is
//! wrong that this crate would see.

use mesh_lang::codes::Code;
use mesh_lang::parser::parse;
use mesh_lang::source::FileId;
use mesh_lang::vocabulary;

/// The last code that this crate reports in its family; the compiler's come behind it.
const LAST_OF_OURS: &str = "E0220";

fn codes_of(text: &str) -> Vec<Code> {
    let parse = parse(FileId(0), text);
    let checked = vocabulary::check(&parse.tree);
    let all = parse.diagnostics.iter().chain(&checked);
    all.map(|diagnostic| diagnostic.code).collect()
}

/// The `.mesh` examples of a page.
fn examples(page: &str) -> Vec<String> {
    let mut examples = Vec::new();
    let mut lines = page.lines();
    while lines.any(|line| line == "```mesh") {
        let example: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        examples.push(example.join("\n"));
    }
    examples
}

#[test]
fn the_first_example_shows_the_finding_and_the_second_its_correction() {
    for &code in Code::ALL.iter().filter(|code| code.id() <= LAST_OF_OURS) {
        let examples = examples(code.explanation());
        if code == Code::NotText {
            assert!(examples.is_empty(), "no text shows what is not text");
            continue;
        }
        let [wrong, right] = examples.as_slice() else {
            panic!("{code} has {} examples", examples.len());
        };
        assert_eq!(codes_of(wrong), [code], "{wrong}");
        assert_eq!(codes_of(right), [], "{right}");
    }
}

#[test]
fn the_examples_of_other_codes_are_written_right() {
    for &code in Code::ALL.iter().filter(|code| code.id() > LAST_OF_OURS) {
        for example in examples(code.explanation()) {
            assert_eq!(codes_of(&example), [], "{code}\n{example}");
        }
    }
}
