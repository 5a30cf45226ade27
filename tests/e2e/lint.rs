//! `meshc lint`, `compile` and `explain` as people and scripts call them: what they print where, what they
//! write, and how they end.

use mesh_tests::binaries;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

const MESH: &str = "mesh t { mtls off; authz open-by-default; lints { allow open-service } }\n";
/// One finding that is mended unseen, one by a guess, and one that is not.
const BROKEN: &str =
    "service shop\n{\n  endpoints 127.0.0.1:9000\n  tiemout 4s\n  calls nobody\n}\n";
/// A lint, which is a warning.
const SUPPRESSED: &str = "# lint: allow malformed-suppression (no reason)\n\
                          service cart { endpoints 127.0.0.1:9001 }\n";

/// Files of a mesh in a directory of their own.
struct Files {
    directory: TempDir,
}

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().expect("there is room for files");
        let new = Self { directory };
        for (name, text) in files {
            let path = new.path(name);
            let parent = path.parent().expect("it is in the directory");
            std::fs::create_dir_all(parent).expect("it can be made");
            std::fs::write(path, text).expect("it can be written");
        }
        new
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("it is there")
    }

    /// Runs meshc in the directory.
    fn meshc(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments).output())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = meshc(arguments);
        command.current_dir(self.directory.path());
        command
    }
}

/// How a command ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    output: String,
    errors: String,
}

impl Ended {
    fn of(output: std::io::Result<Output>) -> Self {
        let output = output.expect("meshc can be started");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code(),
            output: text(&output.stdout),
            errors: text(&output.stderr),
        }
    }
}

/// meshc, whatever the terminal of the test says of colours and links.
fn meshc(arguments: &[&str]) -> Command {
    let mut command = Command::new(binaries::path("meshc"));
    command.args(arguments).stdin(Stdio::null());
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_HYPERLINK"] {
        command.env_remove(name);
    }
    command
}

