//! C2: "biểu mẫu để người dùng chuẩn hóa tài khoản với 4 thông tin: Họ và tên, số căn cước công dân, ngày cấp, số điện thoại".

use crate::people::{day, form_of_nga, name, nga};
use ngomon_rules::citizens::{Field, Outcome, Proof, RegistryAnswer, StandardiseOutcome, answer, parse};
use ngomon_rules::records::{Form, RegistryRecord, RegistryStatus};
use ngomon_rules::values::Grade;

fn ask(form: &Form, registry: &RegistryAnswer, has_claim: bool, taken: bool) -> StandardiseOutcome {
    answer(has_claim, &parse(form, day("2023-07-16")), registry, taken)
}

fn with(change: impl FnOnce(&mut Form)) -> Form {
    let mut form = form_of_nga();
    change(&mut form);
    form
}

fn found(change: impl FnOnce(&mut RegistryRecord)) -> RegistryAnswer {
    let mut record = nga();
    change(&mut record);
    RegistryAnswer::Found(Box::new(record))
}

fn fields(answer: &StandardiseOutcome) -> Vec<&'static str> {
    answer.fields.iter().map(|field| field.name()).collect()
}

/// A form whose four fields match the registry is standardised.
#[test]
fn form_with_four_matching_fields_is_standardised() {
    let answer = ask(&form_of_nga(), &found(|_| {}), false, false);
    assert_eq!(
        (answer.outcome, answer.name_grade),
        (Outcome::Standardised, Some(Grade::Exact))
    );
    assert!(answer.fields.is_empty() && answer.not_held.is_empty());
}

/// An account that has a claim is answered `already-done`, whatever the form contains.
#[test]
fn account_with_claim_always_answered_already_done() {
    let nonsense = with(|f| {
        *f = Form {
            full_name: "1".into(),
            national_id: "2".into(),
            issued_on: "3".into(),
            phone: "4".into(),
        }
    });
    assert_eq!(
        ask(&nonsense, &RegistryAnswer::Unavailable, true, true).outcome,
        Outcome::AlreadyDone
    );
}

/// Malformed fields are named, and the registry is not queried.
#[test]
fn malformed_fields_named_without_registry_query() {
    for (form, wrong) in [
        (with(|f| f.full_name = "12 !".into()), vec!["full_name"]),
        (with(|f| f.national_id = "190123456".into()), vec!["national_id"]),
        (with(|f| f.issued_on = "2021-02-30".into()), vec!["issued_on"]),
        (with(|f| f.issued_on = "17/7/2023".into()), vec!["issued_on"]),
        (with(|f| f.phone = "0234 3822 222".into()), vec!["phone"]),
        (
            with(|f| {
                f.phone = String::new();
                f.full_name = String::new();
            }),
            vec!["full_name", "phone"],
        ),
    ] {
        let answer = ask(&form, &RegistryAnswer::Unavailable, false, false);
        assert_eq!(
            (answer.outcome, fields(&answer)),
            (Outcome::Malformed, wrong),
            "{form:?}"
        );
    }
    assert_eq!(
        ask(
            &with(|f| f.issued_on = "16/7/2023".into()),
            &RegistryAnswer::NotFound,
            false,
            false
        )
        .outcome,
        Outcome::NotFound
    );
}

/// When the registry is unavailable, the form is pending, not refused.
#[test]
fn unavailable_registry_gives_pending_not_refusal() {
    assert_eq!(
        ask(&form_of_nga(), &RegistryAnswer::Unavailable, false, false).outcome,
        Outcome::Pending
    );
    assert_eq!(
        ask(&form_of_nga(), &RegistryAnswer::NotFound, false, false).outcome,
        Outcome::NotFound
    );
}

/// The fields that differ are named in the order of the form.
#[test]
fn mismatched_fields_named_in_form_order() {
    let form = with(|f| {
        f.phone = "0987654321".into();
        f.full_name = "Hồ Thị Ngà Voi".into();
        f.issued_on = "2/5/2021".into();
    });
    let answer = ask(&form, &found(|_| {}), false, false);
    assert_eq!(
        (answer.outcome, fields(&answer)),
        (Outcome::Mismatch, vec!["full_name", "issued_on", "phone"])
    );
}

