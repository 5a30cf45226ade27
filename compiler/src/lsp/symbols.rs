//! The outline of a file, and what is declared anywhere.

use super::dispatch::Answer;
use super::live::Live;
use super::names::Kind;
use super::spot;
use super::world::{View, World};
use gen_lsp_types::{
    BaseSymbolInformation, DocumentSymbol, DocumentSymbolParams, DocumentSymbolResponse, Location,
    SymbolInformation, SymbolKind, WorkspaceSymbol, WorkspaceSymbolLocation, WorkspaceSymbolParams,
    WorkspaceSymbolResponse,
};
use mesh_lang::source::Span;
use mesh_lang::view::{BlockItem, Item, ItemKind, Setting, Statement};

/// Symbols that a search answers with at most.
const MOST_FOUND: usize = 256;

/// The outline of a file.
pub(super) fn of_document(
    world: &mut World,
    params: &DocumentSymbolParams,
) -> Answer<Option<DocumentSymbolResponse>> {
    let view = world.view(&params.text_document)?;
    let symbols = below(&view, view.tree().statements());
    if world.can.nested_symbols {
        return Ok(Some(DocumentSymbolResponse::DocumentSymbolList(symbols)));
    }
    let mut flat = Vec::new();
    flatten(&params.text_document.uri, None, symbols, &mut flat);
    Ok(Some(DocumentSymbolResponse::SymbolInformationList(flat)))
}

fn below<'t>(
    view: &View<'_>,
    statements: impl Iterator<Item = Statement<'t>>,
) -> Vec<DocumentSymbol> {
    statements
        .flat_map(|statement| symbols(view, statement))
        .collect()
}

/// The symbol that a statement is; of one that is none, those in its block.
fn symbols(view: &View<'_>, statement: Statement<'_>) -> Vec<DocumentSymbol> {
    let block = statement.block();
    let inside = || block.map_or_else(Vec::new, |block| below(view, block.statements()));
    let Some((name, detail, kind, at)) = named(statement) else {
        return inside();
    };
    let children = inside();
    let symbol = DocumentSymbol {
        name,
        detail: (!detail.is_empty()).then_some(detail),
        kind,
        range: view.range(statement.span()),
        selection_range: view.range(at),
        children: (!children.is_empty()).then_some(children),
        tags: None,
        ..empty_symbol()
    };
    vec![symbol]
}

/// What a statement is called in an outline: its name, more about it, its kind, and where the name is.
fn named(statement: Statement<'_>) -> Option<(String, String, SymbolKind, Span)> {
    let (name, detail, kind, at) = match statement {
        Statement::Item(Item::Param(param)) => {
            let name = param.name()?;
            (
                name.text.to_owned(),
                "param".to_owned(),
                SymbolKind::Constant,
                name.span,
            )
        }
        Statement::Item(Item::Let(binding)) => {
            let name = binding.name()?;
            (
                name.text.to_owned(),
                "let".to_owned(),
                SymbolKind::Variable,
                name.span,
            )
        }
        Statement::Item(Item::Block(item)) => return of_item(item),
        Statement::Item(Item::Import(import)) => {
            let path = import.path()?;
            (
                path.unescaped().into_owned(),
                "import".to_owned(),
                SymbolKind::Module,
                path.span(),
            )
        }
        Statement::Setting(setting) => return of_setting(setting),
        Statement::Arm(arm) => {
            let head = arm.head_span();
            let action = arm.action()?.span();
            let tree = statement.node().tree();
            let taken = match arm.name() {
                Some(name) => name.text.to_owned(),
                None => one_line(
                    Span::new(head.file, head.start, head.end.min(action.start)).text(tree.text()),
                ),
            };
            let taken = taken.trim_end_matches("->").trim_end().to_owned();
            (
                taken,
                one_line(action.text(tree.text())),
                SymbolKind::Event,
                head,
            )
        }
        _ => return None,
    };
    Some((name, detail, kind, at))
}

fn of_item(item: BlockItem<'_>) -> Option<(String, String, SymbolKind, Span)> {
    let kind = match item.kind() {
        ItemKind::Mesh | ItemKind::Namespace => SymbolKind::Namespace,
        ItemKind::Service => SymbolKind::Class,
        ItemKind::External => SymbolKind::Interface,
        ItemKind::Gateway | ItemKind::Routes => SymbolKind::Struct,
        ItemKind::Policy | ItemKind::Env => SymbolKind::Property,
        ItemKind::Jwt | ItemKind::Keys => SymbolKind::Key,
        ItemKind::Assert | ItemKind::Test => SymbolKind::Method,
    };
    let word = item.kind().word().to_owned();
    if let Some(title) = item.title() {
        return Some((title.unescaped().into_owned(), word, kind, title.span()));
    }
    let names: Vec<&str> = item.names().map(|name| name.text).collect();
    let at = item.name()?.span;
    Some((names.join(" "), word, kind, at))
}

