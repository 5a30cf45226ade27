//! An editor with a mesh of ten thousand lines in one file: what a keystroke costs until its findings are there,
//! those of syntax and those of the whole mesh, and what is asked most.

use divan::Bencher;
use lsp_server::{Connection, Message, Notification, Request};
use meshc::lsp::serve;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::thread::JoinHandle;

fn main() {
    divan::main();
}

const LINES: usize = 10_000;
/// Services that call each other, one after the other.
const CHAIN: usize = 10;
const URI: &str = "untitled:mesh";

/// Services that call each other in chains of ten, with versions, routes and rules, and a gateway with a host for
/// each chain.
fn mesh() -> String {
    let mut text =
        String::from("mesh big { mtls strict; authz deny-by-default }\nparam canary = 10%\n");
    let mut service = 0;
    while service % CHAIN != 0 || text.matches('\n').count() < LINES - 900 {
        let place = service % CHAIN;
        let caller = match place {
            0 => "edge".to_owned(),
            _ => format!("edge, s{}", service - 1),
        };
        let calls = match place {
            9 => "calls none".to_owned(),
            _ => format!("calls s{}", service + 1),
        };
        // Who calls waits longer than who is called.
        let seconds = 2 * (CHAIN - place);
        let _ = write!(
            text,
            "## The service of team {service}.
service s{service} {{
  {calls}
  version v1 {{ endpoints 10.0.0.7:9081, 10.0.0.8:9084 weight 2 }}
  version v2 {{ endpoints dns s{service}-v2.internal:9080 every 5s }}
  timeout {seconds}s {{ connect 1s; idle 60s }}
  retry 1 on 5xx, reset, connect-failure {{ per-try 500ms; backoff 25ms..250ms }}
  limits {{ connections 100; pending 10; requests 200 }}
  route {{
    when header.end-user == \"jason\"       -> v2
    when cookie.user matches r\".*[0-4]\"   -> v1
    POST, PUT /reviews/**                 -> v1 {{ timeout {seconds}s }}
    otherwise                             -> split canary v2, rest v1 {{ sticky cookie.session }}
  }}
  authz {{
    allow {caller} to GET, POST /reviews/**, /s{service}/**
    allow namespace ops to PUT /s{service}/settings when jwt.staff
  }}
}}

"
        );
        service += 1;
    }
    text.push_str("jwt staff { issuer \"https://auth.example\"; audiences \"ops\"; jwks file \"jwks.json\" }\nnamespace ops { service console { endpoints 10.0.0.9:2; calls none } }\n");
    text.push_str("gateway edge {\n  listen 80 http\n  trusted-proxies none\n");
    for host in 0..service / CHAIN {
        let _ = writeln!(text, "  host h{host}.example {{");
        for arm in host * CHAIN..(host + 1) * CHAIN {
            let _ = writeln!(text, "    GET, POST /s{arm}/** -> s{arm}");
        }
        let _ = writeln!(text, "    otherwise -> respond 404\n  }}");
    }
    text.push_str("}\n");
    text
}

/// An editor with the mesh open.
struct Editor {
    connection: Connection,
    server: Option<JoinHandle<()>>,
    version: i32,
    next_id: i32,
    /// Where is typed: in the middle, at the end of a line.
    line: usize,
    character: usize,
    typed: bool,
}

impl Editor {
    fn start() -> Self {
        let (server, connection) = Connection::memory();
        let server = std::thread::spawn(move || {
            serve(server).expect("the session can be served");
        });
        let text = mesh();
        let at = text[..text.len() / 2]
            .rfind("  timeout 10s")
            .expect("it is there");
        let line = text[..at].matches('\n').count();
        let mut editor = Self {
            connection,
            server: Some(server),
            version: 1,
            next_id: 0,
            line,
            character: "  timeout 10".len(),
            typed: false,
        };
        let can = json!({ "general": { "positionEncodings": ["utf-8"] } });
        editor.ask("initialize", json!({ "capabilities": can }));
        editor.tell("initialized", json!({}));
        let document = json!({ "uri": URI, "languageId": "mesh", "version": 1, "text": text });
        editor.tell("textDocument/didOpen", json!({ "textDocument": document }));
        editor.wait_for_proofs();
        editor
    }

    fn send(&self, message: impl Into<Message>) {
        self.connection
            .sender
            .send(message.into())
            .expect("the server is there");
    }

    fn tell(&self, method: &str, params: Value) {
        self.send(Notification::new(method.to_owned(), params));
    }

    fn receive(&self) -> Message {
        self.connection
            .receiver
            .recv()
            .expect("the server is there")
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.next_id += 1;
        self.send(Request::new(self.next_id.into(), method.to_owned(), params));
        loop {
            if let Message::Response(response) = self.receive() {
                return response.response_result.expect("it is answered");
            }
        }
    }

    fn place(&self) -> Value {
        let position = json!({ "line": self.line, "character": self.character });
        json!({ "textDocument": { "uri": URI }, "position": position })
    }

    /// A hover is answered once the mesh is proved.
    fn wait_for_proofs(&mut self) {
        let place = self.place();
        self.ask("textDocument/hover", place);
    }

    /// Types a character, or takes it back.
    fn press(&mut self) {
        self.version += 1;
        let at = |character: usize| json!({ "line": self.line, "character": character });
        // `10s`, `100s` and back.
        let (end, text) = if self.typed {
            (self.character + 1, "")
        } else {
            (self.character, "0")
        };
        self.typed = !self.typed;
        let range = json!({ "start": at(self.character), "end": at(end) });
        let document = json!({ "uri": URI, "version": self.version });
        let change = json!({ "range": range, "text": text });
        self.tell(
            "textDocument/didChange",
            json!({ "textDocument": document, "contentChanges": [change] }),
        );
    }

    /// Waits until findings of this version are there.
    fn wait_for_findings(&self) {
        loop {
            if let Message::Notification(it) = self.receive()
                && it.method == "textDocument/publishDiagnostics"
                && it.params["version"] == self.version
            {
                return;
            }
        }
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        self.ask("shutdown", Value::Null);
        self.tell("exit", Value::Null);
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }
}

#[divan::bench(sample_count = 200, sample_size = 1)]
fn keystroke_to_findings_of_syntax(bencher: Bencher<'_, '_>) {
    let mut editor = Editor::start();
    bencher.bench_local(|| {
        editor.press();
        editor.wait_for_findings();
    });
}

#[divan::bench(sample_count = 40, sample_size = 1)]
fn keystroke_to_findings_of_the_mesh(bencher: Bencher<'_, '_>) {
    let mut editor = Editor::start();
    bencher.bench_local(|| {
        editor.press();
        editor.wait_for_proofs();
    });
}

#[divan::bench(sample_count = 200, sample_size = 1)]
fn completion_behind_a_keystroke(bencher: Bencher<'_, '_>) {
    let mut editor = Editor::start();
    bencher.bench_local(|| {
        editor.press();
        let place = editor.place();
        editor.ask("textDocument/completion", place)
    });
}

#[divan::bench(sample_count = 40, sample_size = 1, args = [
    "textDocument/documentSymbol",
    "textDocument/semanticTokens/full",
    "textDocument/foldingRange",
    "textDocument/codeLens",
    "textDocument/formatting",
])]
fn of_the_whole_file(bencher: Bencher<'_, '_>, method: &str) {
    let mut editor = Editor::start();
    bencher.bench_local(|| {
        editor.press();
        let options = json!({ "tabSize": 2, "insertSpaces": true });
        let params = json!({ "textDocument": { "uri": URI }, "options": options });
        editor.ask(method, params)
    });
}
