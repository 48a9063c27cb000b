//! Clause 5: "Những trường hợp thôi không làm việc tại cơ quan nhà nước, đến tuổi về hưu thì hệ thống sẽ tự động khóa sau khi Sở Nội
//! vụ cập nhật".

use crate::people::{Hr, born, day, official, son};
use ngomon_rules::officials::retirement;
use ngomon_rules::records::{Profile, ServiceStatus};
use ngomon_rules::values::Gender;

fn ending(status: ServiceStatus, from: Option<&str>) -> Profile {
    Profile {
        status,
        status_from: from.map(day),
        // Moot, because `left` and `retired` exclude other holds.
        reviewed_on: None,
        full_name: crate::people::name("Tên Khác"),
        ..son("B")
    }
}

/// Each way of leaving the service holds the account from the first day out of service.
#[test]
fn ended_service_holds_from_first_day_after_it() {
    let account = official("CV1", "A");
    for (status, holds) in [
        (ServiceStatus::Resigned, "left"),
        (ServiceStatus::Dismissed, "left"),
        (ServiceStatus::Discharged, "left"),
        (ServiceStatus::TransferredOut, "left"),
        (ServiceStatus::Deceased, "left"),
        (ServiceStatus::Retired, "retired"),
    ] {
        let hr = Hr::with([ending(status, Some("2023-07-31"))]);
        assert_eq!(hr.reasons(&account, "2023-07-31"), holds);
        assert_eq!(
            hr.reasons(&account, "2023-07-30"),
            "moved",
            "until then it counts as working"
        );
        assert_eq!(
            Hr::with([ending(status, None)]).reasons(&account, "2023-07-31"),
            holds,
            "no day given: it has come"
        );
    }
}

/// Leaving a post, a suspension, a secondment or leave does not end the service.
#[test]
fn end_of_post_is_not_end_of_service() {
    for word in ["miễn nhiệm", "bãi nhiệm", "cách chức"] {
        assert_eq!(ServiceStatus::parse(word), None);
    }
    for status in [
        ServiceStatus::Suspended,
        ServiceStatus::Seconded,
        ServiceStatus::OnLeave,
        ServiceStatus::UnpaidLeave,
    ] {
        let profile = Profile { status, ..son("A") };
        assert_eq!(Hr::with([profile]).reasons(&official("CV1", "A"), "2023-07-31"), "");
    }
}

/// The hold is not placed before the letter was in force.
#[test]
fn leaving_hold_not_placed_before_letter_in_force() {
    let hr = Hr::with([ending(ServiceStatus::Retired, None)]);
    assert_eq!(hr.reasons(&official("CV1", "A"), "2021-02-28"), "");
    assert_eq!(hr.reasons(&official("CV1", "A"), "2021-03-01"), "retired");
    assert_eq!(Hr::with([]).reasons(&official("CV1", "A"), "2021-02-28"), "");
}

/// Decree 135/2020, Appendix I: month of birth, age of retirement, and the month in which it is reached.
#[test]
fn retirement_age_follows_decree_table() {
    for (gender, birth, years, months, last_day) in [
        (Gender::M, "1961-01", 60, 3, "2021-04-30"),
        (Gender::M, "1961-09", 60, 3, "2021-12-31"),
        (Gender::M, "1961-10", 60, 6, "2022-04-30"),
        (Gender::M, "1966-03", 61, 9, "2027-12-31"),
        (Gender::M, "1966-04", 62, 0, "2028-04-30"),
        (Gender::M, "1990-01", 62, 0, "2052-01-31"),
        (Gender::F, "1966-01", 55, 4, "2021-05-31"),
        (Gender::F, "1966-08", 55, 4, "2021-12-31"),
        (Gender::F, "1966-09", 55, 8, "2022-05-31"),
        (Gender::F, "1975-05", 60, 0, "2035-05-31"),
        (Gender::F, "1990-12", 60, 0, "2050-12-31"),
    ] {
        let found = retirement(born(birth).unwrap(), gender).unwrap();
        assert_eq!(
            (found.years, found.months, found.last_day),
            (years, months, day(last_day)),
            "{gender:?} {birth}"
        );
    }
    assert_eq!(retirement(born("1950").unwrap(), Gender::M), None);
}

/// Retirement is announced 6 and 3 months ahead, and the forecast holds no account.
#[test]
fn retirement_warned_6_and_3_months_ahead_without_hold() {
    let forecast = retirement(born("1961-01-15").unwrap(), Gender::M).unwrap();
    assert_eq!(forecast.warning_days(), [day("2020-10-30"), day("2021-01-30")]);
    let old = Profile {
        birth_date: born("1950-01-01"),
        gender: Some(Gender::M),
        ..son("A")
    };
    let mut account = official("CV1", "A");
    account.stated.birth_date = None;
    assert_eq!(Hr::with([old]).reasons(&account, "2023-07-31"), "");
}
