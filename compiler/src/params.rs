//! Files of parameters: `--params prod.yaml`, and the schema that such a file keeps to.
//!
//! A mesh's own parameters make the schema: each key is a parameter, and its value is of the kind that the
//! parameter is declared with. An editor that is given the schema (`meshc params --schema`) completes and
//! checks the file; `meshc` checks it again.
//!
//! ```text
//! trees ─▶ declared parameters ─▶ JSON Schema ─▶ checks the YAML ─▶ ParamSetting, as by --set
//! ```

use crate::compile::ParamSetting;
use crate::resolve::{Declared, kind::Kind};
use mesh_lang::value::quote;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Why a file sets no parameters.
#[derive(Debug, thiserror::Error)]
pub enum ParamsError {
    /// It cannot be read.
    #[error("{} cannot be read: {source}", .path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is no YAML.
    #[error("{} is no YAML: {reason}", .path.display())]
    Yaml {
        /// Which.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// It holds what the mesh does not declare, or a value of another kind.
    #[error("{}: {}", .path.display(), .what.join("; "))]
    Misfit {
        /// Which.
        path: PathBuf,
        /// All that does not fit.
        what: Vec<String>,
    },
}

/// The JSON Schema of files that set these parameters.
pub fn schema(declared: &[Declared]) -> Value {
    let mut properties = Map::new();
    for param in declared {
        let mut schema = param.kind.schema();
        if let Value::Object(schema) = &mut schema {
            let text = match param.doc.as_str() {
                "" => format!("{}; {} where nothing is set", param.kind, param.value),
                doc => format!(
                    "{doc} ({}; {} where nothing is set)",
                    param.kind, param.value
                ),
            };
            schema.insert("description".to_owned(), json!(text));
        }
        properties.insert(param.name.clone(), schema);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of the mesh",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// What a file sets.
pub fn read(path: &Path, declared: &[Declared]) -> Result<Vec<ParamSetting>, ParamsError> {
    let text = std::fs::read_to_string(path).map_err(|source| ParamsError::Read {
        path: path.to_owned(),
        source,
    })?;
    parse(&text, path, declared)
}

fn parse(text: &str, path: &Path, declared: &[Declared]) -> Result<Vec<ParamSetting>, ParamsError> {
    let value: Value = serde_yaml::from_str(text).map_err(|error| ParamsError::Yaml {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    let misfit = |what: Vec<String>| ParamsError::Misfit {
        path: path.to_owned(),
        what,
    };
    let given = match value {
        // An empty file sets nothing.
        Value::Null => Map::new(),
        Value::Object(given) => given,
        _ => {
            return Err(misfit(vec![
                "it is to be a map of parameters and their values".to_owned(),
            ]));
        }
    };
    let validator = jsonschema::validator_for(&schema(declared))
        .map_err(|error| misfit(vec![error.to_string()]))?;
    let given = Value::Object(given);
    let wrong: Vec<String> = validator
        .iter_errors(&given)
        .map(|error| {
            let place = error
                .instance_path()
                .as_str()
                .trim_start_matches('/')
                .to_owned();
            let param = place.replace("~1", "/");
            let known = declared.iter().find(|known| param.starts_with(&known.name));
            match known {
                Some(known) => {
                    let written = &given[&known.name];
                    format!("`{}` is {}, and {written} is not", known.name, known.kind)
                }
                None => error.to_string(),
            }
        })
        .collect();
    if !wrong.is_empty() {
        return Err(misfit(wrong));
    }
    let Value::Object(given) = given else {
        return Ok(Vec::new());
    };
    let from = path.display().to_string();
    let settings = given.into_iter().map(|(name, value)| {
        let kind = declared.iter().find(|known| known.name == name);
        ParamSetting {
            value: written(&value, kind.map_or(&Kind::Word, |known| &known.kind)),
            name,
            from: from.clone(),
        }
    });
    Ok(settings.collect())
}

/// A value as the policy would write it.
fn written(value: &Value, kind: &Kind) -> String {
    match (value, kind) {
        (Value::String(text), Kind::Text) => quote(text),
        (Value::String(text), _) => text.clone(),
        (Value::Array(values), Kind::List(each)) => {
            let each = each.as_deref().unwrap_or(&Kind::Word);
            let values: Vec<String> = values.iter().map(|value| written(value, each)).collect();
            format!("[{}]", values.join(", "))
        }
        (other, _) => other.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn declared() -> Vec<Declared> {
        let param = |name: &str, kind: Kind, value: &str| Declared {
            name: name.to_owned(),
            kind,
            value: value.to_owned(),
            doc: String::new(),
        };
        vec![
            param("canary", Kind::Percent, "10%"),
            param("tries", Kind::Number, "2"),
            param("motd", Kind::Text, "\"hello\""),
            param(
                "payments/office",
                Kind::List(Some(Box::new(Kind::Network))),
                "[10.0.0.0/8]",
            ),
        ]
    }

    fn parse(text: &str) -> Result<Vec<ParamSetting>, ParamsError> {
        super::parse(text, Path::new("prod.yaml"), &declared())
    }

    #[test]
    fn values_become_settings_as_the_policy_would_write_them() {
        let settings = parse(
            "canary: 25%\ntries: 3\nmotd: |\n  say \"hi\"\npayments/office: [10.1.0.0/16, '::1']\n",
        )
        .unwrap();
        let texts: Vec<String> = settings
            .iter()
            .map(|setting| format!("{} = {}", setting.name, setting.value))
            .collect();
        assert_eq!(
            texts,
            [
                "canary = 25%",
                "motd = \"say \\\"hi\\\"\\n\"",
                "payments/office = [10.1.0.0/16, ::1]",
                "tries = 3",
            ]
        );
        assert!(parse("").unwrap().is_empty());
    }

    #[test]
    fn what_does_not_fit_is_said_all_at_once() {
        let error = parse("canary: 25\ntries: many\npayments/office: [x]\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "prod.yaml: `canary` is a percentage, and 25 is not; \
             `payments/office` is a list, each a network, and [\"x\"] is not; \
             `tries` is a whole number, and \"many\" is not"
        );
        let error = parse("canry: 25%\n").unwrap_err().to_string();
        assert!(error.contains("canry"), "{error}");
        assert!(parse("- a\n").is_err());
        assert!(
            parse("a: [")
                .unwrap_err()
                .to_string()
                .starts_with("prod.yaml is no YAML: ")
        );
    }
}
