" Reads findings as `:make` would and writes what the quickfix list has, for the tests.
"
"     vim -Nu NONE -i NONE -nes -S editors/vim/test/quickfix.vim OUTPUT FINDINGS

set nocompatible
let &runtimepath = expand('<sfile>:p:h:h') . ',' . $VIMRUNTIME
let s:output = argv(0)
let s:findings = argv(1)
enew
compiler meshc
execute 'cgetfile' fnameescape(s:findings)
let s:list = map(getqflist(), {_, it -> join([bufname(it.bufnr), it.lnum, it.col, it.type, substitute(it.text, '\n\s*', '; ', 'g')], ' | ')})
call writefile([&l:makeprg] + s:list, s:output)
quitall!
