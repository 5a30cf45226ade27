//! A policy on disk, and the bundle that `meshc` makes of it.

use crate::binaries;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A mesh in a directory of its own, with its bundle beside it.
#[derive(Debug)]
pub struct Policy {
    directory: TempDir,
}

impl Policy {
    /// Writes and compiles a policy.
    pub fn new(text: &str) -> Self {
        let directory = tempfile::tempdir().expect("there is room for files");
        std::fs::create_dir(directory.path().join("mesh")).expect("it is empty");
        let policy = Self { directory };
        policy.update(text);
        policy
    }

    /// Writes and compiles another text; the bundle is replaced as `meshc` replaces it.
    pub fn update(&self, text: &str) {
        std::fs::write(self.path("mesh/policy.mesh"), text).expect("it can be written");
        self.compile_to(&self.bundle());
    }

    /// Compiles what is written to another file.
    pub fn compile_to(&self, bundle: &Path) {
        let output = Command::new(binaries::path("meshc"))
            .arg("compile")
            .arg(self.path("mesh"))
            .arg("-o")
            .arg(bundle)
            .output()
            .expect("meshc can be started");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "meshc: {errors}");
    }

    /// A path in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Where the bundle is.
    pub fn bundle(&self) -> PathBuf {
        self.path("policy.bundle")
    }
}
