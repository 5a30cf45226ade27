//! The loop: one message after the other, and what was proved in between.
//!
//! ```text
//! messages ─▶ inbox ─▶ notification: the world changes, findings are published, proofs become due
//!               │    └▶ request: answered at once, or kept until its mesh is proved
//!               └── taken back: what was cancelled, what is about a text that has changed since
//! ```
//!
//! Whatever has come in is looked through before the next message is taken, so that nothing is computed for a
//! text that the editor has changed already. Proofs wait until nobody has typed for a moment, which is longer the
//! longer the last ones took.

use super::capabilities;
use super::client::{Abilities, Client, Refusal};
use super::diagnostics::Publisher;
use super::dispatch;
use super::paths;
use super::prover::{Job, Proved, Prover};
use super::world::World;
use crossbeam_channel::{RecvTimeoutError, Select, Sender};
use gen_lsp_types::{
    CodeLensRefreshRequest, DidChangeConfigurationParams, DidChangeTextDocumentParams,
    DidChangeWatchedFilesParams, DidChangeWorkspaceFoldersParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, DidSaveTextDocumentParams, InlayHintRefreshRequest,
    LogMessageNotification, LogMessageParams, LspNotificationMethod, MessageType,
    RegistrationParams, RegistrationRequest, Uri,
};
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, RequestId};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long nobody types before proofs start, at least and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(300));

/// How much longer proofs take than nobody types before they start.
const PAUSE_PER_PROOF: u32 = 4;

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The editor said goodbye.
    Asked,
    /// The editor went without a word.
    Abandoned,
}

