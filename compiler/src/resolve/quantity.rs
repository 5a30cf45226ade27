//! Reading quantities into the units of the model: milliseconds, millionths, bytes, counts.

use super::Resolver;
use super::problems;
use super::values::Due;
use crate::model::policy::Rate;
use crate::model::said::{Said, Switch};
use mesh_bundle::format;
use mesh_lang::source::Span;
use mesh_lang::value::{self, Duration, Integer, Percent, Size, ValueError};
use mesh_lang::view::{Setting, Value};

const MILLISECOND: u64 = 1_000_000;

impl<'t> Resolver<'t> {
    /// A duration above zero, in milliseconds.
    pub(super) fn milliseconds(&mut self, value: Value<'t>) -> Option<u32> {
        let due = self.due(value)?;
        let duration = self.read_due(due, Duration::parse)?;
        self.whole_milliseconds(due.span, duration)
    }

    pub(super) fn whole_milliseconds(&mut self, span: Span, duration: Duration) -> Option<u32> {
        let nanoseconds = duration.nanoseconds();
        if !nanoseconds.is_multiple_of(MILLISECOND) {
            let message = format!("`{duration}` is no whole number of milliseconds; times are");
            self.refuse(span, message);
            return None;
        }
        match u32::try_from(nanoseconds / MILLISECOND) {
            Ok(0) => {
                let message = "a time of nothing lets nothing through; `off` is none at all";
                self.refuse(span, message);
                None
            }
            Ok(milliseconds) if milliseconds <= format::Setting::MAX => Some(milliseconds),
            _ => {
                let message =
                    format!("`{duration}` is longer than 49 days; `off` is no limit at all");
                self.refuse(span, message);
                None
            }
        }
    }

    /// A percentage, in millionths.
    pub(super) fn millionths(&mut self, value: Value<'t>) -> Option<u32> {
        self.read(value, Percent::parse).map(Percent::millionths)
    }

    /// A size, in bytes.
    pub(super) fn bytes(&mut self, value: Value<'t>) -> Option<u64> {
        self.read(value, Size::parse).map(Size::bytes)
    }

    /// A whole number from 1 on.
    pub(super) fn count(&mut self, value: Value<'t>) -> Option<u32> {
        self.read(value, |text| match Integer::parse(text)?.0 {
            number @ 1.. if number <= u64::from(format::Setting::MAX) => Ok(number as u32),
            0 => Err(ValueError::with_code(
                mesh_lang::codes::Code::LimitZero,
                format!("`{text}` lets nothing through"),
            )),
            _ => Err(ValueError::new(format!("`{text}` is too many"))),
        })
    }

    /// A rate.
    pub(super) fn rate(&mut self, value: Value<'t>) -> Option<Rate> {
        self.read(value, |text| {
            let rate = value::Rate::parse(text)?;
            let count = u32::try_from(rate.count)
                .map_err(|_| ValueError::new(format!("`{text}` is too many")))?;
            // The longest is a day.
            let per = (rate.per.nanoseconds() / MILLISECOND) as u32;
            Ok(Rate { count, per })
        })
    }

    /// The one value of a setting, read, with the statement that says it.
    pub(super) fn one<T>(
        &mut self,
        setting: Setting<'t>,
        read: impl FnOnce(&mut Self, Value<'t>) -> Option<T>,
    ) -> Option<Said<T>> {
        let value = self.args(setting).value()?;
        let value = read(self, value)?;
        Some(self.said(setting, value))
    }

    /// The one value of a setting, or `off`.
    pub(super) fn one_or_off<T>(
        &mut self,
        setting: Setting<'t>,
        read: impl FnOnce(&mut Self, Value<'t>) -> Option<T>,
    ) -> Option<Said<Switch<T>>> {
        if self.says(setting, "off") {
            return Some(self.said(setting, Switch::Off));
        }
        let Said { value, origin } = self.one(setting, read)?;
        let value = Switch::On(value);
        Some(Said { value, origin })
    }

    /// The values of a setting, a list in brackets being several.
    pub(super) fn each<T>(
        &mut self,
        values: Vec<Value<'t>>,
        mut read: impl FnMut(&mut Self, Due<'t>) -> Option<T>,
    ) -> Vec<T> {
        let mut all = Vec::new();
        for value in values {
            for due in self.list(value) {
                all.extend(read(self, due));
            }
        }
        all
    }

    /// Texts in quotes.
    pub(super) fn texts(&mut self, values: Vec<Value<'t>>) -> Vec<String> {
        self.each(values, |it, due| {
            it.read_due(due, |text| Ok(text.to_owned()))
        })
    }

    /// A text in quotes.
    pub(super) fn text(&mut self, value: Value<'t>) -> Option<String> {
        self.read(value, |text| Ok(text.to_owned()))
    }

    /// A word that names something of its own kind, such as a header.
    pub(super) fn plain_word(&mut self, value: Value<'t>) -> Option<String> {
        match value {
            Value::Word(word) => Some(word.text.to_owned()),
            Value::Str(string) => Some(string.unescaped().into_owned()),
            Value::Path(_) | Value::Range(..) | Value::List(_) => {
                self.report(problems::bad_value(value.span(), "a name is due here"));
                None
            }
        }
    }
}
