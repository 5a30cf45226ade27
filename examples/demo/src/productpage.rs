//! `productpage`: the page that people see, and a small API. It gathers a book's details and reviews
//! through its sidecar and shows what it got. A callee that fails leaves a gap that says so, not a
//! broken page.

use std::hash::{BuildHasher as _, RandomState};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use serde_json::json;

use crate::form;
use crate::outbound::{Outbound, passed_on};
use crate::page::{self, Page, Visitor};
use crate::reply::{Refusal, Reply, allow, book_id, json_reply, nothing_here, reply, segments};

/// How long details, reviews or ratings may take, as in the original.
const PATIENCE: Duration = Duration::from_secs(3);

/// The longest name that someone can sign in with, in characters.
const NAME_LIMIT: usize = 64;

/// The book there is.
const ID: u64 = 0;
const TITLE: &str = "The Comedy of Errors";
const SUMMARY: &str = "Two pairs of twins, parted by a shipwreck, walk the streets of Ephesus on \
    the same day, and whoever speaks to one of them may be answered by the other. One of William \
    Shakespeare’s earliest plays, and his shortest.";

#[derive(Debug)]
pub(crate) struct Productpage {
    outbound: Outbound,
}

impl Productpage {
    pub(crate) fn new(sidecar: Option<SocketAddr>) -> Self {
        let patience = PATIENCE;
        Self {
            outbound: Outbound { sidecar, patience },
        }
    }

    pub(crate) async fn answer(&self, request: &Request<Bytes>) -> Result<Reply, Refusal> {
        match segments(request)[..] {
            ["" | "productpage"] => {
                allow(request, "GET, HEAD")?;
                Ok(reply(
                    StatusCode::OK,
                    HTML,
                    self.page(request.headers()).await,
                ))
            }
            ["login"] => {
                allow(request, "POST")?;
                login(request.body())
            }
            ["logout"] => {
                allow(request, "GET, HEAD")?;
                Ok(to_the_page(
                    ["session=; Path=/; Max-Age=0", "user=; Path=/; Max-Age=0"]
                        .map(HeaderValue::from_static),
                ))
            }
            ["static", file] => {
                allow(request, "GET, HEAD")?;
                let (content_type, text) = match file {
                    "style.css" => ("text/css; charset=utf-8", page::STYLE),
                    "book.svg" => ("image/svg+xml", page::BOOK),
                    _ => return Err(nothing_here(request)),
                };
                Ok(reply(StatusCode::OK, content_type, text))
            }
            ["health"] => {
                allow(request, "GET, HEAD")?;
                Ok(reply(StatusCode::OK, HTML, "Product page is healthy"))
            }
            ["api", "v1", "products"] => {
                allow(request, "GET, HEAD")?;
                let products = json!([{ "id": ID, "title": TITLE, "descriptionHtml": SUMMARY }]);
                Ok(json_reply(StatusCode::OK, &products))
            }
            ["api", "v1", "products", id] => self.api(request, "details", id).await,
            ["api", "v1", "products", id, "reviews"] => self.api(request, "reviews", id).await,
            ["api", "v1", "products", id, "ratings"] => self.api(request, "ratings", id).await,
            _ => Err(nothing_here(request)),
        }
    }

    async fn page(&self, headers: &HeaderMap) -> String {
        let calls = calls(headers);
        let details = self
            .outbound
            .get("details", &format!("/details/{ID}"), calls.clone())
            .await;
        let reviews = self
            .outbound
            .get("reviews", &format!("/reviews/{ID}"), calls)
            .await;
        // As for the calls: a name in the request comes before the one in the cookie.
        let named = headers
            .get(END_USER)
            .map(|value| String::from_utf8_lossy(value.as_bytes()));
        let signed_in = signed_in(headers);
        let visitor = match (&named, &signed_in) {
            (Some(name), _) => Visitor::Named(name),
            (None, Some(name)) => Visitor::SignedIn(name),
            (None, None) => Visitor::Stranger,
        };
        let page = Page {
            visitor,
            title: TITLE,
            summary: SUMMARY,
            details: details.as_ref(),
            reviews: reviews.as_ref(),
        };
        page.render()
    }

