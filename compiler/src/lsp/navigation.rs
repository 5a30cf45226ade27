//! From a name to where it is declared, and to where it is used.

use super::dispatch::Answer;
use super::names::Id;
use super::world::{View, World};
use gen_lsp_types::{
    Definition, DefinitionLink, DefinitionParams, DefinitionResponse, DocumentHighlight,
    DocumentHighlightKind, DocumentHighlightParams, Location, LocationLink, ReferenceParams,
};
use mesh_lang::source::Span;

/// Where the name at a place is declared.
pub(super) fn definition(
    world: &mut World,
    params: &DefinitionParams,
) -> Answer<Option<DefinitionResponse>> {
    let (view, offset) = world.place(&params.text_document_position_params)?;
    let names = view.live.names();
    let Some((origin, meant)) = names.at(view.file, offset) else {
        return Ok(None);
    };
    let locations = meant.iter().filter_map(|id| {
        let item = names.declared(*id).item.span(id.file);
        Some((view.location(names.span(*id))?, view.location(item)?))
    });
    if !world.can.definition_links {
        let locations = locations.map(|(name, _)| name).collect();
        return Ok(Some(DefinitionResponse::Definition(
            Definition::LocationList(locations),
        )));
    }
    let link = |(name, item): (Location, Location)| LocationLink {
        origin_selection_range: Some(view.range(origin)),
        target_uri: item.uri,
        target_range: item.range,
        target_selection_range: name.range,
    };
    let links: Vec<DefinitionLink> = locations.map(link).collect();
    Ok(Some(DefinitionResponse::DefinitionLinkList(links)))
}

/// Where what the name at a place means is used, in all files of the mesh.
pub(super) fn references(
    world: &mut World,
    params: &ReferenceParams,
) -> Answer<Option<Vec<Location>>> {
    let (view, offset) = world.place(&params.text_document_position_params)?;
    let spans = occurrences(&view, offset, params.context.include_declaration);
    Ok(spans.map(|spans| {
        spans
            .into_iter()
            .filter_map(|span| view.location(span))
            .collect()
    }))
}

/// The same in the document itself.
pub(super) fn highlights(
    world: &mut World,
    params: &DocumentHighlightParams,
) -> Answer<Option<Vec<DocumentHighlight>>> {
    let (view, offset) = world.place(&params.text_document_position_params)?;
    let names = view.live.names();
    let highlight = |span: Span| DocumentHighlight {
        range: view.range(span),
        kind: Some(match names.file(view.file).declared_at(span.start) {
            Some(_) => DocumentHighlightKind::Write,
            None => DocumentHighlightKind::Read,
        }),
    };
    let spans = occurrences(&view, offset, true);
    Ok(spans.map(|spans| {
        let here = spans.into_iter().filter(|span| span.file == view.file);
        here.map(highlight).collect()
    }))
}

/// All places that mean what the place means.
fn occurrences(view: &View<'_>, offset: u32, with_declarations: bool) -> Option<Vec<Span>> {
    let names = view.live.names();
    let (_, meant) = names.at(view.file, offset)?;
    let declarations = meant
        .iter()
        .filter(|_| with_declarations)
        .map(|id| names.span(*id));
    let mut spans: Vec<Span> = declarations.collect();
    let uses = |id: &Id| names.uses(*id);
    spans.extend(
        meant
            .iter()
            .flat_map(uses)
            .map(|(file, used)| used.at.span(file)),
    );
    spans.sort_unstable();
    spans.dedup();
    Some(spans)
}
