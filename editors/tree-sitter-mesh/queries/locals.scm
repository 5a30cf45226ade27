; Names of a file and of a namespace are one scope each; a block of a service is one for its versions.

[
  (file)
  (block)
] @local.scope

(param
  name: (name) @local.definition.constant)

(let
  name: (name) @local.definition.constant)

[
  (policy
    name: (name) @local.definition.type)
  (jwt
    name: (name) @local.definition.type)
  (keys
    name: (name) @local.definition.type)
  (service
    name: (name) @local.definition.type)
  (external
    name: (name) @local.definition.type)
  (gateway
    name: (name) @local.definition.type)
]

(setting
  word: (word) @_word
  argument: (word) @local.definition.type
  (#eq? @_word "version"))

[
  (target)
  (split_part
    share: (name))
  (who
    name: (name))
  (routes
    gateway: (name))
  (every_route
    gateway: (name))
  (every_route
    name: (name))
] @local.reference

(setting
  argument: (word) @local.reference)

(comparison
  (word) @local.reference)
