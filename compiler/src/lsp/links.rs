//! Links to what a policy names: directories that it imports, files that it reads.

use super::dispatch::Answer;
use super::paths;
use super::world::{View, World};
use gen_lsp_types::{DocumentLink, DocumentLinkParams, Uri};
use mesh_lang::source::Span;
use mesh_lang::view::{Action, Arg, Arm, Item, Setting, Statement, Str, Value};
use mesh_lang::vocabulary::{self, Kind, Place, Shape};
use std::path::{Path, PathBuf};

/// All links of a file.
pub(super) fn links(
    world: &mut World,
    params: &DocumentLinkParams,
) -> Answer<Option<Vec<DocumentLink>>> {
    let view = world.view(&params.text_document)?;
    let mut links = Links {
        view: &view,
        found: Vec::new(),
    };
    links.statements(view.tree().statements(), &[Place::File]);
    Ok(Some(links.found))
}

struct Links<'v, 'w> {
    view: &'v View<'w>,
    found: Vec<DocumentLink>,
}

impl Links<'_, '_> {
    fn statements<'t>(
        &mut self,
        statements: impl Iterator<Item = Statement<'t>>,
        places: &[Place],
    ) {
        for statement in statements {
            match statement {
                Statement::Item(Item::Import(import)) => {
                    if let Some(path) = import.path() {
                        self.import(path);
                    }
                }
                Statement::Setting(setting) => self.setting(setting, places),
                Statement::Arm(arm) => self.arm(arm),
                _ => {}
            }
            if let Some(block) = statement.block() {
                let inside = vocabulary::places_inside(statement, places);
                self.statements(block.statements(), &inside);
            }
        }
    }

    /// An import leads to the file of the directory that has the most to say of it.
    fn import(&mut self, path: Str<'_>) {
        let file = self.view.live.path(self.view.file);
        let Some(beside) = file.and_then(Path::parent) else {
            return;
        };
        let directory = paths::lexically(&beside.join(&*path.unescaped()));
        let entries = std::fs::read_dir(&directory)
            .into_iter()
            .flatten()
            .flatten();
        let mut files: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|it| paths::is_policy(it))
            .collect();
        files.sort();
        let named = |file: &&PathBuf| {
            file.file_stem() == directory.file_name()
                || file.file_stem().is_some_and(|it| it == "mesh")
        };
        if let Some(file) = files.iter().find(named).or(files.first()) {
            self.add(path.span(), file, "the imported policy");
        }
    }

    fn setting(&mut self, setting: Setting<'_>, places: &[Place]) {
        let form = places
            .iter()
            .find_map(|place| vocabulary::form_of(setting, *place));
        let Some(form) = form else { return };
        let args: Vec<Arg<'_>> = setting.args().collect();
        for (index, shape) in vocabulary::read(setting, form).read {
            if let (Shape::Value(Kind::File), Some(Arg::Value(Value::Str(name)))) =
                (shape, args.get(index))
            {
                self.file(*name);
            }
        }
    }

    fn arm(&mut self, arm: Arm<'_>) {
        if let Some(Action::Respond(respond)) = arm.action()
            && respond.is_file()
            && let Some(Value::Str(name)) = respond.body()
        {
            self.file(name);
        }
    }

    fn file(&mut self, name: Str<'_>) {
        let path = paths::lexically(&self.view.live.directory.join(&*name.unescaped()));
        if path.is_file() {
            self.add(name.span(), &path, "the file");
        }
    }

    fn add(&mut self, span: Span, target: &Path, tooltip: &str) {
        let target: Uri = paths::to_uri(target);
        // The quotes are no part of the link.
        let inside = Span::new(
            span.file,
            span.start + 1,
            span.end.saturating_sub(1).max(span.start + 1),
        );
        self.found.push(DocumentLink {
            range: self.view.range(inside),
            target: Some(target),
            tooltip: Some(tooltip.to_owned()),
            data: None,
        });
    }
}
