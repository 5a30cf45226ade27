(mesh
  "mesh" @context
  name: (name) @name) @item

(namespace
  "namespace" @context
  name: (name) @name) @item

(service
  "service" @context
  name: (name) @name) @item

(external
  "external" @context
  name: (name) @name) @item

(gateway
  "gateway" @context
  name: (name) @name) @item

(policy
  "policy" @context
  name: (name) @name) @item

(jwt
  "jwt" @context
  name: (name) @name) @item

(keys
  "keys" @context
  name: (name) @name) @item

(routes
  "routes" @context
  gateway: (name) @name
  host: (name) @context) @item

(env
  "env" @context
  name: (name) @name) @item

(param
  "param" @context
  name: (name) @name) @item

(let
  "let" @context
  name: (name) @name) @item

(assert
  "assert" @context
  title: (_) @name) @item

(test
  "test" @context
  title: (_) @name) @item

(setting
  word: (word) @context
  (#any-of? @context "host" "version")
  .
  argument: (word) @name) @item

(arm
  (label
    name: (name) @name)) @item

(doc_comment) @annotation
