//! Tokens and keys of two meshes under one numbering: that of the new mesh, then what only the old one has.

use crate::model::condition::{Condition, Field, Test};
use crate::model::{JwtId, KeysId, Mesh};
use mesh_bundle::journey::Request;
use mesh_lang::source::{FileId, Span};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Which number what the old mesh declares has in common with the new one.
#[derive(Clone, Debug, Default)]
pub(super) struct Ids {
    /// By number in the old mesh.
    jwts: Vec<u32>,
    keys: Vec<u32>,
    /// Names, by the common number.
    pub(super) token_names: Vec<String>,
    pub(super) key_names: Vec<String>,
    /// All who call in one of the meshes, `namespace/name` each.
    pub(super) callers: Arc<Vec<String>>,
}

/// The common numbers of the old, and all names.
fn merge(
    old: impl Iterator<Item = (String, String)>,
    new: impl Iterator<Item = (String, String)>,
) -> (Vec<u32>, Vec<String>) {
    let mut all: Vec<(String, String)> = new.collect();
    let numbers = old.map(|name| {
        let known = all.iter().position(|it| *it == name);
        let number = known.unwrap_or_else(|| {
            all.push(name);
            all.len() - 1
        });
        number as u32
    });
    let numbers = numbers.collect();
    (numbers, all.into_iter().map(|(_, name)| name).collect())
}

impl Ids {
    pub(super) fn of(old: &Mesh, new: &Mesh) -> Self {
        let jwts = |mesh: &Mesh| -> Vec<(String, String)> {
            let all = mesh.jwts.iter();
            all.map(|it| (it.namespace.clone(), it.name.clone()))
                .collect()
        };
        let keys = |mesh: &Mesh| -> Vec<(String, String)> {
            let all = mesh.keys.iter();
            all.map(|it| (it.namespace.clone(), it.name.clone()))
                .collect()
        };
        let (jwts, token_names) = merge(jwts(old).into_iter(), jwts(new).into_iter());
        let callers: BTreeSet<String> = [old, new]
            .iter()
            .flat_map(|mesh| mesh.callers().as_ref().clone())
            .collect();
        let (keys, key_names) = merge(keys(old).into_iter(), keys(new).into_iter());
        Self {
            jwts,
            keys,
            token_names,
            key_names,
            callers: Arc::new(callers.into_iter().collect()),
        }
    }

    /// A condition of the old mesh, in common numbers.
    pub(super) fn of_old(&self, condition: &Condition) -> Condition {
        let renumber = |all: &[u32], id: u32| all[id as usize];
        renumbered(condition, &|jwt| renumber(&self.jwts, jwt), &|key| {
            renumber(&self.keys, key)
        })
    }

    /// A condition in common numbers, in those that the two meshes have in common the other way round.
    pub(super) fn turned(&self, back: &Self, condition: &Condition) -> Condition {
        let renumber = |own: &[u32], back: &[u32], id: u32| {
            let of_new = back.get(id as usize).copied();
            let of_old = || own.iter().position(|it| *it == id).map(|it| it as u32);
            of_new.or_else(of_old).unwrap_or(id)
        };
        renumbered(
            condition,
            &|jwt| renumber(&self.jwts, &back.jwts, jwt),
            &|key| renumber(&self.keys, &back.keys, key),
        )
    }

    /// A request in common numbers, as the old mesh knows it: without what it does not declare.
    pub(super) fn for_old(&self, request: &Request) -> Request {
        let mut request = request.clone();
        let place = |all: &[u32], id: u32| all.iter().position(|it| *it == id);
        request.tokens = std::mem::take(&mut request.tokens)
            .into_iter()
            .filter_map(|(id, claims)| Some((place(&self.jwts, id)? as u32, claims)))
            .collect();
        request.keys = std::mem::take(&mut request.keys)
            .into_iter()
            .filter_map(|(id, consumer)| Some((place(&self.keys, id)? as u32, consumer)))
            .collect();
        request
    }

    /// The same, as the new mesh knows it.
    pub(super) fn for_new(request: &Request, new: &Mesh) -> Request {
        let mut request = request.clone();
        request
            .tokens
            .retain(|(id, _)| (*id as usize) < new.jwts.len());
        request
            .keys
            .retain(|(id, _)| (*id as usize) < new.keys.len());
        request
    }
}

/// A condition with other numbers of tokens and keys.
/// A condition wherever it stands: two that ask the same are equal then.
pub(super) fn unplaced(condition: &Condition) -> Condition {
    let each = |parts: &[Condition]| parts.iter().map(unplaced).collect();
    match condition {
        Condition::And(parts) => Condition::And(each(parts)),
        Condition::Or(parts) => Condition::Or(each(parts)),
        Condition::Not(part) => Condition::Not(Box::new(unplaced(part))),
        Condition::Test(test) => Condition::Test(Test {
            span: Span::new(FileId(0), 0, 0),
            ..test.clone()
        }),
    }
}

fn renumbered(
    condition: &Condition,
    jwt: &dyn Fn(u32) -> u32,
    key: &dyn Fn(u32) -> u32,
) -> Condition {
    let each = |parts: &[Condition]| {
        let parts = parts.iter().map(|part| renumbered(part, jwt, key));
        parts.collect()
    };
    match condition {
        Condition::And(parts) => Condition::And(each(parts)),
        Condition::Or(parts) => Condition::Or(each(parts)),
        Condition::Not(part) => Condition::Not(Box::new(renumbered(part, jwt, key))),
        Condition::Test(test) => {
            let mut test = test.clone();
            match &mut test.field {
                Field::Jwt(JwtId(id)) | Field::Claim(JwtId(id), _) => *id = jwt(*id),
                Field::Key(KeysId(id)) => *id = key(*id),
                _ => {}
            }
            Condition::Test(test)
        }
    }
}
