//! What files look like.

use super::{formatted, tree};

/// Whether `text` is laid out as `wanted`, and stays so.
#[track_caller]
fn becomes(text: &str, wanted: &str) {
    assert!(tree(text).root().descendants().count() > 0, "nothing in it");
    assert_eq!(formatted(text), wanted, "\n{}", formatted(text));
    assert_eq!(formatted(wanted), wanted, "again");
}

/// Whether `text` is already laid out.
#[track_caller]
fn stays(text: &str) {
    becomes(text, text);
}

#[test]
fn tokens_have_one_space_between_and_brackets_none_inside() {
    becomes(
        "let  a=( b  and header [ \"X\" ]present )\nlet b = [ a ,b ]\n\n\nparam c =1ms ..2ms",
        "let a = (b and header[\"X\"] present)\nlet b = [a, b]\n\nparam c = 1ms..2ms\n",
    );
    becomes(
        "service a{route{x :GET,POST /a,/b->v1{timeout 5s}}}",
        "service a { route { x: GET, POST /a, /b -> v1 { timeout 5s } } }\n",
    );
    becomes("policy a { }", "policy a {}\n");
    becomes("policy a {\n\n}", "policy a {}\n");
}

#[test]
fn strings_and_paths_are_left_alone() {
    stays(
        "service a {\n  \"/a;b\", /{x}/**, /y -> respond 200 \"a  # b  \\u{e9}\"\n  x r\"[ \\\"\n}\n",
    );
}

#[test]
fn what_would_swallow_its_neighbour_keeps_its_space() {
    stays("let a = [http://b/c, d, https://e ]\n");
    stays("let a = b in [a., b.]\n");
    becomes(
        "policy a { x http://a {y} ;z a. ..b }",
        "policy a { x http://a { y }; z a. ..b }\n",
    );
}

#[test]
fn a_block_on_one_line_stays_there_if_it_fits() {
    stays("policy p { timeout 10s; retry 3 on 5xx, reset }\n");
    becomes(
        "policy p { timeout 10s;\n retry 3 on 5xx, reset }\n",
        "policy p {\n  timeout 10s\n  retry 3 on 5xx, reset\n}\n",
    );
    becomes(
        "external stripe { endpoints dns api.stripe.com:443; tls verify api.stripe.com; authz { allow a, b } }",
        "external stripe {\n  endpoints dns api.stripe.com:443\n  tls verify api.stripe.com\n  authz { allow a, b }\n}\n",
    );
    becomes("policy p { authz {\n} }\n", "policy p {\n  authz {}\n}\n");
}

#[test]
fn statements_have_lines_of_their_own() {
    becomes(
        "service a {\n\ttimeout 5s; retry off ;; limits { pending 1 } timeout 1s\n;\n}",
        "service a {\n  timeout 5s\n  retry off\n  limits { pending 1 }\n  timeout 1s\n}\n",
    );
}

#[test]
fn blank_lines_are_kept_one_at_a_time_and_not_at_the_ends_of_blocks() {
    becomes(
        "\n\nservice a {\n\n  timeout 5s\n\n \n\n  retry off\n\n}\n\n\n",
        "service a {\n  timeout 5s\n\n  retry off\n}\n",
    );
    becomes(
        "service a {\n\n  # b\n\n  timeout 5s\n\n  # c\n\n}\n\n# d\n\n",
        "service a {\n  # b\n\n  timeout 5s\n\n  # c\n}\n\n# d\n",
    );
}

#[test]
fn a_blank_line_stands_around_items_of_several_lines() {
    becomes(
        "param a = 1\nparam b = 2\nservice c {\n  timeout 5s\n}\n# d\n## e\nservice d { }\nservice e { }\nservice f {\n  timeout 5s\n}\n",
        "param a = 1\nparam b = 2\n\nservice c {\n  timeout 5s\n}\n\n# d\n## e\nservice d {}\nservice e {}\n\nservice f {\n  timeout 5s\n}\n",
    );
    becomes(
        "namespace n {\nparam a = 1\nservice b {\ntimeout 5s\n}\n}",
        "namespace n {\n  param a = 1\n\n  service b {\n    timeout 5s\n  }\n}\n",
    );
    // Elsewhere it is for the writer to say.
    stays("gateway g {\n  host a {\n    otherwise -> b\n  }\n  host * { otherwise -> c }\n}\n");
}

#[test]
fn a_list_that_is_too_long_has_a_line_for_each_element() {
    becomes(
        "let office = [10.1.0.0/16, 10.2.0.0/16, 10.3.0.0/16, 10.4.0.0/16, 10.5.0.0/16, 10.6.0.0/16, 10.7.0.0/16]",
        "let office = [
  10.1.0.0/16,
  10.2.0.0/16,
  10.3.0.0/16,
  10.4.0.0/16,
  10.5.0.0/16,
  10.6.0.0/16,
  10.7.0.0/16,
]
",
    );
}

