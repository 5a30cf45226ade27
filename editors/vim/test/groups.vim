" Writes what the syntax file makes of files, for the tests: runs of text that look alike, a line each, as
" `file first-byte byte-behind group`, tab-separated, counted from the start of the file.
"
"     vim -Nu NONE -i NONE -nes -S editors/vim/test/groups.vim OUTPUT FILE …

set nocompatible nomodeline
let &runtimepath = expand('<sfile>:p:h:h') . ',' . $VIMRUNTIME
syntax on

function! s:Runs(file) abort
  let runs = []
  let line_start = 0
  for lnum in range(1, line('$'))
    let text = getline(lnum)
    let start = 0
    let group = ''
    for column in range(0, len(text))
      let here = column < len(text) ? synIDattr(synID(lnum, column + 1, 1), 'name') : 'end of line'
      if here !=# group
        if group !=# ''
          call add(runs, join([a:file, line_start + start, line_start + column, substitute(group, '_', '.', '')], "\t"))
        endif
        let [start, group] = [column, here]
      endif
    endfor
    let line_start += len(text) + 1
  endfor
  return runs
endfunction

let s:output = argv(0)
let s:runs = []
for s:file in argv()[1:]
  execute 'edit' fnameescape(s:file)
  set filetype=mesh
  let s:runs += s:Runs(s:file)
endfor
call writefile(s:runs, s:output)
quitall!
