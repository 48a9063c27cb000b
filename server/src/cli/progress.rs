//! The progress bar of long work, with rate and time left. It is not drawn into a pipe.

use crate::i18n::Locale;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt::Write;

/// A progress bar, or nothing if standard error is not a terminal.
pub struct Progress(ProgressBar);

impl Progress {
    fn new(total: u64, label: String, template: &str) -> Self {
        // indicatif draws on standard error, and only if it is a terminal.
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(8));
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(in_words(style));
        }
        bar.set_message(label);
        Self(bar)
    }

    /// A bar over `total` bytes.
    pub fn bytes(total: u64, label: String) -> Self {
        let template = "{msg} {wide_bar} {done_size}/{all_size}  {rate_size}  {left}";
        Self::new(total, label, template)
    }

    /// A bar over `total` rows.
    pub fn rows(total: u64, label: String) -> Self {
        Self::new(total, label, "{msg} {wide_bar} {done}/{all}  {rate}  {left}")
    }

    /// Sets the position.
    pub fn set(&self, done: u64) {
        self.0.set_position(done);
    }
}

/// Formats a part of the line.
type Wording = fn(&ProgressState, Locale) -> String;

/// Formats numbers in the language of this process.
fn in_words(style: ProgressStyle) -> ProgressStyle {
    let locale = Locale::of_this_process();
    let keys: [(&'static str, Wording); 7] = [
        ("done", |state, locale| locale.number(state.pos())),
        ("all", |state, locale| locale.number(state.len().unwrap_or_default())),
        ("rate", |state, locale| {
            locale.text_with("progress-rate", &[("n", &locale.number(whole(state.per_sec())))])
        }),
        ("done_size", |state, locale| megabytes(state.pos(), locale)),
        ("all_size", |state, locale| {
            megabytes(state.len().unwrap_or_default(), locale)
        }),
        ("rate_size", |state, locale| {
            locale.text_with("progress-rate", &[("n", &megabytes(whole(state.per_sec()), locale))])
        }),
        ("left", |state, locale| {
            locale.text_with("progress-left", &[("time", &clock(state.eta().as_secs()))])
        }),
    ];
    keys.into_iter().fold(style, |style, (key, said)| {
        style.with_key(key, move |state: &ProgressState, to: &mut dyn Write| {
            // Writing into the line being drawn cannot fail.
            to.write_str(&said(state, locale)).unwrap_or_default();
        })
    })
}

/// Bytes as `86,2 MB`, in English `86.2 MB`.
fn megabytes(bytes: u64, locale: Locale) -> String {
    format!("{} MB", locale.tenths(bytes / 100_000))
}

/// Seconds as `1:05` or `2:00:00`.
fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// The number rounded to an integer.
fn whole(n: f64) -> u64 {
    format!("{n:.0}").parse().unwrap_or_default()
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rate is shown as a whole number.
    #[test]
    fn progress_rate_is_rounded() {
        assert_eq!(whole(86_244.748_8), 86_245);
        assert_eq!(whole(f64::NAN), 0);
    }

    /// Sizes and durations are written as people write them.
    #[test]
    fn sizes_and_durations_formatted_for_people() {
        let of = |tag| Locale::of_tag(tag).unwrap();
        assert_eq!(megabytes(86_244_748, of("vi")), "86,2 MB");
        assert_eq!(megabytes(1_234_567_890, of("en")), "1,234.5 MB");
        assert_eq!([clock(5), clock(65), clock(7_200)], ["0:05", "1:05", "2:00:00"]);
    }
}
