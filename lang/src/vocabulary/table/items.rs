//! Items and actions.

use crate::codes::Code;
use crate::vocabulary::Kind::{File, Location, RedirectStatus, Status, Text};
use crate::vocabulary::Shape::{OneOf, Optional, Seq, Value, Word};
use crate::vocabulary::{ActionEntry, ItemEntry, Place};

const PLAIN: ItemEntry = ItemEntry {
    word: "",
    head: "NAME",
    place: None,
    exportable: false,
    needs: &[],
    doc: "",
    example: "",
};

/// The items of files and namespaces.
pub const ITEMS: &[ItemEntry] = &[
    ItemEntry {
        word: "import",
        head: "STRING",
        doc: "brings in the items of another directory",
        example: "import \"../common\"",
        ..PLAIN
    },
    ItemEntry {
        word: "param",
        head: "NAME = VALUE",
        doc: "a value that a compilation or an environment may set",
        example: "param canary = 10%",
        ..PLAIN
    },
    ItemEntry {
        word: "let",
        head: "NAME = VALUE | CONDITION",
        doc: "a name for a value or a condition",
        example: "let qa = header.x-team == \"qa\"",
        ..PLAIN
    },
    ItemEntry {
        word: "mesh",
        place: Some(Place::Mesh),
        doc: "the mesh: what holds everywhere",
        example: "mesh shop { edition 2026; trust-domain shop.example }",
        ..PLAIN
    },
    ItemEntry {
        word: "env",
        place: Some(Place::Env),
        doc: "an environment: what is different there",
        example: "env prod { set param canary = 25%; set service reviews.timeout = 1s }",
        ..PLAIN
    },
    ItemEntry {
        word: "namespace",
        place: Some(Place::Namespace),
        doc: "a room of its own: what is inside is private unless exported",
        example: "namespace payments { export service ledger { endpoints 10.0.0.9:5432 } }",
        ..PLAIN
    },
    ItemEntry {
        word: "policy",
        place: Some(Place::Policy),
        exportable: true,
        doc: "statements under a name, for `use`",
        example: "policy patient { timeout 10s; retry 3 on 5xx, reset }",
        ..PLAIN
    },
    ItemEntry {
        word: "jwt",
        place: Some(Place::Jwt),
        exportable: true,
        needs: &[
            ("issuer", Code::MissingStatement),
            ("jwks", Code::MissingStatement),
        ],
        doc: "an issuer of tokens, and how they are verified",
        example: "jwt corp { issuer \"https://auth.example.com\"; jwks file \"jwks.json\" }",
        ..PLAIN
    },
    ItemEntry {
        word: "keys",
        place: Some(Place::Keys),
        exportable: true,
        needs: &[
            ("file", Code::MissingStatement),
            ("from", Code::MissingStatement),
        ],
        doc: "API keys, hashed, by consumer",
        example: "keys partners { file \"partners.yaml\"; from header x-api-key }",
        ..PLAIN
    },
    ItemEntry {
        word: "service",
        place: Some(Place::Service),
        exportable: true,
        doc: "a service: where it runs, how traffic to it flows and fails, who may call it",
        example: "service ratings { endpoints 10.0.0.5:9080; authz { allow reviews } }",
        ..PLAIN
    },
    ItemEntry {
        word: "external",
        place: Some(Place::External),
        exportable: true,
        doc: "something outside the mesh, and who may call it",
        example: "external stripe { endpoints dns api.stripe.com:443; tls verify api.stripe.com; authz { allow checkout } }",
        ..PLAIN
    },
    ItemEntry {
        word: "gateway",
        place: Some(Place::Gateway),
        exportable: true,
        doc: "an entrance: its listeners, hosts and routes",
        example: "gateway edge { listen 80 http; host shop.example { otherwise -> shop } }",
        ..PLAIN
    },
    ItemEntry {
        word: "routes",
        head: "GATEWAY HOST",
        place: Some(Place::Fragment),
        doc: "arms of a gateway's host, kept by the team that owns them",
        example: "routes edge shop.example { GET /reviews/** -> reviews }",
        ..PLAIN
    },
    ItemEntry {
        word: "assert",
        head: "STRING",
        place: Some(Place::Assert),
        doc: "claims that are proved for all requests",
        example: "assert \"cards stay in payments\" { only checkout reaches payments }",
        ..PLAIN
    },
    ItemEntry {
        word: "test",
        head: "STRING",
        place: Some(Place::Test),
        doc: "requests, and what is to come of them",
        example: "test \"admin is shut\" { request DELETE https://shop.example/admin; expect 403 }",
        ..PLAIN
    },
];

/// What an arm may do with a request.
pub const ACTIONS: &[ActionEntry] = &[
    ActionEntry {
        word: "SERVICE",
        args: &[],
        signature: "SERVICE | SERVICE.VERSION | VERSION",
        doc: "forwards the request",
        example: "GET /reviews/** -> reviews.v2",
    },
    ActionEntry {
        word: "split",
        args: &[],
        signature: "split (PERCENT | NAME | rest) SERVICE, …",
        doc: "forwards by shares that sum to 100 %",
        example: "otherwise -> split 10% reviews.v2, rest reviews.v1",
    },
    ActionEntry {
        word: "redirect",
        args: &[
            Optional(&[Value(RedirectStatus)]),
            Optional(&[Value(Location)]),
        ],
        signature: "redirect [STATUS] [URL]",
        doc: "sends the client elsewhere; without a URL its block has the parts that change",
        example: "/old/** -> redirect 301 { prefix \"/new\" }",
    },
    ActionEntry {
        word: "respond",
        args: &[
            Value(Status),
            Optional(&[OneOf(&[Seq(&[Word("file"), Value(File)]), Value(Text)])]),
        ],
        signature: "respond STATUS [STRING | file FILE]",
        doc: "answers by itself",
        example: "otherwise -> respond 404 \"no such page\\n\"",
    },
];
