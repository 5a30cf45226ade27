//! Starts `meshc lsp` for the Zed editor.
//!
//! In: the worktree that is open and its settings. Out: the command to run. Everything else Zed reads
//! from `languages/mesh`.

use zed_extension_api::settings::LspSettings;
use zed_extension_api::{self as zed, Command, LanguageServerId, Result, Worktree};

struct Mesh;

impl zed::Extension for Mesh {
    fn new() -> Self {
        Self
    }

    fn language_server_command(&mut self, id: &LanguageServerId, worktree: &Worktree) -> Result<Command> {
        let binary = LspSettings::for_worktree(id.as_ref(), worktree)?.binary;
        let (path, arguments) = binary.map_or((None, None), |it| (it.path, it.arguments));
        let command = path
            .or_else(|| worktree.which("meshc"))
            .ok_or("meshc is not on the PATH; `lsp.meshc.binary.path` in the settings says where it is")?;
        Ok(Command {
            command,
            args: arguments.unwrap_or_else(|| vec!["lsp".to_owned()]),
            env: worktree.shell_env(),
        })
    }
}

zed::register_extension!(Mesh);
