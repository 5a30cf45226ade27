[
  (block)
  (list)
  (paren)
] @fold
