/**
 * The grammar of `.mesh` policies.
 *
 * Words, paths, commas and the ends of statements come from `src/scanner.c`, since where they end depends on
 * what follows. A word is given out as the most particular kind that may stand where it stands: a word of the
 * grammar, then a value of a certain shape, then a plain `word`. So no word but those of the language's
 * reserved list is lost to names, just as in `meshc`, and what the words of the vocabulary mean is for the
 * queries to say.
 *
 * Nodes are called what `meshc` calls them.
 */

/// <reference types="tree-sitter-cli/dsl" />
// @ts-check

/** Items that a name and a block of statements make. */
const PLAIN_ITEMS = ["service", "external", "gateway", "policy", "jwt", "keys"];

/** Kinds of words that the scanner tells apart by their shape. */
const SHAPES = [
  "method",
  "number",
  "percent",
  "duration",
  "size",
  "rate",
  "status_class",
  "date",
  "network",
  "address",
  "url",
];

/** `rule, rule, …` */
const list = (rule) => seq(rule, repeat(seq(",", rule)));

/** A word of whatever shape, under another name. Where a name and a value may stand the scanner tells by shape. */
const anyWordAs = ($, name) =>
  choice(
    alias($.word, name),
    ...SHAPES.map((shape) => alias($[shape], name)),
  );

/** A setting: its word, its arguments, its block. */
const setting = ($, words, block) =>
  seq(
    field("word", words),
    repeat($._argument),
    choice(field("body", block), $._end),
  );

