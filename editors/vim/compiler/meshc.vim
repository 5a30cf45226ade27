" `:compiler meshc`, then `:make` fills the quickfix list with what `meshc lint` reports about the mesh of
" the current directory; `:make PATH` lints another.
if exists('g:current_compiler')
  finish
endif
let g:current_compiler = 'meshc'

let s:save_cpo = &cpo
set cpo&vim

if exists(':CompilerSet') != 2
  command -nargs=* CompilerSet setlocal <args>
endif

CompilerSet makeprg=meshc\ lint\ --format\ plain
CompilerSet errorformat=
      \%E%f:%l:%c:\ error[%*[^]]]:\ %m,
      \%W%f:%l:%c:\ warning[%*[^]]]:\ %m,
      \%I%f:%l:%c:\ info[%*[^]]]:\ %m,
      \%C\ \ \ \ %m,
      \%Emeshc:\ error[%*[^]]]:\ %m,
      \%-G%.%#

let &cpo = s:save_cpo
unlet s:save_cpo
