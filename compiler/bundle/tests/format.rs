//! `FORMAT.md` lists every section, record and code as they are. `UPDATE_GENERATED=1` writes the lists anew.

use mesh_bundle::format::layout::{Enumeration, FieldLayout, FieldType};
use mesh_bundle::format::{ENUMERATIONS, Section};
use mesh_bundle::needs::Feature;
use std::fmt::Write as _;
use std::path::Path;

const BEGIN: &str = "<!-- begin: made from the code -->\n";
const END: &str = "<!-- end: made from the code -->";

#[test]
fn the_written_format_lists_what_the_code_declares() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("FORMAT.md");
    let text = std::fs::read_to_string(&path).expect("it is there");
    let from = text.find(BEGIN).expect("it has the first mark") + BEGIN.len();
    let to = text.find(END).expect("it has the second mark");
    let wanted = format!("{}{}\n{}", &text[..from], lists(), &text[to..]);
    if text == wanted {
        return;
    }
    assert!(
        std::env::var_os("UPDATE_GENERATED").is_some(),
        "FORMAT.md is out of date: UPDATE_GENERATED=1 cargo test -p mesh-bundle --test format"
    );
    std::fs::write(path, wanted).expect("it can be written");
}

#[test]
fn numbers_of_sections_and_codes_are_given_once() {
    let mut numbers: Vec<u32> = Section::ALL.iter().map(|it| it.number()).collect();
    assert!(numbers.is_sorted(), "sections are written in their order");
    numbers.dedup();
    assert_eq!(numbers.len(), Section::ALL.len());
    for enumeration in ENUMERATIONS {
        let codes = enumeration.codes.iter();
        assert!(
            codes.is_sorted_by(|(a, ..), (b, ..)| a < b),
            "{}",
            enumeration.name
        );
    }
}

#[test]
fn fields_lie_side_by_side_and_name_enumerations_that_there_are() {
    for section in Section::ALL {
        let mut end = 0;
        for field in section.fields() {
            assert_eq!(field.offset, end, "{} {}", section.name(), field.name);
            end += field.length;
            if field.about.contains("See [`") {
                let known = field.enumeration();
                assert!(known.is_some(), "{} {}", section.name(), field.name);
            }
        }
        if !section.fields().is_empty() {
            assert_eq!(end, section.record_length(), "{}", section.name());
        }
    }
}

fn lists() -> String {
    let mut text = String::new();
    for section in Section::ALL {
        let (number, name) = (section.number(), section.name());
        let (about, length) = (plain(section.about()), section.record_length());
        let _ = write!(
            text,
            "\n### {number} {name}\n\n{about} {length} {} a record.\n",
            if length == 1 { "byte" } else { "bytes" }
        );
        if section.fields().len() > 1 {
            text.push_str("\n| at | bytes | field | is | |\n|--:|--:|---|---|---|\n");
        }
        for field in section
            .fields()
            .iter()
            .filter(|_| section.fields().len() > 1)
        {
            let (name, about) = (field.name, plain(field.about));
            let _ = writeln!(
                text,
                "| {} | {} | `{name}` | {} | {about} |",
                field.offset,
                field.length,
                kind(field)
            );
        }
    }
    text.push_str("\n## Codes\n");
    for enumeration in ENUMERATIONS {
        let Enumeration { name, about, codes } = enumeration;
        let _ = write!(text, "\n### {name}\n\n{about}\n\n");
        for (code, name, about) in *codes {
            let _ = writeln!(text, "- {code} `{name}`: {}", plain(about));
        }
    }
    text.push_str(
        "\n### Features\n\nWhat NEEDS may name. A node must not serve without those that are protections.\n\n",
    );
    for feature in Feature::ALL {
        let protection = if feature.is_protection() {
            " (a protection)"
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "- {} `{}`{protection}",
            feature.code(),
            feature.name()
        );
    }
    text
}

fn kind(field: &FieldLayout) -> String {
    let of = |what: &str, section: Option<Section>| match section {
        Some(section) => format!("{what} of {}", section.name()),
        None => format!("{what} of words"),
    };
    match field.kind {
        FieldType::Number => format!("u{}", 8 * field.length),
        FieldType::Bytes => "bytes".to_owned(),
        FieldType::Address => "address".to_owned(),
        FieldType::String => "string".to_owned(),
        FieldType::Id(section) => of("id", section),
        FieldType::Run(section) => of("run", section),
        FieldType::Location => "place".to_owned(),
        FieldType::Setting => "setting".to_owned(),
        FieldType::Size => "size".to_owned(),
        FieldType::Choice(section) => of("choice", section),
    }
}

/// Documentation without the links of the code.
fn plain(text: &str) -> String {
    let text = text.replace("[`", "`").replace("`]", "`");
    text.replace("super::Section::", "")
        .replace("crate::", "mesh_bundle::")
}
