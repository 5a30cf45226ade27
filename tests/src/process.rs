//! Processes of a test.

use crate::wait;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

/// A running process. It is killed when this is dropped; what it wrote is kept.
#[derive(Debug)]
pub struct Process {
    child: Child,
    output: Arc<Mutex<String>>,
    errors: Arc<Mutex<String>>,
}

impl Process {
    /// Starts a program.
    pub fn start<'a>(program: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        Self::run(Command::new(program).args(arguments))
    }

    /// Starts a command.
    pub fn run(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        let output = collect(child.stdout.take());
        let errors = collect(child.stderr.take());
        Self {
            child,
            output,
            errors,
        }
    }

    /// What it wrote to standard output so far.
    pub fn output(&self) -> String {
        text(&self.output)
    }

    /// What it wrote to standard error so far.
    pub fn errors(&self) -> String {
        text(&self.errors)
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.id().to_string()])
            .status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "it is gone: {}",
            self.errors()
        );
    }

    /// Waits until it ends.
    pub fn wait(&mut self) -> ExitStatus {
        wait::until("a process to end", || {
            self.child.try_wait().expect("it can be waited for")
        })
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("it can be waited for")
    }

    /// Resident memory, in bytes.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()));
        let status = status.expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.expect("it has memory") * 1024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(shared: &Mutex<String>) -> String {
    shared.lock().map(|text| text.clone()).unwrap_or_default()
}

/// Reads a pipe to its end, line by line, so that the writer never waits.
fn collect(pipe: Option<impl Read + Send + 'static>) -> Arc<Mutex<String>> {
    let all = Arc::new(Mutex::new(String::new()));
    let into = Arc::clone(&all);
    if let Some(pipe) = pipe {
        std::thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut line = Vec::new();
            while pipe.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                if let Ok(mut all) = into.lock() {
                    all.push_str(&String::from_utf8_lossy(&line));
                }
                line.clear();
            }
        });
    }
    all
}
