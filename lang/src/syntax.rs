//! The kinds of tokens and of tree nodes, in one enum of one byte.
//!
//! The lexer gives out the token kinds, the parser wraps them in the node kinds.
//! [`SyntaxKind::name`] is what messages call them.

/// What a token or a node of the tree is.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SyntaxKind {
    // ── Tokens without meaning for the grammar ──
    /// Spaces and tabs.
    Whitespace,
    /// `# …`, to the end of the line.
    Comment,
    /// `## …`, to the end of the line: belongs to the next statement.
    DocComment,
    /// U+FEFF at the start of a file.
    ByteOrderMark,

    // ── Tokens ──
    /// `\n`, `\r\n` or a lone `\r`.
    Newline,
    /// A name, number, address, keyword, …: its text tells which.
    Word,
    /// `/a/{id}/**`.
    Path,
    /// `"…"`.
    String,
    /// `r"…"`.
    RawString,
    /// A string that its line ends before its closing quote.
    UnclosedString,
    /// `{`.
    LeftBrace,
    /// `}`.
    RightBrace,
    /// `(`.
    LeftParen,
    /// `)`.
    RightParen,
    /// `[`.
    LeftBracket,
    /// `]`.
    RightBracket,
    /// `,`.
    Comma,
    /// `;`.
    Semicolon,
    /// `:`.
    Colon,
    /// `=`.
    Equals,
    /// `->`.
    Arrow,
    /// `..`.
    DotDot,
    /// `==`.
    EqualsEquals,
    /// `!=`.
    NotEquals,
    /// `<`.
    Less,
    /// `<=`.
    LessEquals,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterEquals,
    /// A run of characters that start no token.
    Unknown,
    /// Behind the last token.
    EndOfFile,

    // ── Nodes: the file and its items ──
    /// The root.
    File,
    /// `import "…"`.
    Import,
    /// `param NAME = VALUE`.
    Param,
    /// `let NAME = VALUE` or a condition.
    Let,
    /// `mesh NAME { … }`.
    Mesh,
    /// `service NAME { … }`.
    Service,
    /// `external NAME { … }`.
    External,
    /// `gateway NAME { … }`.
    Gateway,
    /// `policy NAME { … }`.
    Policy,
    /// `jwt NAME { … }`.
    Jwt,
    /// `keys NAME { … }`.
    Keys,
    /// `namespace NAME { … }`.
    Namespace,
    /// `routes GATEWAY HOST { … }`.
    Routes,
    /// `env NAME { … }`.
    Env,
    /// `assert "…" { … }`.
    Assert,
    /// `test "…" { … }`.
    Test,
    /// The name that an item declares, or the words that stand in its place.
    Name,

    // ── Nodes: statements ──
    /// `{ … }` with its statements.
    Block,
    /// A route: `GET /a -> b`.
    Arm,
    /// `allow …` or `deny …`.
    Rule,
    /// A word of the vocabulary with its arguments.
    Setting,
    /// `set KIND NAME = VALUE` of an `env`.
    Set,
    /// `never`, `always` or `only` … `reaches` ….
    Claim,
    /// `every route in …`.
    EveryRoute,
    /// `request METHOD URL …` of a `test`.
    Request,
    /// `expect …` of a `test`.
    Expect,

    // ── Nodes: parts of statements ──
    /// `NAME :` before an arm or a rule.
    Label,
    /// `GET, POST`.
    Methods,
    /// `/a, /b/**`.
    Paths,
    /// `otherwise`.
    Otherwise,
    /// Forwarding: a target.
    Forward,
    /// `split PART, PART`.
    Split,
    /// `10% v2` of a split.
    SplitPart,
    /// `redirect 301 "…"`.
    Redirect,
    /// `respond 404 "…"`.
    Respond,
    /// `-> TARGET` among the arguments of a setting.
    ArrowTarget,
    /// A service, a version, a gateway: `[NAMESPACE/]NAME[.VERSION]`.
    Target,
    /// `anyone`, `any service`, `namespace NAME` or a target.
    Who,
    /// `when CONDITION`.
    When,
    /// `unless CONDITION`.
    Unless,
    /// `where CONDITION`.
    Where,

    // ── Nodes: conditions ──
    /// `A or B or …`.
    Or,
    /// `A and B and …`.
    And,
    /// `not A`.
    Not,
    /// `(A)`.
    Paren,
    /// `FIELD == VALUE`, `FIELD present`, …, or a field alone.
    Comparison,
    /// `header.x` or `header["X_Y"]`.
    Field,

    // ── Nodes: values ──
    /// One word.
    WordValue,
    /// `A..B`.
    RangeValue,
    /// A path.
    PathValue,
    /// A string, raw or not.
    StringValue,
    /// `[A, B]`.
    ListValue,

    // ── Nodes: what is wrong ──
    /// Tokens that fit nowhere.
    Error,
    /// Nothing, where something has to stand.
    Missing,
}

