; What an outline shows, with the doc comments above it.

(
  (doc_comment)* @doc
  .
  (service
    name: (name) @name) @definition.class
  (#strip! @doc "^##\\s*")
  (#select-adjacent! @doc @definition.class)
)

(
  (doc_comment)* @doc
  .
  (external
    name: (name) @name) @definition.class
  (#strip! @doc "^##\\s*")
  (#select-adjacent! @doc @definition.class)
)

(
  (doc_comment)* @doc
  .
  (gateway
    name: (name) @name) @definition.class
  (#strip! @doc "^##\\s*")
  (#select-adjacent! @doc @definition.class)
)

[
  (mesh
    name: (name) @name)
  (namespace
    name: (name) @name)
  (env
    name: (name) @name)
] @definition.module

[
  (policy
    name: (name) @name)
  (jwt
    name: (name) @name)
  (keys
    name: (name) @name)
] @definition.interface

[
  (param
    name: (name) @name)
  (let
    name: (name) @name)
] @definition.constant

[
  (assert
    title: (string) @name)
  (test
    title: (string) @name)
] @definition.function

(arm
  (label
    name: (name) @name)) @definition.method

(rule
  (label
    name: (name) @name)) @definition.method

[
  (forward
    (target) @name)
  (split_part
    target: (target) @name)
  (arrow_target
    (target) @name)
] @reference.call

(who
  (target) @name) @reference.class
