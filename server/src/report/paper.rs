//! The head of an office's printed paper (Decree 30/2020/NĐ-CP, appendix I): the office, the country and its motto, number,
//! place and day.

use crate::i18n::Locale;
use ngomon_rules::unit::UnitCode;
use ngomon_store::Figures;

/// The head, in the language of official papers.
pub struct Paper {
    /// The office above.
    pub above: String,
    /// The office that issues the paper.
    pub office: String,
    /// The line on which the number is written by hand.
    pub number: String,
    /// Place and day.
    pub day: String,
    /// The name of the country.
    pub country: String,
    /// The motto of the country.
    pub motto: String,
}

impl Paper {
    /// The head for a unit, on the day of the figures.
    pub fn of(figures: &Figures, unit: &UnitCode, number: &str) -> Self {
        let locale = Locale::first();
        let name = |code: &UnitCode| figures.of(code.as_str()).map(|of| of.line.name.to_uppercase());
        let lineage = figures.tree.lineage(unit, figures.day);
        // Days below 10 and the first two months get a leading zero, so that nobody can insert a digit later.
        let two = |n: i8, below: i8| if n < below { format!("0{n}") } else { n.to_string() };
        let (day, month) = (two(figures.day.day(), 10), two(figures.day.month(), 3));
        let year = figures.day.year().to_string();
        Self {
            above: lineage.get(1).and_then(|above| name(above)).unwrap_or_default(),
            office: name(unit).unwrap_or_default(),
            number: locale.text(number),
            day: locale.text_with("decree-day", &[("day", &day), ("month", &month), ("year", &year)]),
            country: locale.text("decree-country"),
            motto: locale.text("decree-motto"),
        }
    }
}
