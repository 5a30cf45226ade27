; In the captures of nvim-treesitter.

[
  (block)
  (list)
  (paren)
] @indent.begin

[
  "}"
  "]"
  ")"
] @indent.branch @indent.end

; A statement that goes on is indented once more.
[
  (arm)
  (rule)
  (setting)
  (claim)
] @indent.begin

(ERROR) @indent.auto

[
  (comment)
  (doc_comment)
] @indent.ignore
