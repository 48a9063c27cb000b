//! The contents of the report page, for the page and for the stream that updates it.

use ngomon_rules::citizens::ReportStatus;
use serde::Serialize;

/// A text that is updated while the page is open. The page marks its element with the key.
pub struct LiveValue {
    /// The `data-live` attribute of its element.
    pub key: String,
    /// The text.
    pub text: String,
}

impl LiveValue {
    /// A text with its key.
    pub fn new(key: impl Into<String>, text: String) -> Self {
        Self { key: key.into(), text }
    }

    /// The state of accounts behind the figure, if it counts one state.
    pub fn state(&self) -> Option<&'static str> {
        let standing = ReportStatus::parse(self.key.split(' ').next()?)?;
        Some(standing.name())
    }
}

/// A bar that is updated while the page is open.
pub struct Bar {
    /// The `data-live` attribute of its element.
    pub key: String,
    /// Its share, in thousandths.
    pub share: u64,
}

/// A figure with its label.
pub struct Tile {
    /// The label.
    pub label: String,
    /// The number of accounts.
    pub n: LiveValue,
    /// Its share of the goal, if the tile shows one.
    pub note: Option<LiveValue>,
}

/// The progress of an audience towards its deadline.
pub struct Progress {
    /// The name of the audience.
    pub audience: String,
    /// The share and number reached.
    pub reached: LiveValue,
    /// The same as a bar.
    pub bar: Bar,
    /// The deadline and the pace.
    pub lines: [LiveValue; 3],
}

/// A row for a unit directly below.
pub struct UnitLine {
    /// The code of the unit.
    pub code: String,
    /// The name of the unit.
    pub name: String,
    /// A word if it is behind, or else empty.
    pub behind: LiveValue,
    /// The number of accounts to standardise, and how many of them are standardised.
    pub done: [LiveValue; 2],
    /// The share that is standardised.
    pub share: LiveValue,
    /// The same as a bar.
    pub bar: Bar,
    /// The numbers of accounts in the other states.
    pub others: [LiveValue; 5],
}

/// The number of accounts with one reason.
pub struct ReasonLine {
    /// The clause that the reason comes from; empty for a refusal.
    pub clause: String,
    /// The name of the reason.
    pub name: String,
    /// The number of accounts.
    pub n: LiveValue,
}

/// The figures of a day.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct DayLine {
    /// The day.
    pub day: String,
    /// Claims of officials, claims of all others, refused forms, and all claims up to that day.
    pub figures: [u64; 4],
    /// The same as text.
    pub texts: [String; 4],
}

/// All contents of the report page.
pub struct ReportView {
    /// The accounts by state.
    pub tiles: Vec<Tile>,
    /// The progress by audience.
    pub progress: Vec<Progress>,
    /// The alerts.
    pub alerts: Vec<String>,
    /// The units directly below.
    pub units: Vec<UnitLine>,
    /// Refused accounts by reason.
    pub refused: Vec<ReasonLine>,
    /// Held accounts by clause.
    pub held: Vec<ReasonLine>,
    /// The last days, the oldest first.
    pub days: Vec<DayLine>,
}
