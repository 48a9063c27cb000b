//! The figures of a unit as text.

use crate::i18n::Locale;
use crate::report::alerts::{behind, jumping, silent};
use crate::report::pace::{Pace, is_behind, share};
use crate::report::snapshot::Snapshot;
use crate::report::view::{Bar, DayLine, LiveValue, Progress, ReasonLine, ReportView, Tile, UnitLine};
use ngomon_rules::citizens::{CampaignGroup, Outcome};
use ngomon_rules::hold::{Clause, Reason};
use ngomon_rules::law::law;
use ngomon_rules::unit::UnitCode;
use ngomon_store::{DayFigures, Goal, ReportLine, Result, UnitFigures};

impl ReportView {
    /// The contents for a unit of a snapshot. `None` if the unit does not exist on its day.
    pub async fn of(snapshot: &Snapshot, unit: &UnitCode, locale: Locale) -> Result<Option<Self>> {
        let Some(figures) = snapshot.figures.of(unit.as_str()) else {
            return Ok(None);
        };
        let days = snapshot.days(unit).await?;
        let below: Vec<&UnitFigures> = snapshot.figures.below(unit).collect();
        let (progress, late) = progress(snapshot, figures, &days, locale);
        let mut alerts: Vec<String> = silent(snapshot, figures, locale).into_iter().chain(late).collect();
        alerts.extend(behind(&below, figures, locale));
        alerts.extend(jumping(&days, snapshot, locale));
        Ok(Some(Self {
            tiles: tiles(figures, locale),
            progress,
            alerts,
            units: below.into_iter().map(|unit| unit_line(unit, figures, locale)).collect(),
            refused: refused(figures, locale),
            held: held(figures, locale),
            days: days.iter().map(|day| day_line(day, locale)).collect(),
        }))
    }
}

/// The counts of a line, in the order of the columns.
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

fn tiles(figures: &UnitFigures, locale: Locale) -> Vec<Tile> {
    let goal = figures.goal();
    let of_goal = || {
        let (share, due) = (in_words(goal, locale), locale.number(goal.due));
        LiveValue::new(
            "goal",
            locale.text_with("report-of-goal", &[("share", &share), ("due", &due)]),
        )
    };
    let tile = |(column, n): (&str, u64)| Tile {
        label: match column {
            "accounts" => locale.text("report-tile-accounts"),
            _ => locale.text(&format!("column-{column}")),
        },
        n: LiveValue::new(column, locale.number(n)),
        note: (column == "standardised").then(of_goal),
    };
    counts(&figures.line).map(tile).into()
}

fn name_of(audience: CampaignGroup) -> &'static str {
    match audience {
        CampaignGroup::Officials => "officials",
        CampaignGroup::Citizens => "citizens",
    }
}

/// The reached share; a dash if there is nothing to reach.
pub fn in_words(goal: Goal, locale: Locale) -> String {
    if goal.due == 0 {
        "–".to_owned()
    } else {
        locale.percent(share(goal))
    }
}

/// The progress of each audience, and an alert for each that will miss its deadline.
fn progress(
    snapshot: &Snapshot,
    figures: &UnitFigures,
    days: &[DayFigures],
    locale: Locale,
) -> (Vec<Progress>, Vec<String>) {
    let (today, campaign) = (snapshot.figures.day, &snapshot.figures.campaign);
    let (mut all, mut late) = (Vec::new(), Vec::new());
    for (audience, goal) in &figures.goals {
        let pace = Pace::of(*audience, *goal, days, campaign, today);
        let key = name_of(*audience);
        let name = locale.text(&format!("report-audience-{key}"));
        let (made, needed) = (locale.tenths(pace.made), pace.needed.map(|n| locale.tenths(n)));
        let left = locale.number(goal.due - goal.standardised);
        let deadline = match (pace.deadline, pace.days_left) {
            (None, _) => locale.text("report-deadline-none"),
            (Some(last), Some(days)) => {
                let (day, days) = (locale.day(last), days.to_string());
                locale.text_with("report-deadline-ahead", &[("day", &day), ("days", &days)])
            }
            (Some(last), None) => {
                locale.text_with("report-deadline-over", &[("day", &locale.day(last)), ("left", &left)])
            }
        };
        let paced = match pace.made {
            0 => locale.text("report-pace-none"),
            _ => locale.text_with("report-pace", &[("made", &made)]),
        };
        let takes = needed
            .as_ref()
            .map(|n| locale.text_with("report-pace-needed", &[("needed", n)]));
        let reached = locale.text_with(
            "report-reached",
            &[
                ("standardised", &locale.number(goal.standardised)),
                ("due", &locale.number(goal.due)),
                ("share", &locale.percent(share(*goal))),
            ],
        );
        if let Some(needed) = needed.filter(|_| pace.is_behind()) {
            let args = [("audience", name.as_str()), ("made", &made), ("needed", &needed)];
            let key = match pace.made {
                0 => "report-alert-late-none",
                _ => "report-alert-late",
            };
            late.push(locale.text_with(key, &args));
        }
        all.push(Progress {
            audience: name,
            reached: LiveValue::new(format!("{key}-reached"), reached),
            bar: Bar {
                key: format!("{key}-bar"),
                share: share(*goal),
            },
            lines: [
                LiveValue::new(format!("{key}-deadline"), deadline),
                LiveValue::new(format!("{key}-needed"), takes.unwrap_or_default()),
                LiveValue::new(format!("{key}-made"), paced),
            ],
        });
    }
    (all, late)
}

fn unit_line(unit: &UnitFigures, above: &UnitFigures, locale: Locale) -> UnitLine {
    let line = &unit.line;
    let key = |of: &str| format!("{of} {}", line.unit);
    let [accounts, standardised, others @ ..] =
        counts(line).map(|(column, n)| LiveValue::new(key(column), locale.number(n)));
    let behind = is_behind(unit, above).then(|| locale.text("report-behind"));
    let share = share(unit.goal());
    UnitLine {
        code: line.unit.clone(),
        name: line.name.clone(),
        behind: LiveValue::new(key("behind"), behind.unwrap_or_default()),
        done: [accounts, standardised],
        share: LiveValue::new(key("share"), in_words(unit.goal(), locale)),
        bar: Bar { key: key("bar"), share },
        others,
    }
}

fn refused(figures: &UnitFigures, locale: Locale) -> Vec<ReasonLine> {
    let line = |outcome: Outcome| {
        let n = figures.refused.get(&outcome).copied().unwrap_or_default();
        ReasonLine {
            clause: String::new(),
            name: locale.text(&format!("outcome-{}", outcome.name())),
            n: LiveValue::new(format!("refused {}", outcome.name()), locale.number(n)),
        }
    };
    Outcome::REFUSALS.map(line).into()
}

/// The held accounts by reason: letter 108 dash by dash, then letter 125, then reasons without a letter.
fn held(figures: &UnitFigures, locale: Locale) -> Vec<ReasonLine> {
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
                None => locale.text(&format!("clause-{clause}")),
            },
            name: locale.text(&format!("hold-{reason}")),
            n: LiveValue::new(format!("held {reason}"), locale.number(n)),
        }
    };
    reasons.map(line).into()
}

fn day_line(day: &DayFigures, locale: Locale) -> DayLine {
    let figures = [day.officials, day.citizens, day.refusals, day.standardised];
    DayLine {
        day: locale.day(day.day),
        figures,
        texts: figures.map(|n| locale.number(n)),
    }
}
