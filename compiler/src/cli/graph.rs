//! `meshc graph`: what calls what, and what clients reach of it.

use super::{Failure, MeshArguments, When, file, print, refuse};
use crate::compile::check;
use crate::graph::{self, Graph};
use mesh_bundle::Bundle;
use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
Examples:
  meshc graph examples/bookinfo --format html -o bookinfo.html   a page to look at and to search
  meshc graph examples/bookinfo --format svg -o bookinfo.svg     a picture
  meshc graph . | dot -Tpdf -o mesh.pdf                          by Graphviz
  meshc graph . --format mermaid                                 for Markdown that draws it
  meshc graph . --exposure --format html -o exposure.html        with what clients reach of it, and behind what

Drawn are gateways with their hosts, services with their versions, and what goes from one to another: arms and the
shares of splits, calls (those that a service says, or whatever lets it in), mirrors and failovers. An edge says which
requests it carries and which line says so. Who lets whom in is proved for all requests.

With --exposure it is marked what clients without an identity of the mesh reach: openly, or behind a token, a key, a
client certificate or something else in the request; through how many hops, each with a request that takes it. Hops are
independent of each other, since an application may turn any request into any other. What could not be decided says so.

Exit codes:
  0  done
  1  the policy does not compile
  2  the command could not be carried out: usage, a file that cannot be read or written";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    mesh: MeshArguments,
    /// How the graph is written.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: Written,
    /// Mark what clients without an identity of the mesh reach.
    #[arg(long)]
    exposure: bool,
    /// Where to write it; by default to standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How the graph is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Written {
    /// For Graphviz.
    #[default]
    Dot,
    /// For Mermaid.
    Mermaid,
    /// One JSON document, by the schema compiler/src/graph/json.schema.json.
    Json,
    /// A picture.
    Svg,
    /// A page with the picture, to search and to follow.
    Html,
}

pub(crate) fn run(arguments: &Arguments, color: When) -> Result<ExitCode, Failure> {
    let (project, selection) = arguments.mesh.load()?;
    let mut checked = check(project, &selection);
    let planned = checked.lay_out();
    let (Some(planned), Some(mesh)) = (planned, &checked.mesh) else {
        return refuse(&checked, color);
    };
    let mut graph = graph::collect(mesh, &checked.sources);
    if arguments.exposure {
        let bundle = Bundle::open(planned.bytes).map_err(|error| error.to_string())?;
        graph::expose(&mut graph, mesh, &checked.sources, &bundle);
    }
    let text = written(&graph, arguments.format);
    match &arguments.output {
        Some(path) => file::replace(path, text.as_bytes(), file::readable_by_all())
            .map_err(|error| format!("{} cannot be written: {error}", path.display()))?,
        None => print(&text)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn written(graph: &Graph, format: Written) -> String {
    match format {
        Written::Dot => graph::dot(graph),
        Written::Mermaid => graph::mermaid(graph),
        Written::Json => graph::json(graph),
        Written::Svg => graph::svg(graph),
        Written::Html => graph::html(graph),
    }
}
