" The list of services.
if exists('b:current_syntax') | finish | endif

syntax match apprunnerHelp /\%1l.*/
syntax match apprunnerTitle /\%2l.*/
syntax keyword apprunnerRunning RUNNING
syntax keyword apprunnerPaused PAUSED
syntax keyword apprunnerBusy OPERATION_IN_PROGRESS
syntax keyword apprunnerDead CREATE_FAILED DELETE_FAILED DELETED

highlight default link apprunnerHelp Comment
highlight default link apprunnerTitle Title
highlight default link apprunnerRunning String
highlight default link apprunnerPaused Comment
highlight default link apprunnerBusy WarningMsg
highlight default link apprunnerDead ErrorMsg

let b:current_syntax = 'apprunner'
