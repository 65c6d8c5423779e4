//! The values on the command line. An error is a sentence that `sse` prints after the value.

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use url::Url;

use crate::args::Data;

/// Parses a URL of HTTP, with or without its scheme.
pub(crate) fn url(text: &str) -> Result<Url, String> {
    let url = if text.contains("://") {
        Url::parse(text)
    } else {
        Url::parse(&format!("http://{text}"))
    };
    let mut url = url.map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("neither http nor https".to_owned());
    }
    // It is not part of the request.
    url.set_fragment(None);
    Ok(url)
}

/// Parses the URL of a publish endpoint, or of an app, which stands for its publish endpoint.
pub(crate) fn publish_url(text: &str) -> Result<Url, String> {
    let mut url = url(text)?;
    if url.path() == "/" {
        url.set_path("/publish");
    }
    Ok(url)
}

pub(crate) fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("write it as 'Name: value'")?;
    let name = name
        .trim()
        .parse()
        .map_err(|_| "this is not the name of a header")?;
    let value = value
        .trim()
        .parse()
        .map_err(|_| "a header cannot have this value")?;
    Ok((name, value))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "clap asks for functions that may fail"
)]
pub(crate) fn data(text: &str) -> Result<Data, String> {
    Ok(match text.strip_prefix('@') {
        Some("-") => Data::Stdin,
        Some(path) => Data::File(path.into()),
        None => Data::Text(text.to_owned()),
    })
}

pub(crate) fn last_event_id(text: &str) -> Result<String, String> {
    if text.contains(char::is_control) {
        return Err("a header cannot hold control characters".to_owned());
    }
    Ok(text.to_owned())
}

/// Parses a number of seconds above 0, whole or not.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds")?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "not a time above 0".to_owned())
}

/// Parses a rate in events per second, which a clock of nanoseconds can resolve.
pub(crate) fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text
        .parse()
        .map_err(|_| "not a number of events per second")?;
    if rate > 0.0 && (1e-6..=1e6).contains(&rate) {
        Ok(rate)
    } else {
        Err("not a rate between 0.000001 and 1000000".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_may_be_left_out() {
        for (text, expected) in [
            (
                "localhost:3000/events",
                Some("http://localhost:3000/events"),
            ),
            ("example.org", Some("http://example.org/")),
            ("https://example.org/a?b#c", Some("https://example.org/a?b")),
            ("/events?next=http://x", None),
            ("ftp://example.org/", None),
            ("http://", None),
            ("", None),
        ] {
            let url = url(text).ok();
            assert_eq!(url.as_ref().map(Url::as_str), expected, "{text}");
        }
    }

    #[test]
    fn the_root_of_an_app_stands_for_its_publish_endpoint() {
        for (text, expected) in [
            ("localhost:3000", "http://localhost:3000/publish"),
            ("localhost:3000/?a=b", "http://localhost:3000/publish?a=b"),
            ("localhost:3000/send", "http://localhost:3000/send"),
        ] {
            assert_eq!(publish_url(text).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn times_and_rates_are_above_0() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for text in ["0", "-1", "nan", "inf", "1e300", "", "5s"] {
            assert!(seconds(text).is_err(), "{text}");
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
