//! The graphs and matrices of the examples, in every form.

#![allow(clippy::unwrap_used)]

use mesh_bundle::Bundle;
use meshc::compile::{Checked, Selection, check};
use meshc::graph::{self, Graph};
use meshc::matrix::{self, Matrix, Wanted};
use meshc::project::Project;
use meshc::report::Style;
use std::path::Path;

/// What is drawn of a mesh, with what clients reach.
fn graph_of(mut checked: Checked) -> Graph {
    let planned = checked.lay_out();
    let planned = planned.unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
    let bundle = Bundle::open(planned.bytes).unwrap();
    let mesh = checked.mesh.as_ref().unwrap();
    let mut graph = graph::collect(mesh, &checked.sources);
    graph::expose(&mut graph, mesh, &checked.sources, &bundle);
    graph
}

fn matrix_of(checked: &Checked) -> Matrix {
    let mesh = checked.mesh.as_ref().unwrap();
    matrix::of(mesh, &checked.sources, &Wanted::default()).unwrap()
}

fn example(name: &str) -> Checked {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let project = Project::load(&path.join(name)).unwrap();
    check(project, &Selection::default())
}

fn text(text: &str) -> Checked {
    check(Project::of_texts([("t.mesh", text)]), &Selection::default())
}

/// The examples that people look at first.
const SHOWN: [&str; 3] = ["bookinfo", "zero-trust", "multi-tenant"];

#[test]
fn graphs_of_examples() {
    for name in SHOWN {
        let graph = graph_of(example(name));
        insta::assert_snapshot!(format!("{name}-dot"), graph::dot(&graph));
        insta::assert_snapshot!(format!("{name}-mermaid"), graph::mermaid(&graph));
        insta::assert_snapshot!(format!("{name}-json"), graph::json(&graph));
    }
}

#[test]
fn matrices_of_examples() {
    for name in SHOWN {
        let matrix = matrix_of(&example(name));
        insta::assert_snapshot!(
            format!("{name}-table"),
            matrix::table(&matrix, Style::PLAIN)
        );
        insta::assert_snapshot!(format!("{name}-matrix-json"), matrix::json(&matrix));
        // Line ends are those of RFC 4180, which a snapshot does not keep.
        let csv = matrix::csv(&matrix);
        assert!(csv.ends_with("\r\n"));
        insta::assert_snapshot!(format!("{name}-csv"), csv.replace("\r\n", "\n"));
    }
}

#[test]
fn a_picture_of_a_small_mesh() {
    let graph = graph_of(text(SMALL));
    insta::assert_snapshot!("small-svg", graph::svg(&graph));
}

const SMALL: &str = r#"mesh small { }

gateway edge {
  listen 8080 http
  host small.example { GET /a/** -> app; otherwise -> respond 404 "" }
}

service app {
  calls data
  version v1 { endpoints 127.0.0.1:9001 }
  version v2 { endpoints 127.0.0.1:9002 }
  route {
    tests: when header.x-team == "<qa> & \"co\"" -> v2
    otherwise -> split 90% v1, 10% v2
  }
  authz { allow edge }
}

service data {
  endpoints 127.0.0.1:9003
  calls none
  authz { allow app to GET /rows/** }
}
"#;

#[test]
fn pictures_and_pages_are_well_formed() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut seen = 0;
    for entry in std::fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        let Some(project) = path.is_dir().then(|| Project::load(&path).ok()).flatten() else {
            continue; // no mesh
        };
        let mut checked = check(project, &Selection::default());
        let name = path.display();
        assert!(
            checked.lay_out().is_some(),
            "{name}: {:?}",
            checked.diagnostics
        );
        seen += 1;
        well_formed(checked);
    }
    assert!(seen > 5, "the examples were found");
    well_formed(text(SMALL));
}

fn well_formed(checked: Checked) {
    let matrix = matrix_of(&checked);
    let graph = graph_of(checked);
    let svg = graph::svg(&graph);
    let picture = roxmltree::Document::parse(&svg).unwrap();
    let classes = |class: &str| {
        let nodes = picture.descendants();
        let nodes = nodes.filter_map(|node| node.attribute("class").map(str::to_owned));
        nodes
            .filter(|it| it.split(' ').next() == Some(class))
            .count()
    };
    let boxes = graph.nodes.iter().filter(|node| node.parent.is_none());
    assert_eq!(classes("node"), boxes.count(), "{}", graph.mesh);
    for page in [graph::html(&graph), matrix::html(&matrix)] {
        let dtd = roxmltree::ParsingOptions {
            allow_dtd: true,
            ..roxmltree::ParsingOptions::default()
        };
        roxmltree::Document::parse_with_options(&page, dtd).unwrap();
        assert!(!page.contains("src="), "a page loads nothing");
    }
    let dot = graph::dot(&graph);
    let quotes = dot
        .replace("\\\\", "")
        .replace("\\\"", "")
        .matches('"')
        .count();
    assert_eq!(quotes % 2, 0, "{dot}");
}
