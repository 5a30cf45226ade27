//! `timeout 3s { connect 1s; idle 60s }`.

use super::Resolver;
use super::problems;
use super::statement::says;
use crate::model::timeouts::{Limit, Said, Timeouts};
use mesh_bundle::format;
use mesh_lang::source::Span;
use mesh_lang::value::Duration;
use mesh_lang::view::{Setting, Value};
use mesh_lang::vocabulary::Place;

const MILLISECOND: u64 = 1_000_000;

impl<'t> Resolver<'t> {
    /// Adds what a `timeout` statement says.
    pub(super) fn timeout(&mut self, setting: Setting<'t>, into: &mut Timeouts) {
        if says(setting, "off") {
            into.request = Some(off(setting.head_span()));
        } else if let Some(value) = setting.values().next() {
            into.request = self.limit(value, setting.head_span());
        }
        for inner in Self::settings(setting.block()) {
            let limit = |it: &mut Self| {
                let value = inner.values().next()?;
                it.limit(value, inner.head_span())
            };
            match inner.keyword().text {
                "connect" => into.connect = limit(self),
                "idle" if says(inner, "off") => into.idle = Some(off(inner.head_span())),
                "idle" => into.idle = limit(self),
                _ => self.other_setting(inner, Place::Timeout),
            }
        }
    }

    /// A statement in a block that may set timeouts and nothing else that this compiler acts on.
    pub(super) fn policy_setting(
        &mut self,
        setting: Setting<'t>,
        place: Place,
        timeouts: &mut Timeouts,
    ) {
        match setting.keyword().text {
            "timeout" => self.timeout(setting, timeouts),
            _ => self.other_setting(setting, place),
        }
    }

    fn limit(&mut self, value: Value<'t>, statement: Span) -> Option<Said> {
        let duration = self.read(value, Duration::parse)?;
        let nanoseconds = duration.nanoseconds();
        if nanoseconds % MILLISECOND != 0 {
            let message = format!("`{duration}` is no whole number of milliseconds; timeouts are");
            self.report(problems::bad_value(value.span(), message));
            return None;
        }
        match u32::try_from(nanoseconds / MILLISECOND) {
            Ok(0) => {
                let message = "a timeout of nothing lets nothing through; `off` is none at all";
                self.report(problems::bad_value(value.span(), message));
                None
            }
            Ok(milliseconds) if milliseconds <= format::Setting::MAX => Some(Said {
                value: Limit::Milliseconds(milliseconds),
                span: Some(statement),
            }),
            _ => {
                let message =
                    format!("`{duration}` is longer than 49 days; `off` is no timeout at all");
                self.report(problems::bad_value(value.span(), message));
                None
            }
        }
    }
}

fn off(statement: Span) -> Said {
    Said {
        value: Limit::Off,
        span: Some(statement),
    }
}
