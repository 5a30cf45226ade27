//! Tokens and keys, and the fields that are used as keys.

use super::*;

impl Checker<'_> {
    pub(super) fn credentials(&mut self) -> Checked {
        let bundle = self.bundle;
        for text in bundle.texts() {
            self.text(text.text, Section::Texts)?;
        }
        for place in bundle.token_places() {
            let section = Section::TokenPlaces;
            let kind = PlaceKind::from_code(place.kind);
            ensure(kind.is_some(), section, "is not known here")?;
            let name = self.text(place.name, section)?;
            let is_header = kind == Some(PlaceKind::Header);
            ensure(
                !is_header || is_lower_token(name),
                section,
                "names no header",
            )?;
            self.opt_text(place.prefix, section)?;
            self.location(place.location, section)?;
        }
        for jwt in bundle.jwts() {
            let section = Section::Jwts;
            for text in [jwt.name, jwt.namespace, jwt.issuer, jwt.jwks] {
                self.text(text, section)?;
            }
            ensure(
                jwt.jwks_kind <= 1,
                section,
                "has keys at a place not known here",
            )?;
            run_within(jwt.audiences, bundle.texts(), Section::Texts)?;
            run_within(jwt.places, bundle.token_places(), Section::TokenPlaces)?;
            self.setting(jwt.every, section)?;
            self.location(jwt.location, section)?;
        }
        for keys in bundle.keys() {
            let section = Section::Keys;
            for text in [keys.name, keys.namespace, keys.file] {
                self.text(text, section)?;
            }
            run_within(keys.places, bundle.token_places(), Section::TokenPlaces)?;
            self.location(keys.location, section)?;
        }
        for field in bundle.field_refs() {
            let section = Section::FieldRefs;
            let kind = FieldKind::from_code(field.field);
            let Some(kind) = kind else {
                return Err(wrong(section, "names a field not known here"));
            };
            let name = self.opt_text(field.name, section)?;
            self.field(kind, field.provider.get(), name, section)?;
        }
        Ok(())
    }

    /// A field has the name and the provider that its kind asks for.
    pub(super) fn field(
        &self,
        kind: FieldKind,
        provider: u32,
        name: Option<&str>,
        section: Section,
    ) -> Checked {
        let named = match kind {
            FieldKind::Header => name.is_some_and(is_lower_token),
            FieldKind::Query | FieldKind::Cookie | FieldKind::Claim | FieldKind::Inventory => {
                name.is_some()
            }
            _ => true,
        };
        ensure(named, section, "has no name")?;
        match kind {
            FieldKind::Jwt | FieldKind::Claim => self.provider(0, provider, section),
            FieldKind::Key => self.provider(1, provider, section),
            _ => Ok(()),
        }
    }
}
