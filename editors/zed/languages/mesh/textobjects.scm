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
] @class.around

(arm
  action: (_) @function.inside) @function.around

(comment)+ @comment.around

(doc_comment)+ @comment.around
