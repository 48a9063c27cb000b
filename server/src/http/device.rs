//! The plain name of a browser and its system, so that an owner tells one session from another. A `User-Agent` header proves nothing, and most
//! name several browsers: the first word found counts.

use crate::i18n::Locale;

/// Words of the header and the browsers they stand for. A browser that is built on another one comes first.
const BROWSERS: [(&str, &str); 16] = [
    ("Zalo", "Zalo"),
    ("FBAN", "Facebook"),
    ("FB_IAB", "Facebook"),
    ("coc_coc_browser", "Cốc Cốc"),
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("UCBrowser/", "UC Browser"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
];

/// Words of the header and the systems they stand for.
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "Chromebook"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
];

/// What is stored of a `User-Agent` header: only words of the tables above. `None` if neither browser nor system is known.
pub fn device(agent: &str) -> Option<String> {
    let found = |table: &[(&str, &'static str)]| {
        table
            .iter()
            .find(|(word, _)| agent.contains(word))
            .map(|(_, name)| *name)
    };
    let (browser, system) = (found(&BROWSERS), found(&SYSTEMS));
    (browser.is_some() || system.is_some())
        .then(|| format!("{}/{}", browser.unwrap_or_default(), system.unwrap_or_default()))
}

/// The name that the owner reads.
pub fn named(device: Option<&str>, locale: Locale) -> String {
    let (browser, system) = device.and_then(|device| device.split_once('/')).unwrap_or_default();
    let browser = if browser.is_empty() {
        locale.text("device-unknown")
    } else {
        browser.to_owned()
    };
    if system.is_empty() {
        browser
    } else {
        locale.text_with("device-on", &[("browser", &browser), ("system", system)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A device is named by its browser and its system.
    #[test]
    fn device_named_by_browser_and_system() {
        let locale = Locale::of_tag("vi").unwrap();
        for (agent, name) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36",
                "Chrome trên Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0",
                "Edge trên Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) coc_coc_browser/140.0 Chrome/134.0 Safari/537.36",
                "Cốc Cốc trên Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
                "Safari trên iPhone",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/150.0 Mobile/15E148 Safari/604.1",
                "Chrome trên iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15; SM-A155F) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0 Mobile Safari/537.36",
                "Samsung Internet trên Android",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
                "Safari trên Mac",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0",
                "Firefox trên Linux",
            ),
            ("Mozilla/5.0 (Windows NT 6.1)", "trình duyệt chưa xác định trên Windows"),
            (
                "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Version/4.0 Chrome/126.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/470.0;]",
                "Facebook trên Android",
            ),
            ("curl/8.7.1", "trình duyệt chưa xác định"),
            ("", "trình duyệt chưa xác định"),
        ] {
            assert_eq!(named(device(agent).as_deref(), locale), name, "{agent}");
        }
        let long = format!("{}<script>", "Firefox/Windows ".repeat(1_000));
        assert_eq!(device(&long).as_deref(), Some("Firefox/Windows"));
    }
}
