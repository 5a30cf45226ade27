//! `meshc inspect`: what is in a bundle.

use super::{Failure, Stream, When, bundles, print};
use crate::inspect::{human, inspect, node, records};
use mesh_bundle::format::Section;
use mesh_lang::nearest::nearest;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
Examples:
  meshc inspect shop.bundle                        whose it is, who signed it, how it came to be, what it is made of
  meshc inspect shop.bundle --node gateway/edge    what it holds for a node
  meshc inspect shop.bundle --section ARMS         the records of a section
  meshc inspect shop.bundle --format json          all that for programs

Exit codes:
  0  it is a bundle
  2  it is none, is damaged, or has no such node or section; or a file cannot be read";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// The bundle.
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// Show what it holds for this node, such as gateway/edge or sidecar/reviews.
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    /// Show the records of this section. May be given several times; `all` are all.
    #[arg(long = "section", value_name = "NAME")]
    sections: Vec<String>,
    /// How it is told.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON document, by the schema compiler/src/inspect/json.schema.json.
    Json,
}

pub(crate) fn run(arguments: &Arguments, color: When) -> Result<ExitCode, Failure> {
    let bundle = bundles::open(&arguments.bundle)?;
    let node = match &arguments.node {
        Some(name) => Some(node::of(&bundle, name).ok_or_else(|| {
            let names = node::names(&bundle);
            let known = match nearest(name, names.iter().map(String::as_str)) {
                Some(near) => format!("perhaps `{near}` is meant"),
                None => format!("it has {}", names.join(", ")),
            };
            format!("the bundle has no {name}; {known}")
        })?),
        None => None,
    };
    let sections = sections(&arguments.sections)?;
    let records = sections.iter().map(|it| (*it, records::of(&bundle, *it)));
    let text = match arguments.format {
        Format::Json => {
            let mut document = serde_json::to_value(inspect(&bundle))
                .map_err(|error| format!("the bundle cannot be described: {error}"))?;
            if let Some(node) = node {
                document["node"] = json!(node);
            }
            if !sections.is_empty() {
                let records = records.map(|(it, all)| (it.name().to_owned(), Value::Array(all)));
                document["records"] = Value::Object(records.collect::<Map<_, _>>());
            }
            format!("{document:#}\n")
        }
        Format::Human if node.is_none() && sections.is_empty() => {
            human::describe(&inspect(&bundle), color.style(Stream::Output))
        }
        Format::Human => {
            let mut text = node.map_or(String::new(), |node| human::describe_node(&node));
            for (section, all) in records {
                for (index, record) in all.iter().enumerate() {
                    // Writing to a string does not fail.
                    let _ = writeln!(text, "{} {index} {record}", section.name());
                }
            }
            text
        }
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn sections(names: &[String]) -> Result<Vec<Section>, String> {
    if names.iter().any(|name| name.eq_ignore_ascii_case("all")) {
        return Ok(Section::ALL.to_vec());
    }
    let find = |name: &String| {
        records::section(name).ok_or_else(|| {
            let known = Section::ALL.iter().map(|section| section.name());
            match nearest(&name.to_uppercase(), known) {
                Some(near) => format!("there is no section `{name}`; perhaps `{near}` is meant"),
                None => format!("there is no section `{name}`; without --section all are listed"),
            }
        })
    };
    names.iter().map(find).collect()
}
