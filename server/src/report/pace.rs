//! The pace against the deadline, and the conditions of alerts. The page states the same definitions.

use ngomon_rules::citizens::{Campaign, CampaignGroup};
use ngomon_rules::values::Date;
use ngomon_store::{DayFigures, Goal, UnitFigures};

/// The days over which the pace is measured, including today.
const WEEK: i64 = 7;
/// A lower unit is behind if its share is this many thousandths below that of the unit shown.
const BEHIND: u64 = 100;
/// Units with fewer accounts to standardise are never called behind.
const FEW: u64 = 20;
/// The fewest refusals in a day that raise an alert.
const MANY: u64 = 10;

/// The pace of an audience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Claims per day over the last days, in tenths.
    pub made: u64,
    /// The last day in time.
    pub deadline: Option<Date>,
    /// Days until the deadline, including today and the last day. `None` if it has passed or there is none.
    pub days_left: Option<i64>,
    /// Claims per day needed to meet the deadline, in tenths, rounded up. `None` if the deadline has passed or all is done.
    pub needed: Option<u64>,
}

impl Pace {
    /// The pace towards a goal, measured over these days.
    pub fn of(audience: CampaignGroup, goal: Goal, days: &[DayFigures], campaign: &Campaign, today: Date) -> Self {
        // In the campaign's first week, only the days so far.
        let ran = (today - campaign.start).get_days() + 1;
        let over = i64::from(ran).clamp(1, WEEK);
        let recent = |day: &&DayFigures| day.day <= today && i64::from((today - day.day).get_days()) < over;
        let made: u64 = days.iter().filter(recent).map(|day| day.claims(audience)).sum();
        let deadline = campaign.deadline(audience);
        let days_left = deadline
            .filter(|last| today <= *last)
            .map(|last| i64::from((last - today).get_days()) + 1);
        let left = goal.due - goal.standardised;
        Self {
            made: made * 10 / over.unsigned_abs(),
            deadline,
            days_left,
            needed: days_left
                .filter(|_| left > 0)
                .map(|days| (left * 10).div_ceil(days.unsigned_abs())),
        }
    }

    /// Whether the deadline will be missed at this pace.
    pub fn is_behind(&self) -> bool {
        self.needed.is_some_and(|needed| self.made < needed)
    }
}

/// The reached share of the goal, in thousandths, rounded half up as people and spreadsheets do.
pub fn share(goal: Goal) -> u64 {
    let half = goal.due / 2;
    (goal.standardised * 1_000 + half)
        .checked_div(goal.due)
        .unwrap_or_default()
}

/// Whether a unit is behind the unit above it.
pub fn is_behind(unit: &UnitFigures, above: &UnitFigures) -> bool {
    unit.goal().due >= FEW && share(unit.goal()) + BEHIND <= share(above.goal())
}

/// Today's refusals, and those per day of the week before, in tenths, if they jump: at least ten, and twice as many as usual.
pub fn jump(days: &[DayFigures], today: Date) -> Option<(u64, u64)> {
    let of = |day: &DayFigures| i64::from((today - day.day).get_days());
    let refusals = |from: i64, to: i64| -> u64 {
        let within = days.iter().filter(|day| (from..=to).contains(&of(day)));
        within.map(|day| day.refusals).sum()
    };
    let (now, before) = (refusals(0, 0), refusals(1, WEEK));
    let jumps = now >= MANY && now * WEEK.unsigned_abs() >= 2 * before;
    jumps.then_some((now, before * 10 / WEEK.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Date = Date::constant(2023, 7, 18);

    fn day(ago: i8, claims: u64, refusals: u64) -> DayFigures {
        DayFigures {
            day: Date::constant(2023, 7, 18 - ago),
            officials: 0,
            citizens: claims,
            refusals,
            standardised: 0,
        }
    }

    fn pace(deadline: &str, due: u64, standardised: u64, days: &[DayFigures]) -> Pace {
        let campaign = Campaign::default().with("start", "2023-07-01").unwrap();
        let campaign = campaign.with("deadline.citizens", deadline).unwrap();
        let goal = Goal { due, standardised };
        Pace::of(CampaignGroup::Citizens, goal, days, &campaign, TODAY)
    }

    /// The pace of the last seven days is compared with the one needed until the deadline.
    #[test]
    fn pace_compares_last_week_with_needed_rate() {
        let days = [day(7, 100, 0), day(6, 3, 0), day(1, 4, 0), day(0, 7, 0)];
        let on_time = pace("2023-07-20", 20, 14, &days);
        assert_eq!(
            (on_time.made, on_time.days_left, on_time.needed),
            (20, Some(3), Some(20))
        );
        assert!(!on_time.is_behind(), "the eighth day back does not count");
        assert!(pace("2023-07-20", 21, 14, &days).is_behind());
        let last = pace("2023-07-18", 15, 14, &days);
        assert_eq!(
            (last.days_left, last.needed),
            (Some(1), Some(10)),
            "the last day counts"
        );
        assert_eq!(pace("2023-07-18", 14, 14, &days).needed, None, "all is done");
        let over = pace("2023-07-17", 90, 14, &days);
        assert_eq!((over.days_left, over.needed, over.is_behind()), (None, None, false));
        assert_eq!(pace("", 90, 14, &days).needed, None, "no deadline, no pace to keep");
    }

    /// In the first week, the pace is taken over the days since the start.
    #[test]
    fn pace_in_first_week_counts_days_since_start() {
        let goal = Goal {
            due: 100,
            standardised: 12,
        };
        let days = [day(4, 50, 0), day(3, 6, 0), day(0, 6, 0)];
        let pace = Pace::of(CampaignGroup::Citizens, goal, &days, &Campaign::default(), TODAY);
        assert_eq!(pace.made, 30, "15 to 18 July are four days");
        let early = Date::constant(2023, 7, 1);
        assert_eq!(
            Pace::of(CampaignGroup::Officials, goal, &[], &Campaign::default(), early).made,
            0
        );
    }

    /// A unit is behind if its share is ten points below that of the unit above.
    #[test]
    fn unit_behind_by_ten_points_triggers_alert() {
        let unit = |due, standardised| UnitFigures {
            goals: [(CampaignGroup::Citizens, Goal { due, standardised })].into(),
            ..UnitFigures::default()
        };
        let above = unit(1_000, 500);
        assert!(is_behind(&unit(100, 40), &above));
        assert!(!is_behind(&unit(100, 41), &above));
        assert!(!is_behind(&unit(19, 0), &above), "too few to tell");
        assert_eq!(share(Goal::default()), 0);
    }

    /// Refusals jump when there are at least ten, and twice the average of the last week.
    #[test]
    fn refusal_jump_needs_ten_and_twice_the_average() {
        assert_eq!(jump(&[day(0, 0, 9)], TODAY), None);
        assert_eq!(jump(&[day(0, 0, 10)], TODAY), Some((10, 0)));
        assert_eq!(jump(&[day(7, 0, 35), day(0, 0, 10)], TODAY), Some((10, 50)));
        assert_eq!(jump(&[day(7, 0, 36), day(0, 0, 10)], TODAY), None);
        assert_eq!(
            jump(&[day(8, 0, 900), day(0, 0, 10)], TODAY),
            Some((10, 0)),
            "more than a week ago"
        );
        assert_eq!(jump(&[day(1, 0, 900)], TODAY), None);
    }
}