/// With the right number, a name without diacritics matches and a merely similar name does not.
#[test]
fn folded_name_matches_by_number_and_near_name_does_not() {
    let folded = ask(
        &with(|f| f.full_name = "HO THI NGA".into()),
        &found(|_| {}),
        false,
        false,
    );
    assert_eq!(
        (folded.outcome, folded.name_grade),
        (Outcome::Standardised, Some(Grade::Folded))
    );
    let near = ask(&with(|f| f.full_name = "Hồ Nga".into()), &found(|_| {}), false, false);
    assert_eq!((near.outcome, near.name_grade), (Outcome::Mismatch, Some(Grade::Near)));
}

/// A field that the registry does not hold is no mismatch.
#[test]
fn field_missing_in_registry_is_no_mismatch() {
    let registry = found(|r| {
        r.phone = None;
        r.issued_on = None;
    });
    let answer = ask(&form_of_nga(), &registry, false, false);
    assert_eq!(answer.outcome, Outcome::Standardised);
    assert_eq!(
        answer.not_held.into_iter().collect::<Vec<_>>(),
        [Field::IssuedOn, Field::Phone]
    );
}

/// "A phone that it does not hold is made good by a one-time code to the typed one, an issue date only by a second registry, VNeID or a
/// counter (policy `issue-date-required`; without it, one of the two may be missing, never both): until then `pending`."
#[test]
fn missing_registry_field_confirmed_or_left_pending() {
    let without = |issued_on: bool, phone: bool| {
        found(|r| {
            r.issued_on = r.issued_on.filter(|_| !issued_on);
            r.phone = r.phone.take().filter(|_| !phone);
        })
    };
    let by = |registry: &RegistryAnswer, proof, code, required| {
        let answer = ask(&form_of_nga(), registry, false, false).made_good(proof, code, required);
        (answer.outcome, fields(&answer).join(" "))
    };
    for ((issued_on, phone), (code, required), (outcome, open)) in [
        ((false, false), (false, true), (Outcome::Standardised, "")),
        ((false, true), (true, true), (Outcome::Standardised, "")),
        ((false, true), (false, true), (Outcome::Pending, "phone")),
        ((true, false), (true, true), (Outcome::Pending, "issued_on")),
        ((true, false), (false, false), (Outcome::Standardised, "")),
        ((true, true), (true, false), (Outcome::Pending, "issued_on")),
        ((true, true), (true, true), (Outcome::Pending, "issued_on")),
        ((true, true), (false, true), (Outcome::Pending, "issued_on phone")),
    ] {
        let registry = without(issued_on, phone);
        let expected = (outcome, open.to_owned());
        assert_eq!(
            by(&registry, Proof::Form, code, required),
            expected,
            "{issued_on} {phone} {code}"
        );
        for proof in [Proof::Counter, Proof::Vneid] {
            assert_eq!(by(&registry, proof, false, true).0, Outcome::Standardised);
        }
    }
    // A mismatch is always answered. While a field is unconfirmed, nothing else about the person is revealed.
    let mut dead = without(true, false);
    if let RegistryAnswer::Found(record) = &mut dead {
        record.status = RegistryStatus::Deceased;
    }
    assert_eq!(by(&dead, Proof::Form, true, true).0, Outcome::Pending);
    let other = with(|f| f.phone = "0987654321".into());
    let differs = ask(&other, &without(true, false), false, false).made_good(Proof::Form, true, true);
    assert_eq!((differs.outcome, fields(&differs)), (Outcome::Mismatch, vec!["phone"]));
}

/// The checks run in a fixed order, and the first that fails decides the outcome.
#[test]
fn first_failing_check_decides_form_outcome() {
    let dead = || found(|r| r.status = RegistryStatus::Deceased);
    let revoked = || found(|r| r.status = RegistryStatus::Revoked);
    let other_phone = with(|f| f.phone = "0987654321".into());
    for (form, registry, taken, outcome) in [
        (&other_phone, dead(), true, Outcome::Mismatch),
        (&form_of_nga(), dead(), true, Outcome::Deceased),
        (&form_of_nga(), revoked(), true, Outcome::Revoked),
        (&form_of_nga(), found(|_| {}), true, Outcome::Taken),
    ] {
        assert_eq!(ask(form, &registry, false, taken).outcome, outcome);
    }
}

/// Each outcome is parsed back from its written name.
#[test]
fn outcome_names_round_trip() {
    for outcome in [
        "standardised",
        "malformed",
        "not-found",
        "mismatch",
        "deceased",
        "revoked",
        "taken",
        "already-done",
        "pending",
        "unknown-account",
    ] {
        assert_eq!(Outcome::parse(outcome).unwrap().name(), outcome);
    }
    assert_eq!(Outcome::parse("yes"), None);
    assert_eq!(name("Hồ Thị Nga").as_str(), "Hồ Thị Nga");
}
