//! The page as HTML: a template with places to fill, and what fills them. Everything that came from
//! elsewhere is escaped.

use std::fmt::Write as _;

use serde_json::Value;

use crate::outbound::Failure;

const TEMPLATE: &str = include_str!("../assets/page.html");

/// The style, in the page itself and at `/static/style.css`.
pub(crate) const STYLE: &str = include_str!("../assets/style.css");

/// The picture at `/static/book.svg`.
pub(crate) const BOOK: &str = include_str!("../assets/book.svg");

/// What the page shows of a book's details: the member of the JSON, and how it is called.
const DETAILS: [(&str, &str); 8] = [
    ("author", "Author"),
    ("year", "Year"),
    ("type", "Binding"),
    ("pages", "Pages"),
    ("publisher", "Publisher"),
    ("language", "Language"),
    ("ISBN-10", "ISBN-10"),
    ("ISBN-13", "ISBN-13"),
];

/// Whom the page is for.
pub(crate) enum Visitor<'a> {
    /// Signed in on this page.
    SignedIn(&'a str),
    /// Named by the request's `end-user` header.
    Named(&'a str),
    Stranger,
}

pub(crate) struct Page<'a> {
    pub(crate) visitor: Visitor<'a>,
    pub(crate) title: &'a str,
    pub(crate) summary: &'a str,
    pub(crate) details: Result<&'a Value, &'a Failure>,
    pub(crate) reviews: Result<&'a Value, &'a Failure>,
}

impl Page<'_> {
    pub(crate) fn render(&self) -> String {
        fill(TEMPLATE, |place| match place {
            "style" => STYLE.to_owned(),
            "visitor" => visitor(&self.visitor),
            "title" => escape(self.title),
            "summary" => escape(self.summary),
            "details" => self
                .details
                .map_or_else(|failure| gap("details", failure), details),
            "reviews" => self
                .reviews
                .map_or_else(|failure| gap("reviews", failure), reviews),
            "served-by" => served_by(self.reviews),
            _ => String::new(),
        })
    }
}

fn visitor(visitor: &Visitor<'_>) -> String {
    match visitor {
        Visitor::SignedIn(name) => {
            format!(
                r#"<p>Signed in as <b>{}</b> · <a href="/logout">Sign out</a></p>"#,
                escape(name)
            )
        }
        Visitor::Named(name) => format!(
            "<p>Asked for by <b>{}</b>, the request’s end-user</p>",
            escape(name)
        ),
        Visitor::Stranger => String::from(
            r#"<form method="post" action="/login">
        <input name="username" aria-label="Your name" placeholder="jason" maxlength="64" required>
        <button>Sign in</button>
      </form>"#,
        ),
    }
}

fn details(details: &Value) -> String {
    let mut list = String::from("<dl>");
    for (member, label) in DETAILS {
        let value = match &details[member] {
            Value::Null => continue,
            Value::String(text) => escape(text),
            other => escape(&other.to_string()),
        };
        // Writing to a String does not fail, here and below.
        let _ = write!(
            list,
            "\n        <div><dt>{label}</dt><dd>{value}</dd></div>"
        );
    }
    list + "\n      </dl>"
}