impl SyntaxKind {
    /// Whether the grammar never sees tokens of this kind.
    pub const fn is_trivia(self) -> bool {
        matches!(
            self,
            Self::Whitespace | Self::Comment | Self::DocComment | Self::ByteOrderMark
        )
    }

    /// Whether this is the kind of a token.
    pub const fn is_token(self) -> bool {
        (self as u8) <= Self::EndOfFile as u8
    }

    /// Whether this is the kind of a string token, closed or not.
    pub const fn is_string(self) -> bool {
        matches!(self, Self::String | Self::RawString | Self::UnclosedString)
    }

    /// Whether this is one of `== != < <= > >=`.
    pub const fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::EqualsEquals
                | Self::NotEquals
                | Self::Less
                | Self::LessEquals
                | Self::Greater
                | Self::GreaterEquals
        )
    }

    /// What messages call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Whitespace => "white space",
            Self::Comment => "a comment",
            Self::DocComment => "a doc comment",
            Self::ByteOrderMark => "a byte order mark",
            Self::Newline => "the end of the line",
            Self::Word => "a word",
            Self::Path | Self::PathValue => "a path",
            Self::String | Self::StringValue => "a string",
            Self::RawString => "a raw string",
            Self::UnclosedString => "a string without its closing quote",
            Self::LeftBrace => "`{`",
            Self::RightBrace => "`}`",
            Self::LeftParen => "`(`",
            Self::RightParen => "`)`",
            Self::LeftBracket => "`[`",
            Self::RightBracket => "`]`",
            Self::Comma => "`,`",
            Self::Semicolon => "`;`",
            Self::Colon => "`:`",
            Self::Equals => "`=`",
            Self::Arrow => "`->`",
            Self::DotDot => "`..`",
            Self::EqualsEquals => "`==`",
            Self::NotEquals => "`!=`",
            Self::Less => "`<`",
            Self::LessEquals => "`<=`",
            Self::Greater => "`>`",
            Self::GreaterEquals => "`>=`",
            Self::Unknown => "characters that start no word",
            Self::EndOfFile => "the end of the file",
            Self::File => "a file",
            Self::Import => "an `import`",
            Self::Param => "a `param`",
            Self::Let => "a `let`",
            Self::Mesh => "a `mesh`",
            Self::Service => "a `service`",
            Self::External => "an `external`",
            Self::Gateway => "a `gateway`",
            Self::Policy => "a `policy`",
            Self::Jwt => "a `jwt`",
            Self::Keys => "a `keys`",
            Self::Namespace => "a `namespace`",
            Self::Routes => "a `routes`",
            Self::Env => "an `env`",
            Self::Assert => "an `assert`",
            Self::Test => "a `test`",
            Self::Name => "a name",
            Self::Block => "a block",
            Self::Arm => "an arm",
            Self::Rule => "a rule",
            Self::Setting => "a setting",
            Self::Set => "a `set`",
            Self::Claim | Self::EveryRoute => "a claim",
            Self::Request => "a `request`",
            Self::Expect => "an `expect`",
            Self::Label => "the name of an arm or a rule",
            Self::Methods => "methods",
            Self::Paths => "paths",
            Self::Otherwise => "`otherwise`",
            Self::Forward => "a target",
            Self::Split => "a `split`",
            Self::SplitPart => "a share of a `split`",
            Self::Redirect => "a `redirect`",
            Self::Respond => "a `respond`",
            Self::ArrowTarget => "`->` and a target",
            Self::Target => "a service or a version",
            Self::Who => "who is meant",
            Self::When => "a `when`",
            Self::Unless => "an `unless`",
            Self::Where => "a `where`",
            Self::Or | Self::And | Self::Not | Self::Paren => "a condition",
            Self::Comparison => "a test of a field",
            Self::Field => "a field",
            Self::WordValue => "a value",
            Self::RangeValue => "a range",
            Self::ListValue => "a list",
            Self::Error => "what does not fit",
            Self::Missing => "nothing",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_one_byte() {
        assert_eq!(size_of::<SyntaxKind>(), 1);
    }

    #[test]
    fn tokens_come_before_nodes() {
        assert!(SyntaxKind::Whitespace.is_token());
        assert!(SyntaxKind::EndOfFile.is_token());
        assert!(!SyntaxKind::File.is_token());
        assert!(!SyntaxKind::Missing.is_token());
    }
}
