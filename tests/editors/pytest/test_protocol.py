"""What `meshc lsp` answers, read back by a client that checks it against the protocol.

Run by `cargo test -p mesh-tests --test editors`, which sets MESHC and POLICY, where this has been done once:

    cd tests/editors/pytest && python3 -m venv .venv && .venv/bin/pip install -r requirements.txt
"""

import os
import pathlib

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

POLICY = pathlib.Path(os.environ["POLICY"])
URI = POLICY.as_uri()
TEXT = POLICY.read_text(encoding="utf-8")
DOCUMENT = types.TextDocumentIdentifier(uri=URI)
WHOLE = types.Range(types.Position(0, 0), types.Position(TEXT.count("\n") + 1, 0))
OPTIONS = types.FormattingOptions(tab_size=2, insert_spaces=True)


@pytest_lsp.fixture(
    config=ClientServerConfig(server_command=[os.environ["MESHC"], "lsp"]),
    params=["visual-studio-code", "neovim", "emacs"],
)
async def client(request, lsp_client: LanguageClient):
    for asked in (
        types.CLIENT_REGISTER_CAPABILITY,
        types.WORKSPACE_CODE_LENS_REFRESH,
        types.WORKSPACE_INLAY_HINT_REFRESH,
    ):
        lsp_client.feature(asked)(lambda *_: None)
    await lsp_client.initialize_session(
        types.InitializeParams(
            capabilities=client_capabilities(request.param),
            workspace_folders=[types.WorkspaceFolder(uri=POLICY.parent.as_uri(), name="mesh")],
        )
    )
    lsp_client.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(URI, "mesh", 1, TEXT))
    )
    yield
    await lsp_client.shutdown_session()


def place(word: str, within: int = 0) -> types.Position:
    """Where a word stands first."""
    at = TEXT.index(word) + within
    line = TEXT.count("\n", 0, at)
    return types.Position(line, at - (TEXT.rfind("\n", 0, at) + 1))


@pytest.mark.asyncio
async def test_findings(client: LanguageClient):
    await client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    assert not client.diagnostics[URI]
    change = types.TextDocumentContentChangeWholeDocument(TEXT + "service x { calls nobody }\n")
    client.text_document_did_change(
        types.DidChangeTextDocumentParams(types.VersionedTextDocumentIdentifier(2, URI), [change])
    )
    while not client.diagnostics[URI]:
        await client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    findings = {finding.code: finding for finding in client.diagnostics[URI]}
    finding = findings["E0222"]
    actions = await client.text_document_code_action_async(
        types.CodeActionParams(DOCUMENT, finding.range, types.CodeActionContext([finding]))
    )
    assert any(action.title.startswith("Declare service") for action in actions)


@pytest.mark.asyncio
async def test_about_a_word(client: LanguageClient):
    service = place("service reviews", len("service "))
    hover = await client.text_document_hover_async(types.HoverParams(DOCUMENT, service))
    assert "service reviews" in hover.contents.value
    found = await client.text_document_definition_async(types.DefinitionParams(DOCUMENT, place("-> productpage", 3)))
    assert len(found) == 1
    references = await client.text_document_references_async(
        types.ReferenceParams(types.ReferenceContext(include_declaration=True), DOCUMENT, service)
    )
    assert len(references) > 1
    highlights = await client.text_document_document_highlight_async(types.DocumentHighlightParams(DOCUMENT, service))
    assert len(highlights) == len(references)
    prepared = await client.text_document_prepare_rename_async(types.PrepareRenameParams(DOCUMENT, service))
    assert prepared.placeholder == "reviews"
    edit = await client.text_document_rename_async(types.RenameParams(DOCUMENT, service, "opinions"))
    assert edit.changes or edit.document_changes
    completion = await client.text_document_completion_async(types.CompletionParams(DOCUMENT, place("-> productpage", 3)))
    assert "productpage" in [item.label for item in completion.items]


@pytest.mark.asyncio
async def test_about_the_file(client: LanguageClient):
    symbols = await client.text_document_document_symbol_async(types.DocumentSymbolParams(DOCUMENT))
    assert "reviews" in [symbol.name for symbol in symbols]
    assert await client.text_document_folding_range_async(types.FoldingRangeParams(DOCUMENT))
    assert await client.text_document_code_lens_async(types.CodeLensParams(DOCUMENT))
    assert not await client.text_document_document_link_async(types.DocumentLinkParams(DOCUMENT))
    assert await client.text_document_inlay_hint_async(types.InlayHintParams(DOCUMENT, WHOLE))
    selections = await client.text_document_selection_range_async(
        types.SelectionRangeParams(DOCUMENT, [types.Position(0, 0)])
    )
    assert len(selections) == 1
    tokens = await client.text_document_semantic_tokens_full_async(types.SemanticTokensParams(DOCUMENT))
    assert len(tokens.data) % 5 == 0 and tokens.data
    part = await client.text_document_semantic_tokens_range_async(types.SemanticTokensRangeParams(DOCUMENT, WHOLE))
    assert part.data == tokens.data
    # The example is laid out already.
    assert not await client.text_document_formatting_async(types.DocumentFormattingParams(DOCUMENT, OPTIONS))
    found = await client.workspace_symbol_async(types.WorkspaceSymbolParams(query="ratings"))
    assert [symbol.name for symbol in found] == ["ratings"]


@pytest.mark.asyncio
async def test_calls(client: LanguageClient):
    service = place("service ratings", len("service "))
    items = await client.text_document_prepare_call_hierarchy_async(types.CallHierarchyPrepareParams(DOCUMENT, service))
    callers = await client.call_hierarchy_incoming_calls_async(types.CallHierarchyIncomingCallsParams(items[0]))
    assert "reviews" in [call.from_.name for call in callers]
    assert not await client.call_hierarchy_outgoing_calls_async(types.CallHierarchyOutgoingCallsParams(items[0]))