fn reviews(answer: &Value) -> String {
    let Some(reviews) = answer["reviews"]
        .as_array()
        .filter(|reviews| !reviews.is_empty())
    else {
        return String::from(r#"<p class="quiet">Nobody has written a review yet.</p>"#);
    };
    let mut list = String::new();
    for review in reviews {
        let text = escape(review["text"].as_str().unwrap_or_default());
        let reviewer = escape(review["reviewer"].as_str().unwrap_or_default());
        let _ = write!(
            list,
            "<figure>
        <blockquote>{text}</blockquote>
        <figcaption>{reviewer}{}</figcaption>
      </figure>
      ",
            rating(&review["rating"]),
        );
    }
    list
}

/// Stars in their colour, what went wrong with them, or nothing where a version has none.
fn rating(rating: &Value) -> String {
    if let Some(stars) = rating["stars"].as_u64() {
        let stars = stars.min(5) as usize;
        let color = match rating["color"].as_str() {
            Some("red") => "red",
            _ => "black",
        };
        return format!(
            r#" <span class="stars {color}" role="img" aria-label="{stars} of 5 stars, {color}">{}<i>{}</i></span>"#,
            "★".repeat(stars),
            "☆".repeat(5 - stars),
        );
    }
    rating["error"].as_str().map_or_else(String::new, |error| {
        format!(
            r#" <span class="missing">No stars: {}.</span>"#,
            escape(error)
        )
    })
}

fn served_by(reviews: Result<&Value, &Failure>) -> String {
    reviews
        .ok()
        .and_then(|reviews| reviews["podname"].as_str())
        .map_or_else(String::new, |podname| {
            format!(
                r#"<p class="quiet">Reviews served by <b id="reviews-served-by">{}</b></p>"#,
                escape(podname)
            )
        })
}

/// What stands where a part should be.
fn gap(part: &str, failure: &Failure) -> String {
    let why = escape(&failure.to_string());
    format!(r#"<p class="missing" id="missing-{part}">The {part} are missing: {why}.</p>"#)
}

/// Puts a text at each `{{place}}`.
fn fill(template: &str, text_for: impl Fn(&str) -> String) -> String {
    let mut filled = String::with_capacity(2 * template.len());
    let mut rest = template;
    while let Some((before, (place, after))) = rest
        .split_once("{{")
        .and_then(|(before, after)| Some((before, after.split_once("}}")?)))
    {
        filled += before;
        filled += &text_for(place);
        rest = after;
    }
    filled + rest
}

fn escape(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut escaped, c| {
            match c {
                '&' => escaped += "&amp;",
                '<' => escaped += "&lt;",
                '>' => escaped += "&gt;",
                '"' => escaped += "&quot;",
                '\'' => escaped += "&#39;",
                _ => escaped.push(c),
            }
            escaped
        })
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::json;

    use super::*;
    use crate::outbound::Reason;

    fn page(
        visitor: Visitor<'_>,
        details: Result<&Value, &Failure>,
        reviews: Result<&Value, &Failure>,
    ) -> String {
        let page = Page {
            visitor,
            title: "T",
            summary: "S",
            details,
            reviews,
        };
        page.render()
    }

    #[test]
    fn every_place_is_filled() {
        let page = page(
            Visitor::Stranger,
            Ok(&json!({ "pages": 200 })),
            Ok(&json!({})),
        );
        assert!(!page.contains("{{") && !page.contains("}}"), "{page}");
        assert!(page.contains("<dt>Pages</dt><dd>200</dd>"));
        assert!(page.contains("<form"));
    }

    #[test]
    fn what_comes_from_elsewhere_is_escaped() {
        let evil = "<script>\"'&{{style}}";
        let reviews = json!({ "podname": evil, "reviews": [
            { "reviewer": evil, "text": evil, "rating": { "stars": 1, "color": evil } },
            { "reviewer": evil, "text": evil, "rating": { "error": evil } },
        ]});
        for visitor in [Visitor::SignedIn(evil), Visitor::Named(evil)] {
            let page = page(
                visitor,
                Ok(&json!({ "author": evil, "year": [evil] })),
                Ok(&reviews),
            );
            assert!(!page.contains("<script"), "{page}");
            assert!(page.contains("&lt;script&gt;&quot;&#39;&amp;{{style}}"));
        }
    }

    #[test]
    fn stars_are_five_at_most() {
        let endless = rating(&json!({ "stars": u64::MAX, "color": "red" }));
        assert!(
            endless.contains("★★★★★<i></i>") && endless.contains(r#"class="stars red""#),
            "{endless}"
        );
        assert_eq!(rating(&Value::Null), "");
    }

    #[test]
    fn a_gap_says_what_is_missing_and_why() {
        let failure = Failure {
            callee: "reviews",
            reason: Reason::Status(StatusCode::FORBIDDEN),
        };
        let page = page(Visitor::Stranger, Ok(&json!({})), Err(&failure));
        assert!(page.contains("The reviews are missing: reviews answered 403 Forbidden."));
        assert!(!page.contains("served by"));
    }
}
