//! The alerts of an office, in words; [`crate::report::pace`] decides when they apply.

use crate::i18n::Locale;
use crate::report::pace::{is_behind, jump, share};
use crate::report::snapshot::Snapshot;
use ngomon_store::{DayFigures, UnitFigures};

/// The most units named as behind.
const NAMED: usize = 5;

/// Names the units that are behind.
pub fn behind(below: &[&UnitFigures], figures: &UnitFigures, locale: Locale) -> Option<String> {
    let mut slow: Vec<&&UnitFigures> = below.iter().filter(|unit| is_behind(unit, figures)).collect();
    slow.sort_by_key(|unit| share(unit.goal()));
    let named = slow.iter().take(NAMED);
    let mut names: Vec<String> = named
        .map(|unit| format!("{} ({})", unit.line.name, locale.percent(share(unit.goal()))))
        .collect();
    if names.is_empty() {
        return None;
    }
    if let Some(more) = slow.len().checked_sub(NAMED).filter(|more| *more > 0) {
        names.push(locale.text_with("report-alert-more", &[("n", &more.to_string())]));
    }
    Some(locale.text_with("report-alert-behind", &[("units", &names.join(", "))]))
}

/// The registry does not answer: since when, and how many forms wait for it here.
pub fn silent(snapshot: &Snapshot, figures: &UnitFigures, locale: Locale) -> Option<String> {
    let since = locale.instant(snapshot.figures.position.registry_silent_since?);
    let n = locale.number(figures.line.pending);
    Some(locale.text_with("report-alert-silent", &[("since", &since), ("n", &n)]))
}

/// The number of refusals jumps.
pub fn jumping(days: &[DayFigures], snapshot: &Snapshot, locale: Locale) -> Option<String> {
    let (now, before) = jump(days, snapshot.figures.day)?;
    let (now, before) = (locale.number(now), locale.tenths(before));
    Some(locale.text_with("report-alert-refusals", &[("now", &now), ("before", &before)]))
}
