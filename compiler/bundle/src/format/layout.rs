//! What records are made of, field by field: for those who print bundles, and for the written format.
//!
//! Nothing here is needed to serve a bundle. The lists are made by the macros that declare the records and
//! their codes, so that they cannot say anything else.

use super::record::{
    Choice, Chosen, Id, Location, Run, Setting, SizeSetting, Str, StrId, address_from_bytes,
};
use super::section::Section;
use std::net::IpAddr;
use std::ops::Range;
use zerocopy::little_endian::{U16, U32, U64, U128};

/// A record whose fields can be listed.
pub trait Record {
    /// Its fields, in their order.
    const FIELDS: &'static [FieldLayout];

    /// Their values.
    fn values(&self) -> Vec<FieldValue>;
}

/// A field of a record.
#[derive(Clone, Copy, Debug)]
pub struct FieldLayout {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub about: &'static str,
    /// Bytes of the record before it.
    pub offset: usize,
    /// Its bytes.
    pub length: usize,
    /// What it is.
    pub kind: FieldType,
}

/// What a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// A number, little-endian.
    Number,
    /// Bytes that are no number.
    Bytes,
    /// An address in 16 bytes, IPv4 mapped into IPv6.
    Address,
    /// A string in the pool.
    String,
    /// A record of this section; of words that are in several sections it is known by the field.
    Id(Option<Section>),
    /// Consecutive records of this section: the first, and how many.
    Run(Option<Section>),
    /// A [`Location`].
    Location,
    /// A [`Setting`].
    Setting,
    /// A [`SizeSetting`].
    Size,
    /// A [`Choice`] among the records of this section.
    Choice(Option<Section>),
}

/// What a field holds.
#[derive(Clone, Debug)]
pub enum FieldValue {
    /// A number.
    Number(u128),
    /// Bytes.
    Bytes(Vec<u8>),
    /// An address.
    Address(IpAddr),
    /// A string, or none.
    String(Option<StrId>),
    /// A record, or none.
    Id(Option<u32>),
    /// Records.
    Run(Range<usize>),
    /// A place, or none.
    Location(Location),
    /// A value that a level sets, in its unit.
    Setting(Said<u64>, Location),
    /// A record that a level sets.
    Choice(Said<u32>, Location),
}

/// What a level says of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said<T> {
    /// Nothing.
    Nothing,
    /// `off`.
    Off,
    /// This.
    Value(T),
}

/// Codes of a field, and what they stand for.
#[derive(Clone, Copy, Debug)]
pub struct Enumeration {
    /// Its name.
    pub name: &'static str,
    /// What it tells apart.
    pub about: &'static str,
    /// Code, name, and what it means.
    pub codes: &'static [(u8, &'static str, &'static str)],
}

impl FieldLayout {
    /// The enumeration that its codes are of, if it holds any: its documentation names it.
    pub fn enumeration(&self) -> Option<&'static Enumeration> {
        let (_, name) = self.about.split_once("See [`")?;
        let (name, _) = name.split_once('`')?;
        super::ENUMERATIONS.iter().find(|known| known.name == name)
    }
}

impl Enumeration {
    /// The name of a code.
    pub fn name_of(&self, code: u128) -> Option<&'static str> {
        let mut codes = self.codes.iter();
        let found = codes.find(|(known, _, _)| u128::from(*known) == code);
        found.map(|(_, name, _)| *name)
    }
}

/// What may be a field of a record.
pub trait Part {
    /// What it is.
    const TYPE: FieldType;

    /// What it holds.
    fn shown(&self) -> FieldValue;
}

/// What ids may name.
pub trait Stored {
    /// What an id of it is.
    const ID: FieldType;
    /// What a run of it is.
    const RUN: FieldType;
}

impl Stored for Str {
    const ID: FieldType = FieldType::String;
    const RUN: FieldType = FieldType::Run(None);
}

impl Stored for U32 {
    const ID: FieldType = FieldType::Id(None);
    const RUN: FieldType = FieldType::Run(None);
}

macro_rules! numbers {
    ($($type:ty, |$it:ident| $number:expr;)*) => {$(
        impl Part for $type {
            const TYPE: FieldType = FieldType::Number;

            fn shown(&self) -> FieldValue {
                let $it = self;
                FieldValue::Number($number)
            }
        }
    )*};
}

numbers! {
    u8, |it| u128::from(*it);
    U16, |it| u128::from(it.get());
    U32, |it| u128::from(it.get());
    U64, |it| u128::from(it.get());
    U128, |it| it.get();
}

impl Part for [u8; 16] {
    const TYPE: FieldType = FieldType::Address;

    fn shown(&self) -> FieldValue {
        FieldValue::Address(address_from_bytes(*self))
    }
}

impl Part for [u8; 23] {
    const TYPE: FieldType = FieldType::Bytes;

    fn shown(&self) -> FieldValue {
        FieldValue::Bytes(self.to_vec())
    }
}

impl Part for [u8; 256] {
    const TYPE: FieldType = FieldType::Bytes;

    fn shown(&self) -> FieldValue {
        FieldValue::Bytes(self.to_vec())
    }
}

impl<R: Stored + ?Sized> Part for Id<R> {
    const TYPE: FieldType = R::ID;

    fn shown(&self) -> FieldValue {
        let index = self.some().map(|id| id.index() as u32);
        match R::ID {
            FieldType::String => FieldValue::String(index.map(Id::new)),
            _ => FieldValue::Id(index),
        }
    }
}

impl<R: Stored> Part for Run<R> {
    const TYPE: FieldType = R::RUN;

    fn shown(&self) -> FieldValue {
        FieldValue::Run(self.range())
    }
}

impl Part for Location {
    const TYPE: FieldType = FieldType::Location;

    fn shown(&self) -> FieldValue {
        FieldValue::Location(*self)
    }
}

impl Part for Setting {
    const TYPE: FieldType = FieldType::Setting;

    fn shown(&self) -> FieldValue {
        let said = match self.value.get() {
            Self::UNSET => Said::Nothing,
            Self::OFF => Said::Off,
            value => Said::Value(u64::from(value)),
        };
        FieldValue::Setting(said, self.location)
    }
}

impl Part for SizeSetting {
    const TYPE: FieldType = FieldType::Size;

    fn shown(&self) -> FieldValue {
        let said = match self.value.get() {
            Self::UNSET => Said::Nothing,
            Self::OFF => Said::Off,
            value => Said::Value(value),
        };
        FieldValue::Setting(said, self.location)
    }
}

impl<R: Stored> Part for Choice<R> {
    const TYPE: FieldType = match R::ID {
        FieldType::Id(section) => FieldType::Choice(section),
        other => other,
    };

    fn shown(&self) -> FieldValue {
        let said = match self.chosen() {
            Chosen::NotSaid => Said::Nothing,
            Chosen::Off => Said::Off,
            Chosen::On(id) => Said::Value(id.index() as u32),
        };
        FieldValue::Choice(said, self.location)
    }
}

/// A word by itself.
impl Record for U32 {
    const FIELDS: &'static [FieldLayout] = &[FieldLayout {
        name: "word",
        about: "",
        offset: 0,
        length: 4,
        kind: FieldType::Number,
    }];

    fn values(&self) -> Vec<FieldValue> {
        vec![self.shown()]
    }
}
