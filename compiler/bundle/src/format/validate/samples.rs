//! The requests that nodes hold the bundle against.

use super::*;
use crate::format::{MAX_SAMPLE_PARTS, MAX_SAMPLES};

impl Checker<'_> {
    pub(super) fn samples(&mut self) -> Checked {
        let (bundle, section) = (self.bundle, Section::Samples);
        let few = bundle.samples().len() <= MAX_SAMPLES;
        ensure(few, section, "has more records than there may be")?;
        let (mut facts, mut targets) = (Tiling::default(), Tiling::default());
        for sample in bundle.samples() {
            for text in [sample.title, sample.method, sample.host, sample.path] {
                self.text(text, section)?;
            }
            self.opt_text(sample.query, section)?;
            self.location(sample.location, section)?;
            opt_within(sample.from, bundle.services(), section)?;
            let flag = is_flag(sample.https.into());
            ensure(flag, section, "has a flag that is neither 0 nor 1")?;
            let short = sample.facts.len().max(sample.targets.len()) <= MAX_SAMPLE_PARTS;
            ensure(short, section, "has a record with too many parts")?;
            facts.next(sample.facts, bundle.sample_facts(), Section::SampleFacts)?;
            targets.next(
                sample.targets,
                bundle.sample_targets(),
                Section::SampleTargets,
            )?;
            self.expectation(sample)?;
        }
        facts.end(bundle.sample_facts(), Section::SampleFacts)?;
        targets.end(bundle.sample_targets(), Section::SampleTargets)?;
        self.sample_facts()?;
        for to in bundle.sample_targets() {
            self.target(to.service, to.version.get())?;
            let share = is_share(to.share.get());
            ensure(share, Section::SampleTargets, "has a value out of range")?;
        }
        Ok(())
    }

    fn expectation(&mut self, sample: &Sample) -> Checked {
        let section = Section::Samples;
        let has_text = sample.text.some().is_some();
        let fits = match SampleExpect::from_code(sample.expect) {
            None => return Err(wrong(section, "expects what is not known here")),
            Some(SampleExpect::Status) => !has_text && sample.targets.is_empty(),
            Some(SampleExpect::Arrival) => !has_text && sample.targets.len() == 1,
            Some(SampleExpect::Shares) => !has_text && !sample.targets.is_empty(),
            Some(SampleExpect::Redirect) => {
                self.text(sample.text, section)?;
                sample.targets.is_empty()
            }
            Some(SampleExpect::Answer) => {
                self.bytes(sample.text, section)?;
                sample.targets.is_empty()
            }
        };
        ensure(fits, section, "expects nothing that there could be")
    }

    fn sample_facts(&mut self) -> Checked {
        let section = Section::SampleFacts;
        for fact in self.bundle.sample_facts() {
            let (name, value) = (
                self.opt_text(fact.name, section)?.is_some(),
                self.opt_text(fact.value, section)?.is_some(),
            );
            let provider = fact.provider.get();
            let fits = match SampleFactKind::from_code(fact.kind) {
                None => return Err(wrong(section, "carries what is not known here")),
                Some(SampleFactKind::Header | SampleFactKind::Claim) => name && value,
                Some(SampleFactKind::Token) => {
                    self.provider(0, provider, section)?;
                    true
                }
                Some(SampleFactKind::ClaimList) => name,
                Some(SampleFactKind::ClaimMember) => value,
                Some(SampleFactKind::Key) => {
                    self.provider(1, provider, section)?;
                    value
                }
            };
            ensure(fits, section, "lacks a name or a value")?;
        }
        Ok(())
    }
}
