//! `meshc route`: where a request goes, and why.

use super::{Failure, MeshArguments, When, bundles, print, refuse};
use crate::compile::check;
use crate::model::EDITION;
use crate::spell::percent;
use crate::way::{self, Asked, Line, Value, Written};
use mesh_bundle::Bundle;
use mesh_bundle::journey::{self, Branch, Entry, Request};
use serde::Serialize;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::process::ExitCode;

const HELP: &str = "\
Examples:
  meshc route GET https://bookinfo.example/productpage examples/bookinfo
  meshc route GET http://reviews/reviews/0 --from productpage -H 'end-user: jason' examples/bookinfo
  meshc route POST https://shop.example/orders --claims '{\"sub\": \"a\", \"groups\": [\"staff\"]}'
  meshc route GET https://shop.example/ shop.bundle      a bundle tells as much, but for the arms passed over

Every decision on the way is told with its place: the host and arm of the gateway, the arms before it that have
the path and do not take the request, the routes and splits of services, what is rewritten, the rule that lets
it in or refuses it, and the values in force at the end. Where traffic is split all ways are told. Limits,
faults and health are left aside.

Exit codes:
  0  done, whatever becomes of the request
  1  the policy does not compile
  2  the command could not be carried out: usage, a file that cannot be read";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// The method.
    #[arg(value_name = "METHOD")]
    method: String,
    /// Where the request is sent.
    #[arg(value_name = "URL")]
    url: String,
    #[command(flatten)]
    mesh: MeshArguments,
    /// A header of the request.
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// A cookie of the request.
    #[arg(long = "cookie", value_name = "NAME=VALUE")]
    cookies: Vec<String>,
    /// The service that sends it; without it a client does, to a gateway.
    #[arg(long, value_name = "SERVICE")]
    from: Option<String>,
    /// The client's address.
    #[arg(long, value_name = "ADDRESS")]
    client_ip: Option<IpAddr>,
    /// The claims of a valid token, as JSON; where there are several issuers, of which.
    #[arg(long, value_name = "[NAME=]JSON")]
    claims: Vec<String>,
    /// Whose valid API key it carries.
    #[arg(long = "key", value_name = "NAME=CONSUMER")]
    keys: Vec<String>,
    /// How the way is told.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: Told,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Told {
    /// For people.
    #[default]
    Human,
    /// One JSON document, by the schema compiler/src/way/json.schema.json.
    Json,
}

pub(crate) fn run(arguments: &Arguments, color: When) -> Result<ExitCode, Failure> {
    if bundles::is_bundle(&arguments.mesh.path) {
        let bundle = bundles::open(&arguments.mesh.path)?;
        return show(arguments, &bundle, None);
    }
    let (project, selection) = arguments.mesh.load()?;
    let mut checked = check(project, &selection);
    let planned = checked.lay_out();
    let (Some(planned), Some(mesh)) = (planned, &checked.mesh) else {
        return refuse(&checked, color);
    };
    let bundle = Bundle::open(planned.bytes).map_err(|error| error.to_string())?;
    let written = Written {
        mesh,
        sources: &checked.sources,
        bundle: &bundle,
    };
    show(arguments, &bundle, Some(written))
}

fn show(
    arguments: &Arguments,
    bundle: &Bundle,
    written: Option<Written<'_>>,
) -> Result<ExitCode, Failure> {
    let asked = Asked {
        method: arguments.method.clone(),
        url: arguments.url.clone(),
        headers: arguments.headers.clone(),
        cookies: arguments.cookies.clone(),
        from: arguments.from.clone(),
        client_ip: arguments.client_ip,
        claims: arguments.claims.clone(),
        keys: arguments.keys.clone(),
    };
    let (entry, request) = asked.read(bundle)?;
    let journey = journey::of(bundle, entry, &request);
    let ways: Vec<Way> = journey
        .branches
        .iter()
        .map(|branch| Way::of(bundle, written, entry, &request, branch))
        .collect();
    print(&match arguments.format {
        Told::Human => human(&ways),
        Told::Json => json(&ways),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// One of the ways that the request may take.
#[derive(Debug, Serialize)]
struct Way {
    /// How much of the traffic takes it, in percent.
    share: f64,
    #[serde(skip)]
    millionths: u32,
    steps: Vec<Line>,
    /// What becomes of it, in a sentence.
    outcome: String,
    /// With which status the mesh answers, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// Where it arrives, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    in_force: Vec<Value>,
    endpoints: Vec<Value>,
}

impl Way {
    fn of(
        bundle: &Bundle,
        written: Option<Written<'_>>,
        entry: Entry,
        request: &Request,
        branch: &Branch,
    ) -> Self {
        let arrival = branch.end.arrival();
        let destination =
            arrival.map(|(service, version)| way::destination(bundle, service, version));
        Self {
            share: f64::from(branch.share) / 10_000.0,
            millionths: branch.share,
            steps: way::lines(bundle, written, entry, request, &branch.steps),
            outcome: way::end(bundle, &branch.end),
            status: branch.end.status(),
            service: destination,
            in_force: written.map_or_else(Vec::new, |it| way::in_force(&it, entry, branch)),
            endpoints: written.map_or_else(Vec::new, |it| way::endpoints(&it, branch)),
        }
    }
}

/// What all ways have in common once, then each for itself.
fn human(ways: &[Way]) -> String {
    let Some((first, others)) = ways.split_first() else {
        return String::new();
    };
    let common = (0..first.steps.len())
        .take_while(|&at| {
            others
                .iter()
                .all(|way| way.steps.get(at) == first.steps.get(at))
        })
        .count();
    let mut text = way::table(&first.steps[..common]);
    for way in ways {
        // Writing into a String cannot fail.
        if !others.is_empty() {
            let _ = writeln!(text, "\n{} of such requests", percent(way.millionths));
            text.push_str(&way::table(&way.steps[common..]));
        }
        let _ = writeln!(text, "it {}", way.outcome);
        text.push_str(&values(way));
    }
    text
}

/// How wide the column of values is at most.
const WIDTH: usize = 60;

/// What is in force at the end: what somebody said line by line, what the edition says in one.
fn values(way: &Way) -> String {
    let values = way.in_force.iter().chain(&way.endpoints);
    let edition = format!("edition {EDITION}");
    let (default, said): (Vec<&Value>, Vec<&Value>) = values.partition(|it| it.said == edition);
    // Those that are longer stand out.
    let widths = said.iter().map(|value| value.text.chars().count());
    let width = widths.filter(|width| *width <= WIDTH).max();
    let width = width.unwrap_or_default();
    let mut text = String::new();
    for value in said {
        let _ = writeln!(text, "  {:width$}  {}", value.text, value.said);
    }
    if !default.is_empty() {
        let all: Vec<&str> = default.iter().map(|value| value.text.as_str()).collect();
        let _ = writeln!(text, "  by {edition}: {}", all.join("; "));
    }
    text
}

fn json(ways: &[Way]) -> String {
    #[derive(Serialize)]
    struct Document<'d> {
        ways: &'d [Way],
    }
    // These types have nothing that fails.
    let mut text = serde_json::to_string_pretty(&Document { ways }).unwrap_or_default();
    text.push('\n');
    text
}
