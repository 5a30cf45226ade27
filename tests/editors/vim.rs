//! The files of Vim and Neovim, run by them.
//!
//! The scripts are in `editors/vim/test`: each is given a file to write to, and files to read.

use super::tools::run;
use libtest_mimic::Failed;
use mesh_lang::lexer::lex;
use mesh_lang::syntax::SyntaxKind;
use mesh_tests::binaries::{self, workspace};
use meshc::compile::{Selection, check};
use meshc::project::Project;
use meshc::report::{Format, Style, render};
use std::fmt::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Which of the two.
#[derive(Clone, Copy)]
pub(super) enum Vim {
    Vim,
    Neovim,
}

fn scripts() -> PathBuf {
    workspace().join("editors/vim/test")
}

impl Vim {
    /// What a script writes about some files.
    fn run(self, script: &str, files: &[PathBuf]) -> Result<String, Failed> {
        let directory = tempfile::tempdir()?;
        let output = directory.path().join("output");
        let mut command = match self {
            Self::Vim => Command::new("vim"),
            Self::Neovim => Command::new("nvim"),
        };
        command.args(match self {
            Self::Vim => ["-Nes", "-nu", "NONE", "-i", "NONE", "-S"],
            Self::Neovim => ["--headless", "-nu", "NONE", "-i", "NONE", "-S"],
        });
        run(command.arg(scripts().join(script)).arg(&output).args(files))?;
        Ok(std::fs::read_to_string(output)?)
    }

    /// The groups of the syntax file in some files: the file, the place, the group.
    pub(super) fn groups(
        self,
        files: &[PathBuf],
    ) -> Result<Vec<(String, Range<usize>, String)>, Failed> {
        let output = self.run("groups.vim", files)?;
        let found = output.lines().map(|line| {
            let mut parts = line.split('\t');
            let file = parts.next()?.to_owned();
            let start = parts.next()?.parse().ok()?;
            let end = parts.next()?.parse().ok()?;
            Some((file, start..end, parts.next()?.to_owned()))
        });
        let found: Option<Vec<_>> = found.collect();
        found.ok_or_else(|| "the groups cannot be read".into())
    }
}

/// Every token of a file with odd names has the group that it should have.
pub(super) fn shows_what_it_should(vim: Vim) -> Result<(), Failed> {
    let file = workspace().join("editors/corpus/names.mesh");
    let text = std::fs::read_to_string(&file)?;
    let groups = vim.groups(&[file])?;
    let tokens = lex(&text);
    let mut shown = String::new();
    let mut line = 1;
    for (index, kind) in tokens.kinds().iter().enumerate() {
        let start = tokens.start(index) as usize;
        match kind {
            SyntaxKind::Newline => line += 1,
            SyntaxKind::Whitespace => {}
            _ => {
                let group = groups.iter().find(|(_, range, _)| range.contains(&start));
                let group = group.map_or("", |(_, _, group)| group);
                let token = tokens.text(&text, index);
                writeln!(shown, "{line}: {token}  {group}")?;
            }
        }
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("vim-names", shown));
    Ok(())
}

/// Indenting a file that is laid out already leaves it as it is.
pub(super) fn keeps_a_layout(vim: Vim) -> Result<(), Failed> {
    let files = [
        workspace().join("examples/bookinfo/bookinfo.mesh"),
        scripts().join("indent.mesh"),
    ];
    let changed = vim.run("indent.vim", &files)?;
    if !changed.is_empty() {
        return Err(changed.into());
    }
    // Else it may never have indented anything.
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("a.mesh");
    std::fs::write(&file, "service a {\n      timeout 5s\n    }\n")?;
    let changed = vim.run("indent.vim", &[file])?;
    let lines: Vec<_> = changed
        .lines()
        .filter_map(|it| it.split_once(": "))
        .collect();
    let lines: Vec<_> = lines.into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines, ["  timeout 5s", "}"]);
    Ok(())
}

/// `:make` puts findings into the quickfix list.
pub(super) fn reads_findings(vim: Vim) -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("findings");
    let policy = "mesh t { mtls off; authz open-by-default; lints { allow open-service } }\n\
                  service a { endpoints 127.0.0.1:1; timeout 5 }\n\
                  # lint: allow unused-suppression (why)\n\
                  service a { endpoints 127.0.0.1:2 }\n";
    let project = Project::of_texts([("shop/a.mesh", policy)]);
    let checked = check(project, &Selection::default());
    let report = checked.report(None);
    std::fs::write(&file, render(&report, Format::Plain, Style::PLAIN))?;
    let found = vim.run("quickfix.vim", &[file])?;
    let expected = "\
meshc lint --format plain
shop/a.mesh | 2 | 44 | E | `5` is a duration only with a unit, such as `5s` or `5ms` (missing-unit)
shop/a.mesh | 4 | 9 | E | `a` is declared twice (duplicate-decl); at shop/a.mesh:4:9: again here; \
at shop/a.mesh:2:9: declared here; \
note: names are unique among the services, externals and gateways of a namespace; \
help: rename one of them
";
    assert_eq!(found, expected);
    Ok(())
}

/// The client is set up as each version of Neovim wants it.
pub(super) fn neovim_starts_its_client() -> Result<(), Failed> {
    let script = scripts().join("lsp.lua");
    // The script ends Neovim itself; what goes wrong in it comes to the last command.
    run(Command::new("nvim")
        .args(["--headless", "-nu", "NONE", "-i", "NONE", "-c"])
        .arg(format!("luafile {}", script.display()))
        .args(["-c", "cquit 1"]))?;
    Ok(())
}

/// Neovim shows what the real server finds, tells and offers.
pub(super) fn neovim_talks_to_the_server() -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    let policy = directory.path().join("a.mesh");
    std::fs::write(
        &policy,
        "mesh t { mtls off; authz open-by-default; lints { allow open-service } }\n\
         service a { protocol http; endpoints 127.0.0.1:1\n  timeout 5\n}\n",
    )?;
    let output = directory.path().join("output");
    run(Command::new("nvim")
        .args(["--headless", "-nu", "NONE", "-i", "NONE", "-c"])
        .arg(format!(
            "luafile {}",
            scripts().join("session.lua").display()
        ))
        .args(["-c", "cquit 1"])
        .env("MESHC", binaries::path("meshc"))
        .env("POLICY", &policy)
        .env("OUTPUT", &output))?;
    let seen = std::fs::read_to_string(output)?;
    let has = |line: &str| seen.lines().any(|it| it == line);
    for line in [
        "finding 3:11 `5` is a duration only with a unit, such as `5s` or `5ms`",
        "hover timeout DURATION | off [{ … }]",
        "completion grpc",
        "no finding",
    ] {
        assert!(has(line), "no {line:?} in {seen}");
    }
    Ok(())
}
