//! `meshc explain`: the page behind a finding's code.

use super::{Failure, Stream, When, print};
use crate::report::{Style, json, page};
use mesh_lang::codes::{Code, RETIRED, Retired};
use mesh_lang::nearest::nearest;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, stdout};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A code or a name, such as `E0302` or `weights-not-100`; without one, all of them are listed.
    code: Option<String>,
    /// For people, or one JSON object a line for programs.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    #[default]
    Human,
    Json,
}

pub(crate) fn run(arguments: &Arguments, color: When) -> Result<ExitCode, Failure> {
    let style = color.style(Stream::Output);
    let text = match (&arguments.code, arguments.format) {
        (None, Format::Human) => list(Code::ALL, RETIRED, style),
        (None, Format::Json) => {
            let current = Code::ALL.iter().copied().map(Entry::Current);
            let retired = RETIRED.iter().map(Entry::Retired);
            current.chain(retired).map(json_line).collect()
        }
        (Some(wanted), format) => match (find(wanted, RETIRED)?, format) {
            (entry, Format::Json) => json_line(entry),
            (Entry::Retired(retired), Format::Human) => format!("{retired}\n"),
            // As it is written where it goes into a file or another program.
            (Entry::Current(code), Format::Human) if !stdout().is_terminal() && !style.color => {
                code.explanation().to_owned()
            }
            (Entry::Current(code), Format::Human) => page::draw(code.explanation(), style),
        },
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// What there is to explain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry<'r> {
    Current(Code),
    Retired(&'r Retired),
}

/// What has a code or a name, or why nothing has.
fn find<'r>(wanted: &str, retired: &'r [Retired]) -> Result<Entry<'r>, String> {
    let current = Code::find(wanted).map(Entry::Current);
    current
        .or_else(|| Retired::find(retired, wanted).map(Entry::Retired))
        .ok_or_else(|| {
            let known = Code::ALL.iter().flat_map(|code| [code.id(), code.name()]);
            match nearest(wanted, known) {
                Some(near) => format!("there is no finding `{wanted}`; perhaps `{near}` is meant"),
                None => format!("there is no finding `{wanted}`; `meshc explain` lists all"),
            }
        })
}

/// The code with a code or a name that is reported.
pub(super) fn current(wanted: &str) -> Result<Code, String> {
    match find(wanted, RETIRED)? {
        Entry::Current(code) => Ok(code),
        Entry::Retired(retired) => Err(retired.to_string()),
    }
}

fn list(codes: &[Code], retired: &[Retired], style: Style) -> String {
    let mut list = String::new();
    let names = codes.iter().map(|code| code.name());
    let names = names.chain(retired.iter().map(|code| code.name));
    let width = names.map(str::len).max().unwrap_or(0);
    let mut line = |id: &str, name: &str, summary: &str| {
        let id = style.bold(format!("{id:<5}"));
        // Writing to a string does not fail.
        let _ = writeln!(list, "{id}  {name:<width$}  {summary}");
    };
    for code in codes {
        line(code.id(), code.name(), code.summary());
    }
    for code in retired {
        line(code.id, code.name, "reported no more");
    }
    list
}

/// What a program learns of a code that is reported.
#[derive(Serialize)]
struct Explained {
    code: &'static str,
    name: &'static str,
    severity: &'static str,
    summary: &'static str,
    explanation: &'static str,
}

/// What a program learns of a code that is reported no more.
#[derive(Serialize)]
struct Gone {
    code: &'static str,
    name: &'static str,
    retired: &'static str,
    instead: Option<&'static str>,
}

fn json_line(entry: Entry<'_>) -> String {
    let json = match entry {
        Entry::Current(code) => serde_json::to_string(&Explained {
            code: code.id(),
            name: code.name(),
            severity: json::severity_name(code.severity()),
            summary: code.summary(),
            explanation: code.explanation(),
        }),
        Entry::Retired(retired) => serde_json::to_string(&Gone {
            code: retired.id,
            name: retired.name,
            retired: retired.reason,
            instead: retired.instead.map(Code::id),
        }),
    };
    // Text alone becomes JSON without fail.
    let mut line = json.unwrap_or_default();
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETIRED: &[Retired] = &[Retired {
        id: "E0299",
        name: "name-too-short",
        reason: "short names are names",
        instead: Some(Code::BadName),
    }];

    #[test]
    fn a_retired_code_is_found_and_says_so() {
        let entry = find("name-too-short", RETIRED);
        assert_eq!(entry, Ok(Entry::Retired(&RETIRED[0])));
        assert_eq!(find("E0209", RETIRED), Ok(Entry::Current(Code::BadName)));
        assert_eq!(
            json_line(Entry::Retired(&RETIRED[0])),
            "{\"code\":\"E0299\",\"name\":\"name-too-short\",\"retired\":\"short names are names\",\"instead\":\"E0209\"}\n"
        );
        assert_eq!(
            list(&[Code::BadName], RETIRED, Style::PLAIN),
            "E0209  bad-name        a name that is not a DNS label\n\
             E0299  name-too-short  reported no more\n"
        );
    }

    #[test]
    fn what_is_misspelt_is_seen_through() {
        let message = |wanted| find(wanted, RETIRED).unwrap_err();
        assert!(message("E0229x").ends_with("perhaps `E0229` is meant"));
        assert!(message("nonsense-all-over").ends_with("`meshc explain` lists all"));
    }
}
