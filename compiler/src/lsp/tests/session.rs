//! A client in the same process: what an editor sends, and what it hears.

use crate::lsp::server::{Ended, serve};
use gen_lsp_types::{
    Notification as _, Position, PublishDiagnosticsNotification, PublishDiagnosticsParams, Request,
    Uri,
};
use lsp_server::{
    Connection, ErrorCode, Message, Notification, RequestId, Response, ResponseError,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take before the test has failed.
const DEADLINE: Duration = Duration::from_mins(1);

/// A session of an editor that has a folder open.
pub(super) struct Session {
    connection: Option<Connection>,
    server: Option<JoinHandle<Result<Ended, String>>>,
    directory: TempDir,
    next_id: i32,
    answers: BTreeMap<RequestId, Response>,
    /// The findings that were published last, by file name.
    pub(super) published: BTreeMap<String, PublishDiagnosticsParams>,
    /// What else the server told or asked.
    pub(super) heard: Vec<String>,
    versions: BTreeMap<String, i32>,
    texts: BTreeMap<String, String>,
}

/// What the editor of most tests can.
pub(super) fn abilities() -> Value {
    json!({
        "general": { "positionEncodings": ["utf-8", "utf-16"] },
        "textDocument": {
            "completion": { "completionItem": { "snippetSupport": true, "documentationFormat": ["markdown"] } },
            "hover": { "contentFormat": ["markdown"] },
            "documentSymbol": { "hierarchicalDocumentSymbolSupport": true },
            "codeAction": { "codeActionLiteralSupport": { "codeActionKind": { "valueSet": [] } } },
        },
        "workspace": { "workspaceEdit": { "documentChanges": true } },
        "experimental": { "commands": { "commands": ["mesh.runTest", "mesh.showReferences", "mesh.explain"] } },
    })
}

impl Session {
    /// Starts a session in a folder with these files.
    pub(super) fn start(files: &[(&str, &str)]) -> Self {
        Self::with_abilities(files, &abilities())
    }

    /// The same for an editor that can something else.
    pub(super) fn with_abilities(files: &[(&str, &str)], abilities: &Value) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, text) in files {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().expect("it has one")).expect("a directory");
            std::fs::write(path, text).expect("a file");
        }
        let (server, client) = Connection::memory();
        let server = std::thread::spawn(move || serve(server));
        let mut session = Self {
            connection: Some(client),
            server: Some(server),
            directory,
            next_id: 0,
            answers: BTreeMap::new(),
            published: BTreeMap::new(),
            heard: Vec::new(),
            versions: BTreeMap::new(),
            texts: BTreeMap::new(),
        };
        let folder = session.uri("");
        let params = json!({
            "processId": null,
            "rootUri": null,
            "capabilities": abilities,
            "workspaceFolders": [{ "uri": folder, "name": "folder" }],
        });
        session.request("initialize", params).expect("it starts");
        session.notify("initialized", json!({}));
        session
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn uri(&self, name: &str) -> Uri {
        crate::lsp::paths::to_uri(&self.path(name))
    }

    /// A document, as messages name it.
    pub(super) fn document(&self, name: &str) -> Value {
        json!({ "uri": self.uri(name) })
    }

    /// A place in a document, as messages name it.
    pub(super) fn place(&self, name: &str, position: Position) -> Value {
        json!({ "textDocument": self.document(name), "position": position })
    }

    // ── Documents ──

    /// Opens a document with this text.
    pub(super) fn open(&mut self, name: &str, text: &str) {
        self.versions.insert(name.to_owned(), 1);
        self.texts.insert(name.to_owned(), text.to_owned());
        let document =
            json!({ "uri": self.uri(name), "languageId": "mesh", "version": 1, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document }));
    }

    /// Opens a document as it is on the disk.
    pub(super) fn open_file(&mut self, name: &str) -> String {
        let text = std::fs::read_to_string(self.path(name)).expect("it is there");
        self.open(name, &text);
        text
    }

    /// The text that a document was opened with, or that of the file.
    pub(super) fn text(&self, name: &str) -> String {
        let read = || std::fs::read_to_string(self.path(name)).expect("it is there");
        self.texts.get(name).cloned().unwrap_or_else(read)
    }

    /// Gives a document another text.
    pub(super) fn change(&mut self, name: &str, text: &str) -> i32 {
        self.edit(name, &json!({ "text": text }))
    }

    /// Sends one change of a document.
    pub(super) fn edit(&mut self, name: &str, change: &Value) -> i32 {
        let version = self.versions.entry(name.to_owned()).or_default();
        *version += 1;
        let version = *version;
        let document = json!({ "uri": self.uri(name), "version": version });
        let params = json!({ "textDocument": document, "contentChanges": [change] });
        self.notify("textDocument/didChange", params);
        version
    }

    pub(super) fn close(&mut self, name: &str) {
        self.versions.remove(name);
        self.notify(
            "textDocument/didClose",
            json!({ "textDocument": self.document(name) }),
        );
    }

    // ── Messages ──

    pub(super) fn notify(&mut self, method: &str, params: Value) {
        self.send(Notification::new(method.to_owned(), params));
    }

    /// Sends a request; its answer may be waited for.
    pub(super) fn send_request(&mut self, method: &str, params: Value) -> RequestId {
        self.next_id += 1;
        let id = RequestId::from(self.next_id);
        self.send(lsp_server::Request::new(
            id.clone(),
            method.to_owned(),
            params,
        ));
        id
    }

    /// The answer to a request.
    pub(super) fn answer(&mut self, id: &RequestId) -> Result<Value, ResponseError> {
        self.wait("an answer", |session| session.answers.contains_key(id));
        let response = self.answers.remove(id).expect("it was waited for");
        response.response_result
    }

    pub(super) fn request(&mut self, method: &str, params: Value) -> Result<Value, ResponseError> {
        let id = self.send_request(method, params);
        self.answer(&id)
    }

    /// A request and its answer as the protocol types them.
    pub(super) fn ask<R: Request>(&mut self, params: Value) -> R::Result {
        let answer = self
            .request(R::METHOD.as_str(), params)
            .expect("it is answered");
        serde_json::from_value(answer).expect("it is as the protocol has it")
    }

    fn send(&mut self, message: impl Into<Message>) {
        let connection = self.connection.as_ref().expect("the session goes on");
        connection
            .sender
            .send(message.into())
            .expect("the server is there");
    }

    // ── Waiting ──

    /// Listens until something is the case.
    pub(super) fn wait(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !is_so(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            let connection = self.connection.as_ref().expect("the session goes on");
            let message = connection.receiver.recv_timeout(left);
            self.take(
                message
                    .unwrap_or_else(|error| panic!("no {what}: {error}; heard {:?}", self.heard)),
            );
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Response(response) => {
                self.answers.insert(response.id.clone(), response);
            }
            Message::Request(request) => {
                self.heard.push(request.method);
                self.send(Response::new_ok(request.id, Value::Null));
            }
            Message::Notification(it)
                if it.method == PublishDiagnosticsNotification::METHOD.as_str() =>
            {
                let published: PublishDiagnosticsParams =
                    serde_json::from_value(it.params).expect("findings");
                let path = crate::lsp::paths::of_uri(&published.uri);
                let name = path.strip_prefix(self.directory.path()).unwrap_or(&path);
                self.published.insert(name.display().to_string(), published);
            }
            Message::Notification(it) => self.heard.push(format!("{} {}", it.method, it.params)),
        }
    }

    /// The findings of a document, once they are about its text as it is and its mesh was proved. A hover waits for
    /// that, so that one is asked for.
    pub(super) fn findings(&mut self, name: &str) -> Vec<String> {
        let place = self.place(name, Position::default());
        self.request("textDocument/hover", place)
            .expect("it is answered");
        let version = self.versions.get(name).copied();
        self.wait("findings", |session| {
            session
                .published
                .get(name)
                .is_some_and(|it| it.version == version)
        });
        shown(&self.published[name])
    }

    /// Ends the session as editors do.
    pub(super) fn end(mut self) -> Ended {
        self.request("shutdown", Value::Null)
            .expect("it is answered");
        self.notify("exit", Value::Null);
        let server = self.server.take().expect("it runs");
        let ended = server.join().expect("it does not fail");
        self.connection = None;
        ended.expect("it ends")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The server ends when nobody is there any more.
        self.connection = None;
        if let Some(server) = self.server.take()
            && let Err(panic) = server.join()
            && !std::thread::panicking()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

/// Findings, a line each: place, code and what is said first.
pub(super) fn shown(published: &PublishDiagnosticsParams) -> Vec<String> {
    let line = |it: &gen_lsp_types::Diagnostic| {
        let start = it.range.start;
        let code = match &it.code {
            Some(gen_lsp_types::Code::String(code)) => code.as_str(),
            _ => "",
        };
        let message = match &it.message {
            gen_lsp_types::Message::String(text) => text.lines().next().unwrap_or_default(),
            gen_lsp_types::Message::MarkupContent(text) => text.value.as_str(),
        };
        format!(
            "{}:{} {code} {message}",
            start.line + 1,
            start.character + 1
        )
    };
    published.diagnostics.iter().map(line).collect()
}

/// A text without its `‸`, and the position where that stood, counted in bytes.
pub(super) fn cursor(text: &str) -> (String, Position) {
    let at = text.find('‸').expect("there is a cursor");
    let line = text[..at].matches('\n').count() as u32;
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let position = Position {
        line,
        character: (at - start) as u32,
    };
    (text.replace('‸', ""), position)
}

/// Whether an answer was refused because the text has changed.
pub(super) fn is_outdated(answer: &Result<Value, ResponseError>) -> bool {
    answer
        .as_ref()
        .is_err_and(|error| error.code == ErrorCode::ContentModified as i32)
}

/// The text of a file of the examples.
pub(super) fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
