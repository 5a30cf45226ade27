//! Bundles carry some of the mesh's tests, and nodes can tell when one does not pass.

#![allow(clippy::unwrap_used)]

mod support;

use mesh_bundle::format::{Bundle, MAX_SAMPLES, Section, seal};
use mesh_bundle::sample;
use meshc::compile::{Selection, check};
use meshc::project::Project;
use std::fmt::Write as _;
use std::path::Path;
use support::{compiled, everything};

#[test]
fn what_the_tests_send_travels_with_the_bundle() {
    let bundle = Bundle::open(everything()).unwrap();
    assert_eq!(sample::check(&bundle), Ok(4));
    let requests = bundle
        .samples()
        .iter()
        .map(|it| (bundle.str(it.host), bundle.str(it.path)));
    let requests: Vec<_> = requests.collect();
    assert_eq!(
        requests,
        [
            ("shop.example", "/a/1"),
            ("shop", "/x"),
            ("shop.example", "/moved"),
            ("shop.example", "/x/info")
        ]
    );
}

/// A bundle in which the expected status of all samples is another one.
fn forged(mut bytes: Vec<u8>) -> Vec<u8> {
    let bundle = Bundle::open(bytes.clone()).unwrap();
    let entry = bundle
        .contents()
        .iter()
        .find(|it| it.section.get() == Section::Samples.number());
    let entry = entry.unwrap();
    let fields = Section::Samples.fields();
    let status = fields.iter().find(|field| field.name == "status").unwrap();
    for record in 0..entry.count.get() {
        let at = (entry.offset.get() + record * entry.stride.get()) as usize + status.offset;
        bytes[at..at + 2].copy_from_slice(&599_u16.to_le_bytes());
    }
    seal(&mut bytes);
    bytes
}

#[test]
fn a_bundle_that_does_not_do_what_it_says_is_noticed() {
    let bundle = Bundle::open(forged(everything())).unwrap();
    let failed = sample::check(&bundle).unwrap_err();
    let place = failed.place.as_deref().unwrap();
    assert!(place.starts_with("everything.mesh:"), "{place}");
    assert_eq!(
        failed.to_string(),
        format!(
            "does not pass its own test “the ways in” ({place}): GET shop.example/moved is redirected to \
             https://elsewhere.example/"
        )
    );
    assert_eq!(sample::passed(&bundle), [true, true, false, false]);
}

#[test]
fn of_many_tests_some_are_taken_from_all() {
    let mut text = "mesh t { mtls off; authz open-by-default }
        gateway edge { listen 80 http; host a.example { /{rest**} -> redirect 308 { path \"/b/{rest**}\" } } }\n"
        .to_owned();
    for index in 0..200 {
        let _ = writeln!(
            text,
            "test \"{index}\" {{ request GET http://a.example/{index}; expect redirect 308 \"http://a.example/b/{index}\" }}"
        );
    }
    let bundle = Bundle::open(compiled(&text)).unwrap();
    assert_eq!(sample::check(&bundle), Ok(MAX_SAMPLES));
    let last = bundle.samples().last().unwrap();
    assert_eq!(bundle.str(last.title), "196");
    assert_eq!(bundle.checks().len(), 200);
}

/// Splits behind splits multiply; nobody walks all of their ways while nodes wait.
#[test]
fn what_takes_too_many_ways_stays_at_home() {
    let mut text = "mesh t { mtls off; authz open-by-default }\n".to_owned();
    for index in 0..7 {
        let next = index + 1;
        let _ = writeln!(
            text,
            "service s{index} {{ endpoints 127.0.0.1:1; route {{ otherwise -> split 50% s{next}, rest self }} }}"
        );
    }
    text += "service s7 { endpoints 127.0.0.1:1 }
        test \"deep\" { request GET http://s0/ from s7; expect split 50% s0, 25% s1, 12.5% s2, 6.25% s3, 3.125% s4, rest s7 }
        test \"flat\" { request GET http://s7/ from s0; expect s7 }\n";
    // Whether the tests pass is told by others: here only what is laid out counts.
    let bundle = Bundle::open(compiled(&text)).unwrap();
    let titles = bundle.samples().iter().map(|it| bundle.str(it.title));
    assert_eq!(titles.collect::<Vec<_>>(), ["flat"]);
}

#[test]
fn a_slice_has_those_that_its_node_decides() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/zero-trust");
    let mut checked = check(Project::load(&path).unwrap(), &Selection::default());
    let whole = Bundle::open(checked.plan().unwrap().bytes).unwrap();
    let all = sample::check(&whole).unwrap();
    assert!(all > 0);
    let mesh = checked.mesh.as_ref().unwrap();
    let mut some = 0;
    for (name, planned) in checked.slices(mesh, whole.id()) {
        let bundle = Bundle::open(planned.unwrap().bytes).unwrap();
        let tried = sample::check(&bundle).unwrap_or_else(|failed| panic!("{name} {failed}"));
        assert!(tried < all, "{name}");
        some += tried;
    }
    assert!(some > 0);
}

#[test]
fn a_mesh_without_tests_has_no_samples() {
    let bundle = Bundle::open(compiled("mesh t { mtls off; authz open-by-default }\n")).unwrap();
    assert_eq!(sample::check(&bundle), Ok(0));
}
