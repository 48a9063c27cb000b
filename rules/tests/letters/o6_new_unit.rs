//! Clause 6: "Tài khoản tại đơn vị mới sẽ tự động khởi tạo sau khi hoàn thành công việc trên thay thế cho các hình thức đăng ký như
//! trước nay."

use crate::people::{Hr, official, son, words};
use ngomon_rules::officials::{OfficialAccount, decide_person};
use ngomon_rules::records::{AccountKind, Profile, ServiceStatus};

/// Renders a plan: `account: holds` for each account, and `account makes UNIT`.
fn plan(profile: Profile, accounts: &[OfficialAccount], on: &str) -> Vec<String> {
    Hr::with([profile]).ask(accounts, on, |cases| {
        let plan = decide_person(cases);
        let mut told: Vec<String> = plan
            .decisions
            .iter()
            .map(|(id, d)| format!("{id}: {}", words(d)))
            .collect();
        told.extend(plan.creates.map(|(id, unit)| format!("{id} makes {unit}")));
        told
    })
}

/// The account is created at the unit of the profile, and the old one is closed.
#[test]
fn moved_profile_creates_account_and_closes_old_one() {
    assert_eq!(
        plan(son("B"), &[official("CV1", "A")], "2023-07-31"),
        ["CV1: moved", "CV1 makes B"]
    );
}

/// If the person has an account at the new unit, it is used and none is created.
#[test]
fn existing_account_at_new_unit_is_used() {
    let both = [official("CV2", "B"), official("CV1", "A")];
    assert_eq!(plan(son("B"), &both, "2023-07-31"), ["CV1: moved", "CV2: "]);
    // The person moves back.
    assert_eq!(plan(son("A"), &both, "2023-07-31"), ["CV1: ", "CV2: moved"]);
}

/// Several old accounts lead to one new account, attributed to the smallest id.
#[test]
fn several_old_accounts_lead_to_one_new_account() {
    let both = [official("CV9", "P"), official("CV3", "A")];
    assert_eq!(
        plan(son("B"), &both, "2023-07-31"),
        ["CV3: moved", "CV9: moved", "CV3 makes B"]
    );
}

/// A merger of units moves no account.
#[test]
fn unit_merger_moves_no_account() {
    assert_eq!(plan(son("B"), &[official("CV1", "OLD")], "2023-07-01"), ["CV1: "]);
    assert_eq!(
        plan(son("B"), &[official("CV1", "OLD")], "2023-06-30"),
        ["CV1: moved", "CV1 makes B"]
    );
}

#[test]
fn a_seconded_person_stays_with_the_sending_unit() {
    let seconded = Profile {
        status: ServiceStatus::Seconded,
        ..son("A")
    };
    assert_eq!(plan(seconded, &[official("CV1", "A")], "2023-07-31"), ["CV1: "]);
}

/// The account of a person who left the service is not moved.
#[test]
fn account_of_leaver_is_not_moved() {
    let left = Profile {
        status: ServiceStatus::Resigned,
        ..son("B")
    };
    assert_eq!(plan(left, &[official("CV1", "A")], "2023-07-31"), ["CV1: left"]);
}

/// The HR rules do not apply to the accounts of units.
#[test]
fn unit_account_has_no_hr_holds() {
    let desk = OfficialAccount {
        kind: AccountKind::Unit,
        ..official("CV1", "A")
    };
    assert_eq!(Hr::with([]).reasons(&desk, "2023-07-31"), "");
}
