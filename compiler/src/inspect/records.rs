//! The records of a section, field by field.

use mesh_bundle::format::layout::{FieldLayout, FieldValue, Said};
use mesh_bundle::format::{Bundle, Location, Section};
use serde_json::{Map, Value, json};

/// Finds a section by its name, as `meshc inspect` prints it.
pub fn section(name: &str) -> Option<Section> {
    let mut all = Section::ALL.iter().copied();
    all.find(|section| section.name().eq_ignore_ascii_case(name))
}

/// The records of a section. Of strings, each is one.
pub fn of(bundle: &Bundle, section: Section) -> Vec<Value> {
    if matches!(section, Section::StringOffsets | Section::StringBytes) {
        let strings = (0..bundle.string_count() as u32).map(mesh_bundle::format::Id::new);
        return strings
            .map(|id| String::from_utf8_lossy(bundle.str_bytes(id)).into())
            .collect();
    }
    let records = (0..).map_while(|index| bundle.values(section, index));
    let fields = section.fields();
    records
        .map(|values| record(bundle, fields, &values))
        .collect()
}

fn record(bundle: &Bundle, fields: &[FieldLayout], values: &[FieldValue]) -> Value {
    let shown = fields.iter().zip(values);
    let shown = shown.map(|(field, value)| (field.name.to_owned(), show(bundle, field, value)));
    Value::Object(shown.collect::<Map<_, _>>())
}

/// Values as people write them: codes by their names, strings and places as text, ids as numbers.
fn show(bundle: &Bundle, field: &FieldLayout, value: &FieldValue) -> Value {
    match value {
        FieldValue::Number(number) => named(field, *number),
        FieldValue::Bytes(bytes) => {
            let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
            digits.collect::<String>().into()
        }
        FieldValue::Address(address) => address.to_string().into(),
        FieldValue::String(id) => match id {
            Some(id) => String::from_utf8_lossy(bundle.str_bytes(*id)).into(),
            None => Value::Null,
        },
        FieldValue::Id(id) => (*id).into(),
        FieldValue::Run(range) => json!([range.start, range.end]),
        FieldValue::Location(location) => place(bundle, *location),
        FieldValue::Setting(said, location) => {
            let value = match said {
                Said::Value(value) => Said::Value(named(field, u128::from(*value))),
                Said::Off => Said::Off,
                Said::Nothing => Said::Nothing,
            };
            setting(bundle, value, *location)
        }
        FieldValue::Choice(said, location) => {
            let value = match said {
                Said::Value(id) => Said::Value((*id).into()),
                Said::Off => Said::Off,
                Said::Nothing => Said::Nothing,
            };
            setting(bundle, value, *location)
        }
    }
}

fn named(field: &FieldLayout, number: u128) -> Value {
    if let Some(name) = field.enumeration().and_then(|it| it.name_of(number)) {
        return name.into();
    }
    match u64::try_from(number) {
        Ok(number) => number.into(),
        Err(_) => number.to_string().into(), // more than a number in JSON holds
    }
}

fn setting(bundle: &Bundle, said: Said<Value>, location: Location) -> Value {
    let value = match said {
        Said::Nothing => return Value::Null,
        Said::Off => "off".into(),
        Said::Value(value) => value,
    };
    match bundle.place(location) {
        Some(place) => json!({ "value": value, "place": place }),
        None => json!({ "value": value }),
    }
}

fn place(bundle: &Bundle, location: Location) -> Value {
    bundle.place(location).into()
}
