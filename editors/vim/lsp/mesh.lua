-- For Neovim 0.11 and later: `vim.lsp.enable('mesh')`. Earlier ones: `require('mesh').setup()`.
return require('mesh').config()
