[
  (mesh
    body: (_) @class.inside)
  (namespace
    body: (_) @class.inside)
  (service
    body: (_) @class.inside)
  (external
    body: (_) @class.inside)
  (gateway
    body: (_) @class.inside)
  (policy
    body: (_) @class.inside)
  (jwt
    body: (_) @class.inside)
  (keys
    body: (_) @class.inside)
  (routes
    body: (_) @class.inside)
  (env
    body: (_) @class.inside)
  (assert
    body: (_) @class.inside)
] @class.around

(arm
  action: (_) @function.inside) @function.around

(rule) @function.around

(test
  body: (_) @test.inside) @test.around

(setting
  argument: (_) @parameter.inside)

[
  (comment)
  (doc_comment)
] @comment.inside

(comment)+ @comment.around

(doc_comment)+ @comment.around
