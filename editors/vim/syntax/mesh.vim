" Highlighting of .mesh policies.
"
" At the start of a line and behind `{`, `}` and `;` stands a statement. Its word is followed by a region, to the
" next of these or the end of the line, and what a word in there means follows from the statement. What is not
" `contained` also stands in arms, which have no word.
if exists('b:current_syntax')
  finish
endif

let s:save_cpo = &cpo
set cpo&vim

syntax case match
syntax sync minlines=50
" A keyword is a whole word of the language: `timeout` is none in `timeout.example` or in the label `timeout:`.
syntax iskeyword @,48-57,_,-,.,/,*,:,%

" Where a word ends; a word of any kind.
let s:end = '\%([A-Za-z0-9_/*%]\|\.\.\@!\|->\@!\|:\%(\s\|$\)\@!\)\@!'
let s:word = '\%(::\)\=[A-Za-z0-9_*]\%([A-Za-z0-9_/*]\|\.\.\@!\|->\@!\|:\%(\s\|$\)\@!\)*%\='
" Where a statement ends: a line or a comment does not end one behind these. A comment in a statement stands behind
" one of them, and its `$` takes the statement along to the next line.
let s:unless_joined = '\S\@1<=\%([,=]\|->\|\<\%(to\|in\|or\|and\|not\|when\|unless\)\)\@7<!\s*'
let s:until = 'excludenl end=/[{};]/me=s-1 end=/' . s:unless_joined . '$/ end=/' . s:unless_joined . '\ze#/ '

" Without `excludenl` a pattern with a `$` in it would carry what contains it over to the next line.
function! s:Match(group, pattern, options) abort
  execute 'syntax match ' . a:group . ' excludenl /' . escape(a:pattern, '/') . '/ ' . a:options
endfunction

" From here to the end of the statement.
function! s:Rest(group, options) abort
  execute 'syntax region ' . a:group . ' contained start=/\ze[^{};[:space:]]/ ' . s:until . a:options
endfunction

" Values. Of two that start in one place the later is taken.

syntax cluster meshValue contains=meshWord,meshMethod,meshNumber,meshAddress,meshUrl,meshPath,meshList,
      \meshString,meshRaw,meshOperator,meshComma,meshInnerComment

call s:Match('meshWord', s:word, '')
call s:Match('meshMethod', '[A-Z]\%([A-Z]\|->\@!\)*' . s:end, '')
call s:Match('meshNumber', '\d\+\%(\.\d\+\)\=\%(\%([KMGT]i\=\)\=B\|/\%(s\|min\|h\|d\)\|-\d\d-\d\d\)\=' . s:end, '')
call s:Match('meshNumber', '\dxx' . s:end, '')
call s:Match('meshNumber', '\%(\d\+\%(\.\d\+\)\=\%(ms\|us\|ns\|[dhms]\)\)\+' . s:end, '')
call s:Match('meshNumber', '\d\+\%(\.\d\+\)\=%', '')
call s:Match('meshAddress', '[A-Za-z0-9_*][A-Za-z0-9_./*:-]*:\d\+' . s:end, '')
call s:Match('meshAddress', '[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f.:]*\%(/\d\+\)\=' . s:end, '')
call s:Match('meshAddress', '\d\+\.\d\+\.\d\+\.\d\+\%([/:]\d\+\)\=' . s:end, '')
call s:Match('meshUrl', '[A-Za-z][A-Za-z0-9+.-]*://\%(' . s:word . '\)\=', '')
call s:Match('meshUrl', 'https\=://[^[:space:],;{}"]*', '')
call s:Match('meshPath', '/\%([^[:space:],;()[\]{}"-]\|->\@!\|{[A-Za-z0-9_-]\+\%(\*\*\)\=}\)*',
      \ 'contains=meshCapture,meshWildcard')
