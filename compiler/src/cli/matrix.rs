//! `meshc matrix`: who may do what, and by which rule.

use super::{Failure, MeshArguments, Stream, When, file, print, refuse};
use crate::compile::check;
use crate::matrix::{self, Wanted};
use crate::report::Style;
use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
Examples:
  meshc matrix examples/zero-trust                              who may do what, service by service
  meshc matrix . --to finance/payments                          who may do what of one service
  meshc matrix . --from storefront                              what one caller may do; `anonymous` is a caller too
  meshc matrix . --format csv -o access.csv                     for a spreadsheet, a line for each caller
  meshc matrix . --format html -o access.html                   a page to hand on

For each service and each caller all requests are told, by the methods and paths that its rules tell apart, with the
decision and the rule that makes it. It is what the service's own sidecar decides, whatever callers say they call; of
gateways what hosts with rules of their own decide:

  allow        all such requests are let in
  deny         none is
  depends      some are: `allow when …; else …` says by what else in a request
  not decided  it was not found out, and why

Nothing is sampled: a rule is named if it decides some request, and left out if it decides none.

Exit codes:
  0  done
  1  the policy does not compile
  2  the command could not be carried out: usage, a name that nothing has, a file that cannot be read or written";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    mesh: MeshArguments,
    /// How the matrix is written.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: Written,
    /// Only what may be done of this service, or at this gateway.
    #[arg(long, value_name = "SERVICE")]
    to: Option<String>,
    /// Only what this caller may do: a service, a gateway, or `anonymous`.
    #[arg(long, value_name = "CALLER")]
    from: Option<String>,
    /// Where to write it; by default to standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How the matrix is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Written {
    /// For people.
    #[default]
    Table,
    /// For spreadsheets.
    Csv,
    /// One JSON document, by the schema compiler/src/matrix/json.schema.json.
    Json,
    /// A page.
    Html,
}

pub(crate) fn run(arguments: &Arguments, color: When) -> Result<ExitCode, Failure> {
    let (project, selection) = arguments.mesh.load()?;
    let mut checked = check(project, &selection);
    let planned = checked.lay_out();
    let (Some(_), Some(mesh)) = (planned, &checked.mesh) else {
        return refuse(&checked, color);
    };
    let wanted = Wanted {
        to: arguments.to.clone(),
        from: arguments.from.clone(),
    };
    let matrix = matrix::of(mesh, &checked.sources, &wanted)?;
    let style = match arguments.output {
        Some(_) => Style::PLAIN,
        None => color.style(Stream::Output),
    };
    let text = match arguments.format {
        Written::Table => matrix::table(&matrix, style),
        Written::Csv => matrix::csv(&matrix),
        Written::Json => matrix::json(&matrix),
        Written::Html => matrix::html(&matrix),
    };
    match &arguments.output {
        Some(path) => file::replace(path, text.as_bytes(), file::readable_by_all())
            .map_err(|error| format!("{} cannot be written: {error}", path.display()))?,
        None => print(&text)?,
    }
    Ok(ExitCode::SUCCESS)
}
