" Indentation of .mesh policies, as `meshc fmt` lays them out: a block two columns further right than the statement
" it belongs to, a statement that goes on over lines four.
if exists('b:did_indent')
  finish
endif
let b:did_indent = 1

setlocal autoindent nosmartindent
setlocal indentexpr=GetMeshIndent(v:lnum)
setlocal indentkeys=0},0),0],!^F,o,O,0=->
let b:undo_indent = 'setlocal autoindent< smartindent< indentexpr< indentkeys<'

if exists('*GetMeshIndent')
  finish
endif

let s:save_cpo = &cpo
set cpo&vim

" What the line before may end with if its statement goes on, and what the line itself may start with.
let s:joins = '\%([,=<>]\|\%(^\|\s\)\%(and\|or\|not\|in\|when\|unless\|to\)\)\s*$'
let s:goes_on = '^\s*\%(->\|\%(and\|or\|to\|unless\)\>\)'
" A rule, or the match of an arm; with its name.
let s:rule = '^\s*\%(\S\+:\s\+\)\=\%(allow\|deny\)\>'
let s:arm = '^\s*\%(\S\+:\s\+\)\=[A-Z/_]'

function! GetMeshIndent(lnum) abort
  let line = getline(a:lnum)
  let [opener, bracket] = s:Opener(a:lnum)
  if line =~# '^\s*[})\]]'
    return indent(bracket ==# '{' ? s:Start(opener) : opener)
  endif
  if bracket ==# '(' || bracket ==# '['
    return indent(opener) + shiftwidth()
  endif
  let base = opener > 0 ? indent(s:Start(opener)) + shiftwidth() : 0
  if line =~# '^\s*#'
    return s:IsBelowComment(a:lnum) ? indent(a:lnum) : base
  endif
  return s:Continues(a:lnum) ? base + 2 * shiftwidth() : base
endfunction

" A line without what looks like brackets and is none: strings and captures of paths become `_`, comments nothing.
function! s:Bare(lnum) abort
  let line = substitute(getline(a:lnum), '\<r"[^"]*"\|"\%(\\.\|[^"\\]\)*"', '_', 'g')
  let line = substitute(line, '\S\@1<={[A-Za-z0-9_-]\+\%(\*\*\)\=}', '_', 'g')
  return substitute(line, '\%(^\|[[:space:]{};,()[\]]\)\@1<=#.*$', '', '')
endfunction

" The line before that is neither blank nor a comment.
function! s:Before(lnum) abort
  let lnum = prevnonblank(a:lnum - 1)
  while lnum > 0 && getline(lnum) =~# '^\s*#'
    let lnum = prevnonblank(lnum - 1)
  endwhile
  return lnum
endfunction

" The bracket that is open where a line starts, and its line. An item at the left margin is in none.
function! s:Opener(lnum) abort
  let closed = 0
  let lnum = s:Before(a:lnum)
  while lnum > 0
    let line = s:Bare(lnum)
    for at in range(strlen(line) - 1, 0, -1)
      if line[at] =~# '[})\]]'
        let closed += 1
      elseif line[at] =~# '[{(\[]'
        if closed == 0
          return [lnum, line[at]]
        endif
        let closed -= 1
      endif
    endfor
    if closed == 0 && line =~# '^\a'
      break
    endif
    let lnum = s:Before(lnum)
  endwhile
  return [0, '']
endfunction

" The line on which the statement starts that a line belongs to.
function! s:Start(lnum) abort
  let lnum = a:lnum
  while lnum > 0
    if getline(lnum) =~# '^\s*[)\]]'
      let lnum = s:Opener(lnum)[0]
    elseif s:Continues(lnum)
      let lnum = s:Before(lnum)
    else
      break
    endif
  endwhile
  return lnum
endfunction

" Whether a line goes on with the statement of the line before.
function! s:Continues(lnum) abort
  let before = s:Before(a:lnum)
  let line = s:Bare(before)
  if before == 0 || line =~# '[{};(\[]\s*$'
    return 0
  endif
  if getline(a:lnum) =~# s:goes_on || line =~# s:joins
    return 1
  endif
  if getline(a:lnum) !~# '^\s*when\>'
    return 0
  endif
  " A rule goes on with a condition, and so does an arm that has no arrow yet.
  let start = s:Start(before)
  let statement = join(map(range(start, before), 's:Bare(v:val)'))
  return statement =~# s:rule || (statement =~# s:arm && statement !~# '->')
endfunction

" Whether a comment goes on with the one at the end of the line before.
function! s:IsBelowComment(lnum) abort
  let lnum = prevnonblank(a:lnum - 1)
  while lnum > 0 && getline(lnum) =~# '^\s*#' && indent(lnum) == indent(a:lnum)
    let lnum = prevnonblank(lnum - 1)
  endwhile
  return lnum > 0 && lnum < a:lnum && getline(lnum) !~# '^\s*#'
        \ && strpart(getline(lnum), indent(a:lnum), 1) ==# '#' && strdisplaywidth(s:Bare(lnum)) == indent(a:lnum)
endfunction

let &cpo = s:save_cpo
unlet s:save_cpo
