//! What needs a tool of somebody else: the command line of tree-sitter, Node, npm's packages, git, Vim.

use super::agreement;
use super::vim::{self, Vim};
use libtest_mimic::{Failed, Trial};
use mesh_tests::binaries::{self, workspace};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The tests, each of which is ignored if its tool is missing.
pub(super) fn trials() -> Vec<Trial> {
    // Which npm writes when all of them are there.
    let packages = extension().join("node_modules/.package-lock.json");
    let packages = packages.is_file();
    vec![
        trial(
            "tree-sitter",
            "the_parser_is_made_from_the_grammar",
            the_parser_is_made_from_the_grammar,
        ),
        trial(
            "tree-sitter",
            "samples_pass_tree_sitter_test",
            samples_pass_tree_sitter_test,
        ),
        trial("node", "textmate_agrees", agreement::of_textmate)
            .with_ignored_flag(!packages || !is_installed("node")),
        trial("vim", "vim_agrees", || agreement::of_vim(Vim::Vim)),
        trial("nvim", "neovim_agrees", || agreement::of_vim(Vim::Neovim)),
        trial("vim", "vim_shows_what_it_should", || {
            vim::shows_what_it_should(Vim::Vim)
        }),
        trial("nvim", "neovim_shows_what_it_should", || {
            vim::shows_what_it_should(Vim::Neovim)
        }),
        trial("vim", "vim_keeps_a_layout", || {
            vim::keeps_a_layout(Vim::Vim)
        }),
        trial("nvim", "neovim_keeps_a_layout", || {
            vim::keeps_a_layout(Vim::Neovim)
        }),
        trial("vim", "vim_reads_findings", || {
            vim::reads_findings(Vim::Vim)
        }),
        trial(
            "nvim",
            "neovim_starts_its_client",
            vim::neovim_starts_its_client,
        ),
        trial(
            "nvim",
            "neovim_talks_to_the_server",
            vim::neovim_talks_to_the_server,
        ),
        trial(
            "npm",
            "the_extension_passes_its_tests",
            the_extension_passes_its_tests,
        )
        .with_ignored_flag(!packages || !is_installed("npm")),
        trial(
            "pytest-lsp",
            "answers_fit_the_protocol",
            answers_fit_the_protocol,
        )
        .with_ignored_flag(!has_pytest_lsp()),
        trial(
            "git",
            "zed_gets_a_whole_extension",
            zed_gets_a_whole_extension,
        ),
    ]
}

fn trial(tool: &'static str, name: &str, run: fn() -> Result<(), Failed>) -> Trial {
    Trial::test(name, run)
        .with_kind(tool)
        .with_ignored_flag(!is_installed(tool))
}

fn is_installed(tool: &str) -> bool {
    Command::new(tool).arg("--version").output().is_ok()
}

fn extension() -> PathBuf {
    workspace().join("editors/vscode")
}

fn grammar() -> PathBuf {
    workspace().join("editors/tree-sitter-mesh")
}

/// What a command prints; it must succeed.
pub(super) fn run(command: &mut Command) -> Result<String, Failed> {
    let output = command.stdin(Stdio::null()).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?}: {text}{errors}").into())
}

/// `tree-sitter generate` would make the files that are there. Another version of the tool may make
/// others, so its name is in the message.
fn the_parser_is_made_from_the_grammar() -> Result<(), Failed> {
    let version = run(Command::new("tree-sitter").arg("--version"))?;
    let directory = tempfile::tempdir()?;
    for file in ["grammar.js", "tree-sitter.json"] {
        std::fs::copy(grammar().join(file), directory.path().join(file))?;
    }
    run(Command::new("tree-sitter")
        .current_dir(directory.path())
        .args(["generate", "--abi", "14"]))?;
    for file in ["src/parser.c", "src/grammar.json", "src/node-types.json"] {
        if std::fs::read(grammar().join(file))? != std::fs::read(directory.path().join(file))? {
            let how = "tree-sitter generate --abi 14";
            return Err(format!("{file} is out of date: {how}  ({})", version.trim()).into());
        }
    }
    Ok(())
}

fn samples_pass_tree_sitter_test() -> Result<(), Failed> {
    // What it compiles goes to its own place, not to the user's.
    let directory = tempfile::tempdir()?;
    run(Command::new("tree-sitter")
        .current_dir(grammar())
        .env("TREE_SITTER_LIBDIR", directory.path())
        .arg("test"))?;
    Ok(())
}

/// The Python that the client of pytest-lsp is installed for.
fn python() -> PathBuf {
    let own = workspace().join("tests/editors/pytest/.venv/bin/python");
    if own.is_file() {
        own
    } else {
        PathBuf::from("python3")
    }
}

fn has_pytest_lsp() -> bool {
    let mut command = Command::new(python());
    command
        .args(["-c", "import pytest_lsp"])
        .stdin(Stdio::null());
    command.output().is_ok_and(|output| output.status.success())
}

/// A client that checks whatever it reads takes all answers, as several editors.
fn answers_fit_the_protocol() -> Result<(), Failed> {
    run(Command::new(python())
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
        .args(["-W", "error::pytest_lsp.LspSpecificationWarning"])
        .arg(workspace().join("tests/editors/pytest"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("MESHC", binaries::path("meshc"))
        .env(
            "POLICY",
            workspace().join("examples/bookinfo/bookinfo.mesh"),
        ))?;
    Ok(())
}

fn the_extension_passes_its_tests() -> Result<(), Failed> {
    run(Command::new("npm").current_dir(extension()).arg("test"))?;
    Ok(())
}

/// The folder that Zed installs has everything, filled in.
fn zed_gets_a_whole_extension() -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    let script = workspace().join("editors/zed/prepare.sh");
    run(Command::new("sh").arg(script).arg(directory.path()))?;
    let text = |file: &str| std::fs::read_to_string(directory.path().join(file));
    let manifest = text("extension.toml")?;
    let has = |line: &str| manifest.lines().any(|it| it.starts_with(line));
    assert!(has("repository = \"file:///"), "{manifest}");
    assert!(has("rev = \""), "{manifest}");
    assert!(!manifest.contains("\"@"), "{manifest}");
    for file in [
        "Cargo.toml",
        "src/lib.rs",
        "languages/mesh/config.toml",
        "languages/mesh/highlights.scm",
    ] {
        assert!(Path::new(&directory.path().join(file)).is_file(), "{file}");
    }
    Ok(())
}
