// The tokens of `.mesh` that a regular expression cannot tell: where words and paths end depends on what
// follows them, and whether a newline ends a statement on the first word of the next line.
//
// It follows `lang/src/lexer.rs` and `lang/src/parser/input.rs`. What differs: the grammar's state says where a
// statement may end at all, so no brackets are counted here; and an end of a statement has no width, so that
// white space, comments, `;` and `}` stay outside of the statement.

#include "tree_sitter/alloc.h"
#include "tree_sitter/parser.h"

#include <string.h>

enum Token {
  // Where a statement ends: before a newline, a `;`, a `}` or the end of the file.
  END,
  // The same before a line that starts with `when`, where a rule goes on.
  NEWLINE_BEFORE_WHEN,
  // A newline that ends nothing although the grammar would let it.
  JOINED_LINES,
  // The name before a `:`.
  LABEL,
  WORD,
  METHOD,
  NUMBER,
  PERCENT,
  DURATION,
  SIZE,
  RATE,
  STATUS_CLASS,
  DATE,
  NETWORK,
  ADDRESS,
  URL,
  PATH_START,
  PATH_TEXT,
  WILDCARD,
  CAPTURE,
  COMMA,
  FIRST_KEYWORD,
};

// The words of the grammar, in the order of `externals` in grammar.js, from FIRST_KEYWORD on.
static const char *const KEYWORDS[] = {
  "import",   "param",       "let",       "mesh",     "env",      "namespace",    "policy",   "jwt",
  "keys",     "service",     "external",  "gateway",  "routes",   "assert",       "test",     "export",
  "set",      "lints",       "allow",     "deny",     "to",       "when",         "unless",   "where",
  "otherwise", "split",      "rest",      "redirect", "respond",  "and",          "or",       "not",
  "in",       "matches",     "starts-with", "ends-with", "contains", "present",   "absent",   "anyone",
  "internet", "any",         "never",     "always",   "only",     "every",        "reaches",  "reach",
  "transitively", "at",      "route",     "has",      "requires", "key",          "request",  "from",
  "expect",
};

enum {
  KEYWORD_COUNT = sizeof(KEYWORDS) / sizeof(KEYWORDS[0]),
  // Valid only while the parser recovers from what does not fit: then everything is.
  RECOVERING = FIRST_KEYWORD + KEYWORD_COUNT,
  // Those of the keywords that start items.
  ITEM_COUNT = 16,
  // More of a word than this is not looked at.
  TEXT_MAX = 127,
};

// What is remembered from one token to the next.
typedef struct {
  // The token before cannot end a statement, and a newline follows, comments aside.
  bool goes_on;
  // The token before is a part of a path, which goes on with what stands right behind it.
  bool in_path;
} Scanner;

typedef struct {
  char text[TEXT_MAX + 1];
  unsigned length;
  // A `:` that white space follows ended it.
  bool before_colon;
} Word;

// ── Characters ──

static bool is_digit(int32_t c) { return c >= '0' && c <= '9'; }

static bool is_upper(int32_t c) { return c >= 'A' && c <= 'Z'; }

