//! What each word is, for highlighting that knows more than a grammar: which names are services, which words are
//! those of a statement.
//!
//! Every token but punctuation gets a type. A word of several names, such as `payments/ledger.v2`, has one for
//! each of them. The types agree with what the grammars in `editors/` call the same tokens; a test holds them
//! against each other.

use super::dispatch::Answer;
use super::names::{FileNames, Kind, Names};
use super::world::{View, World};
use gen_lsp_types::{
    SemanticToken, SemanticTokens, SemanticTokensLegend, SemanticTokensParams,
    SemanticTokensRangeParams,
};
use mesh_lang::source::Span;
use mesh_lang::syntax::SyntaxKind;
use mesh_lang::tree::{Node, Token, Tree};
use mesh_lang::value::is_method;
use mesh_lang::view::{Claim, Statement};
use mesh_lang::vocabulary::{FIELDS, PROPERTIES, words};
use std::collections::HashMap;

/// What a token is. The order is that of the legend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Keyword,
    /// A fixed word that is a value.
    EnumMember,
    /// An HTTP method.
    Method,
    /// A field of requests, a claim of a token.
    Property,
    Namespace,
    /// A service, a gateway, or what else is declared and has a block.
    Class,
    /// A param or a let, and words of which nothing more is known.
    Variable,
    Label,
    String,
    Regexp,
    Number,
    Operator,
    Comment,
    Path,
}

/// What the protocol calls the types; `path` is one more than it has.
const TYPES: &[&str] = &[
    "keyword",
    "enumMember",
    "method",
    "property",
    "namespace",
    "class",
    "variable",
    "label",
    "string",
    "regexp",
    "number",
    "operator",
    "comment",
    "path",
];

/// What there is to say of a token besides its type.
const MODIFIERS: &[&str] = &["declaration", "documentation"];
const DECLARATION: u32 = 1;
const DOCUMENTATION: u32 = 1 << 1;

/// What the numbers of types and modifiers mean.
pub(super) fn legend() -> SemanticTokensLegend {
    let strings = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect();
    SemanticTokensLegend {
        token_types: strings(TYPES),
        token_modifiers: strings(MODIFIERS),
    }
}

/// All tokens of a file.
pub(super) fn full(
    world: &mut World,
    params: &SemanticTokensParams,
) -> Answer<Option<SemanticTokens>> {
    let view = world.view(&params.text_document)?;
    let all = Span::new(view.file, 0, view.source().text().len() as u32);
    Ok(Some(tokens(&view, all)))
}

/// The tokens of a part of a file.
pub(super) fn range(
    world: &mut World,
    params: &SemanticTokensRangeParams,
) -> Answer<Option<SemanticTokens>> {
    let view = world.view(&params.text_document)?;
    let span = view.span(params.range);
    Ok(Some(tokens(&view, span)))
}

fn tokens(view: &View<'_>, within: Span) -> SemanticTokens {
    let names = view.live.names();
    let parts = parts(view, &names, within);
    let mut painter = Painter::new(view.tree(), within);
    painter.nodes(view.tree().root(), Around::Other);
    let mut encoder = Encoder {
        view,
        line: 0,
        character: 0,
        data: Vec::new(),
    };
    let mut parts = parts.into_iter().peekable();
    for index in painter.first..painter.end {
        let token = painter.token(index);
        let span = token.span();
        let (kind, modifiers) = painter.look(index);
        let Some(kind) = kind else { continue };
        // Of a word the names that are in it; what is between them looks like the first.
        let mut has_parts = false;
        while let Some((part, part_kind, part_modifiers)) =
            parts.next_if(|(part, ..)| part.start < span.end)
        {
            let takes_names = token.kind() == SyntaxKind::Word
                && matches!(
                    kind,
                    Type::Variable | Type::Class | Type::Namespace | Type::Label | Type::EnumMember
                );
            if part.start >= span.start && takes_names {
                encoder.push(part, part_kind, part_modifiers);
                has_parts = true;
            }
        }
        if !has_parts {
            encoder.push(span, kind, modifiers);
        }
    }
    SemanticTokens {
        result_id: None,
        data: encoder.data,
    }
}

