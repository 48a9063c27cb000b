//! The changes of the report's page since the last event of its stream.

use crate::i18n::Locale;
use crate::report::view::{Bar, DayLine, LiveValue, ReportView};
use serde::Serialize;
use std::collections::BTreeMap;

/// The changes of the page since the last event.
#[derive(Default, Serialize)]
pub struct ReportDelta {
    at: String,
    /// The tiles that changed, for screen readers.
    said: BTreeMap<String, String>,
    texts: BTreeMap<String, String>,
    bars: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alerts: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<Vec<DayLine>>,
    #[serde(skip)]
    tiles: Vec<(String, String)>,
}

impl ReportDelta {
    /// All values of a page, at an instant in microseconds UTC.
    pub fn of(shown: ReportView, at: i64, locale: Locale) -> Self {
        let tiles = shown.tiles.iter().map(|tile| (tile.label.clone(), tile.n.text.clone()));
        let tiles = tiles.collect();
        let mut cells: Vec<LiveValue> = Vec::new();
        let mut bars: Vec<Bar> = Vec::new();
        for tile in shown.tiles {
            cells.extend(std::iter::once(tile.n).chain(tile.note));
        }
        for one in shown.progress {
            cells.extend(std::iter::once(one.reached).chain(one.lines));
            bars.push(one.bar);
        }
        for unit in shown.units {
            cells.extend(
                [unit.behind, unit.share]
                    .into_iter()
                    .chain(unit.done)
                    .chain(unit.others),
            );
            bars.push(unit.bar);
        }
        cells.extend(shown.refused.into_iter().chain(shown.held).map(|line| line.n));
        Self {
            at: locale.text_with("report-at", &[("clock", &locale.instant(at))]),
            said: BTreeMap::new(),
            texts: cells.into_iter().map(|cell| (cell.key, cell.text)).collect(),
            bars: bars.into_iter().map(|bar| (bar.key, bar.share)).collect(),
            alerts: Some(shown.alerts),
            days: Some(shown.days),
            tiles,
        }
    }

    /// The values that differ from `before`. `None` if there are none.
    pub fn since(&self, before: &Self) -> Option<Self> {
        let texts = self
            .texts
            .iter()
            .filter(|(key, text)| before.texts.get(*key) != Some(*text));
        let bars = self
            .bars
            .iter()
            .filter(|(key, share)| before.bars.get(*key) != Some(*share));
        // On the first event `before` is empty, and nothing is read aloud: the visitor has just read the page.
        let tiles = self.tiles.iter().zip(&before.tiles);
        let said = tiles.filter(|(now, before)| now != before).map(|(now, _)| now.clone());
        let news = Self {
            at: self.at.clone(),
            said: said.collect(),
            texts: texts.map(|(key, text)| (key.clone(), text.clone())).collect(),
            bars: bars.map(|(key, share)| (key.clone(), *share)).collect(),
            alerts: self.alerts.clone().filter(|_| self.alerts != before.alerts),
            days: self.days.clone().filter(|_| self.days != before.days),
            tiles: Vec::new(),
        };
        let same = news.texts.is_empty() && news.bars.is_empty() && news.alerts.is_none() && news.days.is_none();
        (!same).then_some(news)
    }
}
