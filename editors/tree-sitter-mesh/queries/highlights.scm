; What each token looks like.
;
; No token is captured twice, so it does not matter whether an editor prefers the first or the last
; pattern. A name that nothing more is known about is not captured at all.

; Comments

(comment) @comment

(doc_comment) @comment.documentation

; Values

[
  (string)
  (raw_string)
] @string

(escape_sequence) @string.escape

(path) @string.special.path

(wildcard) @character.special

(capture) @variable.parameter

(url) @string.special.url

[
  (number)
  (status_class)
  (percent)
  (duration)
  (size)
  (rate)
  (date)
  (address)
  (network)
] @number

(method) @constant

(property
  argument: (word) @boolean
  (#any-of? @boolean "true" "false"))

; Names

[
  (param
    name: (name) @variable)
  (let
    name: (name) @variable)
  (split_part
    share: (name) @variable)
]

[
  (mesh
    name: (name) @module)
  (namespace
    name: (name) @module)
  (env
    name: (name) @module)
  (who
    name: (name) @module)
]

[
  (service
    name: (name) @type)
  (external
    name: (name) @type)
  (gateway
    name: (name) @type)
  (policy
    name: (name) @type)
  (jwt
    name: (name) @type)
  (keys
    name: (name) @type)
  (routes
    gateway: (name) @type)
  (every_route
    gateway: (name) @type)
  (every_route
    name: (name) @type)
]

((target) @type
  (#not-eq? @type "self"))

((target) @variable.builtin
  (#eq? @variable.builtin "self"))

(label
  name: (name) @label)

(set
  kind: (word) @keyword)

(property
  name: (name) @property)

; Signs

[
  "->"
  "="
  ".."
  "=="
  "!="
  "<"
  "<="
  ">"
  ">="
] @operator

[
  "{"
  "}"
  "("
  ")"
  "["
  "]"
] @punctuation.bracket

[
  ","
  ";"
  ":"
] @punctuation.delimiter

; Words: made from the vocabulary of the language, do not edit.
; begin words

[
  "export"
] @keyword.modifier

[
  "otherwise"
  "unless"
  "when"
  "where"
] @keyword.conditional

[
  "absent"
  "and"
  "contains"
  "ends-with"
  "in"
  "matches"
  "not"
  "or"
  "present"
  "starts-with"
] @keyword.operator

[
  "allow"
  "always"
  "any"
  "anyone"
  "assert"
  "at"
  "deny"
  "env"
  "every"
  "expect"
  "external"
  "from"
  "gateway"
  "has"
  "import"
  "internet"
  "jwt"
  "key"
  "keys"
  "let"
  "mesh"
  "namespace"
  "never"
  "only"
  "param"
  "policy"
  "reach"
  "reaches"
  "redirect"
  "request"
  "requires"
  "respond"
  "rest"
  "route"
  "routes"
  "service"
  "set"
  "split"
  "test"
  "to"
  "transitively"
] @keyword

; Statements

(setting
  word: (word) @keyword
  (#any-of? @keyword "accept" "access-log" "allow" "at-most" "audiences" "authz" "backoff"
    "balance" "budget" "buffer" "burst" "calls" "certificate" "client-ca" "client-ip"
    "compress" "connect" "connections" "cookie" "cors" "count" "credentials" "defaults" "deny"
    "edition" "egress" "eject" "encoded-slash" "endpoints" "every" "expect" "expose" "failover"
    "fault" "file" "for" "from" "header" "header-limits" "headers" "health" "healthy" "hedge"
    "host" "hosts" "http2" "identity" "idle" "issuer" "jwks" "jwt" "key" "limits" "lints"
    "listen" "max-age" "max-body" "methods" "min-healthy" "mirror" "mtls" "on-failure" "open"
    "origins" "path" "pending" "per" "per-connection" "per-try" "port" "prefer" "prefix"
    "protocol" "rate-limit" "redirect" "request-header" "requests" "require" "response-header"
    "retry" "rewrite" "route" "scheme" "sidecar" "sidecar-port" "slow-start" "sni" "sticky"
    "timeout" "tls" "total" "tracing" "trust-domain" "trusted-proxies" "unhealthy" "use"
    "version" "warn"))

; Arguments: words that say what comes next

(setting
  word: (word) @_word
  argument: (word) @keyword
  (#any-of? @_word "fault")
  (#any-of? @keyword "abort" "delay" "until"))

(setting
  word: (word) @_word
  argument: (word) @keyword
  (#any-of? @_word "request-header" "response-header")
  (#any-of? @keyword "add" "remove" "set"))

(setting
  word: (word) @_word
  argument: (word) @keyword
  (#any-of? @_word "eject" "hedge")
  (#any-of? @keyword "after"))

(setting
  word: (word) @_word
  argument: (word) @keyword
  (#any-of? @_word "balance")
  (#any-of? @keyword "by" "hash"))

(setting
  word: (word) @_word
  argument: (word) @keyword
  (#any-of? @_word "from")
  (#any-of? @keyword "cookie" "header" "query"))

(setting
  word: (word) @_word
  argument: (word) @keyword
  (#any-of? @_word "endpoints")
  (#any-of? @keyword "dns" "etcd" "every" "file" "from" "kubernetes" "via" "weight"))

(setting
  word: (word) @_word
  argument: (word) @keyword
  (#any-of? @_word "jwks")
  (#any-of? @keyword "every" "file" "url"))

(setting
  word: (word) @_word
  argument: (word) @keyword
  (#any-of? @_word "authz")
  (#any-of? @keyword "external"))

(setting
  word: (word) @_word
  argument: (word) @keyword
  (#any-of? @_word "retry")
  (#any-of? @keyword "grpc" "on"))

(setting
  word: (word) @_word
  argument: (word) @keyword
  (#any-of? @_word "rewrite")
  (#any-of? @keyword "host" "path" "prefix"))

(setting
  word: (word) @_word
  argument: (word) @keyword
  (#any-of? @_word "accept" "require")
  (#any-of? @keyword "jwt" "key"))

(setting
  word: (word) @_word
  argument: (word) @keyword
  (#any-of? @_word "certificate")
  (#any-of? @keyword "key"))

(setting
  word: (word) @_word
  argument: (word) @keyword
  (#any-of? @_word "budget")
  (#any-of? @keyword "min" "over"))

(setting
  word: (word) @_word
  argument: (word) @keyword
  (#any-of? @_word "open")
  (#any-of? @keyword "namespace" "to"))

(setting
  word: (word) @_word
  argument: (word) @keyword
  (#any-of? @_word "calls")
  (#any-of? @keyword "on"))

(setting
  word: (word) @_word
  argument: (word) @keyword
  (#any-of? @_word "tracing")
  (#any-of? @keyword "otlp" "zipkin"))

(setting
  word: (word) @_word
  argument: (word) @keyword
  (#any-of? @_word "rate-limit")
  (#any-of? @keyword "shared"))

(setting
  word: (word) @_word
  argument: (word) @keyword
  (#any-of? @_word "listen")
  (#any-of? @keyword "tls"))

(setting
  word: (word) @_word
  argument: (word) @keyword
  (#any-of? @_word "tls")
  (#any-of? @keyword "verify"))

(respond
  (word) @keyword
  (#any-of? @keyword "file"))

; Arguments: words that are a value

(setting
  word: (word) @_word
  argument: (word) @constant.builtin
  (#any-of? @_word "egress")
  (#any-of? @constant.builtin "allow" "deny"))

(setting
  word: (word) @_word
  argument: (word) @constant.builtin
  (#any-of? @_word "methods")
  (#any-of? @constant.builtin "any"))

(setting
  word: (word) @_word
  argument: (word) @constant.builtin
  (#any-of? @_word "retry")
  (#any-of? @constant.builtin "cancelled" "connect-failure" "deadline-exceeded" "gateway-error"
    "internal" "off" "refused-stream" "reset" "resource-exhausted" "retriable-4xx" "timeout"
    "unavailable"))

(setting
  word: (word) @_word
  argument: (word) @constant.builtin
  (#any-of? @_word "on-failure")
  (#any-of? @constant.builtin "closed" "open"))

(setting
  word: (word) @_word
  argument: (word) @constant.builtin
  (#any-of? @_word "authz")
  (#any-of? @constant.builtin "deny-by-default" "open-by-default" "shadow"))

(setting
  word: (word) @_word
  argument: (word) @constant.builtin
  (#any-of? @_word "eject")
  (#any-of? @constant.builtin "errors" "off"))

(setting
  word: (word) @_word
  argument: (word) @constant.builtin
  (#any-of? @_word "balance")
  (#any-of? @constant.builtin "ewma" "least-request" "passthrough" "random" "round-robin"))

(setting
  word: (word) @_word
  argument: (word) @constant.builtin
  (#any-of? @_word "protocol")
  (#any-of? @constant.builtin "grpc" "http" "http1" "http2" "tcp"))

(setting
  word: (word) @_word
  argument: (word) @constant.builtin
  (#any-of? @_word "listen")
  (#any-of? @constant.builtin "http" "https" "passthrough" "tcp"))

(setting
  word: (word) @_word
  argument: (word) @constant.builtin
  (#any-of? @_word "redirect")
  (#any-of? @constant.builtin "https"))

(setting
  word: (word) @_word
  argument: (word) @constant.builtin
  (#any-of? @_word "endpoints")
  (#any-of? @constant.builtin "inventory"))

(setting
  word: (word) @_word
  argument: (word) @constant.builtin
  (#any-of? @_word "access-log")
  (#any-of? @constant.builtin "json" "off"))

(setting
  word: (word) @_word
  argument: (word) @constant.builtin
  (#any-of? @_word "encoded-slash")
  (#any-of? @constant.builtin "keep" "reject"))

(setting
  word: (word) @_word
  argument: (word) @constant.builtin
  (#any-of? @_word "calls" "sidecar" "trusted-proxies")
  (#any-of? @constant.builtin "none"))

(setting
  word: (word) @_word
  argument: (word) @constant.builtin
  (#any-of? @_word "buffer" "compress" "cors" "fault" "health" "hedge" "idle" "limits"
    "max-body" "mirror" "rate-limit" "request-header" "response-header" "rewrite" "sticky"
    "timeout" "tracing")
  (#any-of? @constant.builtin "off"))

(setting
  word: (word) @_word
  argument: (word) @constant.builtin
  (#any-of? @_word "mtls")
  (#any-of? @constant.builtin "off" "permissive" "strict"))

(setting
  word: (word) @_word
  argument: (word) @constant.builtin
  (#any-of? @_word "client-ca")
  (#any-of? @constant.builtin "optional"))

(setting
  word: (word) @_word
  argument: (word) @constant.builtin
  (#any-of? @_word "tls")
  (#any-of? @constant.builtin "passthrough"))

(setting
  word: (word) @_word
  argument: (word) @constant.builtin
  (#any-of? @_word "prefer")
  (#any-of? @constant.builtin "zone"))

; Fields

(setting
  word: (word) @_word
  argument: (word) @property
  (#any-of? @_word "balance" "per" "sticky")
  (#match? @property "^(client-cert\\.san|client-ip|grpc\\.method|grpc\\.service|host|max-body|method|path|port|rate-limit|retry|scheme|source|source\\.ip|source\\.namespace|timeout|(cookie|header|jwt|key|query)(\\..+)?)$"))

(field
  (word) @property
  (#match? @property "^(client-cert\\.san|client-ip|grpc\\.method|grpc\\.service|host|max-body|method|path|port|rate-limit|retry|scheme|source|source\\.ip|source\\.namespace|timeout|(cookie|header|jwt|key|query)(\\..+)?)$"))

(field
  (word) @variable
  (#not-match? @variable "^(client-cert\\.san|client-ip|grpc\\.method|grpc\\.service|host|max-body|method|path|port|rate-limit|retry|scheme|source|source\\.ip|source\\.namespace|timeout|(cookie|header|jwt|key|query)(\\..+)?)$"))
; end words
