//! Which bundles a node takes, and in which words it refuses the others.

use mesh_bundle::format::{
    Draft, Id, Location, Mesh, Policy, Sealed, Setting, SignaturesHeader, attach,
};
use mesh_bundle::signature::{InForce, Moment, PrivateKey, Refusal, Statement, Trust, sign};
use mesh_bundle::{Bundle, OpenError};

/// The content of a small bundle; `about` tells those of one mesh apart.
fn content(mesh: &str, about: &str) -> Vec<u8> {
    let mut draft = Draft::default();
    let said = |value| Setting::new(value, Location::NOWHERE);
    draft.policies.push(Policy::default());
    draft.mesh = Mesh {
        name: draft.string(mesh),
        trust_domain: draft.string(about),
        mtls: said(2),
        open_by_default: said(1),
        egress: said(0),
        access_log: said(1),
        encoded_slash: said(0),
        sidecar_port: said(15006),
        policy: Id::new(0),
        ..Mesh::default()
    };
    draft.finish()
}

fn key() -> PrivateKey {
    PrivateKey::generate().expect("there are random numbers")
}

/// Now.
const NOW: Moment = Moment(1_000_000);

struct Terms {
    sequence: u64,
    not_before: Moment,
    not_after: Moment,
}

impl Terms {
    fn of(sequence: u64) -> Self {
        Self {
            sequence,
            not_before: Moment::START,
            not_after: Moment::NEVER,
        }
    }

    fn sign(&self, content: &[u8], mesh: &str, keys: &[PrivateKey]) -> Sealed {
        let bundle = sealed(content.to_vec());
        let statement = Statement {
            bundle: bundle.id(),
            mesh,
            sequence: self.sequence,
            not_before: self.not_before,
            not_after: self.not_after,
        };
        sealed(sign(content, &[], &statement, keys).expect("it can be signed"))
    }
}

fn sealed(bytes: Vec<u8>) -> Sealed {
    Sealed::read(bytes).expect("it is whole")
}

fn trusting(keys: &[&PrivateKey]) -> Trust {
    Trust {
        keys: keys.iter().map(|key| key.public()).collect(),
        mesh: None,
    }
}

fn refused(trust: &Trust, bundle: &Sealed, before: Option<&InForce>) -> Refusal {
    trust
        .judge(bundle, NOW, before)
        .expect_err("it is not taken")
}

#[test]
fn a_bundle_that_a_trusted_key_signed_is_taken() {
    let (key, content) = (key(), content("shop", ""));
    let bundle = Terms::of(7).sign(&content, "shop", std::slice::from_ref(&key));
    let trust = trusting(&[&key]);
    let approval = trust.judge(&bundle, NOW, None).expect("it is taken");
    let approval = approval.expect("signatures were asked for");
    assert_eq!(approval.key, key.public().id());
    assert_eq!(approval.in_force.sequence, 7);
    assert_eq!(approval.in_force.mesh, "shop");
    // Signing does not make it another bundle, and the same one is taken again and again.
    assert_eq!(bundle.id(), sealed(content).id());
    let again = trust.judge(&bundle, NOW, Some(&approval.in_force));
    assert_eq!(again, Ok(Some(approval)));
    let opened = bundle.open().expect("it opens");
    assert_eq!(opened.signatures().expect("it is signed").iter().count(), 1);
}

#[test]
fn whoever_trusts_nobody_takes_everything() {
    let bundle = sealed(content("shop", ""));
    assert_eq!(Trust::default().judge(&bundle, NOW, None), Ok(None));
}

#[test]
fn others_are_refused_in_words() {
    let (ours, theirs) = (key(), key());
    let trust = trusting(&[&ours]);
    let id = ours.public().id();
    let shop = content("shop", "");

    let sentence = refused(&trust, &sealed(shop.clone()), None).to_string();
    assert_eq!(
        sentence,
        format!("is not signed, and only bundles signed by key {id} are taken")
    );
    let other = Terms::of(1).sign(&shop, "shop", std::slice::from_ref(&theirs));
    assert_eq!(
        refused(&trust, &other, None).to_string(),
        format!(
            "is signed by key {}, and only bundles signed by key {id} are taken",
            theirs.public().id()
        )
    );
    let terms = Terms {
        not_after: NOW,
        ..Terms::of(1)
    };
    let expired = terms.sign(&shop, "shop", std::slice::from_ref(&ours));
    assert_eq!(
        refused(&trust, &expired, None).to_string(),
        "is not valid any more since 1970-01-12T13:46:40Z; sign it again, or publish a newer one"
    );
    let terms = Terms {
        not_before: NOW.after(std::time::Duration::from_secs(1)),
        ..Terms::of(1)
    };
    let early = terms.sign(&shop, "shop", std::slice::from_ref(&ours));
    assert_eq!(
        refused(&trust, &early, None).to_string(),
        "is not valid before 1970-01-12T13:46:41Z"
    );
}

