//! The figures of a unit in words, as the page shows them and as a stream tells what became of them.

use super::alerts::{behind, jumping, silent};
use super::board::Snapshot;
use super::pace::{Pace, is_behind, share};
use crate::output::Words;
use ngomon_rules::citizens::{Audience, Outcome, Standing};
use ngomon_rules::hold::{Clause, Reason};
use ngomon_rules::law::law;
use ngomon_rules::unit::UnitCode;
use ngomon_store::{DayFigures, Goal, ReportLine, Result, UnitFigures};
use serde::Serialize;

/// A text that changes while one looks. The page marks its place with the key.
pub struct Cell {
    /// `data-live` of its element.
    pub key: String,
    /// What it says.
    pub text: String,
}

impl Cell {
    fn new(key: impl Into<String>, text: String) -> Self {
        Self { key: key.into(), text }
    }

    /// The state of accounts that it counts, if it counts them by one.
    pub fn state(&self) -> Option<&'static str> {
        let standing = Standing::parse(self.key.split(' ').next()?)?;
        Some(standing.name())
    }
}

/// A bar that grows while one looks.
pub struct Bar {
    /// `data-live` of its element.
    pub key: String,
    /// In thousandths.
    pub share: u64,
}

/// A figure with its name.
pub struct Tile {
    /// Its name.
    pub label: String,
    /// How many.
    pub n: Cell,
    /// What that is of all, if it says so.
    pub note: Option<Cell>,
}

/// An audience against its deadline.
pub struct Progress {
    /// Who.
    pub audience: String,
    /// How far.
    pub reached: Cell,
    /// The same.
    pub bar: Bar,
    /// Until when, and the pace.
    pub lines: [Cell; 3],
}

/// A unit below.
pub struct UnitLine {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// A word if it is behind, or else nothing.
    pub behind: Cell,
    /// How many accounts, and how many of them are standardised.
    pub done: [Cell; 2],
    /// The share that is done.
    pub share: Cell,
    /// The same.
    pub bar: Bar,
    /// How the others stand.
    pub others: [Cell; 5],
}

/// How many accounts have a reason.
pub struct ReasonLine {
    /// The clause it comes from; of a refusal, nothing.
    pub clause: String,
    /// Its name.
    pub name: String,
    /// How many.
    pub n: Cell,
}

/// A day.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct DayLine {
    /// Which.
    pub day: String,
    /// Claims of officials, of all others, refused forms, and all claims up to that day.
    pub figures: [u64; 4],
    /// The same in words.
    pub texts: [String; 4],
}