/// Serves the editor at the other end of a connection until it says goodbye.
pub fn serve(connection: Connection) -> Result<Ended, String> {
    let (id, params) = match connection.initialize_start() {
        Ok(started) => started,
        Err(error) if error.channel_is_disconnected() => return Ok(Ended::Abandoned),
        Err(error) => return Err(error.to_string()),
    };
    let can = Abilities::read(&params);
    let result = capabilities::initialize_result(&can);
    if let Err(error) = connection.initialize_finish(id, result) {
        return if error.channel_is_disconnected() {
            Ok(Ended::Abandoned)
        } else {
            Err(error.to_string())
        };
    }
    let Connection { sender, receiver } = connection;
    let prover = Prover::start().map_err(|error| format!("no thread for proofs: {error}"))?;
    let mut server = Server::new(sender, prover, can, &params);
    let mut operations = Select::new();
    let messages = operations.recv(&receiver);
    let results = server.prover.results().clone();
    operations.recv(&results);
    loop {
        while let Ok(message) = receiver.try_recv() {
            server.take_in(message);
        }
        while let Ok(proved) = results.try_recv() {
            server.take_proved(proved);
        }
        if let Some(message) = server.inbox.pop_front() {
            if let Some(ended) = server.handle(message) {
                return Ok(ended);
            }
            continue;
        }
        let ready = match server.prove_what_is_due() {
            Some(next) => operations.ready_deadline(next),
            None => Ok(operations.ready()),
        };
        // That the editor has gone is only told by an attempt to read.
        if ready == Ok(messages) {
            match receiver.recv_timeout(Duration::ZERO) {
                Ok(message) => server.take_in(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(Ended::Abandoned),
            }
        }
    }
}

/// A request that is answered when its mesh was proved.
#[derive(Debug)]
struct Waiting {
    request: Request,
    document: PathBuf,
    version: i32,
}

#[derive(Debug)]
struct Server {
    client: Client,
    world: World,
    prover: Prover,
    publisher: Publisher,
    inbox: VecDeque<Message>,
    waiting: Vec<Waiting>,
    /// When the proofs of meshes start.
    due: BTreeMap<PathBuf, Instant>,
    /// How long nobody types before that.
    pause: Duration,
    /// Whether the editor asked the server to end.
    ends: bool,
}

impl Server {
    fn new(sender: Sender<Message>, prover: Prover, can: Abilities, params: &Value) -> Self {
        let mut world = World::new(can, folders(params));
        if let Some(roots) = roots(params.pointer("/initializationOptions")) {
            world.set_roots(&roots);
        }
        let mut server = Self {
            client: Client::new(sender),
            world,
            prover,
            publisher: Publisher::default(),
            inbox: VecDeque::new(),
            waiting: Vec::new(),
            due: BTreeMap::new(),
            pause: PAUSE.0,
            ends: false,
        };
        if server.world.can.watches_files {
            let registrations = vec![capabilities::watch_files()];
            server
                .client
                .ask::<RegistrationRequest>(RegistrationParams { registrations });
        }
        server
    }

    // ── Messages ──

    /// Puts a message behind the others; one that cancels another takes that out.
    fn take_in(&mut self, message: Message) {
        match message {
            Message::Notification(it)
                if it.method == LspNotificationMethod::CancelRequest.as_str() =>
            {
                self.cancel(&it);
            }
            other => self.inbox.push_back(other),
        }
    }

    fn cancel(&mut self, notification: &Notification) {
        let id = match notification.params.get("id") {
            Some(Value::String(id)) => RequestId::from(id.clone()),
            Some(id) => match id.as_i64().and_then(|id| i32::try_from(id).ok()) {
                Some(id) => RequestId::from(id),
                None => return,
            },
            None => return,
        };
        let is_meant =
            |message: &Message| matches!(message, Message::Request(request) if request.id == id);
        let there = self.inbox.iter().position(is_meant);
        let waits = self.waiting.iter().position(|it| it.request.id == id);
        if let Some(at) = there {
            self.inbox.remove(at);
        } else if let Some(at) = waits {
            self.waiting.remove(at);
        } else {
            return; // it was answered
        }
        let refusal = Refusal::new(
            ErrorCode::RequestCanceled,
            "the editor wants no answer any more",
        );
        self.client.answer(id, Err(refusal));
    }

    /// Handles a message; says so if it is the last one.
    fn handle(&mut self, message: Message) -> Option<Ended> {
        match message {
            Message::Request(request) => self.handle_request(request),
            Message::Notification(it) if it.method == LspNotificationMethod::Exit.as_str() => {
                return Some(if self.ends {
                    Ended::Asked
                } else {
                    Ended::Abandoned
                });
            }
            Message::Notification(notification) => self.handle_notification(notification),
            Message::Response(_) => {} // nothing is asked for the sake of the answer
        }
        None
    }

    // ── Requests ──

    fn handle_request(&mut self, request: Request) {
        if self.ends {
            let refusal = Refusal::new(ErrorCode::InvalidRequest, "the server was asked to end");
            return self.client.answer(request.id, Err(refusal));
        }
        if request.method == dispatch::SHUTDOWN {
            self.ends = true;
            return self.client.answer(request.id, Ok(Value::Null));
        }
        let Some(document) = document_of(&request.params) else {
            return self.answer(request);
        };
        if self.will_change(&document) {
            return self.client.answer(request.id, Err(Refusal::outdated()));
        }
        if dispatch::waits_for_proofs(&request.method)
            && let Some(version) = self.unproved(&document)
        {
            self.waiting.push(Waiting {
                request,
                document,
                version,
            });
            return;
        }
        self.answer(request);
    }

    /// Whether the editor has told already that a document is another now.
    fn will_change(&self, document: &PathBuf) -> bool {
        self.inbox.iter().any(|message| {
            let Message::Notification(it) = message else {
                return false;
            };
            it.method == LspNotificationMethod::TextDocumentDidChange.as_str()
                && document_of(&it.params).as_ref() == Some(document)
        })
    }

    /// The version of a document, if the mesh that it is a part of is still to be proved.
    fn unproved(&self, path: &Path) -> Option<i32> {
        let document = self.world.document(path)?;
        let live = self.world.own_mesh(document)?;
        (!live.is_settled()).then_some(document.version)
    }

    fn answer(&mut self, request: Request) {
        let Request { id, method, params } = request;
        let world = &mut self.world;
        // A mistake of ours costs this answer, not the session.
        let answering = catch_unwind(AssertUnwindSafe(|| {
            dispatch::answer(world, &method, params)
        }));
        let result = answering.unwrap_or_else(|_| {
            let message = format!("{method} failed: this is a mistake in meshc");
            self.log(&message);
            Err(Refusal::new(ErrorCode::InternalError, message))
        });
        self.client.answer(id, result);
    }

    /// Answers what waited for proofs that are there now, and refuses what is about a text that has changed.
    fn answer_waiting(&mut self) {
        for waiting in std::mem::take(&mut self.waiting) {
            let document = self.world.document(&waiting.document);
            if document.is_none_or(|document| document.version != waiting.version) {
                self.client
                    .answer(waiting.request.id, Err(Refusal::outdated()));
            } else if self.unproved(&waiting.document).is_some() {
                self.waiting.push(waiting);
            } else {
                self.answer(waiting.request);
            }
        }
    }

    // ── Notifications ──

    fn handle_notification(&mut self, notification: Notification) {
        let Notification { method, params } = notification;
        let changing = catch_unwind(AssertUnwindSafe(|| self.change(&method, params)));
        match changing {
            Ok(Ok(())) => {}
            Ok(Err(problem)) => self.log(&format!("{method}: {problem}")),
            Err(_) => self.log(&format!("{method} failed: this is a mistake in meshc")),
        }
        self.tell_what_changed();
    }

    fn change(&mut self, method: &str, params: Value) -> Result<(), serde_json::Error> {
        let world = &mut self.world;
        match LspNotificationMethod::from(method) {
            LspNotificationMethod::TextDocumentDidOpen => {
                let document = read::<DidOpenTextDocumentParams>(params)?.text_document;
                world.open(document.uri, document.version, &document.text);
            }
            LspNotificationMethod::TextDocumentDidChange => {
                let DidChangeTextDocumentParams {
                    text_document,
                    content_changes,
                } = read(params)?;
                let uri = text_document.text_document_identifier.uri;
                world.change(&uri, text_document.version, &content_changes);
            }
            LspNotificationMethod::TextDocumentDidSave => {
                let DidSaveTextDocumentParams {
                    text_document,
                    text,
                } = read(params)?;
                world.save(&text_document.uri, text.as_deref());
            }
            LspNotificationMethod::TextDocumentDidClose => {
                let document = read::<DidCloseTextDocumentParams>(params)?.text_document;
                world.close(&document.uri);
            }
            LspNotificationMethod::WorkspaceDidChangeWatchedFiles => {
                let changes = read::<DidChangeWatchedFilesParams>(params)?.changes;
                let files: Vec<PathBuf> = changes.iter().map(|it| paths::of_uri(&it.uri)).collect();
                world.change_files(&files);
            }
            LspNotificationMethod::WorkspaceDidChangeWorkspaceFolders => {
                let event = read::<DidChangeWorkspaceFoldersParams>(params)?.event;
                let paths = |folders: &[gen_lsp_types::WorkspaceFolder]| -> Vec<PathBuf> {
                    folders
                        .iter()
                        .map(|folder| paths::of_uri(&folder.uri))
                        .collect()
                };
                world.change_folders(paths(&event.added), &paths(&event.removed));
            }
            LspNotificationMethod::WorkspaceDidChangeConfiguration => {
                let settings = read::<DidChangeConfigurationParams>(params)?.settings;
                if let Some(roots) = roots(settings.get("mesh")) {
                    world.set_roots(&roots);
                }
            }
            _ => {} // those that may be ignored
        }
        Ok(())
    }

    /// Publishes what is new, and makes proofs due.
    fn tell_what_changed(&mut self) {
        let changed = self.world.take_changed();
        if changed.is_empty() {
            return;
        }
        for root in &changed {
            self.prover.cancel(root);
            self.due.remove(root);
            if self.world.mesh(root).is_some_and(|live| !live.is_settled()) {
                self.due.insert(root.clone(), Instant::now() + self.pause);
            }
        }
        self.publisher.publish(&self.client, &self.world, &changed);
        self.answer_waiting();
    }

    // ── Proofs ──

    /// Starts the proofs that are due; when the next ones are.
    fn prove_what_is_due(&mut self) -> Option<Instant> {
        let now = Instant::now();
        let due = self.due.extract_if(.., |_, at| *at <= now);
        let due: Vec<PathBuf> = due.map(|(root, _)| root).collect();
        for root in due {
            if let Some(live) = self.world.mesh_mut(&root) {
                let job = Job {
                    revision: live.revision,
                    project: live.project(),
                    stale: live.take_stale(),
                    root,
                };
                self.prover.prove(job);
            }
        }
        self.due.values().min().copied()
    }

    fn take_proved(&mut self, proved: Proved) {
        let Proved {
            root,
            revision,
            checked,
            took,
        } = proved;
        if checked.is_none() {
            let message = format!(
                "{}: checking failed: this is a mistake in meshc",
                root.display()
            );
            self.log(&message);
        }
        let live = self.world.mesh_mut(&root);
        if !live.is_some_and(|live| live.settle(revision, checked)) {
            return; // there is a later text
        }
        self.pause = (took / PAUSE_PER_PROOF).clamp(PAUSE.0, PAUSE.1);
        self.publisher
            .publish(&self.client, &self.world, &[root].into());
        self.answer_waiting();
        if self.world.can.refreshes_hints {
            self.client.ask::<InlayHintRefreshRequest>(());
        }
        if self.world.can.refreshes_lenses {
            self.client.ask::<CodeLensRefreshRequest>(());
        }
    }

    fn log(&self, message: &str) {
        self.client
            .notify::<LogMessageNotification>(LogMessageParams {
                kind: MessageType::Error,
                message: message.to_owned(),
            });
    }
}

fn read<T: DeserializeOwned>(params: Value) -> Result<T, serde_json::Error> {
    serde_json::from_value(params)
}

/// The document that the parameters of a message are about, if they are about one; a command has it as its
/// first argument.
fn document_of(params: &Value) -> Option<PathBuf> {
    let uri = params.pointer("/textDocument/uri");
    let uri = uri.or_else(|| params.pointer("/arguments/0"))?.as_str()?;
    Some(paths::of_uri(&Uri(uri.to_owned())))
}

/// The folders that the parameters of `initialize` name.
fn folders(params: &Value) -> Vec<PathBuf> {
    let uri = |value: &Value| {
        value
            .as_str()
            .map(|uri| paths::of_uri(&Uri(uri.to_owned())))
    };
    if let Some(folders) = params.get("workspaceFolders").and_then(Value::as_array) {
        return folders
            .iter()
            .filter_map(|folder| uri(folder.get("uri")?))
            .collect();
    }
    let root = params.get("rootUri").and_then(uri);
    let path = || Some(PathBuf::from(params.get("rootPath")?.as_str()?));
    root.or_else(path).into_iter().collect()
}

/// The roots of meshes that settings name.
fn roots(settings: Option<&Value>) -> Option<Vec<PathBuf>> {
    let roots = settings?.get("roots")?.as_array()?;
    Some(
        roots
            .iter()
            .filter_map(Value::as_str)
            .map(PathBuf::from)
            .collect(),
    )
}
