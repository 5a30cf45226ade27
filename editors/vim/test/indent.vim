" Indents files anew and writes which lines changed, for the tests.
"
"     vim -Nu NONE -i NONE -nes -S editors/vim/test/indent.vim OUTPUT FILE …

set nocompatible nomodeline hidden
let &runtimepath = expand('<sfile>:p:h:h') . ',' . $VIMRUNTIME
filetype plugin indent on

let s:output = argv(0)
let s:changed = []
for s:file in argv()[1:]
  execute 'edit' fnameescape(s:file)
  set filetype=mesh
  let s:before = getline(1, '$')
  " From nothing, so that no line profits from how it stood. Comments below others have nothing else to go by.
  silent keeppatterns g/^\s*[^#[:space:]]/left
  silent normal! gg=G
  for s:index in range(len(s:before))
    if getline(s:index + 1) !=# s:before[s:index]
      call add(s:changed, s:file . ':' . (s:index + 1) . ': ' . getline(s:index + 1))
    endif
  endfor
endfor
call writefile(s:changed, s:output)
quitall!
