//! Clause 1: "Thông tin không trùng khớp với hệ thống thông tin quản lý công chức, viên chức do Sở Nội vụ quản lý."

use crate::people::{Hr, born, name, number, official, son};
use ngomon_rules::officials::{Decision, OfficialAccount, decide};
use ngomon_rules::records::AccountAttributes;

fn stating(change: impl FnOnce(&mut AccountAttributes)) -> OfficialAccount {
    let mut account = official("CV1", "A");
    change(&mut account.stated);
    account
}

/// Name, birth date and national id must match the HR profile; what is unknown matches.
#[test]
fn mismatch_hold_if_name_birth_date_or_number_differs() {
    let hr = Hr::with([son("A")]);
    for (account, holds) in [
        (stating(|_| {}), ""),
        (stating(|s| s.full_name = Some(name("LE VAN SON"))), ""),
        (stating(|s| s.full_name = Some(name("Lê Sơn"))), "mismatch"),
        (stating(|s| s.full_name = Some(name("Trần Văn Sơn"))), "mismatch"),
        (stating(|s| s.birth_date = born("1980")), ""),
        (stating(|s| s.birth_date = born("1980-03")), ""),
        (stating(|s| s.birth_date = born("1980-04")), "mismatch"),
        (stating(|s| s.national_id = Some(number(6))), "mismatch"),
        // What is unknown on either side never makes a mismatch.
        (stating(|s| s.national_id = None), ""),
        (stating(|s| s.birth_date = None), ""),
        (stating(|s| s.full_name = None), ""),
    ] {
        assert_eq!(hr.reasons(&account, "2023-07-31"), holds, "{account:?}");
    }
}

/// A national id that the person had before is no mismatch.
#[test]
fn former_national_id_is_no_mismatch() {
    let account = stating(|s| s.national_id = Some(number(6)));
    let mut profile = son("A");
    profile.former_ids = vec![number(6)];
    assert_eq!(Hr::with([profile]).reasons(&account, "2023-07-31"), "");
    let mut hr = Hr::with([son("A")]);
    hr.same_person = vec![vec![number(5), number(6)]];
    assert_eq!(hr.reasons(&account, "2023-07-31"), "");
}

/// The evidence names the fields that differ and contains no value.
#[test]
fn mismatch_evidence_names_fields_without_values() {
    let account = stating(|s| {
        s.full_name = Some(name("Lê Sơn"));
        s.birth_date = born("1981");
    });
    Hr::with([son("A")]).ask(&[account], "2023-07-31", |cases| {
        let Decision::Holds(holds) = decide(&cases[0]) else {
            panic!("decided")
        };
        let facts: Vec<_> = holds[0].evidence.iter().map(|(k, v)| format!("{k} {v}")).collect();
        assert_eq!(facts, ["birth_date differs", "full_name near"]);
    });
}

/// The freeze switch suspends the holds of clauses 1 to 4 and no others.
#[test]
fn freeze_suspends_holds_of_clauses_1_to_4() {
    let mut hr = Hr::with([son("A")]);
    hr.freeze = true;
    let account = stating(|s| s.birth_date = born("1950"));
    assert_eq!(hr.reasons(&account, "2026-07-31"), "");
    hr.profiles.clear();
    assert_eq!(hr.reasons(&account, "2026-07-31"), "no-profile");
}