/// The names that are declared and used in a part of a file, in order, none within another.
fn parts(view: &View<'_>, names: &Names, within: Span) -> Vec<(Span, Type, u32)> {
    let of_file: &FileNames = names.file(view.file);
    let is_within = |span: &Span| span.start <= within.end && within.start <= span.end;
    let mut parts: Vec<(Span, Type, u32)> = Vec::new();
    for declared in &of_file.declared {
        let span = declared.name.span(view.file);
        if is_within(&span) {
            parts.push((span, type_of(declared.kind), DECLARATION));
        }
    }
    let mut known: HashMap<Kind, Type> = HashMap::new();
    for used in &of_file.used {
        let span = used.at.span(view.file);
        if !is_within(&span) {
            continue;
        }
        if let Some(meant) = names.meaning(view.file, used).first() {
            let kind = names.declared(*meant).kind;
            let of_kind = *known.entry(kind).or_insert_with(|| type_of(kind));
            parts.push((span, of_kind, 0));
        }
    }
    parts.sort_by_key(|(span, ..)| (span.start, std::cmp::Reverse(span.end)));
    let mut end = 0;
    parts.retain(|(span, ..)| {
        let is_behind = span.start >= end;
        if is_behind {
            end = span.end;
        }
        is_behind
    });
    parts
}

fn type_of(kind: Kind) -> Type {
    match kind {
        Kind::Mesh | Kind::Namespace | Kind::Env => Type::Namespace,
        Kind::Param | Kind::Let | Kind::Condition => Type::Variable,
        Kind::Arm | Kind::Rule => Type::Label,
        _ => Type::Class,
    }
}

/// What the statements around a node are, as far as that changes what it looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Around {
    Other,
    /// A request of a test.
    Request,
    /// A token that a request carries: its settings are claims.
    Token,
}

impl Around {
    /// What is around the nodes in a node.
    fn inside(self, node: Node<'_>) -> Self {
        let word = || node.token(SyntaxKind::Word).map(Token::text);
        match (self, node.kind()) {
            (_, SyntaxKind::Request) => Self::Request,
            (Self::Request, SyntaxKind::Setting) if word() == Some("jwt") => Self::Token,
            (Self::Request, SyntaxKind::Setting) => Self::Other,
            _ => self,
        }
    }
}

/// The look of every token of a part of a file.
struct Painter<'t> {
    tree: &'t Tree,
    within: Span,
    /// The tokens of the part.
    first: u32,
    end: u32,
    looks: Vec<Option<Type>>,
}

impl<'t> Painter<'t> {
    fn new(tree: &'t Tree, within: Span) -> Self {
        let tokens = tree.tokens();
        let count = tokens.len() as u32;
        let all: Vec<u32> = (0..count).collect();
        let start = |index: &u32| tokens.start(*index as usize);
        let first = all.partition_point(|index| tokens.start(*index as usize + 1) <= within.start);
        let end = all.partition_point(|index| start(index) < within.end);
        let (first, end) = (first as u32, end.max(first) as u32);
        let looks = all[first as usize..end as usize].iter().map(|index| {
            let text = tokens.text(tree.text(), *index as usize);
            by_shape(tokens.kind(*index as usize), text)
        });
        Self {
            looks: looks.collect(),
            tree,
            within,
            first,
            end,
        }
    }

