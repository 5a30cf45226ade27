//! Facets, and how their values are told apart.

use super::*;

impl Checker<'_> {
    pub(super) fn classifiers(&mut self) -> Checked {
        let bundle = self.bundle;
        let mut transitions = Tiling::default();
        for automaton in bundle.automata() {
            let section = Section::Automata;
            transitions.next(
                automaton.transitions,
                bundle.transitions(),
                Section::Transitions,
            )?;
            let stride = automaton.byte_class_count.get();
            let classes = automaton
                .byte_classes
                .iter()
                .all(|&class| u32::from(class) < stride);
            let words = &bundle.transitions()[automaton.transitions.range()];
            ensure(
                classes && words.len().is_multiple_of(stride.max(1) as usize),
                section,
                "has no byte classes",
            )?;
            let states = (words.len() / stride.max(1) as usize) as u32;
            let accepting = automaton.first_accepting.get();
            let sound = automaton.start.get() < states
                && (1..=states).contains(&accepting)
                && words.iter().all(|state| state.get() < states);
            ensure(sound, section, "leads to a state that is not there")?;
        }
        transitions.end(bundle.transitions(), Section::Transitions)?;
        self.path_automata()?;

        let (mut literals, mut bounds) = <(Tiling, Tiling)>::default();
        for facet in bundle.facets() {
            self.facet(facet, &mut literals, &mut bounds)?;
        }
        literals.end(bundle.literals(), Section::Literals)?;
        bounds.end(bundle.bounds(), Section::Bounds)?;
        for literal in bundle.literals() {
            let section = Section::Literals;
            match literal.class.get() {
                0 => ensure(is_empty(literal, &Literal::EMPTY), section, SPARE)?,
                _ => self.bytes(literal.value, section)?,
            }
        }
        Ok(())
    }

    fn facet(&mut self, facet: &Facet, literals: &mut Tiling, bounds: &mut Tiling) -> Checked {
        let bundle = self.bundle;
        let section = Section::Facets;
        let unknown = || wrong(section, "asks for a field not known here");
        let field = FieldKind::from_code(facet.field).ok_or_else(unknown)?;
        let classifier = ClassifierKind::from_code(facet.classifier).ok_or_else(unknown)?;
        let name = self.opt_text(facet.name, section)?;
        self.field(field, facet.provider.get(), name, section)?;
        let number = matches!(
            field,
            FieldKind::Port | FieldKind::SourceIp | FieldKind::ClientIp | FieldKind::PathLength
        );
        let fits = match classifier {
            ClassifierKind::Bounds => number,
            ClassifierKind::Tail => field == FieldKind::PathTail,
            ClassifierKind::Member => {
                matches!(field, FieldKind::Claim | FieldKind::ClientCertSan)
            }
            ClassifierKind::Literals | ClassifierKind::Automaton | ClassifierKind::Decimal => {
                !number && field != FieldKind::PathTail
            }
        };
        ensure(
            fits,
            section,
            "has a classifier that does not fit its field",
        )?;
        let (start, count) = (facet.start.get(), facet.count.get());
        match classifier {
            ClassifierKind::Literals => {
                literals.next(Run::new(start, count), bundle.literals(), Section::Literals)?;
                let table = count == 0 || count.is_power_of_two();
                ensure(
                    table && facet.probe.get() <= MAX_PROBE,
                    Section::Literals,
                    "is no hash table",
                )
            }
            ClassifierKind::Automaton => {
                within(Id::new(start), bundle.automata(), Section::Automata)
            }
            ClassifierKind::Member => self.bytes(StrId::new(start), section),
            ClassifierKind::Tail => within(
                Id::new(start),
                bundle.path_automata(),
                Section::PathAutomata,
            ),
            ClassifierKind::Bounds | ClassifierKind::Decimal => {
                let run = Run::new(start, count);
                bounds.next(run, bundle.bounds(), Section::Bounds)?;
                let bounds = &bundle.bounds()[run.range()];
                let sorted = bounds.is_sorted_by(|a, b| a.low.get() < b.low.get());
                ensure(sorted, Section::Bounds, "is not in order")
            }
        }
    }

    fn path_automata(&mut self) -> Checked {
        let bundle = self.bundle;
        let (mut states, mut edges) = <(Tiling, Tiling)>::default();
        let mut partials = 0;
        for automaton in bundle.path_automata() {
            states.next(automaton.states, bundle.path_states(), Section::PathStates)?;
            edges.next(automaton.edges, bundle.path_edges(), Section::PathEdges)?;
            let slots = automaton.edges.len();
            let table = slots == 0 || slots.is_power_of_two();
            ensure(
                table && automaton.probe.get() <= MAX_PROBE,
                Section::PathEdges,
                "is no hash table",
            )?;
            let count = automaton.states.len() as u32;
            ensure(
                count > 0,
                Section::PathStates,
                "has an automaton without states",
            )?;
            let known = |next: u32| next & !PathState::FINAL < count;
            for state in &bundle.path_states()[automaton.states.range()] {
                let sound = known(state.other.get())
                    && known(state.empty.get())
                    && state.class.get() < automaton.class_count.get();
                ensure(
                    sound,
                    Section::PathStates,
                    "leads to a state that is not there",
                )?;
                if state.partials.get() != u32::MAX {
                    self.partials(state.partials.get(), &mut partials, known)?;
                }
            }
            for edge in &bundle.path_edges()[automaton.edges.range()] {
                self.path_edge(edge, count)?;
            }
        }
        states.end(bundle.path_states(), Section::PathStates)?;
        edges.end(bundle.path_edges(), Section::PathEdges)?;
        let partials = Tiling(partials);
        partials.end(bundle.path_partials(), Section::PathPartials)
    }

    fn path_edge(&self, edge: &PathEdge, states: u32) -> Checked {
        let section = Section::PathEdges;
        if edge.state.get() == PathEdge::EMPTY_STATE {
            return ensure(is_empty(edge, &PathEdge::EMPTY), section, SPARE);
        }
        let sound = edge.state.get() < states && edge.next.get() & !PathState::FINAL < states;
        ensure(sound, section, "leads to a state that is not there")?;
        let used = match edge.length {
            PathEdge::LONG => size_of::<StrId>(),
            length => usize::from(length),
        };
        let spare = edge.segment.get(used..);
        let spare = spare.ok_or_else(|| wrong(section, "has a segment that is too long"))?;
        ensure(spare.iter().all(|&byte| byte == 0), section, SPARE)?;
        if edge.length == PathEdge::LONG {
            return self.bytes(crate::classify::path::long_segment(edge), section);
        }
        Ok(())
    }

    /// Checks the partials at `at`, which must stand where those before them ended.
    fn partials(&self, at: u32, end: &mut usize, known: impl Fn(u32) -> bool) -> Checked {
        let section = Section::PathPartials;
        let words = self.bundle.path_partials();
        let cut_short = || wrong(section, "ends too early");
        ensure(
            at as usize == *end,
            section,
            "has partial segments out of place",
        )?;
        let word = |at: usize| words.get(at).map(|word| word.get()).ok_or_else(cut_short);
        let count = word(*end)? as usize;
        let possible = (1..=crate::classify::path::MAX_PARTIALS).contains(&count);
        ensure(possible, section, "has too many partial segments")?;
        let first = *end + 1;
        for at in first..first + 2 * count {
            self.bytes(StrId::new(word(at)?), section)?;
        }
        let masks = word(first + 2 * count)? as usize;
        let first = first + 2 * count + 1;
        let pairs = masks
            .checked_mul(2)
            .and_then(|length| words.get(first..first.checked_add(length)?))
            .ok_or_else(cut_short)?;
        let pairs = pairs.as_chunks::<2>().0;
        let sorted = pairs.is_sorted_by(|[a, _], [b, _]| a.get() < b.get());
        let sound = pairs.iter().all(|[_, next]| known(next.get()));
        ensure(
            sorted && sound,
            section,
            "leads to a state that is not there",
        )?;
        *end = first + 2 * masks;
        Ok(())
    }
}