#[test]
fn a_comma_behind_the_last_element_asks_for_lines() {
    becomes("let a = [b, c,]", "let a = [\n  b,\n  c,\n]\n");
    becomes("let a = [\n  b,\n  c\n]", "let a = [b, c]\n");
    becomes(
        "gateway g {\n/admin/** when client-ip in [10.0.0.0/8, 10.1.0.0/16,] -> respond 403 {\nx }\n}",
        "gateway g {
  /admin/** when client-ip in [
    10.0.0.0/8,
    10.1.0.0/16,
  ] -> respond 403 {
    x
  }
}
",
    );
}

#[test]
fn settings_go_on_behind_commas() {
    becomes(
        "service a {\nendpoints 127.0.0.1:9081, 127.0.0.1:9084 weight 2, 127.0.0.1:9085 weight 3, 127.0.0.1:9086 weight 4\n}",
        "service a {
  endpoints 127.0.0.1:9081,
      127.0.0.1:9084 weight 2,
      127.0.0.1:9085 weight 3,
      127.0.0.1:9086 weight 4
}
",
    );
}

#[test]
fn arms_go_on_before_their_arrow_then_before_their_condition_then_inside_it() {
    becomes(
        "gateway g {
  GET /api/v1/products/**, /api/v2/products/**, /api/v3/products/**, /api/v4/products/** -> productpage
  GET /api/v1/products/**, /api/v2/products/** when header.x-team == \"qa\" and cookie.session present -> productpage { timeout 5s }
  named: POST /cart/** when (header.x-team == \"qa\" or header.x-team == \"beta\") and not (cookie.session present or a in b) -> b {
    timeout 5s
  }
}",
        "gateway g {
  GET /api/v1/products/**, /api/v2/products/**, /api/v3/products/**, /api/v4/products/**
      -> productpage
  GET /api/v1/products/**, /api/v2/products/** when header.x-team == \"qa\" and cookie.session present
      -> productpage { timeout 5s }
  named: POST /cart/**
      when (header.x-team == \"qa\" or header.x-team == \"beta\")
      and not (cookie.session present or a in b)
      -> b {
    timeout 5s
  }
}
",
    );
}

#[test]
fn conditions_go_on_before_their_operators() {
    becomes(
        "let a = header.x-team == \"qa\" and header.x-environment in [\"staging\", \"preview\"] and not (source.ip in office or client-ip in office)",
        "let a = header.x-team == \"qa\"
    and header.x-environment in [\"staging\", \"preview\"]
    and not (source.ip in office or client-ip in office)
",
    );
    becomes(
        "let a = (aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa == \"b\" or ccccccccccccccccccccccccccccccccccccccccccccccccccccc == \"d\")",
        "let a = (
  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa == \"b\"
  or ccccccccccccccccccccccccccccccccccccccccccccccccccccc == \"d\"
)
",
    );
}

#[test]
fn rules_and_settings_go_on_before_their_conditions() {
    becomes(
        "service a {
  authz {
    allow productpage, edge, checkout, any service to GET, POST /reviews/**, /ratings/** when jwt.corp.groups contains \"qa\"
  }
  require jwt corp unless path in [/login, /health, /static/**, /public/**, /robots.txt, /favicon.ico, /x]
  rate-limit 100/s when header.x-team == \"qa\" and header.x-environment == \"staging\" and header.x == \"y\"
}",
        "service a {
  authz {
    allow productpage, edge, checkout, any service
        to GET, POST /reviews/**, /ratings/**
        when jwt.corp.groups contains \"qa\"
  }
  require jwt corp
      unless path in [/login, /health, /static/**, /public/**, /robots.txt, /favicon.ico, /x]
  rate-limit 100/s when
      header.x-team == \"qa\" and header.x-environment == \"staging\" and header.x == \"y\"
}
",
    );
}

#[test]
fn the_arrows_of_neighbouring_arms_are_in_one_column() {
    becomes(
        "service a {
  route {
    when header.end-user == \"jason\" -> v2
    POST, PUT /reviews/** -> v1 { timeout 5s }
    otherwise -> split canary v2, rest v1 {
      mirror 5% v3
    }
    /apart -> v1
  }
  route {
    /a -> v1
    /bcd -> v2

    /efghij -> v1
    # apart
    /k -> v1
    timeout 5s
    /lm -> v1
  }
}",
        "service a {
  route {
    when header.end-user == \"jason\" -> v2
    POST, PUT /reviews/**           -> v1 { timeout 5s }
    otherwise                       -> split canary v2, rest v1 {
      mirror 5% v3
    }
    /apart -> v1
  }
  route {
    /a   -> v1
    /bcd -> v2

    /efghij -> v1
    # apart
    /k -> v1
    timeout 5s
    /lm -> v1
  }
}
",
    );
}

#[test]
fn the_matches_of_named_arms_are_in_one_column() {
    becomes(
        "service a { route {
jason: when header.end-user == \"jason\" -> v2
cohort-b: when cookie.cohort matches r\"b[0-4]\" -> v3
otherwise -> v1
} }",
        "service a {
  route {
    jason:    when header.end-user == \"jason\"      -> v2
    cohort-b: when cookie.cohort matches r\"b[0-4]\" -> v3
    otherwise                                      -> v1
  }
}
",
    );
}

#[test]
fn nothing_is_moved_far_nor_over_the_edge() {
    // One is longer than the others.
    stays(
        "service a {
  /a   -> v1
  /bcd -> v2
  GET, POST, PUT /a/path/that/is/much/longer/than/the/others/** -> v2
  /ef  -> v3
}
",
    );
    // One is shorter than the others.
    stays(
        "service a {
  GET, POST /a/path/that/is/much/longer/than/the/other/one   -> v2
  GET, POST /a/path/that/is/much/longer/than/the/other/two/x -> v2
  otherwise -> v3
}
",
    );
    // Another has no space left.
    stays(
        "service a {
  GET, POST, PUT /a/path -> v2
  /b                     -> v3
  /c -> respond 404 \"a text that is so long that the line it stands on would get too long if moved\"
}
",
    );
}

#[test]
fn comments_stay_with_what_they_belong_to() {
    becomes(
        "# head

## doc
## of a
service a {# opens
    # first
timeout 5s# trails
  # own
  retry off ;# trails too
      # last
}# closes
# end",
        "# head

## doc
## of a
service a {  # opens
  # first
  timeout 5s  # trails
  # own
  retry off  # trails too
  # last
}  # closes
# end
",
    );
}

#[test]
fn trailing_comments_of_neighbouring_lines_are_in_one_column() {
    becomes(
        "mesh m {
  edition 2026 # pins
  mtls off # open
  /aaa -> b # c
  /a -> b # d
  egress deny
  access-log json # e
}",
        "mesh m {
  edition 2026  # pins
  mtls off      # open
  /aaa -> b     # c
  /a   -> b     # d
  egress deny
  access-log json  # e
}
",
    );
}

#[test]
fn comments_go_on_below_a_trailing_one() {
    becomes(
        "service a {
  balance random # one
                 # two
                    # three
  # own
  timeout 5s # four
             # five
  retry off # six
      # own
}",
        "service a {
  balance random  # one
                  # two
                  # three
  # own
  timeout 5s  # four
              # five
  retry off   # six
  # own
}
",
    );
    becomes(
        "service a {
  timeout 5s # four

        # own
        # of the next
        retry off
}",
        "service a {
  timeout 5s  # four

  # own
  # of the next
  retry off
}
",
    );
}

#[test]
fn a_doc_comment_belongs_to_the_next_statement() {
    becomes(
        "service a { # b\n                    ## c\n  timeout 5s ## d\n                    ## e\n  retry off\n}",
        "service a {  # b\n  ## c\n  timeout 5s  ## d\n  ## e\n  retry off\n}\n",
    );
}

#[test]
fn comments_inside_of_statements_stay_there() {
    becomes(
        "service a {
x [ # first
 a # the a
 , b
 # last
]
GET /x # the x
 when b # is b
 # and c too
 and c -> d
}",
        "service a {
  x [  # first
    a,  # the a
    b,
    # last
  ]
  GET /x  # the x
      when b  # is b
      # and c too
      and c
      -> d
}
",
    );
}

#[test]
fn a_brace_on_the_next_line_goes_up() {
    becomes(
        "service a # why\n{ # how\n  timeout 5s\n}",
        "service a {  # why\n  # how\n  timeout 5s\n}\n",
    );
    becomes("service a\n{ timeout 5s }", "service a { timeout 5s }\n");
}

#[test]
fn semicolons_stay_where_a_newline_says_something_else() {
    stays("service a {\n  x a,;\n  to b\n}\n");
    becomes(
        "service a {\n  x a; to b\n  allow b; when c -> d\n  y not; z\n}",
        "service a {\n  x a;\n  to b\n  allow b;\n  when c -> d\n  y not;\n  z\n}\n",
    );
}

#[test]
fn line_ends_are_those_of_the_first_line() {
    assert_eq!(
        formatted("param a=1\r\nparam b=2\nparam c=3\r"),
        "param a = 1\r\nparam b = 2\r\nparam c = 3\r\n"
    );
    assert_eq!(
        formatted("param a=1\nparam b=2\r\n"),
        "param a = 1\nparam b = 2\n"
    );
    assert_eq!(
        formatted("param a=1\rparam b=2"),
        "param a = 1\nparam b = 2\n"
    );
}

#[test]
fn files_end_with_one_newline_and_nothing_stays_nothing() {
    assert_eq!(formatted(""), "");
    assert_eq!(formatted(" \n\n\t"), "");
    assert_eq!(formatted(";;\n"), "");
    assert_eq!(formatted("# only this"), "# only this\n");
    assert_eq!(formatted("param a = 1  \n\n"), "param a = 1\n");
}

#[test]
fn a_byte_order_mark_stays() {
    assert_eq!(formatted("\u{feff}\n param a=1"), "\u{feff}param a = 1\n");
    assert_eq!(formatted("\u{feff}"), "\u{feff}");
}

#[test]
fn width_counts_characters() {
    let long = |character: &str| format!("param a = [\"{}\", b]\n", character.repeat(83));
    stays(&long("é"));
    assert!(formatted(&long("éé")).contains("[\n"));
}