#[test]
fn lint_reports_on_standard_output_and_ends_by_what_is_bad_enough() {
    let files = Files::new(&[("a.mesh", MESH), ("b.mesh", SUPPRESSED)]);
    let ended = files.meshc(&["lint"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.output.contains("warning[L401]"), "{ended:?}");
    assert!(ended.output.contains("1 warning\n"), "{ended:?}");
    assert_eq!(ended.errors, "");
    for strict in [&["--deny-warnings"][..], &["--fail-on", "warning"]] {
        let ended = files.meshc(&[&["lint"], strict].concat());
        assert_eq!(ended.code, Some(1), "{ended:?}");
    }
    assert_eq!(files.meshc(&["lint", "--fail-on", "error"]).code, Some(0));

    let denied = Files::new(&[
        (
            "a.mesh",
            &MESH.replace("open-service }", "open-service; deny unused-suppression }"),
        ),
        ("b.mesh", SUPPRESSED),
    ]);
    let ended = denied.meshc(&["lint"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.output.contains("error[L401]"), "{ended:?}");
    let ended = denied.meshc(&["compile", "-o", "t.bundle"]);
    assert_eq!(ended.code, Some(1));
    assert!(!denied.path("t.bundle").exists());

    let fine = Files::new(&[("a.mesh", MESH)]);
    let ended = fine.meshc(&["lint", "--deny-warnings"]);
    assert_eq!(
        (ended.code, ended.output.as_str()),
        (Some(0), ".: nothing to report\n")
    );
    for format in ["plain", "json", "github"] {
        let ended = fine.meshc(&["lint", "--format", format]);
        assert_eq!((ended.code, ended.output.as_str()), (Some(0), ""));
    }
}

#[test]
fn formats_name_files_by_the_way_to_them() {
    let files = Files::new(&[("shop/a.mesh", MESH), ("shop/teams/b.mesh", BROKEN)]);
    let absolute = files.path("shop");
    let absolute = absolute.to_str().expect("a plain path");
    for mesh in ["shop", "./shop/", absolute] {
        for (format, start) in [
            ("plain", "shop/teams/b.mesh:2:1: error[E0108]: "),
            ("github", "::error file=shop/teams/b.mesh,line=2,"),
            ("json", "{\"code\":\"E0108\""),
            ("sarif", "{\"$schema\":"),
        ] {
            let ended = files.meshc(&["lint", mesh, "--format", format]);
            assert_eq!(ended.code, Some(1));
            assert!(ended.output.starts_with(start), "{}", ended.output);
            assert!(ended.output.contains("shop/teams/b.mesh"));
            assert_eq!(ended.errors, "");
        }
    }
}

#[test]
fn compile_keeps_output_for_programs_apart() {
    let files = Files::new(&[("a.mesh", MESH), ("b.mesh", SUPPRESSED)]);
    let ended = files.meshc(&["compile", "--format", "json"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.output.starts_with("{\"code\":\"L401\""), "{ended:?}");
    assert_eq!(ended.output.lines().count(), 1);
    assert!(ended.errors.contains("wrote     t.bundle"), "{ended:?}");
    let ended = files.meshc(&["compile"]);
    assert!(ended.errors.contains("warning[L401]"), "{ended:?}");
    assert!(ended.output.contains("wrote     t.bundle"), "{ended:?}");
}

#[test]
fn fixes_are_applied_and_told() {
    let files = Files::new(&[("a.mesh", MESH), ("b.mesh", BROKEN), ("c.mesh", SUPPRESSED)]);
    let ended = files.meshc(&["lint", "--fix"]);
    assert_eq!(ended.code, Some(1), "findings are left: {ended:?}");
    assert!(
        ended
            .output
            .ends_with("2 errors\nfixed 1 finding in 1 file\n"),
        "{ended:?}"
    );
    assert!(files.text("b.mesh").starts_with("service shop {\n"));
    assert_eq!(
        files.text("c.mesh"),
        SUPPRESSED,
        "not known while there are errors"
    );

    let ended = files.meshc(&["lint", "--fix", "--unsafe-fixes", "--format", "json"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.output.lines().count(), 1, "one finding is left");
    assert_eq!(ended.errors, "fixed 1 finding in 1 file\n");
    assert!(files.text("b.mesh").contains("  timeout 4s\n"));

    let mended = files.text("b.mesh").replace("  calls nobody\n", "");
    std::fs::write(files.path("b.mesh"), mended).expect("it can be written");
    let ended = files.meshc(&["lint", "--fix", "--deny-warnings"]);
    assert_eq!(ended.code, Some(0), "nothing is left: {ended:?}");
    let told = ".: nothing to report\nfixed 1 finding in 1 file\n";
    assert_eq!(ended.output, told);
    assert!(files.text("c.mesh").starts_with("service cart"));
    let ended = files.meshc(&["lint", "--fix"]);
    assert!(
        ended.output.ends_with("there was nothing to fix\n"),
        "{ended:?}"
    );
}

#[test]
fn a_diff_writes_nothing() {
    let files = Files::new(&[("shop/a.mesh", MESH), ("shop/b.mesh", BROKEN)]);
    let ended = files.meshc(&["lint", "shop", "--diff", "--unsafe-fixes"]);
    assert_eq!(ended.code, Some(1));
    assert_eq!(files.text("shop/b.mesh"), BROKEN);
    assert_eq!(ended.errors, "would fix 2 findings in 1 file\n");
    let expected = "--- shop/b.mesh\n+++ shop/b.mesh\n@@ -1,6 +1,5 @@\n\
                    -service shop\n-{\n+service shop {\n   endpoints 127.0.0.1:9000\n\
                    -  tiemout 4s\n+  timeout 4s\n   calls nobody\n }\n";
    assert_eq!(ended.output, expected);
}

#[test]
fn only_some_codes_are_reported_and_mended() {
    let files = Files::new(&[("a.mesh", MESH), ("b.mesh", BROKEN)]);
    let ended = files.meshc(&["lint", "--only", "E0201", "--format", "plain"]);
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.output.matches("error[").count(), 1, "{ended:?}");
    assert_eq!(ended.errors, ".: 2 findings of other codes not shown\n");
    let ended = files.meshc(&[
        "lint",
        "--only",
        "unknown-statement,L401",
        "--fix",
        "--unsafe-fixes",
    ]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let text = files.text("b.mesh");
    assert!(
        text.starts_with("service shop\n{\n") && text.contains("timeout 4s"),
        "{text}"
    );
    let ended = files.meshc(&["lint", "--only", "E0991"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.errors.contains("there is no finding `E0991`"),
        "{ended:?}"
    );
    let ended = files.meshc(&["lint", "--unsafe-fixes"]);
    assert_eq!(
        ended.code,
        Some(2),
        "it says nothing without --fix or --diff"
    );
}

#[test]
fn values_given_outside_are_reported_and_left_alone() {
    let files = Files::new(&[("a.mesh", MESH), ("b.mesh", "param patience = 4s\n")]);
    let ended = files.meshc(&[
        "lint",
        "--fix",
        "--unsafe-fixes",
        "--set",
        "patience=\u{201c}4s",
    ]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.output.contains("--set patience:1:18"), "{ended:?}");
    assert!(
        ended.output.ends_with("there was nothing to fix\n"),
        "{ended:?}"
    );
    assert_eq!(
        std::fs::read_dir(files.directory.path())
            .expect("it is there")
            .count(),
        2
    );
}

#[cfg(unix)]
#[test]
fn what_is_written_keeps_its_permissions_and_its_links() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
    let files = Files::new(&[("mesh/a.mesh", MESH), ("elsewhere/shop.mesh", BROKEN)]);
    let real = files.path("elsewhere/shop.mesh");
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).expect("it is ours");
    symlink(&real, files.path("mesh/b.mesh")).expect("it can be made");
    let ended = files.meshc(&["lint", "mesh", "--fix"]);
    assert!(ended.output.contains("fixed 1 finding"), "{ended:?}");
    let link = std::fs::symlink_metadata(files.path("mesh/b.mesh")).expect("it is there");
    assert!(link.is_symlink());
    assert!(
        files
            .text("elsewhere/shop.mesh")
            .starts_with("service shop {")
    );
    let mode = std::fs::metadata(&real).expect("it is there").mode();
    assert_eq!(mode & 0o777, 0o640);
    for directory in ["mesh", "elsewhere"] {
        let left = std::fs::read_dir(files.path(directory)).expect("it is there");
        let left = left.filter_map(|it| it.expect("it can be read").file_name().into_string().ok());
        assert!(
            left.into_iter().all(|name| !name.starts_with('.')),
            "nothing is left behind"
        );
    }
}

#[test]
fn bytes_that_are_no_text_are_never_written_back() {
    let files = Files::new(&[("a.mesh", MESH), ("b.mesh", BROKEN)]);
    let mut bytes = BROKEN.as_bytes().to_vec();
    bytes.extend(b"# \xff\n");
    std::fs::write(files.path("b.mesh"), &bytes).expect("it can be written");
    let ended = files.meshc(&["lint", "--fix", "--unsafe-fixes"]);
    assert!(
        ended.output.ends_with("there was nothing to fix\n"),
        "{ended:?}"
    );
    assert_eq!(
        std::fs::read(files.path("b.mesh")).expect("it is there"),
        bytes
    );
}

#[test]
fn colours_are_a_choice() {
    let files = Files::new(&[("a.mesh", BROKEN)]);
    let colored = |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut command = files.command(&[&["lint"], arguments].concat());
        command.envs(environment.iter().copied());
        Ended::of(command.output()).output.contains('\u{1b}')
    };
    assert!(!colored(&[], &[]), "a pipe has no colours");
    assert!(colored(&["--color", "always"], &[]));
    assert!(colored(&["--color", "always"], &[("NO_COLOR", "1")]));
    assert!(colored(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!colored(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    for format in ["plain", "json", "sarif", "github"] {
        assert!(
            !colored(&["--color", "always", "--format", format], &[]),
            "{format}"
        );
    }
    let links = |arguments: &[&str]| {
        let mut command = files.command(&[&["lint"], arguments].concat());
        command.env("FORCE_HYPERLINK", "1");
        Ended::of(command.output())
            .output
            .contains("\u{1b}]8;;file:///")
    };
    assert!(links(&["--color", "always"]));
    assert!(!links(&[]), "without colours there are no links");
}

/// Runs with a standard output, or standard errors, that nobody reads any more.
fn unread(command: &mut Command, errors: bool) -> Ended {
    let (reader, writer) = std::io::pipe().expect("there are pipes");
    drop(reader);
    let command = if errors {
        command.stderr(writer).stdout(Stdio::piped())
    } else {
        command.stdout(writer).stderr(Stdio::piped())
    };
    Ended::of(command.spawn().and_then(Child::wait_with_output))
}

#[test]
fn whoever_stops_reading_has_read_enough() {
    let files = Files::new(&[("a.mesh", BROKEN)]);
    for arguments in [
        &["lint"][..],
        &["lint", "--format", "sarif"],
        &["lint", "--diff"],
        &["explain"],
        &["explain", "E0302"],
        &["completions", "bash"],
        &["man"],
    ] {
        let ended = unread(&mut files.command(arguments), false);
        assert_eq!(ended.code, Some(0), "{arguments:?} {ended:?}");
        assert_eq!(
            ended.errors.replace("would fix 1 finding in 1 file\n", ""),
            ""
        );
    }
    let ended = unread(&mut files.command(&["compile"]), true);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_no_success() {
    let files = Files::new(&[("a.mesh", MESH)]);
    let full = std::fs::File::options().write(true).open("/dev/full");
    let mut command = files.command(&["lint"]);
    command.stdout(full.expect("it is there"));
    let ended = Ended::of(command.stderr(Stdio::piped()).output());
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.errors.contains("standard output cannot be written"),
        "{ended:?}"
    );
}

#[test]
fn pages_are_raw_for_programs_and_drawn_for_people() {
    let explain = |arguments: &[&str]| {
        let ended = Ended::of(meshc(&[&["explain"], arguments].concat()).output());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.output
    };
    let raw = explain(&["E0302"]);
    assert!(raw.starts_with("# E0302 weights-not-100\n") && raw.contains("```mesh"));
    let drawn = explain(&["weights-not-100", "--color", "always"]);
    assert!(
        drawn.starts_with("\u{1b}[1mE0302 weights-not-100\u{1b}[0m\n"),
        "{drawn:?}"
    );
    assert!(!drawn.contains("```"), "{drawn}");

    let listed = explain(&[]);
    let json = explain(&["--format", "json"]);
    assert_eq!(listed.lines().count(), json.lines().count());
    for (line, listed) in json.lines().zip(listed.lines()) {
        let code: serde_json::Value = serde_json::from_str(line).expect("it is JSON");
        let text = |name: &str| code[name].as_str().expect("a text").to_owned();
        assert!(listed.starts_with(&text("code")) && listed.contains(&text("name")));
        assert!(text("explanation").starts_with(&format!("# {} ", text("code"))));
        assert!(["error", "warning", "info"].contains(&text("severity").as_str()));
    }
    assert_eq!(explain(&["E0302", "--format", "json"]).lines().count(), 1);
}

#[test]
fn exit_codes_are_told_where_they_are_looked_for() {
    let ended = Ended::of(meshc(&["lint", "--help"]).output());
    assert!(ended.output.contains("Exit codes:"), "{ended:?}");
}
