//! What the process knows of itself, for the admin pages and the metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use mesh_bundle::Bundle;
use mesh_bundle::signature::Approval;

use crate::node::slice_of;
use crate::runtime::ListenerInfo;
use crate::telemetry::metrics::ListenerCells;
use crate::worker::NodeShared;

/// The state of a process. Changed by the control thread only.
#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) started: SystemTime,
    pub(crate) nodes: Vec<Arc<NodeShared>>,
    /// Lines of the access log that were dropped, if there is one.
    pub(crate) log_dropped: Option<Arc<AtomicU64>>,
    is_ready: AtomicBool,
    facts: Mutex<Facts>,
}

/// What changes with a reload.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) bundle: BundleFacts,
    /// In the order of [`Status::nodes`].
    pub(crate) nodes: Vec<NodeFacts>,
    /// How often each [`Reload`] came out, in their order.
    pub(crate) reloads: [u64; 3],
    pub(crate) last_reload: Option<LastReload>,
    /// The signature for which the bundle in force came in, if signatures are asked for.
    pub(crate) approval: Option<Approval>,
    /// How often bundles were not let in, by the reason in a word.
    pub(crate) refusals: BTreeMap<&'static str, u64>,
}

/// What there is to know of a bundle.
#[derive(Clone, Debug)]
pub(crate) struct BundleFacts {
    pub(crate) id: String,
    pub(crate) mesh: String,
    pub(crate) arms: usize,
    /// The node whose slice it is.
    pub(crate) slice: Option<String>,
    pub(crate) provenance: Vec<(String, String)>,
    pub(crate) loaded: SystemTime,
}

/// What a node has open.
#[derive(Debug)]
pub(crate) struct NodeFacts {
    pub(crate) listeners: Vec<ListenerFacts>,
    pub(crate) certificates: Vec<CertificateFacts>,
    /// What the policy asks for and this runtime does not act on.
    pub(crate) not_acted_on: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct ListenerFacts {
    pub(crate) info: ListenerInfo,
    pub(crate) cells: Arc<ListenerCells>,
}

#[derive(Debug)]
pub(crate) struct CertificateFacts {
    pub(crate) file: String,
    /// In seconds since 1970.
    pub(crate) not_after: Option<i64>,
}

/// What came of a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reload {
    Applied,
    Unchanged,
    Rejected,
}

impl Reload {
    pub(crate) const ALL: [Self; 3] = [Self::Applied, Self::Unchanged, Self::Rejected];

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unchanged => "unchanged",
            Self::Rejected => "rejected",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct LastReload {
    pub(crate) result: Reload,
    pub(crate) at: SystemTime,
    /// Why it was rejected.
    pub(crate) sentence: String,
}

impl BundleFacts {
    pub(crate) fn of(bundle: &Bundle) -> Self {
        let text = |id| bundle.str(id).to_owned();
        let provenance = bundle.provenances().iter();
        Self {
            id: bundle.id().to_string(),
            mesh: text(bundle.mesh().name),
            arms: bundle.arms().len(),
            slice: slice_of(bundle).map(|node| node.to_string()),
            provenance: provenance
                .map(|it| (text(it.key), text(it.value)))
                .collect(),
            loaded: SystemTime::now(),
        }
    }
}

impl Status {
    pub(crate) fn new(
        bundle: BundleFacts,
        nodes: Vec<Arc<NodeShared>>,
        log_dropped: Option<Arc<AtomicU64>>,
    ) -> Self {
        Self {
            started: SystemTime::now(),
            nodes,
            log_dropped,
            is_ready: AtomicBool::new(false),
            facts: Mutex::new(Facts {
                bundle,
                nodes: Vec::new(),
                reloads: [0; 3],
                last_reload: None,
                approval: None,
                refusals: BTreeMap::new(),
            }),
        }
    }

    pub(crate) fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Relaxed)
    }

    pub(crate) fn ready(&self, ready: bool) {
        self.is_ready.store(ready, Ordering::Relaxed);
    }

    pub(crate) fn bundle(&self, bundle: BundleFacts) {
        self.facts().bundle = bundle;
    }

    pub(crate) fn approved(&self, approval: Option<Approval>) {
        self.facts().approval = approval;
    }

    pub(crate) fn refused(&self, refusal: Option<&'static str>) {
        if let Some(refusal) = refusal {
            *self.facts().refusals.entry(refusal).or_default() += 1;
        }
    }

    pub(crate) fn nodes(&self, nodes: Vec<NodeFacts>) {
        self.facts().nodes = nodes;
    }

    pub(crate) fn reloaded(&self, result: Reload, sentence: String) {
        let mut facts = self.facts();
        facts.reloads[result as usize] += 1;
        facts.last_reload = Some(LastReload {
            result,
            at: SystemTime::now(),
            sentence,
        });
    }
}
