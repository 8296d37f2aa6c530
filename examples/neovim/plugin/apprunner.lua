-- Defines :AppRunner; all else is loaded when it is used.
if vim.g.loaded_apprunner then return end
vim.g.loaded_apprunner = true

vim.api.nvim_create_user_command("AppRunner", function(command) require("apprunner_nvim").run(command) end, {
  nargs = "+", bang = true, bar = true, desc = "List, describe, pause and resume services of AWS App Runner",
  complete = function(...) return require("apprunner_nvim").complete(...) end,
})
