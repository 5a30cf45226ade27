(block
  "}" @end) @indent

(list
  "]" @end) @indent

(paren
  ")" @end) @indent
