//! Tables: arms, rules, and what they refer to.

use super::diagrams::Diagrams;
use super::*;
use crate::decide::Edge;

impl Checker<'_> {
    pub(super) fn authzs(&mut self) -> Checked {
        let section = Section::Authzs;
        for authz in self.bundle.authzs() {
            self.opt_rules_table(authz.rules)?;
            self.opt_rules_table(authz.shadow)?;
            let flag = is_flag(authz.fail_open.into());
            ensure(flag, section, "has a flag that is neither 0 nor 1")?;
            self.opt_text(authz.external, section)?;
            self.setting(authz.timeout, section)?;
            self.location(authz.location, section)?;
        }
        Ok(())
    }

    pub(super) fn tables(&mut self) -> Checked {
        let bundle = self.bundle;
        let (mut captures, mut shares) = <(Tiling, Tiling)>::default();
        for arm in bundle.arms() {
            captures.next(arm.captures, bundle.captures(), Section::Captures)?;
            self.arm(arm, &mut shares)?;
        }
        captures.end(bundle.captures(), Section::Captures)?;
        shares.end(bundle.shares(), Section::Shares)?;
        for rule in bundle.rules() {
            let section = Section::Rules;
            self.text(rule.name, section)?;
            self.text(rule.text, section)?;
            self.location(rule.location, section)?;
            let flag = is_flag(rule.allows.into());
            ensure(flag, section, "has a flag that is neither 0 nor 1")?;
        }
        for capture in bundle.captures() {
            let section = Section::Captures;
            self.text(capture.name, section)?;
            let known = CaptureKind::from_code(capture.kind).is_some();
            ensure(known, section, "captures in a way not known here")?;
        }
        let mut rules = Tiling::default();
        let mut tilings = <[Tiling; 4]>::default();
        for table in bundle.tables() {
            let [arms, facets, classes, code] = &mut tilings;
            arms.next(table.arms, bundle.arms(), Section::Arms)?;
            rules.next(table.rules, bundle.rules(), Section::Rules)?;
            run_within(table.single, bundle.field_refs(), Section::FieldRefs)?;
            ensure(
                table.arms.is_empty() || table.rules.is_empty(),
                Section::Tables,
                "has arms and rules",
            )?;
            facets.next(table.facets, bundle.facets(), Section::Facets)?;
            classes.next(table.classes, bundle.path_classes(), Section::PathClasses)?;
            code.next(table.code, bundle.code(), Section::Code)?;
            within(table.path, bundle.path_automata(), Section::PathAutomata)?;
            let automaton = bundle.path_automaton(table.path);
            let complete = automaton.class_count.get() as usize == table.classes.len();
            ensure(
                complete,
                Section::PathClasses,
                "does not have every path class",
            )?;
            let diagrams = Diagrams::check(bundle, table)?;
            for class in &bundle.path_classes()[table.classes.range()] {
                for root in [class.narrow, class.wide] {
                    diagrams.edge(Edge::from_word(root.get()), usize::MAX)?;
                }
            }
        }
        let [arms, facets, classes, code] = &tilings;
        arms.end(bundle.arms(), Section::Arms)?;
        rules.end(bundle.rules(), Section::Rules)?;
        facets.end(bundle.facets(), Section::Facets)?;
        classes.end(bundle.path_classes(), Section::PathClasses)?;
        code.end(bundle.code(), Section::Code)
    }

    fn arm(&mut self, arm: &Arm, shares: &mut Tiling) -> Checked {
        let section = Section::Arms;
        self.text(arm.name, section)?;
        self.text(arm.text, section)?;
        self.location(arm.location, section)?;
        self.opt_policy(arm.policy)?;
        self.arm_templates(arm)?;
        let (a, b) = (arm.a.get(), arm.b.get());
        match ArmAction::from_code(arm.action) {
            Some(ArmAction::Forward) => self.target(Id::new(a), b),
            Some(ArmAction::Split) => {
                let run = Run::new(a, b);
                shares.next(run, self.bundle.shares(), Section::Shares)?;
                let shares = &self.bundle.shares()[run.range()];
                for share in shares {
                    self.target(share.service, share.version.get())?;
                }
                let whole = shares.last().is_some_and(|last| last.end.get() == WHOLE)
                    && shares[0].end.get() > 0
                    && shares.is_sorted_by(|a, b| a.end.get() < b.end.get());
                ensure(whole, Section::Shares, "does not sum to the whole")
            }
            Some(ArmAction::Redirect) => {
                within(Id::new(a), self.bundle.redirects(), Section::Redirects)
            }
            Some(ArmAction::Respond) => {
                let status = (200..600).contains(&arm.status.get());
                ensure(status, section, "has a status that ends no exchange")?;
                StrId::new(a)
                    .some()
                    .map_or(Ok(()), |body| self.bytes(body, section))
            }
            None => Err(wrong(section, "has an action not known here")),
        }
    }
    /// A table that is asked for an arm has no rules.
    pub(super) fn arms_table(&self, id: Id<Table>) -> Checked {
        let tables = self.bundle.tables();
        within(id, tables, Section::Tables)?;
        let rules = tables[id.index()].rules;
        ensure(
            rules.is_empty(),
            Section::Tables,
            "has rules where arms are due",
        )
    }

    /// A table that is asked for a rule has no arms.
    fn opt_rules_table(&self, id: Id<Table>) -> Checked {
        let tables = self.bundle.tables();
        opt_within(id, tables, Section::Tables)?;
        let arms = id.some().map_or(Run::EMPTY, |id| tables[id.index()].arms);
        ensure(
            arms.is_empty(),
            Section::Tables,
            "has arms where rules are due",
        )
    }

    /// A table that is a condition has one rule.
    pub(super) fn opt_condition(&self, id: Id<Table>) -> Checked {
        self.opt_rules_table(id)?;
        let one = id
            .some()
            .is_none_or(|id| self.bundle.table(id).rules.len() == 1);
        ensure(one, Section::Tables, "has rules where a condition is due")
    }

    /// What an arm fills in, it captures.
    fn arm_templates(&self, arm: &Arm) -> Checked {
        let captures = arm.captures.len() as u32;
        let fills = |run: Run<TemplatePart>| {
            let parts = self.bundle.template_parts().get(run.range());
            parts.is_some_and(|parts| {
                parts.iter().all(|part| {
                    let capture = part.capture.get();
                    capture == TemplatePart::NO_CAPTURE || capture < captures
                })
            })
        };
        let rewrite = arm.policy.some().and_then(|policy| {
            let rewrite = self.bundle.policy(policy).rewrite.some()?;
            Some(self.bundle.rewrite(rewrite).path)
        });
        let redirect = match ArmAction::from_code(arm.action) {
            Some(ArmAction::Redirect) => {
                let redirect = self.bundle.redirects().get(arm.a.get() as usize);
                redirect.map(|redirect| redirect.path)
            }
            _ => None,
        };
        let sound = [rewrite, redirect].into_iter().flatten().all(fills);
        ensure(
            sound,
            Section::Captures,
            "has no capture that an arm fills in",
        )
    }
}
