//! The matrix for programs.

use super::Matrix;

/// What `meshc matrix --format json` prints, as a JSON Schema.
pub const SCHEMA: &str = include_str!("json.schema.json");

/// One JSON document.
pub fn json(matrix: &Matrix) -> String {
    // These types have nothing that fails.
    let mut text = serde_json::to_string_pretty(matrix).unwrap_or_default();
    text.push('\n');
    text
}
