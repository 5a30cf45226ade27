//! Files that do not parse: what is broken stays, the rest is laid out.

use super::formatted;

#[track_caller]
fn becomes(text: &str, wanted: &str) {
    assert_eq!(formatted(text), wanted, "\n{}", formatted(text));
    assert_eq!(formatted(wanted), wanted, "again");
}

#[track_caller]
fn stays(text: &str) {
    becomes(text, text);
}

#[test]
fn a_broken_statement_stays_as_it_is() {
    becomes(
        "service a {
timeout   5s  )  x
    retry   off # why
    hosts  a   =  b { x   y }
}
param   b  =  1",
        "service a {
  timeout   5s  )  x
  retry off  # why
  hosts  a   =  b { x y }
}

param b = 1
",
    );
}

#[test]
fn the_block_of_a_broken_statement_is_laid_out() {
    becomes(
        "servce  a ( {\ntimeout   5s\n}\ngateway  {\nlisten  80  http\n}",
        "servce  a ( {\n  timeout 5s\n}\n\ngateway {\n  listen 80 http\n}\n",
    );
}

#[test]
fn a_broken_arm_does_not_part_its_neighbours() {
    becomes(
        "service a {
/aaa -> b
/bbbbbb   ->
/c -> d
}",
        "service a {
  /aaa -> b
  /bbbbbb   ->
  /c   -> d
}
",
    );
}

#[test]
fn a_broken_statement_keeps_the_semicolon_that_ends_it() {
    becomes(
        "policy a { ] ; timeout   5s }\npolicy b {\n) ; timeout   5s\n}",
        "policy a { ]; timeout 5s }\n\npolicy b {\n  );\n  timeout 5s\n}\n",
    );
    stays("let a = [b;\nlet c = ]\n");
    // So does the next one, where a bracket would find a counterpart.
    becomes(
        "policy a {\n  b ((\n  c\n   ;\n  d)\n  e; f\n}\n",
        "policy a {\n  b ((\n  c;\n  d)\n  e\n  f\n}\n",
    );
}

#[test]
fn an_item_without_its_brace_stays_as_it_is() {
    becomes(
        "param   a = 1
service b {
  timeout   5s
    retry  off

gateway  g {
 listen  80  http
}",
        "param a = 1

service b {
  timeout   5s
    retry  off

gateway g {
  listen 80 http
}
",
    );
    becomes(
        "param  a = 1\nservice b {\n   timeout   5s  # why\n   # a thought\n",
        "param a = 1\n\nservice b {\n   timeout   5s  # why\n   # a thought\n",
    );
}

#[test]
fn an_item_with_a_brace_too_many_stays_as_it_is() {
    becomes(
        "service a {
  route {
    otherwise   -> v1
    }
  }
  timeout   5s
}
service b { x   y }
}
param  c = 1",
        "service a {
  route {
    otherwise   -> v1
    }
  }
  timeout   5s
}

service b { x y }
}
param c = 1
",
    );
}

#[test]
fn a_broken_statement_of_several_lines_stays_where_it_is() {
    stays("service a {\n  /x when (b\n    and   c ->\n  timeout 5s\n}\n");
    // Put in its place, its lines would be others.
    stays("service a {\n /x when (b\n    and   c ->\n   timeout   5s\n}\n");
}

#[test]
fn an_unclosed_string_stays_as_it_is() {
    becomes(
        "gateway  g {\n  host a {\n otherwise ->  respond 404 \"no such page  \n }\n}\n",
        "gateway g {\n  host a {\n    otherwise ->  respond 404 \"no such page  \n  }\n}\n",
    );
}

#[test]
fn words_that_do_not_bear_white_space_stay() {
    stays("policy a { timeout:\"5s\" }\n");
    stays("policy a {\n  timeout:(5s)\n}\n");
}

#[test]
fn a_comment_between_commas_that_separate_nothing_stays() {
    stays("policy a {\n  b,,  # c\n,,\n}\n");
}

#[test]
fn what_would_read_differently_stays_as_it_is() {
    let text = "service a { \"open self # c\n ; gateway   # e\n route <= any }\n";
    stays(text);
    stays("a {\n  x:##\n}\nparam  b = 1\n");
}

#[test]
fn line_ends_are_the_same_in_what_stays() {
    becomes(
        "service a {\r\n  x (\r  b\n",
        "service a {\r\n  x (\r\n  b\r\n",
    );
}