#[test]
fn nothing_older_comes_after_what_is_in_force() {
    let key = key();
    let trust = trusting(&[&key]);
    let keys = std::slice::from_ref(&key);
    let (first, second) = (content("shop", "1"), content("shop", "2"));
    let new = Terms::of(9).sign(&second, "shop", keys);
    let approval = trust.judge(&new, NOW, None).expect("it is taken");
    let in_force = approval.expect("signatures were asked for").in_force;
    let old = Terms::of(8).sign(&first, "shop", keys);
    assert_eq!(
        refused(&trust, &old, Some(&in_force)),
        Refusal::RolledBack {
            sequence: 8,
            newest: 9
        }
    );
    let same = Terms::of(9).sign(&first, "shop", keys);
    assert_eq!(
        refused(&trust, &same, Some(&in_force)),
        Refusal::Ambiguous { sequence: 9 }
    );
    // The old content may come back, signed anew.
    let back = Terms::of(10).sign(&first, "shop", keys);
    assert!(trust.judge(&back, NOW, Some(&in_force)).is_ok());
}

#[test]
fn bundles_of_other_meshes_are_foreign() {
    let key = key();
    let keys = std::slice::from_ref(&key);
    let bank = Terms::of(2).sign(&content("bank", ""), "bank", keys);
    let by_name = Trust {
        mesh: Some("shop".to_owned()),
        ..trusting(&[&key])
    };
    let foreign = Refusal::Foreign {
        mesh: "bank".to_owned(),
        wanted: "shop".to_owned(),
    };
    assert_eq!(refused(&by_name, &bank, None), foreign);
    // Without a name it is the one that was taken first.
    let shop = Terms::of(1).sign(&content("shop", ""), "shop", keys);
    let approval = trusting(&[&key]).judge(&shop, NOW, None);
    let approval = approval.expect("it is taken").expect("it is signed");
    let refusal = refused(&trusting(&[&key]), &bank, Some(&approval.in_force));
    assert_eq!(refusal, foreign);
    // Signed as one of another mesh than it is of.
    let disguised = Terms::of(3).sign(&content("bank", ""), "shop", keys);
    let error = disguised.open().expect_err("it is not opened");
    assert_eq!(
        error,
        OpenError::SignedAsOther {
            mesh: "bank".to_owned(),
            signed: "shop".to_owned()
        }
    );
}

#[test]
fn keys_are_replaced_one_at_a_time() {
    let (old, new) = (key(), key());
    let shop = content("shop", "");
    let both = trusting(&[&old, &new]);
    for key in [&old, &new] {
        let bundle = Terms::of(1).sign(&shop, "shop", std::slice::from_ref(key));
        assert!(both.judge(&bundle, NOW, None).is_ok());
    }
    // Or a bundle is signed by both, for nodes that know one of them.
    let bundle = Terms::of(1).sign(&shop, "shop", &[key(), old]);
    let terms = Terms::of(2);
    let statement = Statement {
        bundle: bundle.id(),
        mesh: "shop",
        sequence: terms.sequence,
        not_before: terms.not_before,
        not_after: terms.not_after,
    };
    let before: Vec<_> = bundle.signatures().expect("it is signed").iter().collect();
    let file = sign(&shop, &before, &statement, std::slice::from_ref(&new));
    let bundle = sealed(file.expect("it can be signed"));
    assert_eq!(bundle.signatures().expect("it is").iter().count(), 3);
    assert!(trusting(&[&new]).judge(&bundle, NOW, None).is_ok());
}

#[test]
fn every_bit_of_a_signature_counts() {
    let key = key();
    let shop = content("shop", "");
    let good = Terms::of(5).sign(&shop, "shop", std::slice::from_ref(&key));
    let good = good.open().expect("it opens");
    let trust = trusting(&[&key]);
    for at in shop.len()..good.bytes().len() {
        for bit in 0..8 {
            let mut changed = good.bytes().to_vec();
            changed[at] ^= 1 << bit;
            let Ok(changed) = Sealed::read(changed) else {
                continue; // the form is wrong already
            };
            let judged = trust.judge(&changed, NOW, None);
            assert!(judged.is_err(), "byte {} bit {bit}", at - shop.len());
        }
    }
    // And none fits another content.
    let others = good.signatures().expect("it is signed");
    let other = attach(
        &content("shop", "other"),
        "shop",
        &others.iter().collect::<Vec<_>>(),
    );
    let other = sealed(other.expect("it can be put there"));
    let wrong = Refusal::Wrong(key.public().id());
    assert_eq!(refused(&trust, &other, None), wrong);
}

#[test]
fn signatures_of_another_form_are_damage() {
    let key = key();
    let shop = content("shop", "");
    let good = Terms::of(5).sign(&shop, "shop", &[key]);
    let good = good.open().expect("it opens").bytes().to_vec();
    for length in shop.len()..good.len() {
        assert!(Bundle::open(good[..length].to_vec()).is_err(), "{length}");
        // With a length that says so.
        let mut cut = good[..length].to_vec();
        cut[24..32].copy_from_slice(&(length as u64).to_le_bytes());
        let opened = Bundle::open(cut);
        assert_eq!(opened.is_ok(), length == shop.len(), "{length}");
    }
    let mut long = shop.clone();
    long.extend_from_slice(&[0; size_of::<SignaturesHeader>()]);
    let length = long.len() as u64;
    long[24..32].copy_from_slice(&length.to_le_bytes());
    let error = Bundle::open(long).expect_err("zeros are no signatures");
    assert_eq!(
        error.to_string(),
        "is damaged: what stands behind its content is no signature"
    );
}
