//! The head of a printed paper of an office (Decree 30/2020/NĐ-CP, appendix I): whose it is, the country and its motto, number, place and day.

use crate::output::Words;
use ngomon_rules::unit::UnitCode;
use ngomon_store::Figures;

/// The head, in the language of papers.
pub struct Paper {
    /// The office above.
    pub above: String,
    /// Whose paper it is.
    pub office: String,
    /// Where the number is written by hand.
    pub number: String,
    /// Place and day.
    pub day: String,
    /// The country.
    pub country: String,
    /// Its motto.
    pub motto: String,
}

impl Paper {
    /// Of a unit, on the day of the figures.
    pub fn of(figures: &Figures, unit: &UnitCode, number: &str) -> Self {
        let words = Words::first();
        let name = |code: &UnitCode| figures.of(code.as_str()).map(|of| of.line.name.to_uppercase());
        let lineage = figures.tree.lineage(unit, figures.day);
        // Days below ten and the first two months have a zero before them, so that nothing is put there later.
        let two = |n: i8, below: i8| if n < below { format!("0{n}") } else { n.to_string() };
        let (day, month) = (two(figures.day.day(), 10), two(figures.day.month(), 3));
        let year = figures.day.year().to_string();
        Self {
            above: lineage.get(1).and_then(|above| name(above)).unwrap_or_default(),
            office: name(unit).unwrap_or_default(),
            number: words.say(number),
            day: words.say_with("decree-day", &[("day", &day), ("month", &month), ("year", &year)]),
            country: words.say("decree-country"),
            motto: words.say("decree-motto"),
        }
    }
}