    fn token(&self, index: u32) -> Token<'t> {
        self.tree.token(index)
    }

    /// What a token is, and more of it.
    fn look(&self, index: u32) -> (Option<Type>, u32) {
        let is_doc = self.tree.tokens().kind(index as usize) == SyntaxKind::DocComment;
        let modifiers = if is_doc { DOCUMENTATION } else { 0 };
        (self.looks[(index - self.first) as usize], modifiers)
    }

    fn paint(&mut self, token: Token<'_>, look: Type) {
        if (self.first..self.end).contains(&token.index()) {
            self.looks[(token.index() - self.first) as usize] = Some(look);
        }
    }

    /// Paints the words of a node that is of this type.
    fn words(&mut self, node: Node<'_>, look: Type) {
        for token in node
            .own_tokens()
            .filter(|token| token.kind() == SyntaxKind::Word)
        {
            self.paint(token, look);
        }
    }

    fn nodes(&mut self, node: Node<'_>, around: Around) {
        for child in node.children() {
            let span = child.span();
            if span.start <= self.within.end && self.within.start <= span.end {
                self.node(child, around);
                self.nodes(child, around.inside(child));
            }
        }
    }

    fn node(&mut self, node: Node<'_>, around: Around) {
        match node.kind() {
            SyntaxKind::Setting if around == Around::Token => self.claim_of_token(node),
            SyntaxKind::Setting => self.setting(node),
            SyntaxKind::Label => self.words(node, Type::Label),
            SyntaxKind::Field => {
                let word = node.token(SyntaxKind::Word);
                if let Some(word) = word.filter(|word| is_field(word.text())) {
                    self.paint(word, Type::Property);
                }
            }
            SyntaxKind::Target => {
                let look = if node.text() == "self" {
                    Type::Keyword
                } else {
                    Type::Class
                };
                self.words(node, look);
            }
            SyntaxKind::Who => self.who(node),
            SyntaxKind::SplitPart => {
                let share = node.tokens().find(|token| token.kind() == SyntaxKind::Word);
                if let Some(rest) = share.filter(|token| token.text() == "rest") {
                    self.paint(rest, Type::Keyword);
                }
            }
            SyntaxKind::Respond => {
                self.first_word(node);
                let file = node
                    .children()
                    .filter(|it| it.kind() == SyntaxKind::WordValue && it.text() == "file");
                for value in file {
                    self.words(value, Type::Keyword);
                }
            }
            SyntaxKind::Claim | SyntaxKind::EveryRoute => self.claim(node),
            SyntaxKind::Request => {
                for token in node
                    .own_tokens()
                    .filter(|token| ["request", "from"].contains(&token.text()))
                {
                    self.paint(token, Type::Keyword);
                }
            }
            SyntaxKind::Set => {
                let words = node
                    .tokens()
                    .filter(|token| token.kind() == SyntaxKind::Word);
                for token in words.take(2) {
                    self.paint(token, Type::Keyword);
                }
            }
            SyntaxKind::Import
            | SyntaxKind::Param
            | SyntaxKind::Let
            | SyntaxKind::Mesh
            | SyntaxKind::Service
            | SyntaxKind::External
            | SyntaxKind::Gateway
            | SyntaxKind::Policy
            | SyntaxKind::Jwt
            | SyntaxKind::Keys
            | SyntaxKind::Namespace
            | SyntaxKind::Routes
            | SyntaxKind::Env
            | SyntaxKind::Assert
            | SyntaxKind::Test
            | SyntaxKind::Rule
            | SyntaxKind::Otherwise
            | SyntaxKind::Split
            | SyntaxKind::Redirect
            | SyntaxKind::When
            | SyntaxKind::Unless
            | SyntaxKind::Where
            | SyntaxKind::Or
            | SyntaxKind::And
            | SyntaxKind::Not
            | SyntaxKind::Comparison => self.words(node, Type::Keyword),
            SyntaxKind::Expect => self.first_word(node),
            _ => {}
        }
    }

    fn who(&mut self, node: Node<'_>) {
        let words = node
            .tokens()
            .filter(|token| token.kind() == SyntaxKind::Word);
        let words: Vec<Token<'_>> = words.collect();
        let looks: &[Type] = match words.iter().map(|word| word.text()).collect::<Vec<_>>()[..] {
            ["anyone" | "internet"] => &[Type::Keyword],
            ["any", ..] => &[Type::Keyword, Type::Keyword],
            ["namespace", ..] => &[Type::Keyword, Type::Namespace],
            _ => &[Type::Class],
        };
        for (word, look) in words.iter().zip(looks) {
            self.paint(*word, *look);
        }
    }

    fn first_word(&mut self, node: Node<'_>) {
        if let Some(word) = node.token(SyntaxKind::Word) {
            self.paint(word, Type::Keyword);
        }
    }

    fn claim_of_token(&mut self, node: Node<'_>) {
        if let Some(name) = node.token(SyntaxKind::Word) {
            self.paint(name, Type::Property);
        }
        let truths = ["true", "false"];
        for value in node.children().filter(|it| truths.contains(&it.text())) {
            self.words(value, Type::EnumMember);
        }
    }

    fn setting(&mut self, node: Node<'_>) {
        let Some(Statement::Setting(setting)) = Statement::cast(node) else {
            return;
        };
        self.first_word(node);
        let arguments = words::arguments(setting.keyword().text);
        for value in node
            .children()
            .filter(|it| it.kind() == SyntaxKind::WordValue)
        {
            let text = value.text();
            if arguments.values.contains(&text) {
                self.words(value, Type::EnumMember);
            } else if arguments.leading.contains(&text) {
                self.words(value, Type::Keyword);
            } else if arguments.fields && is_field(text) {
                self.words(value, Type::Property);
            }
        }
    }

    fn claim(&mut self, node: Node<'_>) {
        self.words(node, Type::Keyword);
        // The host behind `at`, and names, are no words of the language.
        if let Some(Statement::Claim(claim)) = Statement::cast(node) {
            let names = match claim {
                Claim::Reaches(reaches) => [reaches.host(), None],
                Claim::EveryRoute(every) => {
                    let required = match every.requirement() {
                        Some(mesh_lang::view::Requirement::Requires(_, name)) => Some(name),
                        _ => None,
                    };
                    [every.gateway(), required]
                }
            };
            let is_name =
                |token: &Token<'_>| names.iter().flatten().any(|name| name.span == token.span());
            let look = if matches!(claim, Claim::Reaches(_)) {
                Type::Variable
            } else {
                Type::Class
            };
            for token in node.own_tokens().filter(is_name) {
                self.paint(token, look);
            }
            for method in node.own_tokens().filter(|token| is_method(token.text())) {
                self.paint(method, Type::Method);
            }
        }
    }
}

