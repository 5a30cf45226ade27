//! An editor that talks to `meshc lsp` over standard input and output, as real ones do.

use crate::binaries;
use crate::wait::DEADLINE;
use lsp_server::{Message, Notification, Request, RequestId, Response};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufReader, BufWriter};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

/// A session.
#[derive(Debug)]
pub struct Editor {
    server: Child,
    input: Option<BufWriter<ChildStdin>>,
    messages: Receiver<Message>,
    answers: HashMap<RequestId, Response>,
    /// The findings that were published last, by URI.
    pub published: HashMap<String, Value>,
    /// What the server says that it can.
    pub capabilities: Value,
    next_id: i32,
}

impl Editor {
    /// Starts the server with what an editor says of itself: `capabilities`, `workspaceFolders` and so on.
    pub fn start(params: Value) -> Self {
        let mut server = Command::new(binaries::path("meshc"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("meshc starts");
        let input = server.stdin.take().map(BufWriter::new);
        let output = server.stdout.take().expect("it is piped");
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Ok(Some(message)) = Message::read(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut editor = Self {
            server,
            input,
            messages,
            answers: HashMap::new(),
            published: HashMap::new(),
            capabilities: Value::Null,
            next_id: 0,
        };
        let mut result = editor.request("initialize", params);
        editor.capabilities = result["capabilities"].take();
        editor.notify("initialized", json!({}));
        editor
    }

    /// Opens a document.
    pub fn open(&mut self, uri: &str, text: &str) {
        let document = json!({ "uri": uri, "languageId": "mesh", "version": 1, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document }));
    }

    /// Tells something.
    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&Notification::new(method.to_owned(), params).into());
    }

    /// Asks for something, and waits for the answer.
    pub fn request(&mut self, method: &str, params: Value) -> Value {
        self.next_id += 1;
        let id = RequestId::from(self.next_id);
        self.send(&Request::new(id.clone(), method.to_owned(), params).into());
        self.wait(method, |editor| editor.answers.contains_key(&id));
        let response = self.answers.remove(&id).expect("it was waited for");
        let result = response.response_result;
        result.unwrap_or_else(|error| panic!("{method} was refused: {error:?}"))
    }

    /// Listens until something is the case.
    pub fn wait(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let until = Instant::now() + DEADLINE;
        while !is_so(self) {
            let left = until.saturating_duration_since(Instant::now());
            match self.messages.recv_timeout(left) {
                Ok(message) => self.take(message),
                Err(error) => panic!("waited for {what}: {error}"),
            }
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Response(response) => {
                self.answers.insert(response.id.clone(), response);
            }
            Message::Request(request) => {
                self.send(&Response::new_ok(request.id, Value::Null).into());
            }
            Message::Notification(it) if it.method == "textDocument/publishDiagnostics" => {
                let uri = it.params["uri"].as_str().unwrap_or_default().to_owned();
                self.published.insert(uri, it.params);
            }
            Message::Notification(_) => {}
        }
    }

    fn send(&mut self, message: &Message) {
        let input = self.input.as_mut().expect("the session goes on");
        message.write(input).expect("the server listens");
    }

    /// Says goodbye; how the server ended.
    pub fn end(mut self) -> ExitStatus {
        self.request("shutdown", Value::Null);
        self.notify("exit", Value::Null);
        self.hang_up()
    }

    /// Goes without a word; how the server ended.
    pub fn hang_up(&mut self) -> ExitStatus {
        self.input = None;
        crate::wait::until("the server to end", || {
            self.server.try_wait().expect("it can be waited for")
        })
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
