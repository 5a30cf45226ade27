[
  (block)
  (list)
  (paren)
] @indent

[
  "}"
  "]"
  ")"
] @outdent
