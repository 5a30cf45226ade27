//! What the editor can, and the way to it.
//!
//! Of what an editor says of itself only what is needed is read, and one by one, so that whatever is odd
//! in the rest does no harm.

use super::position::Encoding;
use crossbeam_channel::Sender;
use gen_lsp_types::{Notification, Request};
use lsp_server::{ErrorCode, Message, RequestId, Response, ResponseError};
use serde::Serialize;
use serde_json::Value;

/// What the editor can.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // each is a capability of its own
pub(super) struct Abilities {
    pub(super) encoding: Encoding,
    /// Whether completions may have places to fill in.
    pub(super) snippets: bool,
    /// Whether edits of the workspace may.
    pub(super) snippet_edits: bool,
    /// Whether edits of the workspace name versions of documents.
    pub(super) document_changes: bool,
    /// Whether symbols of a document may lie in each other.
    pub(super) nested_symbols: bool,
    /// Whether links and definitions say where they come from.
    pub(super) definition_links: bool,
    /// Whether it can be asked to watch files.
    pub(super) watches_files: bool,
    /// Whether code actions may be more than commands.
    pub(super) action_literals: bool,
    /// Whether it can be asked to ask for inlay hints, or code lenses, again.
    pub(super) refreshes_hints: bool,
    pub(super) refreshes_lenses: bool,
    /// Whether a hover may be Markdown, and what is told of a completion.
    pub(super) markdown_hovers: bool,
    pub(super) markdown_completions: bool,
    /// Whether whole lines only can be folded.
    pub(super) folds_lines: bool,
    /// The commands of its own that it carries out for the server.
    pub(super) commands: Vec<String>,
}

impl Abilities {
    /// What the parameters of `initialize` say.
    pub(super) fn read(params: &Value) -> Self {
        let value = |path: &str| params.pointer(&format!("/capabilities/{path}"));
        let is = |path: &str| value(path).and_then(Value::as_bool).unwrap_or(false);
        let lists = |path: &str, text: &str| {
            let list = value(path).and_then(Value::as_array);
            list.is_some_and(|list| list.iter().any(|it| it == text))
        };
        let commands = value("experimental/commands/commands").and_then(Value::as_array);
        let commands = commands.into_iter().flatten().filter_map(Value::as_str);
        Self {
            encoding: if lists("general/positionEncodings", "utf-8") {
                Encoding::Utf8
            } else {
                Encoding::Utf16
            },
            snippets: is("textDocument/completion/completionItem/snippetSupport"),
            snippet_edits: is("workspace/workspaceEdit/snippetEditSupport"),
            document_changes: is("workspace/workspaceEdit/documentChanges"),
            nested_symbols: is("textDocument/documentSymbol/hierarchicalDocumentSymbolSupport"),
            definition_links: is("textDocument/definition/linkSupport"),
            watches_files: is("workspace/didChangeWatchedFiles/dynamicRegistration"),
            action_literals: value("textDocument/codeAction/codeActionLiteralSupport").is_some(),
            refreshes_hints: is("workspace/inlayHint/refreshSupport"),
            refreshes_lenses: is("workspace/codeLens/refreshSupport"),
            markdown_hovers: lists("textDocument/hover/contentFormat", "markdown"),
            markdown_completions: lists(
                "textDocument/completion/completionItem/documentationFormat",
                "markdown",
            ),
            folds_lines: is("textDocument/foldingRange/lineFoldingOnly"),
            commands: commands.map(str::to_owned).collect(),
        }
    }

    /// Whether the editor carries out this command.
    pub(super) fn carries_out(&self, command: &str) -> bool {
        self.commands.iter().any(|known| known == command)
    }
}

/// The editor that the server talks to.
#[derive(Debug)]
pub(super) struct Client {
    sender: Sender<Message>,
    next_request: i32,
}

impl Client {
    pub(super) fn new(sender: Sender<Message>) -> Self {
        Self {
            sender,
            next_request: 0,
        }
    }

    /// Tells something.
    pub(super) fn notify<N: Notification>(&self, params: N::Params) {
        let method = N::METHOD.to_string();
        self.send(lsp_server::Notification::new(method, params));
    }

    /// Asks for something; what is answered is of no interest.
    pub(super) fn ask<R: Request>(&mut self, params: R::Params) {
        self.next_request += 1;
        let id = RequestId::from(self.next_request);
        self.send(lsp_server::Request::new(id, R::METHOD.to_string(), params));
    }

    /// Answers a request.
    pub(super) fn answer(&self, id: RequestId, result: Result<Value, Refusal>) {
        let response_result = result.map_err(|Refusal { code, message }| ResponseError {
            code: code as i32,
            message,
            data: None,
        });
        self.send(Response {
            id,
            response_result,
        });
    }

    fn send(&self, message: impl Into<Message>) {
        // An editor that has gone hears nothing, and that it has is noticed elsewhere.
        let _ = self.sender.send(message.into());
    }
}

/// Why a request is not answered.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: ErrorCode,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// What was asked cannot be done, for this reason.
    pub(super) fn because(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::RequestFailed, message)
    }

    /// What was asked about is there no more.
    pub(super) fn outdated() -> Self {
        Self::new(ErrorCode::ContentModified, "the text has changed meanwhile")
    }
}

/// A value as the protocol writes it.
pub(super) fn json(value: impl Serialize) -> Value {
    // All types of the protocol can be written.
    serde_json::to_value(value).unwrap_or_default()
}
