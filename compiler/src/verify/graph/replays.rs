//! Requests that are to be tried again, and whose bodies are too large to be kept for it.

use super::{Graph, Hop};
use crate::model::policy::{Retry, RetryOn};
use crate::model::said::Said;
use crate::spell::size;
use mesh_bundle::policy::REPLAY_BUFFER;
use mesh_lang::codes::Code;
use mesh_lang::diagnostic::{Diagnostic, Fix};
use std::collections::BTreeSet;

/// The method that is tried again, and whose requests have bodies as a rule. A body of a DELETE means nothing (RFC 9110,
/// section 9.3.5).
const WITH_BODY: &str = "PUT";

/// Each pair of statements once.
pub(super) fn findings(graph: &Graph<'_>) -> Vec<Diagnostic> {
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for hop in &graph.hops {
        let Some(large) = Large::of(hop) else {
            continue;
        };
        let places = (hop.retry.and_then(Said::span), hop.max_body);
        let (Some(retry), Some(max_body)) = places else {
            continue;
        };
        let Some(span) = max_body.span() else {
            continue;
        };
        if !told.insert((retry, span)) {
            continue;
        }
        let (most, kept) = (size(large.most), size(large.kept));
        let message = format!("a request with a body of more than {kept} is not tried again");
        let mut diagnostic = Diagnostic::new(Code::RetryBodyUnbuffered, message)
            .primary(retry, "to send it again it has to be kept")
            .secondary(span, format!("a body may have {most}"));
        let buffer = hop.buffer.filter(|said| said.value.on().is_some());
        let written = buffer.and_then(Said::span);
        diagnostic = match written {
            Some(span) => diagnostic.secondary(span, format!("and {kept} of it are kept")),
            None => diagnostic.note(format!("{kept} are kept where no `buffer` says otherwise")),
        };
        let first = large.kept + 1;
        diagnostic = diagnostic.note(format!(
            "for example: a {} with a body of {first} bytes is tried once",
            large.method
        ));
        let title = format!("keep as much as comes: `buffer {most}`");
        found.push(match written {
            Some(span) => diagnostic.fix(Fix::guess(title, span, format!("buffer {most}"))),
            None => diagnostic.help(format!("{title}, or let less come")),
        });
    }
    found
}

/// Bodies that may come and are not kept.
struct Large<'m> {
    /// How large they may be.
    most: u64,
    /// How much is kept.
    kept: u64,
    /// The method of one.
    method: &'m str,
}

impl<'m> Large<'m> {
    fn of(hop: &Hop<'m>) -> Option<Self> {
        let retry = hop.retry?.value.on()?;
        let most = *hop.max_body?.value.on()?;
        let buffer = hop.buffer.and_then(|said| said.value.on().copied());
        let kept = buffer.unwrap_or(REPLAY_BUFFER);
        let named = hop.arms.iter().flat_map(|arm| &arm.methods);
        let mut named = named.filter(|method| *method == WITH_BODY);
        let method = match named.next() {
            Some(method) => method,
            None if retry.any_method.is_some() => "POST",
            None => return None,
        };
        (most > kept && sends_again(retry)).then_some(Self { most, kept, method })
    }
}

/// Whether anything is tried again of which some was sent: where no connection was made, nothing was.
fn sends_again(retry: &Retry) -> bool {
    retry.on.iter().any(|on| *on != RetryOn::ConnectFailure)
}
