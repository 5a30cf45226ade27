-- Neovim's side of .mesh policies: the client of `meshc lsp`, and the tree-sitter grammar.
--
-- In: what the user's configuration says. Out: a client for each mesh that is edited. Works from Neovim 0.7 on.

local M = {}

local defaults = {
  -- How the language server is started.
  cmd = { 'meshc', 'lsp' },
  -- What marks the directory of a mesh, besides the directory of the file itself.
  root_markers = { '.git' },
  -- More for the client: `on_attach`, `capabilities`, `settings`, …
  client = {},
}

-- The clients of Neovim 0.7, which does not look for one that is there already, by directory.
local clients = {}

local function has(version)
  return vim.fn.has('nvim-' .. version) == 1
end

-- The directory whose policies belong together: the nearest one upwards with a marker, else that of the file.
local function root_of(file, markers)
  local start = vim.fn.fnamemodify(file, ':p:h')
  local directory = start
  while true do
    for _, marker in ipairs(markers) do
      local path = directory .. '/' .. marker
      if vim.fn.isdirectory(path) == 1 or vim.fn.filereadable(path) == 1 then
        return directory
      end
    end
    local parent = vim.fn.fnamemodify(directory, ':h')
    if parent == directory then
      return start
    end
    directory = parent
  end
end

-- What the server leaves to the editor. It offers a command to those who say that they know it.
local commands = {
  -- Runs a test in a terminal.
  ['mesh.runTest'] = function(command, options)
    local test = command.arguments[1]
    vim.cmd('botright new')
    vim.fn.termopen({ options.cmd[1], 'test', '--filter', test.test, test.mesh })
  end,
  -- Lists places.
  ['mesh.showReferences'] = function(command, _, client)
    local items = vim.lsp.util.locations_to_items(command.arguments[3], client.offset_encoding)
    vim.fn.setqflist({}, ' ', { title = command.title, items = items })
    vim.cmd('botright copen')
  end,
  -- Explains a finding.
  ['mesh.explain'] = function(command, _, client, buffer)
    local params = { command = 'mesh.explanation', arguments = command.arguments }
    client.request('workspace/executeCommand', params, function(_, page)
      if type(page) == 'string' then
        vim.lsp.util.open_floating_preview(vim.split(page, '\n'), 'markdown', { focus = true })
      end
    end, buffer)
  end,
}

-- What the client says of itself.
local function capabilities()
  return vim.tbl_deep_extend('force', vim.lsp.protocol.make_client_capabilities(), {
    experimental = { commands = { commands = vim.tbl_keys(commands) } },
  })
end

-- Lets the client carry out the commands of the server.
local function know_commands(options)
  for name, run in pairs(commands) do
    vim.lsp.commands[name] = function(command, context)
      run(command, options, vim.lsp.get_client_by_id(context.client_id), context.bufnr)
    end
  end
end

-- The configuration of the client, as `vim.lsp.config` of Neovim 0.11 has it.
function M.config(options)
  options = vim.tbl_deep_extend('force', defaults, options or {})
  know_commands(options)
  return vim.tbl_extend('force', {
    cmd = options.cmd,
    filetypes = { 'mesh' },
    root_markers = options.root_markers,
    capabilities = capabilities(),
  }, options.client)
end

local warned = false

local function is_there(cmd)
  if vim.fn.executable(cmd[1]) == 1 then
    return true
  end
  if not warned then
    warned = true
    vim.notify(cmd[1] .. ' is not there: findings and completion need it, highlighting does not', vim.log.levels.WARN)
  end
  return false
end

-- Starts the client for a buffer, or attaches the one that is there for its directory.
function M.start(buffer, options)
  options = vim.tbl_deep_extend('force', defaults, options or {})
  local file = vim.api.nvim_buf_get_name(buffer)
  if file == '' or not is_there(options.cmd) then
    return
  end
  local root = root_of(file, options.root_markers)
  know_commands(options)
  local client = vim.tbl_extend('force', {
    name = 'meshc',
    cmd = options.cmd,
    root_dir = root,
    capabilities = capabilities(),
  }, options.client)
  if vim.lsp.start then
    vim.lsp.start(client, { bufnr = buffer })
    return
  end
  if not clients[root] then
    local on_exit = client.on_exit
    client.on_exit = function(...)
      clients[root] = nil
      if on_exit then
        on_exit(...)
      end
    end
    clients[root] = vim.lsp.start_client(client)
  end
  if clients[root] then
    vim.lsp.buf_attach_client(buffer, clients[root])
  end
end

-- Starts a client for every .mesh buffer.
function M.setup(options)
  if has('0.11') and vim.lsp.config and vim.lsp.enable then
    vim.lsp.config('mesh', M.config(options))
    vim.lsp.enable('mesh')
    return
  end
  local group = vim.api.nvim_create_augroup('mesh', { clear = true })
  vim.api.nvim_create_autocmd('FileType', {
    group = group,
    pattern = 'mesh',
    callback = function(event)
      M.start(event.buf, options)
    end,
  })
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buffer) and vim.bo[buffer].filetype == 'mesh' then
      M.start(buffer, options)
    end
  end
end

-- Highlights with the tree-sitter grammar instead of the syntax file, from Neovim 0.9 on. `parser` is the library
-- that `tree-sitter build` makes of the grammar; its queries have to be on the runtime path as `queries/mesh`.
function M.treesitter(parser)
  if not vim.treesitter.language.add then
    vim.notify('the tree-sitter grammar needs Neovim 0.9 or later', vim.log.levels.WARN)
    return
  end
  vim.treesitter.language.add('mesh', parser and { path = parser } or nil)
  vim.api.nvim_create_autocmd('FileType', {
    group = vim.api.nvim_create_augroup('mesh-treesitter', { clear = true }),
    pattern = 'mesh',
    callback = function(event)
      vim.treesitter.start(event.buf, 'mesh')
    end,
  })
end

return M
