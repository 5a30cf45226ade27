" Highlighting of .mesh policies.
if exists('b:current_syntax')
  finish
endif

syntax case match
syntax iskeyword @,48-57,_,-

" Keywords: generated from the vocabulary of the language, do not edit.
" begin keywords
syntax keyword meshKeyword abort absent accept access-log add after allow always and any anyone assert at
syntax keyword meshKeyword at-most audiences authz backoff balance budget buffer burst by calls cancelled
syntax keyword meshKeyword certificate client-ca client-ip closed compress connect connect-failure
syntax keyword meshKeyword connections cookie cors count credentials deadline-exceeded default defaults
syntax keyword meshKeyword delay deny deny-by-default dns edition egress eject encoded-slash endpoints
syntax keyword meshKeyword ends-with env errors etcd every ewma expect export expose external failover
syntax keyword meshKeyword fault file for from gateway gateway-error grpc has hash header header-limits
syntax keyword meshKeyword headers health healthy hedge host hosts http http1 http2 https identity idle
syntax keyword meshKeyword import in internal internet inventory issuer json jwks jwt keep key keys
syntax keyword meshKeyword kubernetes least-request let limits lints listen matches max-age max-body mesh
syntax keyword meshKeyword methods min min-healthy mirror mtls namespace never none not off on on-failure
syntax keyword meshKeyword only open open-by-default optional or origins otherwise otlp over param
syntax keyword meshKeyword passthrough path pending per per-connection per-try permissive policy port
syntax keyword meshKeyword prefer prefix present protocol query random rate-limit reach reaches redirect
syntax keyword meshKeyword refused-stream reject remove request request-header requests require requires
syntax keyword meshKeyword reset resource-exhausted respond response-header rest retriable-4xx retry
syntax keyword meshKeyword rewrite round-robin route routes scheme self service set shadow shared sidecar
syntax keyword meshKeyword sidecar-port slow-start sni split starts-with sticky strict tcp test timeout tls
syntax keyword meshKeyword to total tracing transitively trust-domain trusted-proxies unavailable unhealthy
syntax keyword meshKeyword unless until url use verify version via warn weight when where zipkin zone
" end keywords
syntax match meshKeyword "\<contains\>"

syntax match meshMethod "\<[A-Z][A-Z-]*\>"
syntax match meshNumber "\<\d\+\(\.\d\+\)\?\(%\|ns\|us\|ms\|[smhd]\|[KMG]i\?B\|/\(s\|min\|h\)\)\?"
syntax match meshPath "/[^ \t,;()\[\]{}\"]*\({[^}]*}[^ \t,;()\[\]{}\"]*\)*"
syntax match meshArrow "->\|==\|!=\|<=\|>=\|\.\."
syntax match meshComment "#.*$" contains=@Spell
syntax match meshDoc "##.*$" contains=@Spell
syntax region meshString start=+"+ skip=+\\.+ end=+"+ oneline
syntax region meshRaw start=+r"+ end=+"+ oneline

highlight default link meshKeyword Keyword
highlight default link meshMethod Constant
highlight default link meshNumber Number
highlight default link meshPath Identifier
highlight default link meshArrow Operator
highlight default link meshComment Comment
highlight default link meshDoc SpecialComment
highlight default link meshString String
highlight default link meshRaw String

let b:current_syntax = 'mesh'
