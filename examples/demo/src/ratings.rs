//! `ratings`: how many stars each reviewer gave. What is posted is kept in memory, for as long as the
//! server runs.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::{Map, Value, json};

use crate::reply::{Refusal, Reply, allow, book_id, json_reply, nothing_here, segments};

/// The most books whose ratings are kept.
const BOOKS: usize = 1000;

/// Stars by reviewer.
type Stars = Map<String, Value>;

#[derive(Debug, Default)]
pub(crate) struct Ratings {
    posted: Mutex<HashMap<u64, Stars>>,
}

impl Ratings {
    pub(crate) fn answer(&self, request: &Request<Bytes>) -> Result<Reply, Refusal> {
        match segments(request)[..] {
            ["ratings", id] => {
                allow(request, "GET, HEAD, POST")?;
                let id = book_id(id)?;
                let stars = if request.method() == Method::POST {
                    self.store(id, stars(request.body())?)?
                } else {
                    self.of_book(id)
                };
                Ok(json_reply(
                    StatusCode::OK,
                    &json!({ "id": id, "ratings": stars }),
                ))
            }
            ["health"] => {
                allow(request, "GET, HEAD")?;
                Ok(json_reply(
                    StatusCode::OK,
                    &json!({ "status": "Ratings is healthy" }),
                ))
            }
            _ => Err(nothing_here(request)),
        }
    }

    fn of_book(&self, id: u64) -> Stars {
        let posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner);
        posted.get(&id).cloned().unwrap_or_else(|| {
            [("Reviewer1", 5), ("Reviewer2", 4)]
                .map(|(reviewer, stars)| (reviewer.to_owned(), Value::from(stars)))
                .into_iter()
                .collect()
        })
    }

    fn store(&self, id: u64, stars: Stars) -> Result<Stars, Refusal> {
        let mut posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner);
        if posted.len() == BOOKS && !posted.contains_key(&id) {
            let sentence = format!(
                "the ratings of {BOOKS} books are kept already, and this would be one more"
            );
            return Err(Refusal::Full(sentence));
        }
        posted.insert(id, stars.clone());
        Ok(stars)
    }
}

/// Reads `{ "Reviewer1": 5, … }`.
fn stars(body: &[u8]) -> Result<Stars, Refusal> {
    let unclear = |why: &str| {
        Refusal::Unclear(format!(
            "ratings are JSON like {{\"Reviewer1\": 5}}, from 0 to 5 stars: {why}"
        ))
    };
    let stars: Stars = serde_json::from_slice(body).map_err(|error| unclear(&error.to_string()))?;
    match stars
        .iter()
        .find(|(_, stars)| stars.as_u64().is_none_or(|stars| stars > 5))
    {
        Some((reviewer, stars)) => Err(unclear(&format!("{reviewer} gives {stars}"))),
        None => Ok(stars),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_are_whole_and_at_most_five() {
        for body in [r#"{"Reviewer1": 0}"#, r#"{"a": 5, "b": 1}"#, "{}"] {
            assert!(stars(body.as_bytes()).is_ok(), "{body}");
        }
        for body in [
            "",
            "[]",
            "5",
            r#"{"a": 6}"#,
            r#"{"a": -1}"#,
            r#"{"a": 4.5}"#,
            r#"{"a": "5"}"#,
            r#"{"a": null}"#,
        ] {
            let refusal = stars(body.as_bytes()).expect_err(body);
            assert_eq!(refusal.status(), StatusCode::BAD_REQUEST, "{body}");
        }
    }

    #[test]
    fn the_memory_is_bounded() {
        let ratings = Ratings::default();
        for id in 0..BOOKS as u64 {
            assert!(ratings.store(id, Stars::new()).is_ok());
        }
        assert!(ratings.store(0, Stars::new()).is_ok());
        let refusal = ratings
            .store(BOOKS as u64, Stars::new())
            .expect_err("one too many");
        assert_eq!(refusal.status(), StatusCode::INSUFFICIENT_STORAGE);
    }
}