/// All of it.
pub struct Shown {
    /// The standings.
    pub tiles: Vec<Tile>,
    /// By audience.
    pub progress: Vec<Progress>,
    /// What to look at.
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

impl Shown {
    /// A unit of a snapshot; `None`: there is no such unit on its day.
    pub async fn of(snapshot: &Snapshot, unit: &UnitCode, words: Words) -> Result<Option<Self>> {
        let Some(figures) = snapshot.figures.of(unit.as_str()) else {
            return Ok(None);
        };
        let days = snapshot.days(unit).await?;
        let below: Vec<&UnitFigures> = snapshot.figures.below(unit).collect();
        let (progress, late) = progress(snapshot, figures, &days, words);
        let mut alerts: Vec<String> = silent(snapshot, figures, words).into_iter().chain(late).collect();
        alerts.extend(behind(&below, figures, words));
        alerts.extend(jumping(&days, snapshot, words));
        Ok(Some(Self {
            tiles: tiles(figures, words),
            progress,
            alerts,
            units: below.into_iter().map(|unit| unit_line(unit, figures, words)).collect(),
            refused: refused(figures, words),
            held: held(figures, words),
            days: days.iter().map(|day| day_line(day, words)).collect(),
        }))
    }
}

/// The counts of a line, in the order of its columns.
fn counts(line: &ReportLine) -> [(&'static str, u64); 7] {
    [
        ("accounts", line.accounts),
        ("standardised", line.standardised),
        ("pending", line.pending),
        ("refused", line.refused),
        ("held", line.held),
        ("not_started", line.not_started),
        ("exempt", line.exempt),
    ]
}

fn tiles(figures: &UnitFigures, words: Words) -> Vec<Tile> {
    let goal = figures.goal();
    let of_goal = || {
        let (share, due) = (in_words(goal, words), words.number(goal.due));
        Cell::new(
            "goal",
            words.say_with("report-of-goal", &[("share", &share), ("due", &due)]),
        )
    };
    let tile = |(column, n): (&str, u64)| Tile {
        label: match column {
            "accounts" => words.say("report-tile-accounts"),
            _ => words.say(&format!("column-{column}")),
        },
        n: Cell::new(column, words.number(n)),
        note: (column == "standardised").then(of_goal),
    };
    counts(&figures.line).map(tile).into()
}

fn name_of(audience: Audience) -> &'static str {
    match audience {
        Audience::Officials => "officials",
        Audience::Citizens => "citizens",
    }
}

/// The share that is reached; a dash where there is nothing to reach.
pub fn in_words(goal: Goal, words: Words) -> String {
    if goal.due == 0 {
        "–".to_owned()
    } else {
        words.percent(share(goal))
    }
}

/// Each audience against its deadline, and those that will not make it.
fn progress(
    snapshot: &Snapshot,
    figures: &UnitFigures,
    days: &[DayFigures],
    words: Words,
) -> (Vec<Progress>, Vec<String>) {
    let (today, campaign) = (snapshot.figures.day, &snapshot.figures.campaign);
    let (mut all, mut late) = (Vec::new(), Vec::new());
    for (audience, goal) in &figures.goals {
        let pace = Pace::of(*audience, *goal, days, campaign, today);
        let key = name_of(*audience);
        let name = words.say(&format!("report-audience-{key}"));
        let (made, needed) = (words.tenths(pace.made), pace.needed.map(|n| words.tenths(n)));
        let left = words.number(goal.due - goal.standardised);
        let deadline = match (pace.deadline, pace.days_left) {
            (None, _) => words.say("report-deadline-none"),
            (Some(last), Some(days)) => {
                let (day, days) = (words.day(last), days.to_string());
                words.say_with("report-deadline-ahead", &[("day", &day), ("days", &days)])
            }
            (Some(last), None) => words.say_with("report-deadline-over", &[("day", &words.day(last)), ("left", &left)]),
        };
        let paced = match pace.made {
            0 => words.say("report-pace-none"),
            _ => words.say_with("report-pace", &[("made", &made)]),
        };
        let takes = needed
            .as_ref()
            .map(|n| words.say_with("report-pace-needed", &[("needed", n)]));
        let reached = words.say_with(
            "report-reached",
            &[
                ("standardised", &words.number(goal.standardised)),
                ("due", &words.number(goal.due)),
                ("share", &words.percent(share(*goal))),
            ],
        );
        if let Some(needed) = needed.filter(|_| pace.is_behind()) {
            let gaps = [("audience", name.as_str()), ("made", &made), ("needed", &needed)];
            let key = match pace.made {
                0 => "report-alert-late-none",
                _ => "report-alert-late",
            };
            late.push(words.say_with(key, &gaps));
        }
        all.push(Progress {
            audience: name,
            reached: Cell::new(format!("{key}-reached"), reached),
            bar: Bar {
                key: format!("{key}-bar"),
                share: share(*goal),
            },
            lines: [
                Cell::new(format!("{key}-deadline"), deadline),
                Cell::new(format!("{key}-needed"), takes.unwrap_or_default()),
                Cell::new(format!("{key}-made"), paced),
            ],
        });
    }
    (all, late)
}

fn unit_line(unit: &UnitFigures, above: &UnitFigures, words: Words) -> UnitLine {
    let line = &unit.line;
    let key = |of: &str| format!("{of} {}", line.unit);
    let [accounts, standardised, others @ ..] = counts(line).map(|(column, n)| Cell::new(key(column), words.number(n)));
    let behind = is_behind(unit, above).then(|| words.say("report-behind"));
    let share = share(unit.goal());
    UnitLine {
        code: line.unit.clone(),
        name: line.name.clone(),
        behind: Cell::new(key("behind"), behind.unwrap_or_default()),
        done: [accounts, standardised],
        share: Cell::new(key("share"), in_words(unit.goal(), words)),
        bar: Bar { key: key("bar"), share },
        others,
    }
}

fn refused(figures: &UnitFigures, words: Words) -> Vec<ReasonLine> {
    let line = |outcome: Outcome| {
        let n = figures.refused.get(&outcome).copied().unwrap_or_default();
        ReasonLine {
            clause: String::new(),
            name: words.say(&format!("outcome-{}", outcome.name())),
            n: Cell::new(format!("refused {}", outcome.name()), words.number(n)),
        }
    };
    Outcome::REFUSALS.map(line).into()
}

/// Letter 108 dash by dash, then letter 125, then what no letter has.
fn held(figures: &UnitFigures, words: Words) -> Vec<ReasonLine> {
    let mut reasons = Reason::ALL;
    reasons.sort_by_key(|reason| match reason.clause() {
        Clause::Officials(dash) => (0, dash),
        Clause::Citizens(_) => (1, 0),
        Clause::Order => (2, 0),
        Clause::Policy => (3, 0),
    });
    let line = |reason: Reason| {
        let clause = reason.clause();
        let n = figures.held.get(&reason).copied().unwrap_or_default();
        ReasonLine {
            clause: match law(clause) {
                Some(law) => format!("{}, {}", law.letter, law.place),
                None => words.say(&format!("clause-{clause}")),
            },
            name: words.say(&format!("hold-{reason}")),
            n: Cell::new(format!("held {reason}"), words.number(n)),
        }
    };
    reasons.map(line).into()
}

fn day_line(day: &DayFigures, words: Words) -> DayLine {
    let figures = [day.officials, day.citizens, day.refusals, day.standardised];
    DayLine {
        day: words.day(day.day),
        figures,
        texts: figures.map(|n| words.number(n)),
    }
}
