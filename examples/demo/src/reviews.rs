//! `reviews`: what two readers wrote. Version 1 stops there; 2 and 3 ask `ratings` for their stars,
//! black and red.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};

use crate::name::{ReviewsVersion, ServerName};
use crate::outbound::{Outbound, passed_on};
use crate::reply::{Refusal, Reply, allow, book_id, json_reply, nothing_here, segments};

const REVIEWS: [(&str, &str); 2] = [
    (
        "Reviewer1",
        "Twins who are mistaken for each other all day long, and not a dull page. I laughed from \
         the harbour to the abbey.",
    ),
    (
        "Reviewer2",
        "Light on its feet and soon over. Do not look for the depth of his later plays here.",
    ),
];

#[derive(Debug)]
pub(crate) struct Reviews {
    version: ReviewsVersion,
    stars: Option<Stars>,
}

/// Where a version gets its stars from, and how it colours them.
#[derive(Debug)]
struct Stars {
    color: &'static str,
    outbound: Outbound,
}

impl Reviews {
    pub(crate) fn new(version: ReviewsVersion, sidecar: Option<SocketAddr>) -> Self {
        let stars = |color, patience| {
            let outbound = Outbound { sidecar, patience };
            Some(Stars { color, outbound })
        };
        let stars = match version {
            ReviewsVersion::V1 => None,
            // As long as in the original, where a delay between 3 s and 10 s shows a chain of
            // timeouts that do not fit.
            ReviewsVersion::V2 => stars("black", Duration::from_secs(10)),
            ReviewsVersion::V3 => stars("red", Duration::from_millis(2500)),
        };
        Self { version, stars }
    }

    pub(crate) async fn answer(&self, request: &Request<Bytes>) -> Result<Reply, Refusal> {
        match segments(request)[..] {
            ["reviews", id] => {
                allow(request, "GET, HEAD")?;
                let reviews = self.of_book(book_id(id)?, request.headers()).await;
                Ok(json_reply(StatusCode::OK, &reviews))
            }
            ["health"] => {
                allow(request, "GET, HEAD")?;
                Ok(json_reply(
                    StatusCode::OK,
                    &json!({ "status": "Reviews is healthy" }),
                ))
            }
            _ => Err(nothing_here(request)),
        }
    }

    async fn of_book(&self, id: u64, headers: &HeaderMap) -> Value {
        let mut reviews =
            REVIEWS.map(|(reviewer, text)| json!({ "reviewer": reviewer, "text": text }));
        if let Some(stars) = &self.stars {
            let answer = stars
                .outbound
                .get("ratings", &format!("/ratings/{id}"), passed_on(headers))
                .await
                .map_err(|failure| failure.to_string());
            for (review, (reviewer, _)) in reviews.iter_mut().zip(REVIEWS) {
                review["rating"] = match &answer {
                    Ok(answer) => match answer["ratings"][reviewer].as_u64() {
                        Some(count) => json!({ "stars": count, "color": stars.color }),
                        None => json!({ "error": format!("ratings has no stars from {reviewer}") }),
                    },
                    Err(why) => json!({ "error": why }),
                };
            }
        }
        json!({
            "id": id.to_string(),
            "podname": ServerName::Reviews(self.version).served_by(),
            "clustername": "local",
            "reviews": reviews,
        })
    }
}
