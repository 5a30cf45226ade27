//! Which server: its name as a mesh writes it (`reviews.v2`), and as a response carries it
//! (`reviews-v2`).

use std::fmt;

/// One of the servers of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServerName {
    /// The page, which calls `details` and `reviews`, and `ratings` for its API.
    Productpage,
    /// Author, year and numbers of a book.
    Details,
    /// What two readers wrote about a book.
    Reviews(ReviewsVersion),
    /// How many stars they gave.
    Ratings,
    /// Says what arrived, and answers as its query asks.
    Echo,
}

/// The versions of `reviews`, which differ in the stars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReviewsVersion {
    /// No stars; does not call `ratings`.
    V1,
    /// Black stars.
    V2,
    /// Red stars.
    V3,
}

impl ServerName {
    /// Every server, in the order in which help and lists show them.
    pub const fn all() -> [Self; 7] {
        [
            Self::Productpage,
            Self::Details,
            Self::Reviews(ReviewsVersion::V1),
            Self::Reviews(ReviewsVersion::V2),
            Self::Reviews(ReviewsVersion::V3),
            Self::Ratings,
            Self::Echo,
        ]
    }

    /// The server that is written like this, `details` or `reviews.v2`. `reviews` needs its
    /// version; nobody else has one.
    pub fn parse(written: &str) -> Option<Self> {
        Self::all()
            .into_iter()
            .find(|name| match (name.version(), written.split_once('.')) {
                (None, None) => name.service() == written,
                (Some(version), Some(parts)) => (name.service(), version) == parts,
                _ => false,
            })
    }

    /// The service it belongs to: `reviews`.
    pub const fn service(self) -> &'static str {
        match self {
            Self::Productpage => "productpage",
            Self::Details => "details",
            Self::Reviews(_) => "reviews",
            Self::Ratings => "ratings",
            Self::Echo => "echo",
        }
    }

    /// Its version of that service, `v2`, where the service has several.
    pub const fn version(self) -> Option<&'static str> {
        match self {
            Self::Reviews(ReviewsVersion::V1) => Some("v1"),
            Self::Reviews(ReviewsVersion::V2) => Some("v2"),
            Self::Reviews(ReviewsVersion::V3) => Some("v3"),
            _ => None,
        }
    }

    /// The services it calls through its sidecar.
    pub const fn calls(self) -> &'static [&'static str] {
        match self {
            Self::Productpage => &["details", "reviews", "ratings"],
            Self::Reviews(ReviewsVersion::V2 | ReviewsVersion::V3) => &["ratings"],
            _ => &[],
        }
    }

    /// What its responses carry as `x-served-by`: `reviews-v2`.
    pub const fn served_by(self) -> &'static str {
        match self {
            Self::Reviews(ReviewsVersion::V1) => "reviews-v1",
            Self::Reviews(ReviewsVersion::V2) => "reviews-v2",
            Self::Reviews(ReviewsVersion::V3) => "reviews-v3",
            _ => self.service(),
        }
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.service())?;
        self.version()
            .map_or(Ok(()), |version| write!(f, ".{version}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_again() {
        for name in ServerName::all() {
            assert_eq!(ServerName::parse(&name.to_string()), Some(name));
            assert_eq!(name.served_by(), name.to_string().replace('.', "-"));
        }
    }

    #[test]
    fn only_reviews_has_versions() {
        for written in [
            "",
            ".",
            "reviews",
            "reviews.",
            "reviews.v4",
            "details.v1",
            "Reviews.v1",
            "reviews.v1.v1",
        ] {
            assert_eq!(ServerName::parse(written), None, "{written}");
        }
    }
}
