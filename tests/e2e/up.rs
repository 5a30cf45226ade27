//! `meshc up`: the README's first command.

use mesh_tests::client::get;
use mesh_tests::meshd::local;
use mesh_tests::process::Process;
use mesh_tests::{binaries, ports, wait};
use std::process::Command;

#[test]
fn up_runs_the_example_and_what_is_saved_is_live() {
    let directory = tempfile::tempdir().expect("there is room");
    let example = binaries::workspace().join("examples/bookinfo/bookinfo.mesh");
    let mut text = std::fs::read_to_string(example).expect("the example is there");
    let (http, https, admin) = (ports::free(), ports::free(), ports::free());
    text = text.replace("listen 8080", &format!("listen {http}"));
    text = text.replace("listen 8443", &format!("listen {https}"));
    for port in 9080..=9085 {
        let (application, sidecar) = (ports::free(), ports::free());
        text = text.replace(
            &format!("127.0.0.1:{port} via 127.0.0.1:{}", port + 10_000),
            // One is left to be picked.
            &if port == 9081 {
                format!("127.0.0.1:{application}")
            } else {
                format!("127.0.0.1:{application} via 127.0.0.1:{sidecar}")
            },
        );
    }
    let file = directory.path().join("bookinfo.mesh");
    std::fs::write(&file, &text).expect("it can be written");
    let mut up = Process::run(
        Command::new(binaries::path("meshc"))
            .arg("up")
            .arg(directory.path())
            .args(["--demo", "--admin", &local(admin).to_string()]),
    );
    let said = wait::until("up to say what to try", || {
        let (output, ended) = (up.output(), up.ended());
        assert!(ended.is_none(), "{output}{}", up.errors());
        output.contains("watching").then_some(output)
    });
    assert!(
        said.contains("compiled  4 services, 1 gateway, 13 arms"),
        "{said}"
    );
    assert!(said.contains("(development certificate)"), "{said}");

    // What it says to try works.
    let page = get("/productpage")
        .host("bookinfo.example")
        .header("end-user", "jason");
    let answer = page.send_and_wait(local(http)).expect("an answer");
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("reviews-v2"), "{}", answer.text());

    // What is saved is live; what is wrong changes nothing.
    let ok = |wanted: &str| {
        wait::until("the new answer", || {
            let answer = get("/health")
                .host("bookinfo.example")
                .send_and_wait(local(http));
            (answer.expect("an answer").text() == wanted).then_some(())
        });
    };
    ok("ok\n");
    std::fs::write(&file, text.replace("\"ok\\n\"", "\"fine\\n\"")).expect("it can be written");
    ok("fine\n");
    std::fs::write(&file, text.replace("-> productpage", "-> prodctpage"))
        .expect("it can be written");
    wait::until("the finding", || {
        up.errors()
            .contains("perhaps `productpage` is meant")
            .then_some(())
    });
    wait::until("the word about it", || {
        up.output().contains("kept").then_some(())
    });
    ok("fine\n");

    up.signal("TERM");
    assert_eq!(up.wait().code(), Some(0), "{}", up.errors());
}