call s:Match('meshCapture', '{[A-Za-z0-9_-]\+\%(\*\*\)\=}', 'contained')
call s:Match('meshWildcard', '\*\+', 'contained')
syntax region meshList matchgroup=meshDelimiter start=/\[/ end=/\]/ contains=@meshValue
call s:Match('meshAddress', '\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]:\d\+' . s:end, '')
syntax region meshString start=/"/ skip=/\\./ end=/"/ oneline contains=meshEscape
syntax match meshEscape /\\\%(u{\x*}\|.\)/ contained
syntax region meshRaw start=/r"/ end=/"/ oneline
syntax match meshOperator /\.\.\|==\|!=\|<=\|>=\|[<>=]/
syntax match meshComma /,\|::\@!/
syntax match meshComment excludenl /#.*$/ contains=@Spell
syntax match meshDoc excludenl /###\@!.*$/ contains=@Spell
syntax match meshInnerComment /#.*$/ contained contains=@Spell

" Conditions

syntax cluster meshCondition contains=@meshValue,meshGroup,meshOperatorWord,meshField
syntax region meshGroup matchgroup=meshDelimiter start=/(/ end=/)/ contained contains=@meshCondition
call s:Rest('meshWhen', 'end=/->/me=s-1 contains=@meshCondition')

" Statements

