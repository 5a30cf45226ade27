//! `meshc fmt`: files in the one layout.
//!
//! What does not parse is reported and stays as it is; the rest of its file is laid out. A file that
//! changes is replaced as a whole, so that whoever reads it sees the old text or the new.

use super::{FINDINGS, Failure, Stream, When, file, print, print_bytes, tell};
use crate::files;
use crate::project;
use crate::report::{self, Format, Report, Style, count, diff};
use mesh_lang::diagnostic::Diagnostic;
use mesh_lang::format::format;
use mesh_lang::parser::parse;
use mesh_lang::source::{FileId, Sources};
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  meshc fmt                      lay out all .mesh files below this directory
  meshc fmt shop/ common.mesh    these files, and those below these directories
  meshc fmt --check              write nothing, show what would change; for CI
  meshc fmt --stdin <shop.mesh   from standard input to standard output; for editors

Exit codes:
  0  done
  1  a file does not parse, or --check found one to lay out
  2  the command could not be carried out: usage, a file that cannot be read or written";

/// The lines that are shown of what would change in a file.
const SHOWN: usize = 60;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// `.mesh` files, and directories with such files at any depth.
    #[arg(value_name = "PATH", default_value = ".", conflicts_with = "stdin")]
    paths: Vec<PathBuf>,
    /// Write nothing; show what would change, and exit with 1 if anything would.
    #[arg(long)]
    check: bool,
    /// Lay out standard input, and write it to standard output.
    #[arg(long)]
    stdin: bool,
    /// What messages call standard input.
    #[arg(
        long,
        value_name = "NAME",
        requires = "stdin",
        default_value = "<stdin>"
    )]
    stdin_name: String,
}

pub(crate) fn run(arguments: &Arguments, color: When) -> Result<ExitCode, Failure> {
    if arguments.stdin {
        return standard_input(arguments, color);
    }
    let mut files = Files::default();
    for path in &arguments.paths {
        files.load(path)?;
    }
    let mut changed = 0;
    for (file, path) in files.texts.clone() {
        let Some(text) = files.laid_out(file, !arguments.check) else {
            continue;
        };
        changed += 1;
        let source = files.sources.get(file);
        if arguments.check {
            let style = color.style(Stream::Output);
            print(&difference(source.name(), source.text(), &text, style))?;
        } else {
            file::rewrite(&path, &text)
                .map_err(|error| format!("{} cannot be written: {error}", source.name()))?;
            print(&format!("formatted {}\n", source.name()))?;
        }
    }
    files.report(color)?;
    if changed == 0 && files.diagnostics.is_empty() {
        let files = count(files.texts.len(), "file");
        print(&format!("nothing to format in {files}\n"))?;
    }
    Ok(files.exit_code(arguments.check && changed > 0))
}

/// From standard input to standard output.
fn standard_input(arguments: &Arguments, color: When) -> Result<ExitCode, Failure> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|error| format!("standard input cannot be read: {error}"))?;
    let mut files = Files::default();
    let name = arguments.stdin_name.as_str();
    let mut changed = false;
    let (file, no_text) = project::add(&mut files.sources, name, bytes.clone());
    if let Some(no_text) = no_text {
        files.diagnostics.push(no_text);
        if !arguments.check {
            // An editor would take silence for an empty file.
            print_bytes(&bytes)?;
        }
    } else {
        let laid_out = files.laid_out(file, !arguments.check);
        changed = laid_out.is_some();
        let text = files.sources.get(file).text();
        match laid_out {
            Some(new) if arguments.check => {
                let style = color.style(Stream::Output);
                print(&difference(name, text, &new, style))?;
            }
            _ if arguments.check => {}
            laid_out => print(laid_out.as_deref().unwrap_or(text))?,
        }
    }
    files.report(color)?;
    Ok(files.exit_code(arguments.check && changed))
}

/// The files of a command, and what is wrong with them.
#[derive(Default)]
struct Files {
    sources: Sources,
    /// Those that are text, and where they lie.
    texts: Vec<(FileId, PathBuf)>,
    diagnostics: Vec<Diagnostic>,
    /// The real places of all of them: one may be named twice.
    seen: BTreeSet<PathBuf>,
}

impl Files {
    /// Adds a file, or all files of a directory.
    fn load(&mut self, path: &Path) -> Result<(), Failure> {
        for (_, path) in project::files(path).map_err(|error| error.to_string())? {
            let unreadable = |error| format!("{} cannot be read: {error}", path.display());
            let real = path.canonicalize().map_err(unreadable)?;
            if !self.seen.insert(real.clone()) {
                continue;
            }
            let bytes = files::read(&real, u64::MAX).map_err(unreadable)?;
            let shown = path.strip_prefix(".").unwrap_or(&path);
            let shown = shown.display().to_string();
            match project::add(&mut self.sources, &shown, bytes) {
                (file, None) => self.texts.push((file, real)),
                (_, Some(no_text)) => self.diagnostics.push(no_text),
            }
        }
        Ok(())
    }

    /// The text of a file as it should be, if it is not. If that will be `written`, what does not parse
    /// is reported where it will be then.
    fn laid_out(&mut self, file: FileId, written: bool) -> Option<String> {
        let source = self.sources.get(file);
        let parsed = parse(file, source.text());
        let text = format(&parsed.tree);
        let differs = text != source.text();
        if differs && written && !parsed.diagnostics.is_empty() {
            let file = self.sources.add(source.name().to_owned(), text.as_str());
            self.diagnostics.extend(parse(file, &text).diagnostics);
        } else {
            self.diagnostics.extend(parsed.diagnostics);
        }
        differs.then_some(text)
    }

    /// Tells what is wrong with them.
    fn report(&mut self, color: When) -> Result<(), Failure> {
        report::sort(&mut self.diagnostics);
        let report = Report {
            diagnostics: &self.diagnostics,
            files: report::Files::nowhere(&self.sources),
        };
        let style = color.style(Stream::Errors);
        tell(&report::render(&report, Format::Human, style))
    }

    fn exit_code(&self, differs: bool) -> ExitCode {
        if differs || !self.diagnostics.is_empty() {
            ExitCode::from(FINDINGS)
        } else {
            ExitCode::SUCCESS
        }
    }
}

/// What would change in a file, as `patch -p0` takes it, the beginning of it.
fn difference(name: &str, old: &str, new: &str, style: Style) -> String {
    let difference = diff::of_file(name, old, new, style);
    let mut lines = difference.split_inclusive('\n');
    let mut text = format!("would format {name}\n");
    text.extend(lines.by_ref().take(SHOWN));
    match lines.count() {
        0 => text,
        more => format!("{text}… and {}\n", count(more, "more line")),
    }
}
