//! Who answers which request.

use super::client::{Refusal, json};
use super::world::World;
use super::{
    actions, calls, commands, completion, folding, formatting, hints, hover, lenses, links,
    navigation, rename, symbols, tokens,
};
use gen_lsp_types::{
    CallHierarchyIncomingCallsRequest, CallHierarchyOutgoingCallsRequest,
    CallHierarchyPrepareRequest, CodeActionRequest, CodeLensRequest, CompletionRequest,
    DefinitionRequest, DocumentFormattingRequest, DocumentHighlightRequest, DocumentLinkRequest,
    DocumentOnTypeFormattingRequest, DocumentRangeFormattingRequest, DocumentSymbolRequest,
    ExecuteCommandRequest, FoldingRangeRequest, HoverRequest, InlayHintRequest,
    LspRequestMethod as Method, PrepareRenameRequest, ReferencesRequest, RenameRequest, Request,
    SelectionRangeRequest, SemanticTokensRangeRequest, SemanticTokensRequest,
    WorkspaceSymbolRequest,
};
use lsp_server::ErrorCode;
use serde_json::Value;

/// The request before the last message.
pub(super) const SHUTDOWN: &str = Method::Shutdown.as_str();

/// What a request is answered with.
pub(super) type Answer<T> = Result<T, Refusal>;

/// Whether the answer says what the mesh means, so that it is worth to wait until that is known.
pub(super) fn waits_for_proofs(method: &str) -> bool {
    matches!(
        Method::from(method),
        Method::TextDocumentCodeAction
            | Method::TextDocumentHover
            | Method::TextDocumentInlayHint
            | Method::WorkspaceExecuteCommand
    )
}

/// Answers a request.
pub(super) fn answer(world: &mut World, method: &str, params: Value) -> Answer<Value> {
    let mut run = Run { world, params };
    match Method::from(method) {
        Method::CallHierarchyIncomingCalls => {
            run.by::<CallHierarchyIncomingCallsRequest>(calls::incoming)
        }
        Method::CallHierarchyOutgoingCalls => {
            run.by::<CallHierarchyOutgoingCallsRequest>(calls::outgoing)
        }
        Method::TextDocumentCodeAction => run.by::<CodeActionRequest>(actions::actions),
        Method::TextDocumentCodeLens => run.by::<CodeLensRequest>(lenses::lenses),
        Method::TextDocumentCompletion => run.by::<CompletionRequest>(completion::complete),
        Method::TextDocumentDefinition => run.by::<DefinitionRequest>(navigation::definition),
        Method::TextDocumentDocumentHighlight => {
            run.by::<DocumentHighlightRequest>(navigation::highlights)
        }
        Method::TextDocumentDocumentLink => run.by::<DocumentLinkRequest>(links::links),
        Method::TextDocumentDocumentSymbol => run.by::<DocumentSymbolRequest>(symbols::of_document),
        Method::TextDocumentFoldingRange => run.by::<FoldingRangeRequest>(folding::ranges),
        Method::TextDocumentFormatting => run.by::<DocumentFormattingRequest>(formatting::whole),
        Method::TextDocumentHover => run.by::<HoverRequest>(hover::hover),
        Method::TextDocumentInlayHint => run.by::<InlayHintRequest>(hints::hints),
        Method::TextDocumentOnTypeFormatting => {
            run.by::<DocumentOnTypeFormattingRequest>(formatting::on_type)
        }
        Method::TextDocumentPrepareCallHierarchy => {
            run.by::<CallHierarchyPrepareRequest>(calls::prepare)
        }
        Method::TextDocumentPrepareRename => run.by::<PrepareRenameRequest>(rename::prepare),
        Method::TextDocumentRangeFormatting => {
            run.by::<DocumentRangeFormattingRequest>(formatting::range)
        }
        Method::TextDocumentReferences => run.by::<ReferencesRequest>(navigation::references),
        Method::TextDocumentRename => run.by::<RenameRequest>(rename::rename),
        Method::TextDocumentSelectionRange => run.by::<SelectionRangeRequest>(folding::selections),
        Method::TextDocumentSemanticTokensFull => run.by::<SemanticTokensRequest>(tokens::full),
        Method::TextDocumentSemanticTokensRange => {
            run.by::<SemanticTokensRangeRequest>(tokens::range)
        }
        Method::WorkspaceExecuteCommand => run.by::<ExecuteCommandRequest>(commands::execute),
        Method::WorkspaceSymbol => run.by::<WorkspaceSymbolRequest>(|world, params| {
            Ok(Some(symbols::of_workspace(world, params)))
        }),
        _ => {
            let message = format!("meshc does not know {method}");
            Err(Refusal::new(ErrorCode::MethodNotFound, message))
        }
    }
}

/// A request that is being answered.
struct Run<'w> {
    world: &'w mut World,
    params: Value,
}

impl Run<'_> {
    fn by<R: Request>(
        &mut self,
        handler: impl FnOnce(&mut World, &R::Params) -> Answer<R::Result>,
    ) -> Answer<Value> {
        let params = serde_json::from_value(self.params.take())
            .map_err(|error| Refusal::new(ErrorCode::InvalidParams, error.to_string()))?;
        handler(self.world, &params).map(json)
    }
}
