//! `details`: what stands on the cover and in the imprint of a book, the same for every id.

use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::json;

use crate::reply::{Refusal, Reply, allow, book_id, json_reply, nothing_here, segments};

pub(crate) fn answer(request: &Request<Bytes>) -> Result<Reply, Refusal> {
    match segments(request)[..] {
        ["details", id] => {
            allow(request, "GET, HEAD")?;
            let details = json!({
                "id": book_id(id)?,
                "author": "William Shakespeare",
                "year": 1595,
                "type": "paperback",
                "pages": 200,
                "publisher": "PublisherA",
                "language": "English",
                "ISBN-10": "1234567890",
                "ISBN-13": "123-1234567890",
            });
            Ok(json_reply(StatusCode::OK, &details))
        }
        ["health"] => {
            allow(request, "GET, HEAD")?;
            Ok(json_reply(
                StatusCode::OK,
                &json!({ "status": "Details is healthy" }),
            ))
        }
        _ => Err(nothing_here(request)),
    }
}
