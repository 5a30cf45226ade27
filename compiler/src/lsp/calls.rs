//! Who calls whom: services and gateways, by what is written.
//!
//! A gateway calls what its arms forward to, a service what it says it `calls`, whom its own route sends requests
//! on to, its mirrors and its failover; a service that does not say whom it calls calls whoever lets it in.

use super::dispatch::Answer;
use super::names::{Id, Kind, Names, Role, Set, Used};
use super::symbols::symbol_kind;
use super::world::{View, World};
use gen_lsp_types::{
    CallHierarchyIncomingCall, CallHierarchyIncomingCallsParams, CallHierarchyItem,
    CallHierarchyOutgoingCall, CallHierarchyOutgoingCallsParams, CallHierarchyPrepareParams, Range,
    TextDocumentIdentifier,
};
use mesh_lang::source::{FileId, Span};
use mesh_lang::view::{Item, ItemKind};
use std::collections::{BTreeMap, BTreeSet};

/// A call: who, whom, and the word that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Call {
    pub(super) caller: Id,
    pub(super) callee: Id,
    pub(super) at: Span,
}

/// All calls of a mesh.
pub(super) fn calls(view: &View<'_>) -> Vec<Call> {
    let names = view.live.names();
    let mut calls = Vec::new();
    // Those who say whom they call.
    let mut sayers = BTreeSet::new();
    let mut admitted = Vec::new();
    for (file, of_file) in names.files() {
        for used in &of_file.used {
            let around = entity_around(view, &names, file, used);
            for meant in names.meaning(file, used) {
                let (Some(around), Some(meant)) = (around, entity(&names, meant)) else {
                    continue;
                };
                let at = used.at.span(file);
                let call = Call {
                    caller: around,
                    callee: meant,
                    at,
                };
                match used.role {
                    Role::Call => {
                        sayers.insert(around);
                        calls.push(call);
                    }
                    Role::Forward | Role::Mirror | Role::Failover if around != meant => {
                        calls.push(call);
                    }
                    Role::Allow => admitted.push(Call {
                        caller: meant,
                        callee: around,
                        at,
                    }),
                    _ => {}
                }
            }
        }
    }
    let is_service = |id: Id| names.declared(id).kind == Kind::Service;
    calls.extend(
        admitted
            .into_iter()
            .filter(|it| is_service(it.caller) && !sayers.contains(&it.caller)),
    );
    calls.sort_unstable();
    calls.dedup();
    calls
}

/// The service, external or gateway that a declaration is, or is a version of.
fn entity(names: &Names, id: Id) -> Option<Id> {
    let declared = names.declared(id);
    match declared.kind {
        Kind::Version => declared.service.map(|index| Id { index, ..id }),
        kind if kind.set() == Set::Entity => Some(id),
        _ => None,
    }
}

/// The service or gateway whose block a use stands in; of a fragment the gateway that it adds to.
fn entity_around(view: &View<'_>, names: &Names, file: FileId, used: &Used) -> Option<Id> {
    if let Some(index) = used.within.or(used.gateway) {
        return Some(Id { file, index });
    }
    let item = view
        .live
        .tree(file)
        .items()
        .find(|item| item.span().touches(used.at.start));
    let routes = match item? {
        Item::Block(item) if item.kind() == ItemKind::Routes => item,
        Item::Block(item) => {
            let inside = item
                .block()?
                .statements()
                .find(|it| it.span().touches(used.at.start));
            match inside? {
                mesh_lang::view::Statement::Item(Item::Block(item))
                    if item.kind() == ItemKind::Routes =>
                {
                    item
                }
                _ => return None,
            }
        }
        _ => return None,
    };
    let gateway = routes.name()?;
    let used = names.file(file).used_at(gateway.span.end)?;
    names.meaning(file, used).first().copied()
}

/// The service or gateway at a place.
pub(super) fn prepare(
    world: &mut World,
    params: &CallHierarchyPrepareParams,
) -> Answer<Option<Vec<CallHierarchyItem>>> {
    let (view, offset) = world.place(&params.text_document_position_params)?;
    let names = view.live.names();
    let Some((_, meant)) = names.at(view.file, offset) else {
        return Ok(None);
    };
    let entities = meant.into_iter().filter_map(|id| entity(&names, id));
    let items: Vec<_> = entities.filter_map(|id| item(&view, &names, id)).collect();
    Ok((!items.is_empty()).then_some(items))
}

/// Who calls it.
pub(super) fn incoming(
    world: &mut World,
    params: &CallHierarchyIncomingCallsParams,
) -> Answer<Option<Vec<CallHierarchyIncomingCall>>> {
    let Some((view, id)) = find(world, &params.item)? else {
        return Ok(None);
    };
    let names = view.live.names();
    let mut callers: BTreeMap<Id, Vec<Range>> = BTreeMap::new();
    for call in calls(&view).into_iter().filter(|call| call.callee == id) {
        callers
            .entry(call.caller)
            .or_default()
            .extend(range_in(&view, &names, call));
    }
    let call = |(caller, from_ranges): (Id, Vec<Range>)| {
        let from = item(&view, &names, caller)?;
        Some(CallHierarchyIncomingCall { from, from_ranges })
    };
    Ok(Some(callers.into_iter().filter_map(call).collect()))
}

/// Whom it calls.
pub(super) fn outgoing(
    world: &mut World,
    params: &CallHierarchyOutgoingCallsParams,
) -> Answer<Option<Vec<CallHierarchyOutgoingCall>>> {
    let Some((view, id)) = find(world, &params.item)? else {
        return Ok(None);
    };
    let names = view.live.names();
    let mut callees: BTreeMap<Id, Vec<Range>> = BTreeMap::new();
    for call in calls(&view).into_iter().filter(|call| call.caller == id) {
        callees
            .entry(call.callee)
            .or_default()
            .extend(range_in(&view, &names, call));
    }
    let call = |(callee, from_ranges): (Id, Vec<Range>)| {
        let to = item(&view, &names, callee)?;
        Some(CallHierarchyOutgoingCall { to, from_ranges })
    };
    Ok(Some(callees.into_iter().filter_map(call).collect()))
}

/// Where a call is said, if that is in the file of the caller, as the protocol wants it.
fn range_in(view: &View<'_>, names: &Names, call: Call) -> Option<Range> {
    let location = view.location(call.at)?;
    let caller = view.location(names.span(call.caller))?;
    (location.uri == caller.uri).then_some(location.range)
}

/// The service or gateway that an item is, which the editor sends back.
fn find<'w>(world: &'w mut World, item: &CallHierarchyItem) -> Answer<Option<(View<'w>, Id)>> {
    let document = TextDocumentIdentifier {
        uri: item.uri.clone(),
    };
    let view = world.view_anywhere(&document)?;
    let offset = view.offset(item.selection_range.start);
    let names = view.live.names();
    let declared = names.file(view.file).declared_at(offset);
    Ok(declared.map(|index| {
        let file = view.file;
        (view, Id { file, index })
    }))
}

fn item(view: &View<'_>, names: &Names, id: Id) -> Option<CallHierarchyItem> {
    let declared = names.declared(id);
    let name = view.location(names.span(id))?;
    let all = view.location(declared.item.span(id.file))?;
    Some(CallHierarchyItem {
        name: names.qualified(id),
        kind: symbol_kind(declared.kind),
        tags: None,
        detail: Some(declared.kind.word().to_owned()),
        uri: all.uri,
        range: all.range,
        selection_range: name.range,
        data: None,
    })
}
