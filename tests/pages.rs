//! The pages that explain findings tell the truth: the first example of a page has the finding, the second has not,
//! and no error besides.
//!
//! Examples show what matters and leave out the rest. What they name and do not declare is declared for them, as
//! plainly as can be; of a mesh that is left out, what a page needs is tried: one that is closed, or one that is open.

use mesh_lang::codes::{Code, Severity};
use mesh_lang::diagnostic::Diagnostic;
use meshc::compile::{Selection, check};
use meshc::project::Project;
use std::collections::BTreeSet;

/// Pages whose examples are not shown by themselves, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    ("E0110", "what is no text cannot stand in a page"),
    ("E0222", "what an example names is declared for it here"),
    ("E0226", "it is about a mesh that is not there"),
    ("E0229", "it is about files"),
    ("E0233", "it is about directories"),
    ("E0307", "what it takes is too long for a page"),
    ("E0308", "what it takes is too long for a page"),
    ("E0412", "it is about files"),
    ("L101", "it is about the version of the runtime"),
    (
        "L102",
        "it is about proofs that give up, on patterns built for it",
    ),
    ("L315", "it is about files"),
    ("L316", "it is about files"),
];

/// The last code that is found without knowing what names mean; those examples are looked at where it is found.
const LAST_OF_SYNTAX: &str = "E0220";

/// The `.mesh` examples of a page.
fn examples(page: &str) -> Vec<String> {
    let mut examples = Vec::new();
    let mut lines = page.lines();
    while lines.any(|line| line == "```mesh") {
        let example: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        examples.push(example.join("\n"));
    }
    examples
}

fn look(text: &str) -> Vec<Diagnostic> {
    let project = Project::of_texts([("page.mesh", text)]);
    let mut checked = check(project, &Selection::default());
    checked.plan();
    checked.diagnostics
}

/// An example with a mesh, and with what it names. Whoever is declared for it takes everything from everybody.
fn completed(example: &str, mesh: &str) -> String {
    let has_mesh = example.lines().any(|line| line.starts_with("mesh "));
    let mut text = example.to_owned();
    if !has_mesh {
        text.push('\n');
        text.push_str(mesh);
    }
    // One declaration may bring names of its own to light.
    for _ in 0..8 {
        let found = look(&text).into_iter();
        let unknown = found.filter(|it| it.code == Code::UnresolvedRef);
        let missing: BTreeSet<String> = unknown.filter_map(|it| declaration(&it.message)).collect();
        if missing.is_empty() {
            break;
        }
        for declaration in missing {
            text.push('\n');
            text.push_str(&declaration);
        }
    }
    text
}

/// What declares a name that a finding misses: "no service is called `shop`".
fn declaration(message: &str) -> Option<String> {
    let (kind, name) = message.strip_prefix("no ")?.split_once(" is called `")?;
    let name = name.strip_suffix('`')?;
    let (namespace, plain) = name.split_once('/').unwrap_or(("", name));
    let item = match kind {
        "gateway" => format!("gateway {plain} {{ listen 1 http }}"),
        _ if kind.contains("service") && ["edge", "partners"].contains(&plain) => {
            format!("gateway {plain} {{ listen 1 http }}")
        }
        _ if kind.contains("service") => format!(
            "export service {plain} {{ endpoints 10.9.9.9:1; calls none; authz {{ allow anyone to /** }} }}"
        ),
        "jwt" => format!(
            "export jwt {plain} {{ issuer \"https://auth.example\"; audiences \"a\"; jwks file \"jwks.json\" }}"
        ),
        "keys" | "key" => {
            format!("export keys {plain} {{ file \"keys.yaml\"; from header x-api-key }}")
        }
        "policy" => format!("export policy {plain} {{ timeout 10s }}"),
        "namespace" => {
            return Some(format!(
                "namespace {plain} {{ service of-{plain} {{ endpoints 10.9.9.8:1; authz {{ allow anyone to /** }} }} }}"
            ));
        }
        _ => return None,
    };
    Some(if namespace.is_empty() {
        item.replace("export ", "")
    } else {
        format!("namespace {namespace} {{ {item} }}")
    })
}

/// Meshes for examples that leave it out.
fn meshes(code: Code) -> Vec<String> {
    let warn = match code.severity() {
        Severity::Info => format!("lints {{ warn {} }}", code.name()),
        Severity::Warning | Severity::Error => String::new(),
    };
    let closed = format!("mesh page {{ trust-domain page.example; {warn} }}");
    let open = format!("mesh page {{ authz open-by-default; {warn} }}");
    vec![closed, open]
}

/// What is wrong with a page in one mesh.
fn wrong_with(code: Code, examples: &[String], mesh: &str) -> Option<String> {
    let [wrong, right, ..] = examples else {
        return Some(format!("it has {} examples", examples.len()));
    };
    let codes = |text: &str| -> Vec<Code> { look(text).iter().map(|it| it.code).collect() };
    let (wrong, right) = (completed(wrong, mesh), completed(right, mesh));
    let (of_wrong, of_right) = (codes(&wrong), codes(&right));
    if !of_wrong.contains(&code) {
        return Some(format!("the first example has {of_wrong:?}\n{wrong}"));
    }
    let errors = of_right.iter().any(|code| !code.is_lint());
    let still = of_right.contains(&code);
    (errors || still).then(|| format!("the second example has {of_right:?}\n{right}"))
}

#[test]
fn the_first_example_of_a_page_has_the_finding_and_the_second_has_not() {
    let elsewhere = |code: &Code| ELSEWHERE.iter().any(|(id, _)| *id == code.id());
    let ours = Code::ALL.iter().copied();
    let ours = ours.filter(|code| code.id() > LAST_OF_SYNTAX && !elsewhere(code));
    let mut lies = Vec::new();
    for code in ours {
        let examples = examples(code.explanation());
        let tried: Vec<Option<String>> = meshes(code)
            .iter()
            .map(|mesh| wrong_with(code, &examples, mesh))
            .collect();
        if tried.iter().all(Option::is_some) {
            let tried: Vec<String> = tried.into_iter().flatten().collect();
            lies.push(format!("{code}: {}", tried.join("\n--- or\n")));
        }
    }
    assert!(lies.is_empty(), "{}", lies.join("\n\n"));
}
