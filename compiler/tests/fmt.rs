//! `meshc fmt`, as a command.
#![allow(clippy::unwrap_used)]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const MESSY: &str = "service  a {\nroute {\n/a -> v1;/bcd   -> v2 # why\n}\n}\n";
const NEAT: &str = "service a {\n  route {\n    /a   -> v1\n    /bcd -> v2  # why\n  }\n}\n";
const BROKEN: &str = "service  a {\n  timeout ) 5s\nretry  off\n}\n";
const HALF: &str = "service a {\n  timeout ) 5s\n  retry off\n}\n";

struct Run {
    code: Option<i32>,
    output: String,
    errors: String,
}

fn meshc(directory: &Path, arguments: &[&str], input: &[u8]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_meshc"))
        .arg("fmt")
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    Run {
        code: status.code(),
        output: String::from_utf8_lossy(&stdout).into_owned(),
        errors: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    directory
}

fn read(directory: &TempDir, name: &str) -> String {
    std::fs::read_to_string(directory.path().join(name)).unwrap()
}

/// What was run and said: for people who change how it speaks.
fn told(run: &Run) -> String {
    let Run {
        code,
        output,
        errors,
    } = run;
    format!(
        "exit code {}\n--- standard output\n{output}--- standard error\n{errors}",
        code.unwrap()
    )
}

#[test]
fn files_are_laid_out_in_place_and_those_that_changed_are_named() {
    let files = directory(&[("a.mesh", MESSY), ("b.mesh", NEAT), ("x/c.mesh", MESSY)]);
    let before = std::fs::metadata(files.path().join("b.mesh")).unwrap();
    let run = meshc(files.path(), &[], b"");
    assert_eq!(run.code, Some(0), "{}", run.errors);
    assert_eq!(run.output, "formatted a.mesh\nformatted x/c.mesh\n");
    assert_eq!(read(&files, "a.mesh"), NEAT);
    assert_eq!(read(&files, "x/c.mesh"), NEAT);
    let after = std::fs::metadata(files.path().join("b.mesh")).unwrap();
    assert_eq!(after.modified().unwrap(), before.modified().unwrap());

    let run = meshc(files.path(), &[".", "a.mesh"], b"");
    assert_eq!(run.code, Some(0));
    assert_eq!(run.output, "nothing to format in 3 files\n");
    let names = std::fs::read_dir(files.path()).unwrap().count();
    assert_eq!(names, 3, "nothing else is left behind");
}

#[test]
fn single_files_may_be_named_and_the_others_stay() {
    let files = directory(&[("a.mesh", MESSY), ("b.mesh", MESSY)]);
    let run = meshc(files.path(), &["b.mesh"], b"");
    assert_eq!(run.output, "formatted b.mesh\n");
    assert_eq!(read(&files, "a.mesh"), MESSY);
}

#[test]
fn check_shows_what_would_change_and_changes_nothing() {
    let files = directory(&[("a.mesh", MESSY), ("b.mesh", NEAT)]);
    let run = meshc(files.path(), &["--check"], b"");
    insta::assert_snapshot!("fmt_check", told(&run));
    assert_eq!(read(&files, "a.mesh"), MESSY);

    let run = meshc(files.path(), &["--check", "b.mesh"], b"");
    assert_eq!(
        (run.code, run.output.as_str()),
        (Some(0), "nothing to format in 1 file\n")
    );
}

#[test]
fn check_shows_the_first_lines_of_many() {
    let text = "param  a = 1\n\n\n".repeat(100);
    let files = directory(&[("a.mesh", &text)]);
    let run = meshc(files.path(), &["--check"], b"");
    assert_eq!(run.code, Some(1));
    assert_eq!(run.output.lines().count(), 62);
    assert!(run.output.ends_with(" more lines\n"), "{}", run.output);
}

#[test]
fn what_does_not_parse_is_reported_and_the_rest_is_laid_out() {
    let files = directory(&[("a.mesh", BROKEN)]);
    let run = meshc(files.path(), &[], b"");
    insta::assert_snapshot!("fmt_broken", told(&run));
    assert_eq!(read(&files, "a.mesh"), HALF);
    let run = meshc(files.path(), &["--check"], b"");
    assert_eq!((run.code, run.output.as_str()), (Some(1), ""));
    assert!(run.errors.contains("E0101"));
}

#[test]
fn what_is_no_text_is_reported_and_left_alone() {
    let files = directory(&[("b.mesh", MESSY)]);
    let bytes = b"service  a { }\xff";
    std::fs::write(files.path().join("a.mesh"), bytes).unwrap();
    let run = meshc(files.path(), &[], b"");
    assert_eq!(run.code, Some(1));
    assert_eq!(run.output, "formatted b.mesh\n");
    assert!(run.errors.contains("E0110"), "{}", run.errors);
    assert_eq!(std::fs::read(files.path().join("a.mesh")).unwrap(), bytes);

    let run = meshc(files.path(), &["--stdin"], "param  a = \"é\"".as_bytes());
    assert_eq!(run.output, "param a = \"é\"\n");
    let run = meshc(files.path(), &["--stdin"], b"# \xc3");
    assert_eq!(run.code, Some(1));
    assert!(run.output.starts_with("# "), "not an empty file");
}

#[test]
fn standard_input_becomes_standard_output() {
    let files = directory(&[("a.mesh", MESSY)]);
    let run = meshc(files.path(), &["--stdin"], MESSY.as_bytes());
    assert_eq!((run.code, run.output.as_str()), (Some(0), NEAT));
    assert_eq!(run.errors, "");
    let run = meshc(files.path(), &["--stdin"], NEAT.as_bytes());
    assert_eq!((run.code, run.output.as_str()), (Some(0), NEAT));
    let run = meshc(files.path(), &["--stdin", "--check"], NEAT.as_bytes());
    assert_eq!((run.code, run.output.as_str()), (Some(0), ""));

    let run = meshc(
        files.path(),
        &["--stdin", "--stdin-name", "x/shop.mesh"],
        BROKEN.as_bytes(),
    );
    assert_eq!((run.code, run.output.as_str()), (Some(1), HALF));
    assert!(run.errors.contains("x/shop.mesh:2:11"), "{}", run.errors);
    assert_eq!(read(&files, "a.mesh"), MESSY, "no file is touched");
}

#[test]
fn what_cannot_be_done_is_one_sentence_and_2() {
    let files = directory(&[("a.mesh", MESSY)]);
    let run = meshc(files.path(), &["nowhere"], b"");
    assert_eq!(run.code, Some(2));
    assert_eq!(run.errors, "meshc: nowhere does not exist\n");
    let run = meshc(files.path(), &["--stdin", "a.mesh"], b"");
    assert_eq!(run.code, Some(2));
    let run = meshc(files.path(), &["--stdin-name", "a"], b"");
    assert_eq!(run.code, Some(2));
}

#[cfg(unix)]
#[test]
fn links_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let files = directory(&[("real/a.txt", MESSY)]);
    let real = files.path().join("real/a.txt");
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::fs::create_dir(files.path().join("mesh")).unwrap();
    let link = files.path().join("mesh/a.mesh");
    symlink(&real, &link).unwrap();
    let run = meshc(files.path(), &["mesh"], b"");
    assert_eq!(run.output, "formatted mesh/a.mesh\n");
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(read(&files, "real/a.txt"), NEAT);
    assert_eq!(
        std::fs::metadata(&real).unwrap().permissions().mode() & 0o777,
        0o640
    );

    std::fs::write(&real, MESSY).unwrap();
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o440)).unwrap();
    let run = meshc(files.path(), &["mesh"], b"");
    assert_eq!(run.code, Some(2));
    assert_eq!(
        run.errors,
        "meshc: mesh/a.mesh cannot be written: it is read-only\n"
    );
    assert_eq!(read(&files, "real/a.txt"), MESSY);
}
