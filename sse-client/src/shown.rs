//! URLs as they may be shown: without what is often a secret.

use url::Url;

use crate::BoxError;

/// Returns a URL without user name, password, query and fragment.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    hide(&mut url);
    url.into()
}

/// Returns the text of a URL, which may be malformed, as [`shown`] does.
pub(crate) fn shown_text(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) => shown(&url),
        // Anything may be the password here.
        Err(_) if text.contains('@') => "(not shown, it may hold a password)".to_owned(),
        Err(_) => text.split(['?', '#']).next().unwrap_or_default().to_owned(),
    }
}

/// Removes the secrets from the URL that an error of reqwest shows.
pub(crate) fn without_secrets(error: impl Into<BoxError>) -> BoxError {
    #[cfg_attr(not(feature = "reqwest"), expect(unused_mut, reason = "for reqwest"))]
    let mut error = error.into();
    #[cfg(feature = "reqwest")]
    if let Some(error) = error.downcast_mut::<reqwest::Error>()
        && let Some(url) = error.url_mut()
    {
        hide(url);
    }
    error
}

fn hide(url: &mut Url) {
    url.set_query(None);
    url.set_fragment(None);
    // These fail for a URL without a host, which has neither.
    let _ = url.set_username("");
    let _ = url.set_password(None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        for (text, expected) in [
            ("http://a.example/b?key=secret#c", "http://a.example/b"),
            (
                "https://me:secret@a.example:8080/",
                "https://a.example:8080/",
            ),
            ("mailto:secret@a.example?b", "mailto:secret@a.example"),
            ("/events?key=secret", "/events"),
            (
                "http://me:secret@[::",
                "(not shown, it may hold a password)",
            ),
            ("http://[::", "http://[::"),
        ] {
            assert_eq!(shown_text(text), expected);
        }
    }
}
