//! What HTTP has names for.

pub(super) use mesh_lang::vocabulary::METHODS;

/// Statuses that policies answer with or wait for, and what they are called.
pub(super) const STATUSES: &[(&str, &str)] = &[
    ("200", "OK"),
    ("201", "Created"),
    ("202", "Accepted"),
    ("204", "No Content"),
    ("301", "Moved Permanently"),
    ("302", "Found"),
    ("303", "See Other"),
    ("304", "Not Modified"),
    ("307", "Temporary Redirect"),
    ("308", "Permanent Redirect"),
    ("400", "Bad Request"),
    ("401", "Unauthorized"),
    ("403", "Forbidden"),
    ("404", "Not Found"),
    ("405", "Method Not Allowed"),
    ("408", "Request Timeout"),
    ("409", "Conflict"),
    ("410", "Gone"),
    ("413", "Content Too Large"),
    ("415", "Unsupported Media Type"),
    ("421", "Misdirected Request"),
    ("422", "Unprocessable Content"),
    ("425", "Too Early"),
    ("429", "Too Many Requests"),
    ("431", "Request Header Fields Too Large"),
    ("451", "Unavailable For Legal Reasons"),
    ("500", "Internal Server Error"),
    ("501", "Not Implemented"),
    ("502", "Bad Gateway"),
    ("503", "Service Unavailable"),
    ("504", "Gateway Timeout"),
];

/// The statuses of redirects.
pub(super) const REDIRECTS: &[&str] = &["301", "302", "303", "307", "308"];

/// Whole classes of statuses.
pub(super) const CLASSES: &[(&str, &str)] = &[
    ("2xx", "Successful"),
    ("3xx", "Redirection"),
    ("4xx", "Client Error"),
    ("5xx", "Server Error"),
];

/// Headers that policies read or write.
pub(super) const HEADERS: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-language",
    "access-control-request-method",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-language",
    "content-security-policy",
    "content-type",
    "end-user",
    "etag",
    "expires",
    "forwarded",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "last-modified",
    "location",
    "origin",
    "permissions-policy",
    "range",
    "referer",
    "referrer-policy",
    "retry-after",
    "server",
    "strict-transport-security",
    "traceparent",
    "tracestate",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "x-api-key",
    "x-content-type-options",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-frame-options",
    "x-request-id",
    "x-team",
    "x-tenant",
];

/// Registered claims of tokens (RFC 7519), and such as many issuers add.
pub(super) const CLAIMS: &[&str] = &[
    "aud",
    "azp",
    "client_id",
    "email",
    "email_verified",
    "exp",
    "groups",
    "iat",
    "iss",
    "jti",
    "name",
    "nbf",
    "preferred_username",
    "roles",
    "scope",
    "sub",
];

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_lang::value::{HeaderName, Status, StatusSet};

    #[test]
    fn they_are_what_the_language_takes() {
        for (status, _) in STATUSES {
            assert!(Status::parse(status).is_ok(), "{status}");
        }
        for (class, _) in CLASSES {
            assert!(StatusSet::parse(class).is_ok(), "{class}");
        }
        for header in HEADERS {
            assert!(HeaderName::parse(header).is_ok(), "{header}");
        }
        assert!(HEADERS.is_sorted() && CLAIMS.is_sorted() && STATUSES.is_sorted());
    }
}
