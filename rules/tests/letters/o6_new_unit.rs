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

#[test]
fn the_account_is_made_where_the_file_is_and_the_old_one_closes() {
    assert_eq!(
        plan(son("B"), &[official("CV1", "A")], "2023-07-31"),
        ["CV1: moved", "CV1 makes B"]
    );
}

#[test]
fn an_account_that_is_there_is_used() {
    let both = [official("CV2", "B"), official("CV1", "A")];
    assert_eq!(plan(son("B"), &both, "2023-07-31"), ["CV1: moved", "CV2: "]);
    // The person moves back.
    assert_eq!(plan(son("A"), &both, "2023-07-31"), ["CV1: ", "CV2: moved"]);
}

#[test]
fn several_old_accounts_give_one_new_one_on_the_line_of_the_smallest_id() {
    let both = [official("CV9", "P"), official("CV3", "A")];
    assert_eq!(
        plan(son("B"), &both, "2023-07-31"),
        ["CV3: moved", "CV9: moved", "CV3 makes B"]
    );
}

#[test]
fn a_merger_moves_nobody() {
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

#[test]
fn who_left_is_not_moved() {
    let left = Profile {
        status: ServiceStatus::Resigned,
        ..son("B")
    };
    assert_eq!(plan(left, &[official("CV1", "A")], "2023-07-31"), ["CV1: left"]);
}

#[test]
fn the_accounts_of_a_unit_have_no_hr_rule() {
    let desk = OfficialAccount {
        kind: AccountKind::Unit,
        ..official("CV1", "A")
    };
    assert_eq!(Hr::with([]).reasons(&desk, "2023-07-31"), "");
}
