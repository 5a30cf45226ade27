//! `mesh-demo`: one server of the demo, until SIGTERM or SIGINT.
//!
//! Exit status: 0 when it was asked to stop, 1 when the system has no runtime for it, 2 when the
//! command line cannot be understood or the address cannot be had.

use std::ffi::OsString;
use std::fmt;
use std::future::poll_fn;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::task::Poll;

use mesh_demo::{Server, ServerName, start};
use tokio::signal::unix::{SignalKind, signal};

const HELP: &str = "\
Small upstream servers in the shape of Bookinfo, to see routing work

Usage: mesh-demo SERVICE[.VERSION] --listen ADDRESS [--outbound ADDRESS]

Servers:
  productpage   the page; calls details and reviews, and ratings for its API
  details       author, year and numbers of a book
  reviews.v1    reviews without stars
  reviews.v2    reviews with black stars; calls ratings
  reviews.v3    reviews with red stars; calls ratings
  ratings       the stars
  echo          says what arrived, and answers as the query asks

Options:
  --listen ADDRESS     where to listen, such as 127.0.0.1:9080; port 0 takes a free one
  --outbound ADDRESS   where the sidecar takes calls to other services, such as 127.0.0.1:15101
  --help               this text
  --version            the version of mesh-demo

Every server speaks HTTP/1.1 and HTTP/2 on its port, answers GET /health (echo: any path),
and says who it is with x-served-by. SIGTERM or SIGINT ends it after the requests it has.

Example: mesh-demo reviews.v2 --listen 127.0.0.1:9080 --outbound 127.0.0.1:15101
";

#[derive(Debug, PartialEq, Eq)]
enum Command {
    Serve { server: Server, listen: SocketAddr },
    Help,
    Version,
}

/// What stands in the way, as a sentence; and the exit status for it.
#[derive(Debug, PartialEq, Eq)]
struct Problem {
    sentence: String,
    status: u8,
}

fn main() -> ExitCode {
    match run(std::env::args_os().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            // Where nobody reads standard error, the status must do.
            let _ = writeln!(io::stderr(), "mesh-demo: {problem}");
            ExitCode::from(problem.status)
        }
    }
}

fn run(arguments: impl Iterator<Item = OsString>) -> Result<(), Problem> {
    match parse(arguments)? {
        Command::Help => say(HELP.trim_end()),
        Command::Version => say(concat!("mesh-demo ", env!("CARGO_PKG_VERSION"))),
        Command::Serve { server, listen } => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Problem::system(&error))?
            .block_on(serve(server, listen))?,
    }
    Ok(())
}

async fn serve(server: Server, listen: SocketAddr) -> Result<(), Problem> {
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| Problem::system(&error))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| Problem::system(&error))?;
    let running = start(server, listen)
        .await
        .map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => {
                Problem::usage(format!("{listen} is in use: another program listens there"))
            }
            _ => Problem::usage(format!("cannot listen on {listen}: {error}")),
        })?;

    let calls = server.name.calls().join(", ");
    let way = match server.outbound {
        _ if calls.is_empty() => String::new(),
        Some(outbound) => format!(", calls {calls} through {outbound}"),
        None => format!(", cannot call {calls}: no --outbound"),
    };
    say(&format!(
        "{} listens on http://{}{way}",
        server.name, running.address
    ));

    poll_fn(|cx| {
        if terminate.poll_recv(cx).is_ready() || interrupt.poll_recv(cx).is_ready() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    running.shutdown().await;
    Ok(())
}

/// A line on standard output. Where nobody reads it, the server runs all the same.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Command, Problem> {
    let (mut name, mut listen, mut outbound) = (None, None, None);
    let mut arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
    while let Some(argument) = arguments.next() {
        let (option, value) = match argument.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option, Some(value.to_owned())),
            _ => (argument.as_str(), None),
        };
        match (option, &value) {
            ("--help" | "-h", None) => return Ok(Command::Help),
            ("--version" | "-V", None) => return Ok(Command::Version),
            ("--listen", _) => once(
                &mut listen,
                option,
                address(option, value.or_else(|| arguments.next()))?,
            )?,
            ("--outbound", _) => once(
                &mut outbound,
                option,
                address(option, value.or_else(|| arguments.next()))?,
            )?,
            _ if option.starts_with('-') => {
                return Err(Problem::usage(format!(
                    "there is no option {argument} (see mesh-demo --help)"
                )));
            }
            _ => once(&mut name, "the server", server_name(&argument)?)?,
        }
    }
    let name =
        name.ok_or_else(|| Problem::usage(format!("which server? There are {}", servers())))?;
    let listen = listen.ok_or_else(|| {
        Problem::usage(format!(
            "where shall {name} listen? For example: --listen 127.0.0.1:9080"
        ))
    })?;
    let server = Server { name, outbound };
    Ok(Command::Serve { server, listen })
}

fn once<T>(slot: &mut Option<T>, what: &str, value: T) -> Result<(), Problem> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Problem::usage(format!("{what} is given twice"))),
    }
}

fn address(option: &str, value: Option<String>) -> Result<SocketAddr, Problem> {
    let wants = format!("{option} wants an address and a port, such as 127.0.0.1:9080");
    let value = value.ok_or_else(|| Problem::usage(wants.clone()))?;
    value
        .parse()
        .map_err(|_| Problem::usage(format!("{wants}, and “{value}” is not one")))
}

fn server_name(written: &str) -> Result<ServerName, Problem> {
    ServerName::parse(written).ok_or_else(|| {
        Problem::usage(format!(
            "no server is called “{written}”; there are {}",
            servers()
        ))
    })
}

fn servers() -> String {
    ServerName::all().map(|name| name.to_string()).join(", ")
}

impl Problem {
    fn usage(sentence: String) -> Self {
        Self {
            sentence,
            status: 2,
        }
    }

    fn system(error: &io::Error) -> Self {
        Self {
            sentence: format!("the system does not let it run: {error}"),
            status: 1,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, Problem> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn the_order_of_arguments_does_not_matter() {
        let expected = Ok(Command::Serve {
            server: Server {
                name: ServerName::parse("reviews.v2").expect("a server"),
                outbound: Some(([127, 0, 0, 1], 2).into()),
            },
            listen: ([127, 0, 0, 1], 1).into(),
        });
        for line in [
            "reviews.v2 --listen 127.0.0.1:1 --outbound 127.0.0.1:2",
            "--outbound=127.0.0.1:2 --listen=127.0.0.1:1 reviews.v2",
        ] {
            assert_eq!(parsed(line), expected, "{line}");
        }
        assert_eq!(parsed("reviews.v2 --help"), Ok(Command::Help));
        assert_eq!(parsed("-V"), Ok(Command::Version));
    }

    #[test]
    fn what_cannot_be_understood_is_said_in_a_sentence() {
        for (line, part) in [
            ("", "which server?"),
            (
                "reviews --listen 127.0.0.1:1",
                "“reviews”; there are productpage",
            ),
            ("details", "where shall details listen?"),
            ("details --listen", "--listen wants an address and a port"),
            (
                "details --listen localhost:1",
                "and “localhost:1” is not one",
            ),
            (
                "details --listen 127.0.0.1:1 --outbound 9",
                "--outbound wants",
            ),
            (
                "details ratings --listen 127.0.0.1:1",
                "the server is given twice",
            ),
            ("details --port 1", "no option --port"),
            ("details --help=yes", "no option --help=yes"),
        ] {
            let problem = parsed(line).expect_err(line);
            assert!(problem.to_string().contains(part), "{line}: {problem}");
            assert_eq!(problem.status, 2, "{line}");
        }
    }
}
