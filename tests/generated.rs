//! Files that are made from the code are up to date. `UPDATE_GENERATED=1` writes them again.

use mesh_tests::binaries::workspace;

/// Checks, or rewrites, what stands between two marks of a file.
fn check(file: &str, begin: &str, end: &str, wanted: &str) {
    let path = workspace().join(file);
    let text = std::fs::read_to_string(&path).expect("the file is there");
    let from = text.find(begin).expect("it has the first mark") + begin.len();
    let to = text.find(end).expect("it has the second mark");
    if &text[from..to] == wanted {
        return;
    }
    assert!(
        std::env::var_os("UPDATE_GENERATED").is_some(),
        "{file} is out of date: UPDATE_GENERATED=1 cargo test -p mesh-tests --test generated"
    );
    let new = format!("{}{wanted}{}", &text[..from], &text[to..]);
    std::fs::write(&path, new).expect("it can be written");
}

#[test]
fn vim_knows_the_keywords() {
    let mut wanted = String::from("\n");
    let mut line = String::new();
    // `contains` would be read as an option of the command.
    let words = mesh_lang::vocabulary::keywords();
    for word in words.into_iter().filter(|word| *word != "contains") {
        if line.len() + word.len() > 80 {
            wanted += "syntax keyword meshKeyword";
            wanted += &line;
            wanted.push('\n');
            line.clear();
        }
        line.push(' ');
        line.push_str(word);
    }
    wanted += "syntax keyword meshKeyword";
    wanted += &line;
    wanted.push('\n');
    check(
        "editors/vim/syntax/mesh.vim",
        "\" begin keywords",
        "\" end keywords",
        &wanted,
    );
}
