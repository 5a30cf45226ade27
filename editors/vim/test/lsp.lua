-- The client set-up of Neovim, against stand-ins for the functions of its versions.
--
--     nvim --headless -nu NONE -i NONE -c 'luafile editors/vim/test/lsp.lua'

local here = vim.fn.fnamemodify(debug.getinfo(1, 'S').source:sub(2), ':p:h')
vim.opt.runtimepath:prepend(vim.fn.fnamemodify(here, ':h'))
vim.cmd('filetype plugin on')

local function fail(text)
  io.stderr:write(text .. '\n')
  vim.cmd('cquit 1')
end

local function same(found, wanted, what)
  if not vim.deep_equal(found, wanted) then
    fail(what .. ': ' .. vim.inspect(found) .. ' instead of ' .. vim.inspect(wanted))
  end
end

-- A mesh with two files, below a directory with a marker.
local root = vim.fn.tempname()
vim.fn.mkdir(root .. '/.git', 'p')
vim.fn.mkdir(root .. '/shop', 'p')
for _, file in ipairs({ 'a.mesh', 'b.mesh' }) do
  vim.fn.writefile({ 'param a = 1' }, root .. '/shop/' .. file)
end
root = vim.loop.fs_realpath(root)

-- A server that is there: any program will do, since nothing starts it.
local cmd = { 'sh', 'lsp' }

local function fresh()
  package.loaded['mesh'] = nil
  return require('mesh')
end

local real = { start = vim.lsp.start, start_client = vim.lsp.start_client, attach = vim.lsp.buf_attach_client, has = vim.fn.has }
local calls = {}

local function record(name, result)
  return function(...)
    table.insert(calls, { name, ... })
    return result
  end
end

local function open(file)
  vim.cmd('edit ' .. root .. '/shop/' .. file)
  return vim.api.nvim_get_current_buf()
end

-- Neovim 0.7: one client for both files of a mesh.
vim.lsp.start = nil
vim.lsp.start_client = record('start_client', 7)
vim.lsp.buf_attach_client = record('attach', true)
fresh().setup({ cmd = cmd })
local a, b = open('a.mesh'), open('b.mesh')
same(vim.bo[a].filetype, 'mesh', 'the filetype')
same(#calls, 3, 'the calls of Neovim 0.7')
same(calls[1][1], 'start_client', 'the first')
same(calls[1][2].cmd, cmd, 'the command')
same(calls[1][2].root_dir, root, 'the root')
same({ calls[2], calls[3] }, { { 'attach', a, 7 }, { 'attach', b, 7 } }, 'the rest')
-- When it has ended, the next file starts another.
calls[1][2].on_exit(0, 0)
calls = {}
vim.cmd('bwipeout! ' .. a)
open('a.mesh')
same(calls[1][1], 'start_client', 'after it ended')

-- Neovim 0.8: it finds the client that is there by itself.
calls = {}
vim.cmd('%bwipeout!')
vim.lsp.start = record('start', 8)
fresh().setup({ cmd = cmd, client = { settings = { mesh = { x = 1 } } } })
a = open('a.mesh')
same(#calls, 1, 'the calls of Neovim 0.8')
same(calls[1][1], 'start', 'the call')
same(calls[1][2].settings, { mesh = { x = 1 } }, 'the settings')
same(calls[1][2].name, 'meshc', 'the name')
same(calls[1][3], { bufnr = a }, 'the buffer')

-- A file that is open already gets its client, too.
calls = {}
fresh().setup({ cmd = cmd })
same(#calls, 1, 'the calls for an open file')

-- Neovim 0.11: it is told once.
calls = {}
vim.fn.has = function(what)
  return what == 'nvim-0.11' and 1 or real.has(what)
end
vim.lsp.config = record('config')
vim.lsp.enable = record('enable')
fresh().setup()
local config = calls[1][3]
-- The server is told which of its commands are known.
local known = config.capabilities.experimental.commands.commands
table.sort(known)
same(known, { 'mesh.explain', 'mesh.runTest', 'mesh.showReferences' }, 'the commands')
config.capabilities = nil
same(calls, {
  { 'config', 'mesh', { cmd = { 'meshc', 'lsp' }, filetypes = { 'mesh' }, root_markers = { '.git' } } },
  { 'enable', 'mesh' },
}, 'the calls of Neovim 0.11')
same(dofile(vim.fn.fnamemodify(here, ':h') .. '/lsp/mesh.lua').cmd, { 'meshc', 'lsp' }, 'lsp/mesh.lua')
vim.fn.has, vim.lsp.config, vim.lsp.enable = real.has, nil, nil

-- Without meshc there is a word about it, once, and no client.
calls = {}
vim.cmd('%bwipeout!')
vim.notify = record('notify')
fresh().setup({ cmd = { 'no-such-meshc', 'lsp' } })
open('a.mesh')
open('b.mesh')
same(#calls, 1, 'the calls without meshc')
same(calls[1][1], 'notify', 'the call')

vim.fn.delete(root, 'rf')
vim.cmd('quitall!')
