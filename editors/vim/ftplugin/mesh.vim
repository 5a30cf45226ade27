" Settings for .mesh policies.
if exists('b:did_ftplugin')
  finish
endif
let b:did_ftplugin = 1

setlocal comments=:##,:# commentstring=#\ %s
setlocal formatoptions-=t formatoptions+=croql
setlocal shiftwidth=2 softtabstop=2 expandtab
" `user-service` is one word.
setlocal iskeyword+=-
setlocal suffixesadd=.mesh include=^\s*import\>

let b:undo_ftplugin = 'setlocal comments< commentstring< formatoptions< shiftwidth< softtabstop< expandtab<'
      \ . ' iskeyword< suffixesadd< include<'