fn of_setting(setting: Setting<'_>) -> Option<(String, String, SymbolKind, Span)> {
    let keyword = setting.keyword();
    let kind = match keyword.text {
        "version" => SymbolKind::EnumMember,
        "host" | "listen" => SymbolKind::Object,
        "route" | "authz" if setting.block().is_some() => SymbolKind::Array,
        _ => return None,
    };
    let tree = setting.node().tree();
    let head = setting.head_span();
    let rest = Span::new(head.file, keyword.span.end.min(head.end), head.end);
    let rest = one_line(rest.text(tree.text()));
    match keyword.text {
        "version" | "host" if !rest.is_empty() => Some((rest, keyword.text.to_owned(), kind, head)),
        _ => Some((one_line(head.text(tree.text())), String::new(), kind, head)),
    }
}

/// A text on one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[allow(deprecated)] // a field that every symbol still has
fn empty_symbol() -> DocumentSymbol {
    DocumentSymbol {
        name: String::new(),
        detail: None,
        kind: SymbolKind::Null,
        tags: None,
        deprecated: None,
        range: gen_lsp_types::Range::default(),
        selection_range: gen_lsp_types::Range::default(),
        children: None,
    }
}

#[allow(deprecated)] // as above
fn flatten(
    uri: &gen_lsp_types::Uri,
    container: Option<&str>,
    symbols: Vec<DocumentSymbol>,
    flat: &mut Vec<SymbolInformation>,
) {
    for symbol in symbols {
        flat.push(SymbolInformation {
            deprecated: None,
            location: Location {
                uri: uri.clone(),
                range: symbol.range,
            },
            base_symbol_information: BaseSymbolInformation {
                name: symbol.name.clone(),
                kind: symbol.kind,
                tags: None,
                container_name: container.map(str::to_owned),
            },
        });
        flatten(
            uri,
            Some(&symbol.name),
            symbol.children.unwrap_or_default(),
            flat,
        );
    }
}

/// What is declared anywhere in the folders and has the letters of a query in it, in their order.
pub(super) fn of_workspace(
    world: &mut World,
    params: &WorkspaceSymbolParams,
) -> WorkspaceSymbolResponse {
    let others = world.all_meshes();
    let loaded = world.meshes().map(|(_, live)| live);
    let mut found = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for live in loaded.chain(&others) {
        for symbol in declared(world, live, &params.query) {
            let key = format!(
                "{:?} {}",
                symbol.location, symbol.base_symbol_information.name
            );
            if found.len() < MOST_FOUND && seen.insert(key) {
                found.push(symbol);
            }
        }
    }
    WorkspaceSymbolResponse::WorkspaceSymbolList(found)
}

fn declared(world: &World, live: &Live, query: &str) -> Vec<WorkspaceSymbol> {
    let names = live.names();
    let mut symbols = Vec::new();
    for (id, declared) in names.all() {
        let name = names.qualified(id);
        if !has_letters(&name, query) {
            continue;
        }
        let Some(location) = world.location(live, names.span(id)) else {
            continue;
        };
        symbols.push(WorkspaceSymbol {
            location: WorkspaceSymbolLocation::Location(location),
            data: None,
            base_symbol_information: BaseSymbolInformation {
                name,
                kind: symbol_kind(declared.kind),
                tags: None,
                container_name: container(live, id.file, declared.name.start),
            },
        });
    }
    symbols
}

/// What a declaration stands in.
fn container(live: &Live, file: mesh_lang::source::FileId, offset: u32) -> Option<String> {
    let around = spot::around(live.tree(file), offset);
    let outside = around.len().checked_sub(2)?;
    named(around[outside].0).map(|(name, ..)| name)
}

/// The kind that a declaration is of, as the protocol has them.
pub(super) fn symbol_kind(kind: Kind) -> SymbolKind {
    match kind {
        Kind::Mesh | Kind::Namespace => SymbolKind::Namespace,
        Kind::Service => SymbolKind::Class,
        Kind::External => SymbolKind::Interface,
        Kind::Gateway => SymbolKind::Struct,
        Kind::Version => SymbolKind::EnumMember,
        Kind::Param => SymbolKind::Constant,
        Kind::Let => SymbolKind::Variable,
        Kind::Condition => SymbolKind::Function,
        Kind::Policy | Kind::Env => SymbolKind::Property,
        Kind::Jwt | Kind::Keys => SymbolKind::Key,
        Kind::Arm | Kind::Rule => SymbolKind::Event,
    }
}

/// Whether a text has these letters in it, in their order, in upper case or lower.
fn has_letters(text: &str, letters: &str) -> bool {
    let mut text = text.chars().flat_map(char::to_lowercase);
    let mut letters = letters
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .flat_map(char::to_lowercase);
    letters.all(|letter| text.any(|it| it == letter))
}
