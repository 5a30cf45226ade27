//! Which places a block is.
//!
//! In: a place in a file, or the statement around a block. Out: the places whose statements may
//! stand there. A block is one place, but for that of an arm that redirects to what its block says.

use super::Shape;
use super::fit::{Reading, fit, reading};
use super::{Body, Place, Statement, forms, item};
use crate::syntax::SyntaxKind;
use crate::tree::{Node, Tree};
use crate::view::{self, Action, Arg, Arm, Setting, Step, Value};

/// The places that the innermost block around `offset` is; none in the block of a statement that
/// means nothing.
pub fn places_at(tree: &Tree, offset: u32) -> Vec<Place> {
    let mut places = vec![Place::File];
    let mut around = tree.root();
    // The last of all nodes that start before the place, and so on in it.
    while let Some(node) = around
        .children()
        .take_while(|node| node.span().start < offset)
        .filter(|node| node.kind() != SyntaxKind::Missing)
        .last()
    {
        if node.kind() == SyntaxKind::Block {
            if node.span().end <= offset && is_closed(node) {
                break;
            }
            places = match view::Statement::cast(around) {
                Some(statement) => places_inside(statement, &places),
                None => Vec::new(),
            };
        }
        around = node;
    }
    places
}

/// Whether a block has its `}`; one without goes on to what follows it.
fn is_closed(block: Node<'_>) -> bool {
    block.token(SyntaxKind::RightBrace).is_some()
}

/// The places that the block of `statement`, which stands in `places`, is.
pub fn places_inside(statement: view::Statement<'_>, places: &[Place]) -> Vec<Place> {
    match statement {
        view::Statement::Item(view::Item::Block(of)) => item(of.kind().word())
            .and_then(|entry| entry.place)
            .into_iter()
            .collect(),
        view::Statement::Arm(arm) => inside_arm(arm, places).to_vec(),
        view::Statement::Setting(setting) => {
            let args: Vec<_> = setting.args().collect();
            // As the arguments may be unfinished, they do not have to fit.
            let form = forms_in(setting, places)
                .filter(|form| form.body != Body::None)
                .max_by_key(|form| fit(form.args, &args).is_ok());
            let place = form.and_then(|form| form.body.place());
            place.into_iter().collect()
        }
        view::Statement::Step(Step::Request(_)) => vec![Place::Request],
        _ => Vec::new(),
    }
}

/// The forms of a setting that may stand in `places`.
pub(super) fn forms_in<'p>(
    setting: Setting<'_>,
    places: &'p [Place],
) -> impl Iterator<Item = &'static Statement> + use<'p> {
    let is_here = |form: &Statement| form.places.iter().any(|place| places.contains(place));
    let named = forms(setting.keyword().text);
    let candidates = if named.iter().any(|form| is_here(form)) {
        named
    } else {
        forms(Statement::ANY_CLAIM)
    };
    candidates.iter().copied().filter(move |form| is_here(form))
}

/// The form that a setting of a block of `place` is written in; the first one where it fits none.
pub fn form_of(setting: Setting<'_>, place: Place) -> Option<&'static Statement> {
    let args: Vec<_> = setting.args().collect();
    let places = [place];
    let forms: Vec<_> = forms_in(setting, &places).collect();
    let fitting = forms
        .iter()
        .find(|form| fits(form, &args) && has_block_as_written(setting, form));
    fitting.or(forms.first()).copied()
}

/// The form that a setting of a block of `places` is written in, or is going to be, and how its first
/// arguments are read: those that stand before `offset`.
pub fn read_before(
    setting: Setting<'_>,
    places: &[Place],
    offset: u32,
) -> Vec<(&'static Statement, Reading)> {
    let args: Vec<_> = setting
        .args()
        .take_while(|arg| arg.span().end <= offset)
        .collect();
    let forms = forms_in(setting, places);
    forms
        .map(|form| (form, reading(form.args, &args)))
        .collect()
}

/// How the arguments of a setting are read in `form`.
pub fn read(setting: Setting<'_>, form: &Statement) -> Reading {
    let args: Vec<_> = setting.args().collect();
    reading(form.args, &args)
}

/// How the arguments of an action are read as `shapes`.
pub fn read_action(shapes: &'static [Shape], values: &[Value<'_>]) -> Reading {
    let args: Vec<_> = values.iter().copied().map(Arg::Value).collect();
    reading(shapes, &args)
}

/// Whether arguments are those of a statement in this form, each of them right.
pub fn fits(form: &Statement, args: &[Arg<'_>]) -> bool {
    fit(form.args, args).is_ok_and(|fitting| fitting.errors.is_empty())
}

/// Whether a setting has a block, or none, as `form` takes it.
pub(super) fn has_block_as_written(setting: Setting<'_>, form: &Statement) -> bool {
    match form.body {
        Body::None => setting.block().is_none(),
        Body::Optional(_) => true,
        Body::Required(_) => setting.block().is_some(),
    }
}

/// The places that the block of an arm is.
pub(super) fn inside_arm(arm: Arm<'_>, places: &[Place]) -> &'static [Place] {
    match (places.contains(&Place::Route), redirects_by_block(arm)) {
        (true, true) => &[Place::RouteArm, Place::Redirect],
        (true, false) => &[Place::RouteArm],
        (false, true) => &[Place::Arm, Place::Redirect],
        (false, false) => &[Place::Arm],
    }
}

/// Whether an arm redirects to what its block says.
pub(super) fn redirects_by_block(arm: Arm<'_>) -> bool {
    matches!(arm.action(), Some(Action::Redirect(redirect)) if redirect.url().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parser::parse;
    use crate::source::FileId;

    /// The places at the `‸` of a text.
    #[track_caller]
    fn at(text: &str, places: &[Place]) {
        let offset = text.find('‸').unwrap_or(text.len());
        let parse = parse(FileId(0), &text.replace('‸', ""));
        assert_eq!(places_at(&parse.tree, offset as u32), places, "{text}");
    }

    #[test]
    fn places_follow_from_the_blocks_around() {
        at("‸", &[Place::File]);
        at("service a { }‸", &[Place::File]);
        at("service a { ‸ }", &[Place::Service]);
        at("service a { t‸ }", &[Place::Service]);
        at("service a { timeout 5s { ‸ } }", &[Place::Timeout]);
        at("service a { health GET / { timeout ‸ } }", &[Place::Health]);
        at("service a { route { /x -> y { ‸ } } }", &[Place::RouteArm]);
        at("namespace n { authz { ‸ } }", &[Place::NamespaceAuthz]);
        at("service a { authz { ‸ } }", &[Place::Authz]);
        at(
            "gateway g { listen 1 tls passthrough { ‸ } }",
            &[Place::Passthrough],
        );
        at(
            "test \"x\" { request GET http://a/ { jwt j { a { ‸ } } } }",
            &[Place::Claims],
        );
        at(
            "routes g a { /x -> redirect { ‸ } }",
            &[Place::Arm, Place::Redirect],
        );
        at("service a { frobnicate { ‸ } }", &[]);
        at("service a { authz external { ‸ } }", &[Place::Authz]);
        at("service a { limits { } ‸ }", &[Place::Service]);
    }

    #[test]
    fn an_open_block_goes_to_the_end() {
        at("service a {\n  timeout 5s\n  ‸", &[Place::Service]);
        at("service a {\n  route {\n    ‸\n", &[Place::Route]);
    }
}
