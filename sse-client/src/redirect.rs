//! Redirects, as Fetch follows them.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, Method, Request, StatusCode, Uri,
    header::{
        ACCEPT, ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LANGUAGE,
        CONTENT_LOCATION, CONTENT_TYPE, LOCATION, PRAGMA, USER_AGENT,
    },
};
use sse_wire::LAST_EVENT_ID;
use url::Url;

use crate::{Error, shown::shown_text};

/// Headers that describe a body, and are removed with it.
const OF_BODY: [HeaderName; 4] = [
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    CONTENT_LOCATION,
    CONTENT_TYPE,
];

/// Headers that another origin may see, because they cannot hold a secret. A header of any other
/// name might (CVE-2022-1650).
const HARMLESS: [HeaderName; 5] = [ACCEPT, ACCEPT_LANGUAGE, CACHE_CONTROL, PRAGMA, USER_AGENT];

/// The reason why a redirect was not followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedirectError {
    /// It has no `Location` header.
    #[error("the server answered {status} without a Location header")]
    NoLocation {
        /// The status.
        status: StatusCode,
    },
    /// It does not lead to an HTTP URL.
    #[error("the server redirects to {location:?}, which is no HTTP URL")]
    BadLocation {
        /// The `Location` header, without what may be a secret.
        location: String,
    },
    /// Too many redirects followed one another.
    #[error("more than {limit} redirects in a row; raise `max_redirects` if that is right")]
    TooMany {
        /// The limit.
        limit: usize,
    },
}

/// Returns `true` if the status redirects the client.
pub(crate) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301..=303 | 307 | 308)
}

/// Changes a request as the redirect that answered it demands. Returns the new URL.
pub(crate) fn follow(
    request: &mut Request<Bytes>,
    from: &Url,
    status: StatusCode,
    response: &HeaderMap,
) -> Result<Url, Error> {
    let location = response
        .get(LOCATION)
        .ok_or(RedirectError::NoLocation { status })?;
    let location = String::from_utf8_lossy(location.as_bytes());
    let (url, uri) = resolve(from, &location).ok_or_else(|| RedirectError::BadLocation {
        location: shown_text(&location),
    })?;
    *request.uri_mut() = uri;
    if becomes_get(status, request.method()) {
        *request.method_mut() = Method::GET;
        *request.body_mut() = Bytes::new();
        for name in OF_BODY {
            request.headers_mut().remove(name);
        }
    }
    if url.origin() != from.origin() {
        keep_harmless(request.headers_mut());
    }
    Ok(url)
}

fn resolve(from: &Url, location: &str) -> Option<(Url, Uri)> {
    let mut url = from.join(location).ok()?;
    url.set_fragment(None);
    let is_http = matches!(url.scheme(), "http" | "https");
    let uri = url.as_str().parse().ok()?;
    is_http.then_some((url, uri))
}

/// Returns `true` if the redirected request is a GET. Browsers, and therefore Fetch, repeat a POST
/// only after 307 and 308.
fn becomes_get(status: StatusCode, method: &Method) -> bool {
    match status.as_u16() {
        301 | 302 => method == Method::POST,
        303 => method != Method::GET && method != Method::HEAD,
        _ => false,
    }
}

fn keep_harmless(headers: &mut HeaderMap) {
    for (name, value) in std::mem::take(headers).drain() {
        // A header that is there twice has its name once.
        let Some(name) = name else { continue };
        if name == LAST_EVENT_ID || HARMLESS.contains(&name) || OF_BODY.contains(&name) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use http::header::AUTHORIZATION;

    use super::*;

    /// The request after a redirect from `http://a.example/x/y`.
    fn followed(
        status: u16,
        method: Method,
        location: &str,
    ) -> Result<(Request<Bytes>, Url), Error> {
        let mut request = Request::builder()
            .method(method)
            .uri("http://a.example/x/y")
            .header(AUTHORIZATION, "secret")
            .header("x-api-key", "secret")
            .header("last-event-id", "7")
            .header(CONTENT_TYPE, "application/json")
            .body(Bytes::from_static(b"{}"))
            .unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, location.parse().unwrap());
        let from = Url::parse("http://a.example/x/y").unwrap();
        let status = StatusCode::from_u16(status).unwrap();
        let url = follow(&mut request, &from, status, &headers)?;
        Ok((request, url))
    }

    #[test]
    fn locations_may_be_relative() {
        for (location, expected) in [
            ("z", "http://a.example/x/z"),
            ("/z?q#f", "http://a.example/z?q"),
            ("//b.example/", "http://b.example/"),
            ("https://a.example", "https://a.example/"),
        ] {
            let (request, url) = followed(302, Method::GET, location).unwrap();
            assert_eq!(url.as_str(), expected);
            assert_eq!(request.uri(), expected);
        }
    }

    #[test]
    fn a_location_that_is_no_http_url_is_an_error() {
        for location in [
            "ftp://a.example/",
            "http://",
            "javascript:alert(1)",
            "http://[::",
        ] {
            let error = followed(302, Method::GET, location).unwrap_err();
            assert!(
                matches!(error, Error::Redirect(RedirectError::BadLocation { .. })),
                "{location}: {error:?}"
            );
        }
    }

    #[test]
    fn only_307_and_308_post_again() {
        for (status, method) in [
            (301, "GET"),
            (302, "GET"),
            (303, "GET"),
            (307, "POST"),
            (308, "POST"),
        ] {
            let (request, _) = followed(status, Method::POST, "/z").unwrap();
            assert_eq!(request.method(), method, "{status}");
            assert_eq!(request.body().is_empty(), method == "GET", "{status}");
            assert_eq!(
                request.headers().contains_key(CONTENT_TYPE),
                method == "POST",
                "{status}"
            );
        }
    }

    #[test]
    fn another_origin_gets_no_credentials() {
        for (location, same) in [
            ("/z", true),
            ("http://a.example:80/", true),
            ("http://b.example/", false),
            ("http://a.example:8080/", false),
            ("https://a.example/", false),
        ] {
            let (request, _) = followed(307, Method::GET, location).unwrap();
            let headers = request.headers();
            assert_eq!(headers.contains_key(AUTHORIZATION), same, "{location}");
            assert_eq!(headers.contains_key("x-api-key"), same, "{location}");
            assert_eq!(headers["last-event-id"], "7", "{location}");
        }
    }
}
