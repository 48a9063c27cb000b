//! The two languages: Vietnamese, the default, and English. All text for people is in `messages/`.

use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, static_loader};
use jiff::Timestamp;
use jiff::tz::Offset;
use ngomon_rules::values::Date;
use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

static_loader! {
    static MESSAGES = {
        locales: "./messages",
        fallback_language: "vi",
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

/// The texts without arguments that were asked for, by key. Most of a page is such text, and formatting one hashes and copies several times.
#[derive(Default)]
struct PlainTexts(RwLock<HashMap<String, String>>);

impl PlainTexts {
    fn get(&self, key: &str) -> Option<String> {
        let texts = self.0.read().unwrap_or_else(PoisonError::into_inner);
        texts.get(key).cloned()
    }

    fn insert(&self, key: &str, text: &str) {
        let mut texts = self.0.write().unwrap_or_else(PoisonError::into_inner);
        texts.insert(key.to_owned(), text.to_owned());
    }
}

static PLAIN_VIETNAMESE: LazyLock<PlainTexts> = LazyLock::new(PlainTexts::default);
static PLAIN_ENGLISH: LazyLock<PlainTexts> = LazyLock::new(PlainTexts::default);

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Tiếng Việt.
    Vietnamese,
    /// English.
    English,
}

/// The messages of one language.
#[derive(Clone, Copy, Debug)]
pub struct Locale {
    language: Language,
}

impl Locale {
    /// By the locale of the command's user: the first that is set of `LC_ALL`, `LC_MESSAGES` and `LANG`. Every locale that is not English
    /// gets Vietnamese.
    pub fn of_locale(set: impl Fn(&str) -> Option<String>) -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .find_map(|name| set(name).filter(|v| !v.is_empty()));
        let english = locale.is_some_and(|locale| locale.to_ascii_lowercase().starts_with("en"));
        Self {
            language: if english {
                Language::English
            } else {
                Language::Vietnamese
            },
        }
    }

    /// By this process's locale.
    pub fn of_this_process() -> Self {
        Self::of_locale(|name| std::env::var(name).ok())
    }

    /// Vietnamese, the default of every page.
    pub fn first() -> Self {
        Self {
            language: Language::Vietnamese,
        }
    }

    /// By the tag `vi` or `en`.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let language = match tag {
            "vi" => Language::Vietnamese,
            "en" => Language::English,
            _ => return None,
        };
        Some(Self { language })
    }

    /// The tag, `vi` or `en`.
    pub fn tag(self) -> &'static str {
        match self.language {
            Language::Vietnamese => "vi",
            Language::English => "en",
        }
    }

    /// The other language.
    #[must_use]
    pub fn other(self) -> Self {
        let language = match self.language {
            Language::Vietnamese => Language::English,
            Language::English => Language::Vietnamese,
        };
        Self { language }
    }

    fn plain(self) -> &'static PlainTexts {
        match self.language {
            Language::Vietnamese => &PLAIN_VIETNAMESE,
            Language::English => &PLAIN_ENGLISH,
        }
    }

    fn id(self) -> LanguageIdentifier {
        match self.language {
            Language::Vietnamese => fluent_templates::langid!("vi"),
            Language::English => fluent_templates::langid!("en"),
        }
    }

    /// A message without arguments. An unknown key is shown itself; a test finds it first.
    pub fn text(self, key: &str) -> String {
        if let Some(text) = self.plain().get(key) {
            return text;
        }
        match self.find(key, &[]) {
            Some(text) => {
                self.plain().insert(key, &text);
                text
            }
            None => key.to_owned(),
        }
    }

    /// A message. An unknown key is shown itself; a test finds it first.
    pub fn text_with(self, key: &str, args: &[(&'static str, &str)]) -> String {
        self.find(key, args).unwrap_or_else(|| key.to_owned())
    }

    /// A message, or `None` if the key is unknown. Both languages have every key, so neither falls back to the other.
    pub fn find(self, key: &str, args: &[(&'static str, &str)]) -> Option<String> {
        let args: HashMap<&str, FluentValue<'_>> = args
            .iter()
            .map(|(name, value)| (*name, FluentValue::from(*value)))
            .collect();
        let args = Some(&args).filter(|args| !args.is_empty());
        MESSAGES.lookup_single_language(&self.id(), key, args).ok()
    }

    /// A number as `1.234`, in English `1,234`.
    pub fn number(self, n: u64) -> String {
        let separator = match self.language {
            Language::Vietnamese => '.',
            Language::English => ',',
        };
        let digits = n.to_string();
        let mut out = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                out.push(separator);
            }
            out.push(digit);
        }
        out
    }

    /// Tenths as `7,1`, in English `7.1`.
    pub fn tenths(self, tenths: u64) -> String {
        let point = match self.language {
            Language::Vietnamese => ',',
            Language::English => '.',
        };
        format!("{}{point}{}", self.number(tenths / 10), tenths % 10)
    }

    /// Thousandths as `7,1 %`, in English `7.1 %`.
    pub fn percent(self, thousandths: u64) -> String {
        format!("{} %", self.tenths(thousandths))
    }

    /// A day as `19/7/2023`, in English `19 July 2023`.
    pub fn day(self, day: Date) -> String {
        match self.language {
            Language::Vietnamese => format!("{}/{}/{}", day.day(), day.month(), day.year()),
            Language::English => day.strftime("%-d %B %Y").to_string(),
        }
    }

    /// The day, if the instant (microseconds UTC) is the start of a day in Huế.
    pub fn whole_day(self, micros: i64) -> Option<String> {
        let at = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MIN);
        let local = at.to_zoned(Offset::constant(7).to_time_zone()).datetime();
        (local.time() == jiff::civil::Time::midnight()).then(|| self.day(local.date()))
    }

    /// An instant (microseconds UTC) as `16:30 ngày 19/7/2023`, in the time of Huế.
    pub fn instant(self, micros: i64) -> String {
        let at = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MIN);
        let local = at.to_zoned(Offset::constant(7).to_time_zone()).datetime();
        let clock = format!("{:02}:{:02}", local.hour(), local.minute());
        self.text_with("clock-and-day", &[("clock", &clock), ("day", &self.day(local.date()))])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn keys(language: &str) -> BTreeMap<String, BTreeSet<String>> {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("messages")
            .join(language);
        let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for file in std::fs::read_dir(dir).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let mut last = String::new();
            for line in text.lines() {
                if let Some((key, _)) = line.split_once(" =").filter(|(key, _)| !key.contains([' ', '#'])) {
                    assert!(!keys.contains_key(key), "{language}: {key} twice");
                    last = key.to_owned();
                    keys.insert(last.clone(), BTreeSet::new());
                }
                let args = line.split("{ $").skip(1).filter_map(|rest| rest.split(' ').next());
                keys.entry(last.clone()).or_default().extend(args.map(str::to_owned));
            }
        }
        keys.remove("");
        keys
    }

    /// Both languages have the same messages with the same arguments.
    #[test]
    fn both_languages_have_same_keys_and_arguments() {
        assert_eq!(keys("vi"), keys("en"));
        assert!(keys("vi").len() > 100);
    }

    /// Each message key that the program names exists.
    #[test]
    fn message_keys_named_in_code_exist() {
        let known = keys("vi");
        let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut todo = vec![here.join("src"), here.join("templates")];
        let mut seen = 0;
        while let Some(path) = todo.pop() {
            if path.is_dir() {
                todo.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap();
            for call in [
                ".text(\"",
                ".text_with(\"",
                ".text_with(\n",
                "print_text(\"",
                "refuse(\"",
            ] {
                for rest in text.split(call).skip(1) {
                    let key = rest
                        .trim_start()
                        .trim_start_matches('"')
                        .split('"')
                        .next()
                        .unwrap_or_default();
                    let is_computed = key.starts_with('&');
                    if is_computed || key.contains('{') || key.contains(' ') || key.is_empty() {
                        continue;
                    }
                    assert!(known.contains_key(key), "no message {key}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 50);
    }

    /// Each reason of a hold or of a quarantine has its messages.
    #[test]
    fn reasons_and_quarantine_reasons_have_messages() {
        use ngomon_rules::hold::Reason;
        use ngomon_rules::quarantine::QuarantineReason;
        let known = keys("vi");
        for reason in Reason::ALL {
            for prefix in ["hold", "hold-text", "mends", "again", "event-held"] {
                let key = format!("{prefix}-{}", reason.name());
                assert!(known.contains_key(&key), "no message {key}");
            }
        }
        for reason in QuarantineReason::ALL {
            let key = format!("quarantine-{}", reason.name());
            assert!(known.contains_key(&key), "no message {key}");
        }
    }

    /// The locale decides the language, and Vietnamese is the default.
    #[test]
    fn language_follows_locale_with_vietnamese_default() {
        let of = |lang: &'static str| Locale::of_locale(move |name| (name == "LANG").then(|| lang.to_owned())).language;
        assert_eq!(of("en_GB.UTF-8"), Language::English);
        for other in ["vi_VN.UTF-8", "C.UTF-8", "POSIX", "", "fr_FR"] {
            assert_eq!(of(other), Language::Vietnamese);
        }
    }

    /// Numbers and days are written as the language writes them.
    #[test]
    fn numbers_and_days_formatted_for_language() {
        let (vi, en) = (
            Locale {
                language: Language::Vietnamese,
            },
            Locale {
                language: Language::English,
            },
        );
        assert_eq!(
            (vi.number(1_234_567), en.number(1_234)),
            ("1.234.567".into(), "1,234".into())
        );
        assert_eq!((vi.percent(71), en.percent(1000)), ("7,1 %".into(), "100.0 %".into()));
        let day = Date::constant(2023, 7, 19);
        assert_eq!((vi.day(day), en.day(day)), ("19/7/2023".into(), "19 July 2023".into()));
    }
}
