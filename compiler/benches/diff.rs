//! How fast two meshes are compared for all requests: a host of many arms, of which one in a hundred goes elsewhere
//! and some have another path.
#![allow(missing_docs, reason = "divan makes the functions public")]

use divan::{Bencher, black_box};
use mesh_bundle::Bundle;
use meshc::compile::{Checked, Selection, check};
use meshc::project::Project;
use meshc::verify::diff::{Side, diff};
use std::fmt::Write as _;

const SERVICES: usize = 20;

/// A mesh of so many arms, before or after the change.
fn mesh(arms: usize, changed: bool) -> String {
    let mut text = "mesh large { mtls off; authz open-by-default }\n".to_owned();
    // Writing into a String cannot fail.
    for service in 0..SERVICES {
        let _ = writeln!(
            text,
            "service s{service} {{ endpoints 127.0.0.1:{} }}",
            9000 + service
        );
    }
    text.push_str("gateway edge {\n  listen 8080 http\n  host shop.example {\n");
    for arm in 0..arms {
        let method = ["", "", "GET", "POST"][arm % 4];
        let path = ["", "/**", "/{id}", "/{id}.json", ""][arm % 5];
        let when = if arm % 7 == 0 {
            " when header.x-team == \"qa\""
        } else {
            ""
        };
        let moved = usize::from(changed && arm % 100 == 0);
        let renamed = if changed && arm % 997 == 0 { "z" } else { "" };
        let target = (arm + moved) % SERVICES;
        let _ = writeln!(
            text,
            "    {method} /team-{}/thing-{arm}{renamed}{path}{when} -> s{target}",
            arm % 400
        );
    }
    text.push_str("    otherwise -> respond 404\n  }\n}\n");
    text
}

fn made(text: &str) -> (Checked, Bundle) {
    let mut checked = check(Project::of_texts([("a.mesh", text)]), &Selection::default());
    let planned = checked.lay_out().expect("it compiles");
    let bundle = Bundle::open(planned.bytes).expect("it opens");
    (checked, bundle)
}

fn side((checked, bundle): &(Checked, Bundle)) -> Side<'_> {
    Side {
        mesh: checked.mesh.as_ref().expect("it has one"),
        sources: &checked.sources,
        bundle,
        places: &[],
    }
}

fn main() {
    divan::main();
}

#[divan::bench(args = [100, 1_000, 10_000], sample_count = 10)]
fn arms(bencher: Bencher<'_, '_>, arms: usize) {
    let (old, new) = (made(&mesh(arms, false)), made(&mesh(arms, true)));
    bencher.bench_local(|| {
        let diff = diff(side(black_box(&old)), side(black_box(&new)));
        assert!(!diff.changes.is_empty() && diff.undecided.is_empty());
        diff
    });
}
