//! What levels say about traffic.

use super::*;

impl Checker<'_> {
    pub(super) fn policies(&mut self) -> Checked {
        let bundle = self.bundle;
        let mut tilings = <[Tiling; 6]>::default();
        let [limits, mirrors, faults, headers, requires, accepts] = &mut tilings;
        for policy in bundle.policies() {
            let section = Section::Policies;
            let Policy {
                request,
                connect,
                idle,
                hedge,
                compress,
                ..
            } = *policy;
            self.settings([request, connect, idle, hedge, compress], section)?;
            for size in [policy.max_body, policy.buffer] {
                self.location(size.location, section)?;
            }
            self.choice(policy.retry, bundle.retries(), Section::Retries)?;
            self.choice(policy.cors, bundle.corses(), Section::Corses)?;
            self.choice(policy.sticky, bundle.field_refs(), Section::FieldRefs)?;
            opt_within(policy.rewrite, bundle.rewrites(), Section::Rewrites)?;
            said(policy.compress, is_flag, section)?;
            ensure(
                policy.off & !Policy::OFF_ALL == 0,
                section,
                "takes back what is not known here",
            )?;
            limits.next(
                policy.rate_limits,
                bundle.rate_limits(),
                Section::RateLimits,
            )?;
            mirrors.next(policy.mirrors, bundle.mirrors(), Section::Mirrors)?;
            faults.next(policy.faults, bundle.faults(), Section::Faults)?;
            let operations = bundle.header_operations();
            for run in [policy.request_headers, policy.response_headers] {
                headers.next(run, operations, Section::HeaderOperations)?;
            }
            requires.next(policy.requires, bundle.requires(), Section::Requires)?;
            accepts.next(policy.accepts, bundle.accepts(), Section::Accepts)?;
        }
        limits.end(bundle.rate_limits(), Section::RateLimits)?;
        mirrors.end(bundle.mirrors(), Section::Mirrors)?;
        faults.end(bundle.faults(), Section::Faults)?;
        headers.end(bundle.header_operations(), Section::HeaderOperations)?;
        requires.end(bundle.requires(), Section::Requires)?;
        accepts.end(bundle.accepts(), Section::Accepts)?;
        self.tries()?;
        self.heads()?;
        for require in bundle.requires() {
            let section = Section::Requires;
            self.provider(require.kind, require.provider.get(), section)?;
            self.opt_condition(require.condition)?;
            self.location(require.location, section)?;
        }
        for accept in bundle.accepts() {
            let section = Section::Accepts;
            self.provider(accept.kind, accept.provider.get(), section)?;
            self.location(accept.location, section)?;
        }
        Ok(())
    }

    /// Retries, limits, copies and faults.
    fn tries(&mut self) -> Checked {
        let bundle = self.bundle;
        for range in bundle.status_ranges() {
            let (low, high) = (range.low.get(), range.high.get());
            let sound = 100 <= low && low <= high && high < 600;
            ensure(sound, Section::StatusRanges, "is no range of statuses")?;
        }
        for retry in bundle.retries() {
            let section = Section::Retries;
            run_within(
                retry.statuses,
                bundle.status_ranges(),
                Section::StatusRanges,
            )?;
            let settings = [retry.per_try, retry.backoff, retry.budget, retry.any_method];
            self.settings(settings, section)?;
            said(retry.any_method, is_flag, section)?;
            let known = retry.on.get() & !RetryCondition::ALL == 0;
            ensure(known, section, "follows what is not known here")?;
        }
        for limit in bundle.rate_limits() {
            let section = Section::RateLimits;
            let sound = limit.per.get() > 0 && Counter::from_code(limit.counter).is_some();
            ensure(sound, section, "counts in a way not known here")?;
            run_within(limit.fields, bundle.field_refs(), Section::FieldRefs)?;
            self.setting(limit.burst, section)?;
            self.location(limit.location, section)?;
        }
        for mirror in bundle.mirrors() {
            let section = Section::Mirrors;
            ensure(
                mirror.share.get() <= WHOLE,
                section,
                "is more than the whole",
            )?;
            self.target(mirror.service, mirror.version.get())?;
            self.setting(mirror.any_method, section)?;
            said(mirror.any_method, is_flag, section)?;
            self.location(mirror.location, section)?;
        }
        for fault in bundle.faults() {
            let section = Section::Faults;
            ensure(
                fault.share.get() <= WHOLE,
                section,
                "is more than the whole",
            )?;
            let status = (200..600).contains(&fault.value.get());
            ensure(
                fault.kind == 0 || fault.kind == 1 && status,
                section,
                "does what is not known here",
            )?;
            let (year, month, day) = (fault.until_year.get(), fault.until_month, fault.until_day);
            let dated = (1..=12).contains(&month) && (1..=31).contains(&day);
            ensure(year == 0 || dated, section, "ends on no day")?;
            self.location(fault.location, section)?;
        }
        Ok(())
    }

    /// What becomes of paths, hosts and headers.
    fn heads(&mut self) -> Checked {
        let bundle = self.bundle;
        for part in bundle.template_parts() {
            let section = Section::TemplateParts;
            let text = self.opt_text(part.text, section)?;
            let captures = part.capture.get() != TemplatePart::NO_CAPTURE;
            ensure(
                text.is_some() != captures && text.is_none_or(is_header_safe),
                section,
                "is neither a text nor a capture",
            )?;
        }
        for rewrite in bundle.rewrites() {
            let section = Section::Rewrites;
            template_within(rewrite.path, bundle)?;
            for part in [rewrite.prefix, rewrite.host] {
                let safe = self.opt_text(part, section)?.is_none_or(is_header_safe);
                ensure(safe, section, "has a part that no header can carry")?;
            }
            self.location(rewrite.path_location, section)?;
            self.location(rewrite.host_location, section)?;
        }
        for operation in bundle.header_operations() {
            let section = Section::HeaderOperations;
            let name = self.text(operation.name, section)?;
            ensure(is_lower_token(name), section, "names no header")?;
            let value = self.opt_text(operation.value, section)?;
            let fits = match HeaderOp::from_code(operation.kind) {
                Some(HeaderOp::Set | HeaderOp::Add) => value.is_some_and(is_header_value),
                Some(HeaderOp::Remove) => true,
                None => false,
            };
            ensure(fits, section, "does what is not known here")?;
            self.location(operation.location, section)?;
        }
        // How many texts before each place no header can carry.
        let mut unsafe_before = vec![0u32];
        for text in bundle.texts() {
            let last = unsafe_before[unsafe_before.len() - 1];
            unsafe_before.push(last + u32::from(!is_header_safe(bundle.str(text.text))));
        }
        for cors in bundle.corses() {
            let section = Section::Corses;
            for run in [cors.origins, cors.methods, cors.headers, cors.expose] {
                run_within(run, bundle.texts(), Section::Texts)?;
                let safe = unsafe_before[run.start()] == unsafe_before[run.range().end];
                ensure(safe, section, "has a part that no header can carry")?;
            }
            let flag = is_flag(cors.credentials.into());
            ensure(flag, section, "has a flag that is neither 0 nor 1")?;
            self.setting(cors.max_age, section)?;
            self.location(cors.methods_location, section)?;
        }
        Ok(())
    }
}