static bool is_hex(int32_t c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

static bool is_alphanumeric(int32_t c) { return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z'); }

static bool is_blank(int32_t c) { return c == ' ' || c == '\t'; }

static bool is_line_end(int32_t c) { return c == '\n' || c == '\r'; }

static bool is_white_space(int32_t c) { return is_blank(c) || is_line_end(c); }

static bool is_one_of(int32_t c, const char *set) { return c > 0 && c < 128 && strchr(set, c) != NULL; }

static bool starts_word(int32_t c) { return is_alphanumeric(c) || c == '*' || c == '_'; }

static void advance(TSLexer *lexer) { lexer->advance(lexer, false); }

static void skip(TSLexer *lexer) { lexer->advance(lexer, true); }

static void skip_blanks(TSLexer *lexer) {
  while (is_blank(lexer->lookahead)) skip(lexer);
}

// ── Words ──

static void push(Word *word, int32_t c) {
  if (word->length < TEXT_MAX) word->text[word->length++] = (char)c;
  word->text[word->length] = '\0';
}

static void take(TSLexer *lexer, Word *word) {
  push(word, lexer->lookahead);
  advance(lexer);
}

// `http://` and `https://` words run on to white space or one of `, ; { } "`.
static void take_url(TSLexer *lexer, Word *word) {
  while (!lexer->eof(lexer) && !is_white_space(lexer->lookahead) && !is_one_of(lexer->lookahead, ",;{}\"")) {
    take(lexer, word);
  }
}

// Letters, digits and `_ . / * - : %`, up to `->`, `..` or a `:` before white space, and up to and with a `%`.
// With `mark` the token ends where the word does; without it is only looked at.
static void take_word(TSLexer *lexer, Word *word, bool mark) {
  for (;;) {
    int32_t c = lexer->lookahead;
    if (is_alphanumeric(c) || c == '_' || c == '*') {
      take(lexer, word);
    } else if (c == '/') {
      take(lexer, word);
      if (strcmp(word->text, "http://") == 0 || strcmp(word->text, "https://") == 0) {
        take_url(lexer, word);
        break;
      }
    } else if (c == '%') {
      take(lexer, word);
      break;
    } else if (c == '-' || c == '.' || c == ':') {
      if (mark) lexer->mark_end(lexer);
      advance(lexer);
      int32_t next = lexer->lookahead;
      bool ends = c == '-'   ? next == '>'
                  : c == '.' ? next == '.'
                             : lexer->eof(lexer) || is_white_space(next);
      if (ends) {
        word->before_colon = c == ':';
        return;
      }
      push(word, c);
    } else {
      break;
    }
  }
  if (mark) lexer->mark_end(lexer);
}

// ── Shapes of words ──

// The text behind the digits at the start of `text`; nothing if there are none.
static const char *behind_digits(const char *text) {
  if (!is_digit(*text)) return NULL;
  while (is_digit(*text)) text++;
  return text;
}

// The text behind `12` or `12.5`.
static const char *behind_number(const char *text) {
  const char *rest = behind_digits(text);
  if (rest && *rest == '.') {
    const char *fraction = behind_digits(rest + 1);
    if (fraction) return fraction;
  }
  return rest;
}

static bool is_any(const char *text, const char *const *choices) {
  for (; *choices; choices++) {
    if (strcmp(text, *choices) == 0) return true;
  }
  return false;
}

static bool is_duration(const char *text) {
  do {
    text = behind_number(text);
    if (!text) return false;
    if ((*text == 'm' || *text == 'u' || *text == 'n') && text[1] == 's') {
      text += 2;
    } else if (is_one_of(*text, "dhms")) {
      text += 1;
    } else {
      return false;
    }
  } while (*text);
  return true;
}

static bool is_size(const char *unit) {
  if (is_one_of(*unit, "KMGT")) {
    unit++;
    if (*unit == 'i') unit++;
  }
  return strcmp(unit, "B") == 0;
}

// `2026-12-01`.
static bool is_date(const char *text) {
  for (int i = 0; i < 10; i++) {
    if (i == 4 || i == 7 ? text[i] != '-' : !is_digit(text[i])) return false;
  }
  return text[10] == '\0';
}

// `10.0.0.7`, `::1`, `fd00::7`, and what stands behind it.
static const char *behind_ip(const char *text) {
  const char *rest = text;
  for (int part = 0; part < 4; part++) {
    if (part > 0) {
      if (*rest != '.') break;
      rest++;
    }
    rest = behind_digits(rest);
    if (!rest) break;
    if (part == 3) return rest;
  }
  int colons = 0;
  for (rest = text; is_hex(*rest) || *rest == ':' || *rest == '.'; rest++) colons += *rest == ':';
  return colons >= 2 ? rest : NULL;
}

static enum Token shape_of_address(const char *text) {
  const char *rest = behind_ip(text);
  if (rest && *rest == '\0') return ADDRESS;
  if (rest && *rest == '/') {
    rest = behind_digits(rest + 1);
    if (rest && *rest == '\0') return NETWORK;
  }
  // `db.internal:5432`, `[::1]:80`
  const char *colon = strrchr(text, ':');
  if (colon && colon > text) {
    rest = behind_digits(colon + 1);
    if (rest && *rest == '\0') return ADDRESS;
  }
  return WORD;
}

// What a word is by its looks.
static enum Token shape(const char *text) {
  static const char *const RATES[] = {"/s", "/min", "/h", "/d", NULL};
  if (strstr(text, "://")) return URL;
  if (is_upper(*text)) {
    const char *rest = text;
    while (is_upper(*rest) || *rest == '-') rest++;
    if (*rest == '\0') return METHOD;
  }
  const char *unit = behind_number(text);
  if (unit) {
    if (*unit == '\0') return NUMBER;
    if (strcmp(unit, "%") == 0) return PERCENT;
    if (strcmp(unit, "xx") == 0 && unit == text + 1) return STATUS_CLASS;
    if (is_any(unit, RATES)) return RATE;
    if (is_size(unit)) return SIZE;
    if (is_duration(text)) return DURATION;
    if (is_date(text)) return DATE;
  }
  return shape_of_address(text);
}

static bool joins_lines(const char *text) {
  static const char *const WORDS[] = {"and", "or", "not", "in", "when", "unless", "to", NULL};
  return is_any(text, WORDS);
}

// The token that a word is: the most particular one that may stand here.
static int token_of_word(const char *text, bool at_margin, const bool *valid) {
  for (int i = 0; i < KEYWORD_COUNT; i++) {
    if (!valid[FIRST_KEYWORD + i] || strcmp(text, KEYWORDS[i]) != 0) continue;
    // While the parser looks for a way to go on, only an item at the left margin is surely one.
    if (!valid[RECOVERING] || (i < ITEM_COUNT && at_margin)) return FIRST_KEYWORD + i;
  }
  enum Token looks = shape(text);
  if (valid[looks]) return looks;
  return valid[WORD] ? WORD : -1;
}

// Whether a newline comes next, a comment before it aside.
static bool newline_follows(TSLexer *lexer) {
  while (is_blank(lexer->lookahead)) advance(lexer);
  return is_line_end(lexer->lookahead) || lexer->lookahead == '#';
}

static bool give(TSLexer *lexer, int token) {
  lexer->result_symbol = (TSSymbol)token;
  return true;
}

static bool scan_word(Scanner *scanner, TSLexer *lexer, const bool *valid, Word *word, bool at_margin) {
  take_word(lexer, word, true);
  if (valid[LABEL] && !valid[RECOVERING]) {
    bool is_label = word->before_colon;
    if (!is_label) {
      while (is_blank(lexer->lookahead)) advance(lexer);
      if (lexer->lookahead == ':') {
        advance(lexer);
        is_label = lexer->lookahead != ':';
      }
    }
    if (is_label) {
      scanner->goes_on = false;
      return give(lexer, LABEL);
    }
  }
  int token = token_of_word(word->text, at_margin, valid);
  if (token < 0) return false;
  scanner->goes_on = token == WORD && joins_lines(word->text) && newline_follows(lexer);
  return give(lexer, token);
}

// `[::1]:80`: an address in brackets with a port. A list starts with `[`, too.
static bool scan_bracketed_address(Scanner *scanner, TSLexer *lexer, const bool *valid) {
  Word word = {0};
  bool has_colon = false;
  take(lexer, &word);
  while (is_hex(lexer->lookahead) || lexer->lookahead == ':' || lexer->lookahead == '.') {
    has_colon = has_colon || lexer->lookahead == ':';
    take(lexer, &word);
  }
  if (!has_colon || lexer->lookahead != ']') return false;
  take(lexer, &word);
  if (lexer->lookahead != ':') return false;
  take(lexer, &word);
  if (!is_digit(lexer->lookahead)) return false;
  return scan_word(scanner, lexer, valid, &word, false);
}

// ── Paths ──

// Whether a path goes on with the character at hand, which is looked at beyond.
static bool in_path(TSLexer *lexer) {
  int32_t c = lexer->lookahead;
  if (lexer->eof(lexer) || is_white_space(c) || is_one_of(c, ",;()[]{}\"")) return false;
  if (c != '-') return true;
  lexer->mark_end(lexer);
  advance(lexer);
  return lexer->lookahead != '>';
}

// Path text up to a wildcard, a capture or the end of the path.
static bool take_path_text(TSLexer *lexer) {
  bool any = false;
  while (lexer->lookahead != '*') {
    bool dash = lexer->lookahead == '-';
    if (!in_path(lexer)) {
      // A dash that starts an arrow has been marked already.
      if (!dash) lexer->mark_end(lexer);
      return any;
    }
    if (!dash) advance(lexer);
    any = true;
  }
  lexer->mark_end(lexer);
  return any;
}

// `{name}` or `{name**}`.
static bool take_capture(TSLexer *lexer) {
  advance(lexer);
  bool any = false;
  while (is_alphanumeric(lexer->lookahead) || lexer->lookahead == '_' || lexer->lookahead == '-') {
    advance(lexer);
    any = true;
  }
  if (!any) return false;
  for (int i = 0; i < 2 && (i == 1 || lexer->lookahead == '*'); i++) {
    if (lexer->lookahead != '*') return false;
    advance(lexer);
  }
  if (lexer->lookahead != '}') return false;
  advance(lexer);
  lexer->mark_end(lexer);
  return true;
}

// What a path goes on with, right behind what it has so far.
static int part_of_path(TSLexer *lexer) {
  if (lexer->lookahead == '{') return take_capture(lexer) ? CAPTURE : -1;
  if (lexer->lookahead == '*') {
    while (lexer->lookahead == '*') advance(lexer);
    lexer->mark_end(lexer);
    return WILDCARD;
  }
  return take_path_text(lexer) ? PATH_TEXT : -1;
}

// ── Lines ──

typedef enum { NEITHER, ENDS, GOES_ON_WITH_WHEN, GOES_ON } Line;

// What the token at hand says about the statement before the newline before it.
static Line first_of_line(TSLexer *lexer) {
  if (lexer->lookahead == '-') {
    advance(lexer);
    return lexer->lookahead == '>' ? GOES_ON : ENDS;
  }
  if (!starts_word(lexer->lookahead)) return ENDS;
  static const char *const WORDS[] = {"and", "or", "to", "unless", NULL};
  Word word = {0};
  take_word(lexer, &word, false);
  if (strcmp(word.text, "when") == 0) return GOES_ON_WITH_WHEN;
  return is_any(word.text, WORDS) ? GOES_ON : ENDS;
}

// Steps over white space and comments to the next token, and tells what that says about the statement before.
// The token that comes of it has no width.
static Line look_ahead(TSLexer *lexer) {
  bool newline = false;
  lexer->mark_end(lexer);
  for (;;) {
    if (is_line_end(lexer->lookahead)) {
      newline = true;
      skip(lexer);
    } else if (is_blank(lexer->lookahead)) {
      skip(lexer);
    } else if (lexer->lookahead == '#') {
      while (!lexer->eof(lexer) && !is_line_end(lexer->lookahead)) skip(lexer);
    } else {
      break;
    }
  }
  if (lexer->eof(lexer) || lexer->lookahead == '}' || lexer->lookahead == ';') return ENDS;
  return newline ? first_of_line(lexer) : NEITHER;
}

// ── The scanner ──

static bool scan(Scanner *scanner, TSLexer *lexer, const bool *valid) {
  bool recovering = valid[RECOVERING];
  bool in_path = scanner->in_path && valid[PATH_TEXT] && !recovering;
  scanner->in_path = false;

  if (in_path) {
    // The start of a block or of an arrow has been looked at beyond its first character.
    bool looked_on = lexer->lookahead == '{' || lexer->lookahead == '-';
    int token = part_of_path(lexer);
    scanner->in_path = token >= 0;
    if (token >= 0) return give(lexer, token);
    if (looked_on) return false;
  }

  if (scanner->goes_on) {
    skip_blanks(lexer);
    if (is_line_end(lexer->lookahead)) {
      while (is_white_space(lexer->lookahead)) advance(lexer);
      lexer->mark_end(lexer);
      // Behind a comment comes another newline.
      scanner->goes_on = lexer->lookahead == '#';
      return give(lexer, JOINED_LINES);
    }
    if (lexer->lookahead == '#') return false;
  }

  if (valid[END] || valid[NEWLINE_BEFORE_WHEN]) {
    switch (look_ahead(lexer)) {
    case ENDS:
      return valid[END] && give(lexer, END);
    case GOES_ON_WITH_WHEN:
      return give(lexer, valid[NEWLINE_BEFORE_WHEN] && !recovering ? NEWLINE_BEFORE_WHEN : END);
    case GOES_ON:
      scanner->goes_on = true;
      return give(lexer, JOINED_LINES);
    case NEITHER:
      break;
    }
  } else {
    while (is_white_space(lexer->lookahead)) skip(lexer);
  }

  Word word = {0};
  bool at_margin = recovering && lexer->get_column(lexer) == 0;
  switch (lexer->lookahead) {
  case ',':
    advance(lexer);
    lexer->mark_end(lexer);
    scanner->goes_on = newline_follows(lexer);
    return valid[COMMA] && give(lexer, COMMA);
  case '/':
    advance(lexer);
    take_path_text(lexer);
    scanner->goes_on = false;
    scanner->in_path = true;
    return valid[PATH_START] && give(lexer, PATH_START);
  case '[':
    return scan_bracketed_address(scanner, lexer, valid);
  case ':':
    // `::1` is an address.
    take(lexer, &word);
    if (lexer->lookahead != ':') return false;
    take(lexer, &word);
    return scan_word(scanner, lexer, valid, &word, at_margin);
  case 'r':
    // `r"` opens a raw string.
    take(lexer, &word);
    if (lexer->lookahead == '"') return false;
    return scan_word(scanner, lexer, valid, &word, at_margin);
  default:
    return starts_word(lexer->lookahead) && scan_word(scanner, lexer, valid, &word, at_margin);
  }
}

// ── What the parser calls ──

void *tree_sitter_mesh_external_scanner_create(void) { return ts_calloc(1, sizeof(Scanner)); }

void tree_sitter_mesh_external_scanner_destroy(void *payload) { ts_free(payload); }

unsigned tree_sitter_mesh_external_scanner_serialize(void *payload, char *buffer) {
  const Scanner *scanner = payload;
  buffer[0] = (char)(scanner->goes_on | scanner->in_path << 1);
  return 1;
}

void tree_sitter_mesh_external_scanner_deserialize(void *payload, const char *buffer, unsigned length) {
  Scanner *scanner = payload;
  scanner->goes_on = length > 0 && (buffer[0] & 1) != 0;
  scanner->in_path = length > 0 && (buffer[0] & 2) != 0;
}

bool tree_sitter_mesh_external_scanner_scan(void *payload, TSLexer *lexer, const bool *valid_symbols) {
  return scan(payload, lexer, valid_symbols);
}