    /// What `callee` has about a book, or its status and why there is nothing.
    async fn api(
        &self,
        request: &Request<Bytes>,
        callee: &'static str,
        id: &str,
    ) -> Result<Reply, Refusal> {
        allow(request, "GET, HEAD")?;
        let path = format!("/{callee}/{}", book_id(id)?);
        let answer = self
            .outbound
            .get(callee, &path, calls(request.headers()))
            .await;
        Ok(match answer {
            Ok(value) => json_reply(StatusCode::OK, &value),
            Err(failure) => json_reply(failure.status(), &json!({ "error": failure.to_string() })),
        })
    }
}

const HTML: &str = "text/html; charset=utf-8";
const END_USER: &str = "end-user";

/// The headers of calls made for a request: those that it passes on, and who is signed in unless it
/// names its user itself.
fn calls(headers: &HeaderMap) -> HeaderMap {
    let mut calls = passed_on(headers);
    if !calls.contains_key(END_USER)
        && let Some(user) = signed_in(headers)
        && let Ok(user) = HeaderValue::try_from(user)
    {
        calls.insert(END_USER, user);
    }
    calls
}

/// Who the cookie says is signed in.
fn signed_in(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == "user")
        .map(|(_, value)| form::decode(value))
        .filter(|name| is_name(name))
}

/// Whether someone can be called so: not empty, not endless, and fit for a header.
fn is_name(name: &str) -> bool {
    (1..=NAME_LIMIT).contains(&name.chars().count()) && !name.chars().any(char::is_control)
}

/// Signs in whoever the form names. There is no password to check.
fn login(body: &[u8]) -> Result<Reply, Refusal> {
    let name = form::pairs(&String::from_utf8_lossy(body))
        .find(|(name, _)| name == "username")
        .map(|(_, value)| value.trim().to_owned())
        .filter(|name| is_name(name))
        .ok_or_else(|| {
            Refusal::Unclear(format!(
                "to sign in, post a form with a username of 1 to {NAME_LIMIT} characters"
            ))
        })?;
    // Random enough to tell sessions apart, which is all that it is for.
    let session = RandomState::new().hash_one(&name);
    let cookie = |name: &str, value: &str| {
        HeaderValue::try_from(format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax"))
            .expect("an encoded value fits into a header")
    };
    Ok(to_the_page([
        cookie("session", &format!("{session:016x}")),
        cookie("user", &form::encode(&name)),
    ]))
}

/// A redirect to the page, with cookies to set.
fn to_the_page(cookies: [HeaderValue; 2]) -> Reply {
    let mut redirect = reply(
        StatusCode::FOUND,
        "text/plain; charset=utf-8",
        "See /productpage\n",
    );
    let headers = redirect.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_static("/productpage"));
    for cookie in cookies {
        headers.append(SET_COOKIE, cookie);
    }
    redirect
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn the_user_is_in_any_cookie_header() {
        for cookies in [
            &[("cookie", "user=jason")][..],
            &[("cookie", "session=1; user=jason; x=y")],
            &[("cookie", "session=1"), ("cookie", "user=jason")],
        ] {
            assert_eq!(
                signed_in(&request(cookies)).as_deref(),
                Some("jason"),
                "{cookies:?}"
            );
        }
        assert_eq!(
            signed_in(&request(&[("cookie", "user=Ada%20L")])).as_deref(),
            Some("Ada L")
        );
    }

    #[test]
    fn a_cookie_that_is_no_name_is_nobody() {
        for cookie in ["user=", "user=%0D%0Ax", "xuser=jason", "user", ""] {
            assert_eq!(signed_in(&request(&[("cookie", cookie)])), None, "{cookie}");
        }
    }

    #[test]
    fn a_header_comes_before_the_cookie() {
        let both = calls(&request(&[("cookie", "user=jason"), ("end-user", "ada")]));
        assert_eq!(
            both.get(END_USER).map(HeaderValue::as_bytes),
            Some(&b"ada"[..])
        );
        let cookie = calls(&request(&[("cookie", "user=%C3%A9")]));
        assert_eq!(
            cookie.get(END_USER).map(HeaderValue::as_bytes),
            Some("é".as_bytes())
        );
    }
}
