//! Compiles the parser that `tree-sitter generate` made of `grammar.js`, and its scanner.

fn main() {
    let files = ["src/parser.c", "src/scanner.c"];
    cc::Build::new()
        .std("c11")
        .include("src")
        .flag_if_supported("-Wno-unused")
        .files(files)
        .compile("tree-sitter-mesh");
    for file in files {
        println!("cargo:rerun-if-changed={file}");
    }
}
