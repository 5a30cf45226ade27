(comparison
  "matches"
  (raw_string
    (raw_string_content) @injection.content)
  (#set! injection.language "regex"))
