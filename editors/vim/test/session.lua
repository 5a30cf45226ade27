-- A session with the real language server: what Neovim shows of a policy.
--
--     MESHC=meshc POLICY=a.mesh OUTPUT=seen.txt \
--       nvim --headless -nu NONE -i NONE -c 'luafile editors/vim/test/session.lua'
--
-- Writes what it saw to OUTPUT: the findings, a hover and a completion, each on lines of its own.

local here = vim.fn.fnamemodify(debug.getinfo(1, 'S').source:sub(2), ':p:h')
vim.opt.runtimepath:prepend(vim.fn.fnamemodify(here, ':h'))
vim.cmd('filetype plugin on')

local meshc, policy, output = vim.env.MESHC, vim.env.POLICY, vim.env.OUTPUT
local lines = {}

local function fail(text)
  io.stderr:write(text .. '\n')
  vim.cmd('cquit 1')
end

-- Waits until something is there, and gives it back.
local function wait(what, find)
  local found
  local is_there = vim.wait(30000, function()
    found = find()
    return found ~= nil
  end, 20)
  if not is_there then
    fail('waited too long for ' .. what)
  end
  return found
end

-- The answer to a request about the place of a word on a line.
local function ask(method, line, column)
  local params = vim.lsp.util.make_text_document_params()
  local answers = vim.lsp.buf_request_sync(0, method, {
    textDocument = params,
    position = { line = line - 1, character = column - 1 },
  }, 30000)
  for _, answer in pairs(answers or {}) do
    if answer.err then
      fail(method .. ': ' .. vim.inspect(answer.err))
    end
    return answer.result
  end
  fail(method .. ' was not answered')
end

require('mesh').setup({ cmd = { meshc, 'lsp' } })
vim.cmd('edit ' .. vim.fn.fnameescape(policy))
if vim.bo.filetype ~= 'mesh' then
  fail('the filetype is ' .. vim.bo.filetype)
end

local findings = wait('findings', function()
  local found = vim.diagnostic.get(0)
  return #found > 0 and found or nil
end)
for _, finding in ipairs(findings) do
  local message = vim.split(finding.message, '\n')[1]
  table.insert(lines, ('finding %d:%d %s'):format(finding.lnum + 1, finding.col + 1, message))
end

-- `timeout` on the third line.
local hover = ask('textDocument/hover', 3, 5)
for _, line in ipairs(vim.split(hover.contents.value, '\n')) do
  table.insert(lines, 'hover ' .. line)
end

-- Behind `protocol ` on the second.
local completion = ask('textDocument/completion', 2, 22)
for _, item in ipairs(vim.lsp.util.extract_completion_items(completion)) do
  table.insert(lines, 'completion ' .. item.label)
end

-- What is mended is said no more.
vim.api.nvim_buf_set_lines(0, 2, 3, false, { '  timeout 5s' })
wait('no findings', function()
  return #vim.diagnostic.get(0) == 0 and true or nil
end)
table.insert(lines, 'no finding')

vim.fn.writefile(lines, output)
vim.cmd('quitall!')