syntax match meshStart /^\s*\ze[^#[:space:]]/ nextgroup=@meshStatement
syntax match meshBrace /[{};]\s*/ nextgroup=@meshStatement
call s:Match('meshLabel', s:word . '\ze\s*:\%(\s\|$\)', 'contained skipwhite nextgroup=meshColon')
syntax match meshColon /:\s*/ contained nextgroup=meshStatement_Rule
syntax cluster meshStatement contains=meshLabel

" Names of items, and what is named

call s:Match('meshItemName', s:word, 'contained')
call s:Match('meshGatewayName', s:word, 'contained skipwhite nextgroup=meshItemName')
call s:Match('meshLetName', s:word, 'contained skipwhite nextgroup=meshLet')
execute 'syntax region meshLet matchgroup=meshOperator contained start=/=/ ' . s:until . 'contains=@meshCondition'
call s:Match('meshSetKind', s:word, 'contained')

" Requests, and the claims of their tokens

execute 'syntax region meshRequest contained start=/\ze\S/ end=/[;}]/me=s-1 excludenl end=/' . s:unless_joined . '$/ '
      \ . 'contains=@meshValue,@meshCallers,meshFrom,meshRequestBlock'
syntax region meshRequestBlock matchgroup=meshBrace start=/{/ end=/}/ contained
      \ contains=@meshValue,meshRequestStart,meshComment
syntax match meshRequestStart /\%(^\|[{;]\@1<=\|;\)\s*/ contained nextgroup=@meshSetting,meshToken
syntax keyword meshToken contained jwt skipwhite nextgroup=meshTokenName
call s:Match('meshTokenName', s:word, 'contained skipwhite nextgroup=meshClaims')
syntax region meshClaims matchgroup=meshBrace start=/{/ end=/}/ contained
      \ contains=@meshValue,meshComment,meshClaimStart,meshBoolean,meshClaims
syntax match meshClaimStart /\%(^\|[{;]\@1<=\|;\)\s*/ contained nextgroup=meshClaim
call s:Match('meshClaim', s:word, 'contained')
syntax keyword meshBoolean contained false true

" Words: made from the vocabulary of the language, do not edit.
" begin words

" Items

syntax keyword meshItem contained import assert test
syntax keyword meshItem contained skipwhite nextgroup=meshItemName mesh env namespace policy jwt keys service external
      \ gateway
syntax keyword meshItem contained skipwhite nextgroup=meshGatewayName routes
syntax keyword meshItem contained skipwhite nextgroup=meshLetName let param
syntax keyword meshModifier contained skipwhite nextgroup=meshItem export
syntax cluster meshStatement add=meshItem
syntax cluster meshStatement add=meshModifier

" Conditions

syntax keyword meshOperatorWord and in not or
syntax keyword meshOperatorWord contained absent and ends-with in matches not or present starts-with
call s:Match('meshOperatorWord', '\%(contains\)' . s:end, 'contained')
syntax keyword meshField contained client-cert.san client-ip grpc.method grpc.service host max-body method path port
      \ rate-limit retry scheme source source.ip source.namespace timeout
call s:Match('meshField', '\%(cookie\|header\|jwt\|key\|query\)\%(\.\%([A-Za-z0-9_/*]\|\.\.\@!\|->\@!\)\+\)\=' . s:end, 'contained')
syntax keyword meshConditional otherwise
syntax keyword meshConditional skipwhite nextgroup=meshWhen when unless where
syntax keyword meshOperatorWord_And contained skipwhite nextgroup=meshWhen and or
highlight default link meshOperatorWord_And meshOperatorWord
syntax cluster meshStatement add=meshOperatorWord_And

" Actions

syntax keyword meshAction contained redirect split rest
syntax keyword meshAction contained skipwhite nextgroup=meshRespond respond
syntax keyword meshSelf contained self
syntax keyword meshArgument_Respond contained file
highlight default link meshArgument_Respond meshArgument
call s:Rest('meshRespond', 'contains=@meshValue,meshArgument_Respond')
execute 'syntax region meshForward matchgroup=meshOperator start=/->/ ' . s:until . 'contains=@meshValue,meshAction,meshSelf'

" Callers

syntax keyword meshCaller contained anyone internet
syntax keyword meshCaller contained skipwhite nextgroup=meshCaller_Service any
syntax keyword meshCaller_Service contained service
highlight default link meshCaller_Service meshCaller
syntax keyword meshCaller contained skipwhite nextgroup=meshItemName namespace
syntax cluster meshCallers contains=meshCaller,meshConditional

" Statements of the grammar

syntax keyword meshArgument_Rule contained to
highlight default link meshArgument_Rule meshArgument
call s:Rest('meshRest_Rule', 'contains=@meshValue,@meshCallers,meshArgument_Rule')
syntax keyword meshStatement_Rule contained skipwhite nextgroup=meshRest_Rule allow deny
highlight default link meshStatement_Rule meshStatement
syntax cluster meshStatement add=meshStatement_Rule
call s:Rest('meshRest_To', 'contains=@meshValue,@meshCallers')
syntax keyword meshStatement_To contained skipwhite nextgroup=meshRest_To to
highlight default link meshStatement_To meshStatement
syntax cluster meshStatement add=meshStatement_To
syntax keyword meshArgument_Claim contained at reach reaches transitively
highlight default link meshArgument_Claim meshArgument
call s:Rest('meshRest_Claim', 'contains=@meshValue,@meshCallers,meshArgument_Claim')
syntax keyword meshStatement_Claim contained skipwhite nextgroup=meshRest_Claim always never only
highlight default link meshStatement_Claim meshStatement
syntax cluster meshStatement add=meshStatement_Claim
syntax keyword meshArgument_Every contained has in jwt key requires route to
highlight default link meshArgument_Every meshArgument
call s:Rest('meshRest_Every', 'contains=@meshValue,@meshCondition,@meshCallers,meshArgument_Every')
syntax keyword meshStatement_Every contained skipwhite nextgroup=meshRest_Every every
highlight default link meshStatement_Every meshStatement
syntax cluster meshStatement add=meshStatement_Every
call s:Rest('meshRest_Expect', 'contains=@meshValue,meshAction,meshSelf')
syntax keyword meshStatement_Expect contained skipwhite nextgroup=meshRest_Expect expect
highlight default link meshStatement_Expect meshStatement
syntax cluster meshStatement add=meshStatement_Expect
syntax keyword meshStatement_Set contained skipwhite nextgroup=meshSetKind set
syntax keyword meshStatement_Request contained skipwhite nextgroup=meshRequest request
highlight default link meshStatement_Set meshStatement
syntax cluster meshStatement add=meshStatement_Set
highlight default link meshStatement_Request meshStatement
syntax cluster meshStatement add=meshStatement_Request
syntax keyword meshFrom contained from

" Statements of the vocabulary, and their arguments

call s:Rest('meshRest_at_most', 'contains=@meshValue,meshConditional,meshForward')
syntax keyword meshStatement_at_most contained skipwhite nextgroup=meshRest_at_most at-most audiences backoff burst
      \ client-ip connect connections cookie count credentials defaults edition expose failover file for header
      \ header-limits headers healthy host hosts http2 identity issuer key lints max-age min-healthy origins path
      \ pending per-connection per-try port prefix requests route scheme sidecar-port slow-start sni total trust-domain
      \ unhealthy use version warn
highlight default link meshStatement_at_most meshStatement
syntax cluster meshStatement add=meshStatement_at_most
syntax cluster meshSetting add=meshStatement_at_most
call s:Rest('meshRest_per', 'contains=@meshValue,meshConditional,meshForward,meshField')
syntax keyword meshStatement_per contained skipwhite nextgroup=meshRest_per per
highlight default link meshStatement_per meshStatement
syntax cluster meshStatement add=meshStatement_per
syntax cluster meshSetting add=meshStatement_per
syntax keyword meshConstant_egress contained allow deny
highlight default link meshConstant_egress meshConstant
call s:Rest('meshRest_egress', 'contains=@meshValue,meshConditional,meshForward,meshConstant_egress')
syntax keyword meshStatement_egress contained skipwhite nextgroup=meshRest_egress egress
highlight default link meshStatement_egress meshStatement
syntax cluster meshStatement add=meshStatement_egress
syntax cluster meshSetting add=meshStatement_egress
syntax keyword meshConstant_methods contained any
highlight default link meshConstant_methods meshConstant
call s:Rest('meshRest_methods', 'contains=@meshValue,meshConditional,meshForward,meshConstant_methods')
syntax keyword meshStatement_methods contained skipwhite nextgroup=meshRest_methods methods
highlight default link meshStatement_methods meshStatement
syntax cluster meshStatement add=meshStatement_methods
syntax cluster meshSetting add=meshStatement_methods
syntax keyword meshConstant_on_failure contained closed open
highlight default link meshConstant_on_failure meshConstant
call s:Rest('meshRest_on_failure', 'contains=@meshValue,meshConditional,meshForward,meshConstant_on_failure')
syntax keyword meshStatement_on_failure contained skipwhite nextgroup=meshRest_on_failure on-failure
highlight default link meshStatement_on_failure meshStatement
syntax cluster meshStatement add=meshStatement_on_failure
syntax cluster meshSetting add=meshStatement_on_failure
syntax keyword meshConstant_protocol contained grpc http http1 http2 tcp
highlight default link meshConstant_protocol meshConstant
call s:Rest('meshRest_protocol', 'contains=@meshValue,meshConditional,meshForward,meshConstant_protocol')
syntax keyword meshStatement_protocol contained skipwhite nextgroup=meshRest_protocol protocol
highlight default link meshStatement_protocol meshStatement
syntax cluster meshStatement add=meshStatement_protocol
syntax cluster meshSetting add=meshStatement_protocol
syntax keyword meshConstant_redirect contained https
highlight default link meshConstant_redirect meshConstant
call s:Rest('meshRest_redirect', 'contains=@meshValue,meshConditional,meshForward,meshConstant_redirect')
syntax keyword meshStatement_redirect contained skipwhite nextgroup=meshRest_redirect redirect
highlight default link meshStatement_redirect meshStatement
syntax cluster meshStatement add=meshStatement_redirect
syntax cluster meshSetting add=meshStatement_redirect
syntax keyword meshConstant_access_log contained json off
highlight default link meshConstant_access_log meshConstant
call s:Rest('meshRest_access_log', 'contains=@meshValue,meshConditional,meshForward,meshConstant_access_log')
syntax keyword meshStatement_access_log contained skipwhite nextgroup=meshRest_access_log access-log
highlight default link meshStatement_access_log meshStatement
syntax cluster meshStatement add=meshStatement_access_log
syntax cluster meshSetting add=meshStatement_access_log
syntax keyword meshConstant_encoded_slash contained keep reject
highlight default link meshConstant_encoded_slash meshConstant
call s:Rest('meshRest_encoded_slash', 'contains=@meshValue,meshConditional,meshForward,meshConstant_encoded_slash')
syntax keyword meshStatement_encoded_slash contained skipwhite nextgroup=meshRest_encoded_slash encoded-slash
highlight default link meshStatement_encoded_slash meshStatement
syntax cluster meshStatement add=meshStatement_encoded_slash
syntax cluster meshSetting add=meshStatement_encoded_slash
syntax keyword meshConstant_sidecar contained none
highlight default link meshConstant_sidecar meshConstant
call s:Rest('meshRest_sidecar', 'contains=@meshValue,meshConditional,meshForward,meshConstant_sidecar')
syntax keyword meshStatement_sidecar contained skipwhite nextgroup=meshRest_sidecar sidecar trusted-proxies
highlight default link meshStatement_sidecar meshStatement
syntax cluster meshStatement add=meshStatement_sidecar
syntax cluster meshSetting add=meshStatement_sidecar
syntax keyword meshConstant_buffer contained off
highlight default link meshConstant_buffer meshConstant
call s:Rest('meshRest_buffer', 'contains=@meshValue,meshConditional,meshForward,meshConstant_buffer')
syntax keyword meshStatement_buffer contained skipwhite nextgroup=meshRest_buffer buffer compress cors health idle
      \ limits max-body mirror timeout
highlight default link meshStatement_buffer meshStatement
syntax cluster meshStatement add=meshStatement_buffer
syntax cluster meshSetting add=meshStatement_buffer
syntax keyword meshConstant_sticky contained off
highlight default link meshConstant_sticky meshConstant
call s:Rest('meshRest_sticky', 'contains=@meshValue,meshConditional,meshForward,meshField,meshConstant_sticky')
syntax keyword meshStatement_sticky contained skipwhite nextgroup=meshRest_sticky sticky
highlight default link meshStatement_sticky meshStatement
syntax cluster meshStatement add=meshStatement_sticky
syntax cluster meshSetting add=meshStatement_sticky
syntax keyword meshConstant_mtls contained off permissive strict
highlight default link meshConstant_mtls meshConstant
call s:Rest('meshRest_mtls', 'contains=@meshValue,meshConditional,meshForward,meshConstant_mtls')
syntax keyword meshStatement_mtls contained skipwhite nextgroup=meshRest_mtls mtls
highlight default link meshStatement_mtls meshStatement
syntax cluster meshStatement add=meshStatement_mtls
syntax cluster meshSetting add=meshStatement_mtls
syntax keyword meshConstant_client_ca contained optional
highlight default link meshConstant_client_ca meshConstant
call s:Rest('meshRest_client_ca', 'contains=@meshValue,meshConditional,meshForward,meshConstant_client_ca')
syntax keyword meshStatement_client_ca contained skipwhite nextgroup=meshRest_client_ca client-ca
highlight default link meshStatement_client_ca meshStatement
syntax cluster meshStatement add=meshStatement_client_ca
syntax cluster meshSetting add=meshStatement_client_ca
syntax keyword meshConstant_prefer contained zone
highlight default link meshConstant_prefer meshConstant
call s:Rest('meshRest_prefer', 'contains=@meshValue,meshConditional,meshForward,meshConstant_prefer')
syntax keyword meshStatement_prefer contained skipwhite nextgroup=meshRest_prefer prefer
highlight default link meshStatement_prefer meshStatement
syntax cluster meshStatement add=meshStatement_prefer
syntax cluster meshSetting add=meshStatement_prefer
syntax keyword meshArgument_fault contained abort delay until
highlight default link meshArgument_fault meshArgument
syntax keyword meshConstant_fault contained off
highlight default link meshConstant_fault meshConstant
call s:Rest('meshRest_fault', 'contains=@meshValue,meshConditional,meshForward,meshArgument_fault,meshConstant_fault')
syntax keyword meshStatement_fault contained skipwhite nextgroup=meshRest_fault fault
highlight default link meshStatement_fault meshStatement
syntax cluster meshStatement add=meshStatement_fault
syntax cluster meshSetting add=meshStatement_fault
syntax keyword meshArgument_request_header contained add remove set
highlight default link meshArgument_request_header meshArgument
syntax keyword meshConstant_request_header contained off
highlight default link meshConstant_request_header meshConstant
call s:Rest('meshRest_request_header', 'contains=@meshValue,meshConditional,meshForward,meshArgument_request_header,meshConstant_request_header')
syntax keyword meshStatement_request_header contained skipwhite nextgroup=meshRest_request_header request-header
      \ response-header
highlight default link meshStatement_request_header meshStatement
syntax cluster meshStatement add=meshStatement_request_header
syntax cluster meshSetting add=meshStatement_request_header
syntax keyword meshArgument_eject contained after
highlight default link meshArgument_eject meshArgument
syntax keyword meshConstant_eject contained errors off
highlight default link meshConstant_eject meshConstant
call s:Rest('meshRest_eject', 'contains=@meshValue,meshConditional,meshForward,meshArgument_eject,meshConstant_eject')
syntax keyword meshStatement_eject contained skipwhite nextgroup=meshRest_eject eject
highlight default link meshStatement_eject meshStatement
syntax cluster meshStatement add=meshStatement_eject
syntax cluster meshSetting add=meshStatement_eject
syntax keyword meshArgument_hedge contained after
highlight default link meshArgument_hedge meshArgument
syntax keyword meshConstant_hedge contained off
highlight default link meshConstant_hedge meshConstant
call s:Rest('meshRest_hedge', 'contains=@meshValue,meshConditional,meshForward,meshArgument_hedge,meshConstant_hedge')
syntax keyword meshStatement_hedge contained skipwhite nextgroup=meshRest_hedge hedge
highlight default link meshStatement_hedge meshStatement
syntax cluster meshStatement add=meshStatement_hedge
syntax cluster meshSetting add=meshStatement_hedge
syntax keyword meshArgument_balance contained by hash
highlight default link meshArgument_balance meshArgument
syntax keyword meshConstant_balance contained ewma least-request passthrough random round-robin
highlight default link meshConstant_balance meshConstant
call s:Rest('meshRest_balance', 'contains=@meshValue,meshConditional,meshForward,meshField,meshArgument_balance,meshConstant_balance')
syntax keyword meshStatement_balance contained skipwhite nextgroup=meshRest_balance balance
highlight default link meshStatement_balance meshStatement
syntax cluster meshStatement add=meshStatement_balance
syntax cluster meshSetting add=meshStatement_balance
syntax keyword meshArgument_from contained cookie header query
highlight default link meshArgument_from meshArgument
call s:Rest('meshRest_from', 'contains=@meshValue,meshConditional,meshForward,meshArgument_from')
syntax keyword meshStatement_from contained skipwhite nextgroup=meshRest_from from
highlight default link meshStatement_from meshStatement
syntax cluster meshStatement add=meshStatement_from
syntax cluster meshSetting add=meshStatement_from
syntax keyword meshArgument_endpoints contained dns etcd every file from kubernetes via weight
highlight default link meshArgument_endpoints meshArgument
syntax keyword meshConstant_endpoints contained inventory
highlight default link meshConstant_endpoints meshConstant
call s:Rest('meshRest_endpoints', 'contains=@meshValue,meshConditional,meshForward,meshArgument_endpoints,meshConstant_endpoints')
syntax keyword meshStatement_endpoints contained skipwhite nextgroup=meshRest_endpoints endpoints
highlight default link meshStatement_endpoints meshStatement
syntax cluster meshStatement add=meshStatement_endpoints
syntax cluster meshSetting add=meshStatement_endpoints
syntax keyword meshArgument_jwks contained every file url
highlight default link meshArgument_jwks meshArgument
call s:Rest('meshRest_jwks', 'contains=@meshValue,meshConditional,meshForward,meshArgument_jwks')
syntax keyword meshStatement_jwks contained skipwhite nextgroup=meshRest_jwks jwks
highlight default link meshStatement_jwks meshStatement
syntax cluster meshStatement add=meshStatement_jwks
syntax cluster meshSetting add=meshStatement_jwks
syntax keyword meshArgument_authz contained external
highlight default link meshArgument_authz meshArgument
syntax keyword meshConstant_authz contained deny-by-default open-by-default shadow
highlight default link meshConstant_authz meshConstant
call s:Rest('meshRest_authz', 'contains=@meshValue,meshConditional,meshForward,meshArgument_authz,meshConstant_authz')
syntax keyword meshStatement_authz contained skipwhite nextgroup=meshRest_authz authz
highlight default link meshStatement_authz meshStatement
syntax cluster meshStatement add=meshStatement_authz
syntax cluster meshSetting add=meshStatement_authz
syntax keyword meshArgument_retry contained grpc on
highlight default link meshArgument_retry meshArgument
syntax keyword meshConstant_retry contained cancelled connect-failure deadline-exceeded gateway-error internal off
      \ refused-stream reset resource-exhausted retriable-4xx timeout unavailable
highlight default link meshConstant_retry meshConstant
call s:Rest('meshRest_retry', 'contains=@meshValue,meshConditional,meshForward,meshArgument_retry,meshConstant_retry')
syntax keyword meshStatement_retry contained skipwhite nextgroup=meshRest_retry retry
highlight default link meshStatement_retry meshStatement
syntax cluster meshStatement add=meshStatement_retry
syntax cluster meshSetting add=meshStatement_retry
syntax keyword meshArgument_rewrite contained host path prefix
highlight default link meshArgument_rewrite meshArgument
syntax keyword meshConstant_rewrite contained off
highlight default link meshConstant_rewrite meshConstant
call s:Rest('meshRest_rewrite', 'contains=@meshValue,meshConditional,meshForward,meshArgument_rewrite,meshConstant_rewrite')
syntax keyword meshStatement_rewrite contained skipwhite nextgroup=meshRest_rewrite rewrite
highlight default link meshStatement_rewrite meshStatement
syntax cluster meshStatement add=meshStatement_rewrite
syntax cluster meshSetting add=meshStatement_rewrite
syntax keyword meshArgument_accept contained jwt key
highlight default link meshArgument_accept meshArgument
call s:Rest('meshRest_accept', 'contains=@meshValue,meshConditional,meshForward,meshArgument_accept')
syntax keyword meshStatement_accept contained skipwhite nextgroup=meshRest_accept accept require
highlight default link meshStatement_accept meshStatement
syntax cluster meshStatement add=meshStatement_accept
syntax cluster meshSetting add=meshStatement_accept
syntax keyword meshArgument_certificate contained key
highlight default link meshArgument_certificate meshArgument
call s:Rest('meshRest_certificate', 'contains=@meshValue,meshConditional,meshForward,meshArgument_certificate')
syntax keyword meshStatement_certificate contained skipwhite nextgroup=meshRest_certificate certificate
highlight default link meshStatement_certificate meshStatement
syntax cluster meshStatement add=meshStatement_certificate
syntax cluster meshSetting add=meshStatement_certificate
syntax keyword meshArgument_budget contained min over
highlight default link meshArgument_budget meshArgument
call s:Rest('meshRest_budget', 'contains=@meshValue,meshConditional,meshForward,meshArgument_budget')
syntax keyword meshStatement_budget contained skipwhite nextgroup=meshRest_budget budget
highlight default link meshStatement_budget meshStatement
syntax cluster meshStatement add=meshStatement_budget
syntax cluster meshSetting add=meshStatement_budget
syntax keyword meshArgument_open contained namespace to
highlight default link meshArgument_open meshArgument
call s:Rest('meshRest_open', 'contains=@meshValue,meshConditional,meshForward,meshArgument_open')
syntax keyword meshStatement_open contained skipwhite nextgroup=meshRest_open open
highlight default link meshStatement_open meshStatement
syntax cluster meshStatement add=meshStatement_open
syntax cluster meshSetting add=meshStatement_open
syntax keyword meshArgument_calls contained on
highlight default link meshArgument_calls meshArgument
syntax keyword meshConstant_calls contained none
highlight default link meshConstant_calls meshConstant
call s:Rest('meshRest_calls', 'contains=@meshValue,meshConditional,meshForward,meshArgument_calls,meshConstant_calls')
syntax keyword meshStatement_calls contained skipwhite nextgroup=meshRest_calls calls
highlight default link meshStatement_calls meshStatement
syntax cluster meshStatement add=meshStatement_calls
syntax cluster meshSetting add=meshStatement_calls
syntax keyword meshArgument_tracing contained otlp zipkin
highlight default link meshArgument_tracing meshArgument
syntax keyword meshConstant_tracing contained off
highlight default link meshConstant_tracing meshConstant
call s:Rest('meshRest_tracing', 'contains=@meshValue,meshConditional,meshForward,meshArgument_tracing,meshConstant_tracing')
syntax keyword meshStatement_tracing contained skipwhite nextgroup=meshRest_tracing tracing
highlight default link meshStatement_tracing meshStatement
syntax cluster meshStatement add=meshStatement_tracing
syntax cluster meshSetting add=meshStatement_tracing
syntax keyword meshArgument_rate_limit contained shared
highlight default link meshArgument_rate_limit meshArgument
syntax keyword meshConstant_rate_limit contained off
highlight default link meshConstant_rate_limit meshConstant
call s:Rest('meshRest_rate_limit', 'contains=@meshValue,meshConditional,meshForward,meshArgument_rate_limit,meshConstant_rate_limit')
syntax keyword meshStatement_rate_limit contained skipwhite nextgroup=meshRest_rate_limit rate-limit
highlight default link meshStatement_rate_limit meshStatement
syntax cluster meshStatement add=meshStatement_rate_limit
syntax cluster meshSetting add=meshStatement_rate_limit
syntax keyword meshArgument_listen contained tls
highlight default link meshArgument_listen meshArgument
syntax keyword meshConstant_listen contained http https passthrough tcp
highlight default link meshConstant_listen meshConstant
call s:Rest('meshRest_listen', 'contains=@meshValue,meshConditional,meshForward,meshArgument_listen,meshConstant_listen')
syntax keyword meshStatement_listen contained skipwhite nextgroup=meshRest_listen listen
highlight default link meshStatement_listen meshStatement
syntax cluster meshStatement add=meshStatement_listen
syntax cluster meshSetting add=meshStatement_listen
syntax keyword meshArgument_tls contained verify
highlight default link meshArgument_tls meshArgument
syntax keyword meshConstant_tls contained passthrough
highlight default link meshConstant_tls meshConstant
call s:Rest('meshRest_tls', 'contains=@meshValue,meshConditional,meshForward,meshArgument_tls,meshConstant_tls')
syntax keyword meshStatement_tls contained skipwhite nextgroup=meshRest_tls tls
highlight default link meshStatement_tls meshStatement
syntax cluster meshStatement add=meshStatement_tls
syntax cluster meshSetting add=meshStatement_tls
" end words

highlight default link meshAction Keyword
highlight default link meshAddress Number
highlight default link meshArgument Keyword
highlight default link meshBoolean Boolean
highlight default link meshBrace Delimiter
highlight default link meshCaller Keyword
highlight default link meshCapture Special
highlight default link meshClaim Identifier
highlight default link meshClaimStart Delimiter
highlight default link meshColon Delimiter
highlight default link meshComma Delimiter
highlight default link meshComment Comment
highlight default link meshConditional Conditional
highlight default link meshConstant Constant
highlight default link meshDelimiter Delimiter
highlight default link meshDoc SpecialComment
highlight default link meshEscape SpecialChar
highlight default link meshField Identifier
highlight default link meshFrom Keyword
highlight default link meshGatewayName Type
highlight default link meshInnerComment Comment
highlight default link meshItem Structure
highlight default link meshItemName Type
highlight default link meshLabel Label
highlight default link meshMethod Constant
highlight default link meshModifier StorageClass
highlight default link meshNumber Number
highlight default link meshOperator Operator
highlight default link meshOperatorWord Operator
highlight default link meshPath Special
highlight default link meshRaw String
highlight default link meshRequestStart Delimiter
highlight default link meshSelf Keyword
highlight default link meshSetKind Keyword
highlight default link meshStatement Statement
highlight default link meshString String
highlight default link meshToken Statement
highlight default link meshTokenName Type
highlight default link meshUrl Underlined
highlight default link meshWildcard SpecialChar

delfunction s:Match
delfunction s:Rest
let &cpo = s:save_cpo
unlet s:save_cpo s:end s:word s:unless_joined s:until

let b:current_syntax = 'mesh'
