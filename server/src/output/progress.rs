//! Long work on a terminal: a bar with rate and time left. Into a pipe: nothing.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar, or nothing.
pub struct Progress(ProgressBar);

impl Progress {
    fn new(total: u64, label: String, template: &str) -> Self {
        // indicatif draws on standard error, and not at all where that is no terminal.
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(8));
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(label);
        Self(bar)
    }

    /// Of so many bytes.
    pub fn bytes(total: u64, label: String) -> Self {
        let template = "{msg} {wide_bar} {bytes}/{total_bytes}  {bytes_per_sec}  {eta}";
        Self::new(total, label, template)
    }

    /// Of so many rows.
    pub fn rows(total: u64, label: String) -> Self {
        Self::new(
            total,
            label,
            "{msg} {wide_bar} {human_pos}/{human_len}  {per_sec}  {eta}",
        )
    }

    /// So much is done.
    pub fn set(&self, done: u64) {
        self.0.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
