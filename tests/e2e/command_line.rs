//! Whoever calls a command wrongly reads one sentence.

use mesh_tests::policy::Policy;
use mesh_tests::{binaries, ports};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

fn run(program: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output: Output = Command::new(binaries::path(program))
        .args(arguments)
        .output()
        .expect("it can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// One sentence on standard error, and exit code 2.
fn fails(program: &str, arguments: &[&str], sentence: &str) {
    let (code, _, errors) = run(program, arguments);
    assert_eq!(code, Some(2), "{arguments:?}: {errors}");
    assert!(errors.contains(sentence), "{arguments:?}: {errors}");
    assert_eq!(errors.trim_end().lines().count(), 1, "{errors}");
    assert!(!errors.contains("panicked"), "{errors}");
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

#[test]
fn meshc_says_what_is_wrong_with_its_input() {
    let empty = tempfile::tempdir().expect("there is room");
    fails(
        "meshc",
        &["lint", "/nowhere/at/all"],
        "/nowhere/at/all does not exist",
    );
    fails(
        "meshc",
        &["lint", text(empty.path())],
        "there is no `.mesh` file in",
    );
    fails(
        "meshc",
        &["explain", "E9999"],
        "there is no finding `E9999`",
    );
    let policy = Policy::new("mesh t { mtls off; authz open-by-default }\n");
    let mesh = policy.path("mesh");
    fails(
        "meshc",
        &["compile", text(&mesh), "-o", "/nowhere/b.bundle"],
        "cannot be written",
    );
}

#[test]
fn arguments_that_are_none_are_explained() {
    let (code, _, errors) = run("meshd", &["run", "--node", "edge"]);
    assert_eq!(code, Some(2));
    assert!(
        errors.contains("`edge` names no node: write gateway/NAME"),
        "{errors}"
    );
    let (code, _, errors) = run("meshc", &["compile", ".", "--set", "canary"]);
    assert_eq!(code, Some(2));
    assert!(
        errors.contains("`canary` sets nothing; write `canary=25%`"),
        "{errors}"
    );
}

#[test]
fn findings_end_with_1_and_write_nothing() {
    let directory = tempfile::tempdir().expect("there is room");
    std::fs::write(directory.path().join("a.mesh"), "service x {\n").expect("it can be written");
    let bundle = directory.path().join("b.bundle");
    let (code, output, errors) = run(
        "meshc",
        &["compile", text(directory.path()), "-o", text(&bundle)],
    );
    assert_eq!((code, output.as_str()), (Some(1), ""));
    assert!(errors.contains("error[E0106]"), "{errors}");
    assert!(
        !errors.contains('\u{1b}'),
        "no colours where nobody looks: {errors}"
    );
    assert!(!bundle.exists());
}

#[test]
fn every_code_is_explained_and_commands_describe_themselves() {
    let (code, list, _) = run("meshc", &["explain"]);
    assert_eq!(code, Some(0));
    for line in list.lines() {
        let name = line.split_whitespace().next().expect("a code");
        let (code, page, _) = run("meshc", &["explain", name]);
        assert_eq!(code, Some(0));
        assert!(page.starts_with(&format!("# {name} ")), "{page}");
    }
    for program in ["meshc", "meshd"] {
        let (code, help, _) = run(program, &["--help"]);
        assert_eq!(code, Some(0));
        assert!(
            help.contains("Examples:") && help.contains("Exit codes:"),
            "{help}"
        );
        for arguments in [&["completions", "bash"][..], &["man"]] {
            let (code, output, _) = run(program, arguments);
            assert_eq!(code, Some(0), "{program} {arguments:?}");
            assert!(output.contains(program));
        }
    }
}

#[test]
fn meshd_says_what_is_wrong_and_starts_nothing() {
    let http = ports::free();
    let gateway = |listen: &str| {
        Policy::new(&format!(
            "mesh t {{ mtls off; authz open-by-default }}
             gateway edge {{ {listen}; host * {{ otherwise -> respond 200 }} }}"
        ))
    };
    let plain = gateway(&format!("listen {http} http"));
    let bundle = plain.bundle();
    let run = |extra: &[&str], sentence: &str| {
        let mut arguments = vec!["run", "--admin", "off"];
        arguments.extend(extra);
        fails("meshd", &arguments, sentence);
    };
    let missing = plain.path("missing.bundle");
    run(
        &["--bundle", text(&missing), "--node", "gateway/edge"],
        "missing.bundle",
    );
    run(
        &["--bundle", text(&bundle), "--node", "gateway/egde"],
        "has no gateway/egde; it has",
    );
    let broken = plain.path("broken.bundle");
    std::fs::write(&broken, b"MESHBNDL and no more").expect("it can be written");
    run(
        &["--bundle", text(&broken), "--node", "gateway/edge"],
        "is damaged",
    );

    let taken = TcpListener::bind(("::", 0)).expect("there is a free port");
    let port = taken.local_addr().expect("it is bound").port();
    let busy = gateway(&format!("listen {http} http; listen {port} http"));
    run(
        &["--bundle", text(&busy.bundle()), "--node", "gateway/edge"],
        "the port is in use",
    );
    assert!(
        std::net::TcpStream::connect(("127.0.0.1", http)).is_err(),
        "nothing was started"
    );

    let tls = gateway(&format!(
        "listen {http} https {{ certificate \"a.crt\" key \"a.key\" }}"
    ));
    let bundle = tls.bundle();
    run(
        &["--bundle", text(&bundle), "--node", "gateway/edge"],
        "a.crt",
    );
    std::fs::write(tls.path("a.crt"), "no certificate").expect("it can be written");
    std::fs::write(tls.path("a.key"), "no key").expect("it can be written");
    run(
        &["--bundle", text(&bundle), "--node", "gateway/edge"],
        "a.crt",
    );

    let config = plain.path("meshd.yaml");
    std::fs::write(&config, "workres: 2\n").expect("it can be written");
    run(
        &[
            "--bundle",
            text(&plain.bundle()),
            "--node",
            "gateway/edge",
            "--config",
            text(&config),
        ],
        "workres",
    );
}

#[test]
fn expand_tells_what_an_environment_and_a_parameter_make_of_a_mesh() {
    let directory = tempfile::tempdir().expect("there is room");
    let policy = "mesh t { mtls off; authz open-by-default }\n\
                  param patience = 1s\n\
                  service shop { endpoints 127.0.0.1:9000; timeout patience; hedge after 10ms }\n\
                  env prod { set service shop.hedge = 80ms }\n";
    std::fs::write(directory.path().join("a.mesh"), policy).expect("it can be written");
    let params = directory.path().join("params.yaml");
    std::fs::write(&params, "patience: 3s\n").expect("it can be written");
    let expand = |more: &[&str]| {
        let arguments = [&["expand", text(directory.path())], more].concat();
        let (code, output, errors) = run("meshc", &arguments);
        assert_eq!(code, Some(0), "{errors}");
        output
    };
    let plain = expand(&[]);
    assert!(plain.contains("service shop {  # a.mesh:3"), "{plain}");
    assert!(
        plain.contains("  timeout 1s\n  hedge after 10ms\n"),
        "{plain}"
    );
    assert!(plain.contains("retry off     # edition 2026"), "{plain}");
    let prod = expand(&["--env", "prod", "--params", text(&params)]);
    assert!(
        prod.contains("timeout 3s") && prod.contains("hedge after 80ms"),
        "{prod}"
    );
    assert!(prod.starts_with("# environment prod\n"), "{prod}");
    // What is printed is a mesh.
    let written = directory.path().join("expanded");
    std::fs::create_dir(&written).expect("there is room");
    std::fs::write(written.join("a.mesh"), &prod).expect("it can be written");
    let (code, _, errors) = run("meshc", &["expand", text(&written)]);
    assert_eq!(code, Some(0), "{errors}");
}

#[test]
fn meshd_serves_nothing_rather_than_less_than_what_protects() {
    let directory = tempfile::tempdir().expect("there is room");
    let mesh = directory.path().join("a.mesh");
    let bundle = directory.path().join("a.bundle");
    for (policy, needs) in [
        ("mesh t { }", "mtls"),
        (
            "mesh t { mtls off }\nservice b { endpoints 127.0.0.1:2; authz { allow anyone to GET } }",
            "authz (a.mesh:2)",
        ),
        (
            "mesh t { mtls off; authz open-by-default; defaults { require jwt corp } }\n\
             jwt corp { issuer \"https://a.example/\"; audiences \"a\"; jwks file \"a.json\" }",
            "require jwt",
        ),
    ] {
        let gateway = "gateway edge { listen 18080 http; host * { otherwise -> respond 200 } }\n\
                       service a { endpoints 127.0.0.1:1 }\n";
        std::fs::write(&mesh, format!("{policy}\n{gateway}")).expect("it can be written");
        let (code, _, errors) = run("meshc", &["compile", text(&mesh), "-o", text(&bundle)]);
        assert_eq!(code, Some(0), "{errors}");
        assert!(
            errors.contains("L101"),
            "the compiler says so too: {errors}"
        );
        let node = if needs.starts_with("authz") {
            "sidecar/b"
        } else {
            "gateway/edge"
        };
        let arguments = ["run", "--bundle", text(&bundle), "--node", node];
        fails("meshd", &arguments, &format!("{node} needs {needs}"));
        fails("meshd", &arguments, "it serves nothing rather than less");
    }
}