/// Whether a word is a field of requests, or a value in force that claims compare.
fn is_field(word: &str) -> bool {
    let named = |head: &str| {
        let rest = word.strip_prefix(head);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.') && rest.len() > 1)
    };
    let is_plain = FIELDS.iter().any(|field| match field.key {
        mesh_lang::vocabulary::Key::None => field.head == word,
        _ => named(field.head),
    });
    is_plain || PROPERTIES.iter().any(|property| property.name == word)
}

/// What a token is by what it looks like.
fn by_shape(kind: SyntaxKind, text: &str) -> Option<Type> {
    Some(match kind {
        SyntaxKind::Comment | SyntaxKind::DocComment => Type::Comment,
        SyntaxKind::String | SyntaxKind::UnclosedString => Type::String,
        SyntaxKind::RawString => Type::Regexp,
        SyntaxKind::Path => Type::Path,
        SyntaxKind::Arrow | SyntaxKind::Equals | SyntaxKind::DotDot => Type::Operator,
        kind if kind.is_comparison() => Type::Operator,
        SyntaxKind::Word if text.contains("://") => Type::String,
        SyntaxKind::Word if is_number(text) => Type::Number,
        SyntaxKind::Word if is_method(text) => Type::Method,
        SyntaxKind::Word => Type::Variable,
        _ => return None,
    })
}

/// Whether a word is a number, with a unit or without, an address or a network.
fn is_number(word: &str) -> bool {
    let is_port = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let has_port = word.rsplit_once(':').is_some_and(|(_, port)| is_port(port));
    let starts_with_digit = word.starts_with(|first: char| first.is_ascii_digit());
    starts_with_digit || has_port || word.contains("::")
}

/// Tokens as the protocol has them, each placed by the one before.
struct Encoder<'v, 'w> {
    view: &'v View<'w>,
    line: u32,
    character: u32,
    data: Vec<SemanticToken>,
}

impl Encoder<'_, '_> {
    fn push(&mut self, span: Span, kind: Type, modifiers: u32) {
        let position = self.view.position(span.start);
        let text = self.view.live.text(span);
        let delta_line = position.line - self.line;
        let delta_start = if delta_line == 0 {
            position.character - self.character
        } else {
            position.character
        };
        (self.line, self.character) = (position.line, position.character);
        self.data.push(SemanticToken {
            delta_line,
            delta_start,
            length: self.view.world.can.encoding.length(text),
            token_type: kind as u32,
            token_modifiers_bitset: modifiers,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_legend_has_every_type_at_its_place() {
        assert_eq!(TYPES.len(), Type::Path as usize + 1);
        assert_eq!(TYPES[Type::Class as usize], "class");
        assert_eq!(TYPES[Type::Regexp as usize], "regexp");
        assert_eq!(TYPES[Type::Path as usize], "path");
    }
}