module.exports = grammar({
  name: "mesh",

  // The order is that of `enum Token` in src/scanner.c.
  externals: ($) => [
    $._end,
    $._newline_before_when,
    $._joined_lines,
    $._label,
    $.word,
    $.method,
    $.number,
    $.percent,
    $.duration,
    $.size,
    $.rate,
    $.status_class,
    $.date,
    $.network,
    $.address,
    $.url,
    $._path_start,
    $._path_text,
    $.wildcard,
    $.capture,
    ",",
    "import",
    "param",
    "let",
    "mesh",
    "env",
    "namespace",
    "policy",
    "jwt",
    "keys",
    "service",
    "external",
    "gateway",
    "routes",
    "assert",
    "test",
    "export",
    "set",
    "lints",
    "allow",
    "deny",
    "to",
    "when",
    "unless",
    "where",
    "otherwise",
    "split",
    "rest",
    "redirect",
    "respond",
    "and",
    "or",
    "not",
    "in",
    "matches",
    "starts-with",
    "ends-with",
    "contains",
    "present",
    "absent",
    "anyone",
    "internet",
    "any",
    "never",
    "always",
    "only",
    "every",
    "reaches",
    "reach",
    "transitively",
    "at",
    "route",
    "has",
    "requires",
    "key",
    "request",
    "from",
    "expect",
    $._recovering,
  ],

  extras: ($) => [/[ \t\r\n]/, $.doc_comment, $.comment, $._joined_lines],

  supertypes: ($) => [$.item, $.statement, $.action, $.condition],

  rules: {
    file: ($) => repeat(choice($.item, $._statement_beside_items, ";")),

    // ── Items ──

    item: ($) =>
      choice(
        $.import,
        $.param,
        $.let,
        $.mesh,
        ...PLAIN_ITEMS.map((kind) => $[kind]),
        $.namespace,
        $.routes,
        $.env,
        $.assert,
        $.test,
      ),

    import: ($) => seq("import", field("path", $._string), $._end),

    param: ($) =>
      seq("param", field("name", $._name), "=", field("value", $._value), $._end),

    let: ($) =>
      seq(
        "let",
        field("name", $._name),
        "=",
        field("value", choice($._value, $.condition)),
        $._end,
      ),

    mesh: ($) => seq("mesh", field("name", $._name), field("body", $.block)),

    ...Object.fromEntries(
      PLAIN_ITEMS.map((kind) => [
        kind,
        ($) =>
          seq(
            optional("export"),
            kind,
            field("name", $._name),
            field("body", $.block),
          ),
      ]),
    ),

    namespace: ($) =>
      seq(
        "namespace",
        field("name", $._name),
        field("body", alias($._block_of_items, $.block)),
      ),

    routes: ($) =>
      seq(
        "routes",
        field("gateway", $._name),
        field("host", $._name),
        field("body", $.block),
      ),

    env: ($) =>
      seq(
        "env",
        field("name", $._name),
        field("body", alias($._block_of_sets, $.block)),
      ),

    assert: ($) =>
      seq(
        "assert",
        field("title", $._string),
        field("body", alias($._block_of_claims, $.block)),
      ),

    test: ($) =>
      seq(
        "test",
        field("title", $._string),
        field("body", alias($._block_of_steps, $.block)),
      ),

    // ── Blocks ──

    block: ($) => seq("{", repeat(choice($.statement, ";")), "}"),

    _block_of_items: ($) =>
      seq("{", repeat(choice($.item, $._statement_beside_items, ";")), "}"),

    _block_of_settings: ($) =>
      seq("{", repeat(choice(alias($._plain_setting, $.setting), ";")), "}"),

    _block_of_properties: ($) =>
      seq("{", repeat(choice($.property, ";")), "}"),

    _block_of_sets: ($) => seq("{", repeat(choice($.set, ";")), "}"),

    _block_of_claims: ($) =>
      seq("{", repeat(choice($.claim, $.every_route, ";")), "}"),

    _block_of_steps: ($) =>
      seq("{", repeat(choice($.request, $.expect, ";")), "}"),

    // ── Statements ──

    statement: ($) => choice($.arm, $.rule, $.param, $.let, $.setting),

    // At the top of a file and in a namespace, `param`, `let` and `jwt` always start items.
    _statement_beside_items: ($) =>
      choice($.arm, $.rule, alias($._setting_beside_items, $.setting)),

    // One that ends before its arrow is still being written, and should not spoil what stands around it.
    arm: ($) =>
      seq(
        optional($.label),
        choice("otherwise", $._requests),
        choice(
          seq(
            "->",
            field("action", $.action),
            choice(field("body", $.block), $._end),
          ),
          $._end,
        ),
      ),

    label: ($) => seq(field("name", alias($._label, $.name)), ":"),

    _requests: ($) =>
      choice(
        seq($.methods, optional($.paths), optional($._when_of_line)),
        seq($.paths, optional($._when_of_line)),
        $.when,
      ),

    _when_of_line: ($) => seq(optional($._newline_before_when), $.when),

    rule: ($) =>
      seq(
        optional($.label),
        choice("allow", "deny"),
        list($.who),
        optional(
          seq("to", choice(seq($.methods, optional($.paths)), $.paths)),
        ),
        optional(choice($._when_of_line, $.unless)),
        $._end,
      ),

    setting: ($) =>
      choice(
        setting(
          $,
          choice($.word, alias("param", $.word), alias("let", $.word)),
          $.block,
        ),
        setting($, alias("jwt", $.word), alias($._block_of_properties, $.block)),
        setting($, alias("lints", $.word), alias($._block_of_settings, $.block)),
      ),

    _setting_beside_items: ($) =>
      choice(
        setting($, $.word, $.block),
        setting($, alias("lints", $.word), alias($._block_of_settings, $.block)),
      ),

    // Without rules and arms, so that `allow` and `deny` are what they are called there.
    _plain_setting: ($) =>
      setting($, $.word, alias($._block_of_settings, $.block)),

    // A claim of a token, called whatever its issuer likes.
    property: ($) =>
      seq(
        field("name", alias($.word, $.name)),
        repeat($._argument),
        choice(
          field("body", alias($._block_of_properties, $.block)),
          $._end,
        ),
      ),

    _argument: ($) =>
      choice(
        ",",
        field("argument", $._value),
        $.arrow_target,
        $.when,
        $.unless,
        $.where,
      ),

    arrow_target: ($) => seq("->", $._target),

    set: ($) =>
      seq(
        "set",
        field("kind", $.word),
        field("name", $._name),
        "=",
        list(field("value", $._value)),
        $._end,
      ),

    // ── Actions ──

    action: ($) => choice($.forward, $.split, $.redirect, $.respond),

    forward: ($) => $._target,

    split: ($) => seq("split", list($.split_part)),

    // A target without its share is for `meshc` to find fault with.
    split_part: ($) =>
      choice(
        seq(field("share", $._share), field("target", $._target)),
        field("target", choice($._target, alias($.percent, $.target))),
      ),

    _share: ($) => choice($.percent, "rest", alias($.word, $.name)),

    redirect: ($) => seq("redirect", repeat($._value)),

    respond: ($) => seq("respond", field("status", $._word), repeat($._value)),

    // ── Claims and steps ──

    claim: ($) =>
      seq(
        choice("never", "always", "only"),
        list($.who),
        choice("reaches", "reach"),
        field("target", $._target),
        optional($.methods),
        optional($.paths),
        optional("transitively"),
        optional(seq("at", field("host", $._name))),
        optional(choice($.when, $.unless)),
        $._end,
      ),

    every_route: ($) =>
      seq(
        "every",
        "route",
        "in",
        field("gateway", $._name),
        optional(seq("to", $.who)),
        choice(
          seq("has", $.comparison),
          seq("requires", choice("jwt", "key"), field("name", $._name)),
        ),
        $._end,
      ),

    request: ($) =>
      seq(
        "request",
        alias($._one_method, $.methods),
        field("url", $._value),
        optional(seq("from", $.who)),
        choice(field("body", $.block), $._end),
      ),

    _one_method: ($) => $.method,

    expect: ($) =>
      seq(
        "expect",
        choice(field("status", $._status), field("action", $.action)),
        $._end,
      ),

    _status: ($) =>
      choice(...SHAPES.filter((it) => it !== "method").map((it) => $[it])),

    // ── Parts of statements ──

    methods: ($) => list($.method),

    paths: ($) => list(choice($.path, $._string)),

    who: ($) =>
      choice(
        "anyone",
        "internet",
        seq("any", "service"),
        seq("namespace", field("name", $._name)),
        $._target,
      ),

    _name: ($) => anyWordAs($, $.name),

    _target: ($) => alias($.word, $.target),

    // ── Conditions ──

    when: ($) => seq("when", $.condition),

    unless: ($) => seq("unless", $.condition),

    where: ($) => seq("where", $.condition),

    condition: ($) => choice($.or, $.and, $.not, $.paren, $.comparison),

    or: ($) => prec.left(1, seq($.condition, "or", $.condition)),

    and: ($) => prec.left(2, seq($.condition, "and", $.condition)),

    not: ($) => prec(3, seq("not", $.condition)),

    paren: ($) => seq("(", $.condition, ")"),

    comparison: ($) =>
      seq(
        $.field,
        optional(
          choice(
            seq(choice("==", "!=", "<", "<=", ">", ">="), $._value),
            seq(
              choice("matches", "starts-with", "ends-with", "contains"),
              $._value,
            ),
            seq(optional("not"), "in", $._value),
            "present",
            "absent",
          ),
        ),
      ),

    // Behind `let x =` the scanner cannot know yet that a word is a field and no value.
    field: ($) =>
      prec.right(
        seq(
          anyWordAs($, $.word),
          optional(seq("[", $._string, "]")),
        ),
      ),

    // ── Values ──

    _value: ($) => choice($._word, $.range, $.path, $._string, $.list),

    _word: ($) => prec(1, choice($.word, ...SHAPES.map((shape) => $[shape]))),

    range: ($) => seq($._word, "..", $._word),

    list: ($) =>
      seq("[", optional(seq(list($._value), optional(","))), "]"),

    path: ($) =>
      seq(
        $._path_start,
        repeat(choice($._path_text, $.wildcard, $.capture)),
      ),

    _string: ($) => choice($.string, $.raw_string),

    string: ($) =>
      seq(
        '"',
        repeat(
          choice(
            token.immediate(prec(1, /[^"\\\r\n]+/)),
            $.escape_sequence,
          ),
        ),
        token.immediate('"'),
      ),

    escape_sequence: () =>
      token.immediate(prec(1, /\\(u\{[0-9A-Fa-f]*\}|[^\r\n])/)),

    raw_string: ($) =>
      seq(
        'r"',
        optional(
          alias(
            token.immediate(prec(1, /[^"\r\n]+/)),
            $.raw_string_content,
          ),
        ),
        token.immediate('"'),
      ),

    // ── Comments ──

    // Of two that are equally long the first is taken: a line of hashes documents nothing.
    doc_comment: () => token(/##([^#\r\n][^\r\n]*)?/),

    comment: () => token(/#[^\r\n]*/),
  },
});
