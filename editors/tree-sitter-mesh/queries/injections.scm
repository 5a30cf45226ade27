([
  (comment)
  (doc_comment)
] @injection.content
  (#set! injection.language "comment"))

; What a field has to match is a regular expression.
(comparison
  "matches"
  (raw_string
    (raw_string_content) @injection.content)
  (#set! injection.language "regex"))
