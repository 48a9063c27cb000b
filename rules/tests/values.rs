//! "When two values are the same": names, numbers, phones, dates, units.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use NationalIdFault::{Bad, LostDigits, OldCmnd};
use ngomon_rules::unit::{TreeFault, Unit, UnitCode, UnitKind, UnitTree};
use ngomon_rules::values::{
    Date, DateFault, FullName, Gender, Grade, NationalId, NationalIdFault, PartialDate, Phone, PhoneFault, exact_key,
    local_day, lost_in_transcoding, parse_day,
};
use proptest::prelude::*;

fn name(text: &str) -> FullName {
    FullName::parse(text).unwrap().0
}

/// Two names are the same exactly, without diacritics, nearly, or not.
#[test]
fn full_names_compared_by_grade() {
    use Grade::{Different, Exact, Folded, Near};
    for (a, b, grade) in [
        ("Nguyễn Văn Hoà", "Nguyễn Văn Hòa", Exact),
        ("Lê Thị Thuỷ", "LÊ THỊ THỦY", Exact),
        ("Hoe", "hoe", Exact),
        // Closed syllables and qu- are untouched: these are different words.
        ("Trần Toàn", "Trần Tòan", Folded),
        ("Quý", "Qúy", Folded),
        ("Đỗ Đức", "Ðỗ Ðức", Exact),
        ("Đỗ Đức", "DO DUC", Folded),
        ("Hồ Thị  Kăn\u{a0}Nga", "Hồ Thị Kăn Nga", Exact),
        ("Hồ\u{200b} Thị Nga", "Hồ Thị Nga", Exact),
        ("Nguye\u{302}\u{303}n An", "Nguyễn An", Exact),
        ("Lê Hoa\u{200b}\u{300}", "Lê Hòa", Exact),
        ("Lê ﬃ\u{30f}", "Lê ffi\u{30f}", Exact),
        ("Weiß", "WEIẞ", Exact),
        ("Pơ-loong Bê", "PO LOONG BE", Folded),
        ("Lê Vy", "Lê Vi", Near),
        ("Nguyễn Văn An", "Nguyễn An", Near),
        ("Nguyễn Văn An", "Nguyễn Văn Anh", Near),
        ("Nguyễn Văn An", "Trần Văn An", Different),
        ("An", "Bình", Different),
        // Substitutes for the apostrophe of a Ê Đê name, and for a dash.
        ("K'Brếp", "K`Brếp", Folded),
        ("K'Brếp", "K´Brếp", Folded),
        ("K'Brếp", "KʼBrếp", Folded),
        ("K'Brếp", "KʹBrếp", Folded),
        ("K'Brếp", "KˈBrếp", Folded),
        ("Y-Ban Niê", "Y−Ban Niê", Folded),
        // Struck letters and ligatures.
        ("H'Ƀhiă Kƀuôr", "H'Bhiă Kbuôr", Folded),
        ("Łukasz", "Lukasz", Folded),
        ("Søren", "Soren", Folded),
        ("Æsa", "Aesa", Folded),
        ("Ŧuấn", "Tuấn", Folded),
        ("Weiß", "Weiss", Exact),
        ("Y Thoại Ê Ban", "Y Thoại Êban", Folded),
        ("Hồ Thị Kăn Nga", "Hồ Thị Căn Nga", Near),
        ("Nguyễn Văn Đạt", "Nguyễn Văn Ɖạt", Exact),
        ("Lê Thuỷ Tiên", "Lê Thủy Tiên", Exact),
        ("Nguyễn Thị Lý", "Nguyễn Thị Lí", Near),
        ("Trần Đăng Khoa", "Trần Đặng Khoa", Folded),
    ] {
        assert_eq!(name(a).grade(&name(b)), grade, "{a} / {b}");
        assert_eq!(name(b).grade(&name(a)), grade, "{b} / {a}");
    }
}

/// A value without a letter is no name, and one letter is enough.
#[test]
fn name_needs_at_least_one_letter() {
    for no in ["", "  ", "123", "-.,", "\u{200b}"] {
        assert!(FullName::parse(no).is_none(), "{no:?}");
    }
    assert_eq!(name(" Y ").as_str(), "Y");
    assert_eq!(name("=Lê").as_str(), "=Lê");
}

/// The repairs of a name are listed.
#[test]
fn name_repairs_are_listed() {
    for (text, repairs) in [
        ("Nguyễn An", ""),
        ("  nguyễn   an ", ""),
        ("Nguye\u{302}\u{303}n An", "nfc"),
        ("Ðỗ An", "d-stroke"),
        ("Lê\u{feff} An", "zero-width"),
        ("Hoa\u{200d}\u{300}", "nfc zero-width"),
        ("Ðỗ\u{200d} Nguye\u{302}\u{303}n", "d-stroke nfc zero-width"),
    ] {
        assert_eq!(FullName::parse(text).unwrap().1.to_string(), repairs, "{text:?}");
    }
}

/// A name that lost letters in transcoding is detected.
#[test]
fn garbled_name_is_detected() {
    for lost in ["Nguy?n V?n An", "Tr??nh An", "Nguy\u{fffd}n An", "Nguy\u{85}n An"] {
        assert!(lost_in_transcoding(lost), "{lost:?}");
    }
    for whole in ["Nguyễn Văn An", "?", "Nguyễn Văn An ?", "? An", "Lê An? (Hoà)"] {
        assert!(!lost_in_transcoding(whole), "{whole:?}");
    }
}

fn id(text: &str) -> Result<(String, String), NationalIdFault> {
    let born = PartialDate::parse("1995").ok();
    NationalId::parse(text, born, Some(Gender::M)).map(|(id, repairs)| (id.as_str().to_owned(), repairs.to_string()))
}

/// National ids are read in the notations that people and spreadsheets use.
#[test]
fn national_id_read_in_common_notations() {
    for (text, repairs) in [
        ("046095001234", ""),
        ("046 095 001 234", ""),
        ("046.095.001.234", ""),
        ("'046095001234", ""),
        ("\u{ff10}46095001234", ""),
        ("046095001234\u{200b}", ""),
        ("46095001234", "leading-zero"),
        ("46095001234.0", "float-id leading-zero"),
        ("4.6095001234E+10", "float-id leading-zero"),
    ] {
        assert_eq!(id(text), Ok(("046095001234".into(), repairs.into())), "{text}");
    }
    assert_eq!(id("1095001234"), Ok(("001095001234".into(), "leading-zero".into())));

    for (text, fault) in [
        ("190123456", OldCmnd),
        ("4.6095E+10", LostDigits),
        ("97095001234", Bad),
        ("4609500123", Bad),
        ("46195001234", Bad),
        ("٠46095001234", Bad),
        ("04609500123x", Bad),
        ("0460950012345", Bad),
        ("", Bad),
    ] {
        assert_eq!(id(text), Err(fault), "{text}");
    }
}

/// A national id encodes century, gender and birth year, which must fit the person.
#[test]
fn national_id_checked_against_gender_and_birth_year() {
    let fits = |number: &str, born: &str, gender| {
        NationalId::parse(number, None, None)
            .unwrap()
            .0
            .fits(PartialDate::parse(born).ok(), gender)
    };
    assert!(fits("046095001234", "1995-08-15", Some(Gender::M)));
    assert!(fits("046195001234", "1995", Some(Gender::F)));
    assert!(fits("046203001234", "2003", Some(Gender::M)));
    assert!(!fits("046095001234", "1995", Some(Gender::F)));
    assert!(!fits("046095001234", "1996", None));
    assert!(fits("046095001234", "", None), "what is unknown fits");
    let abroad = NationalId::parse("999095001234", None, None).unwrap().0;
    assert!(!abroad.place_is_known(), "a warning, not a refusal");
    assert_eq!(abroad.masked(), "999*****1234");
    assert_eq!(format!("{abroad:?}"), "NationalId(…)");
}

/// A phone is the same number in every notation, and old prefixes are replaced.
#[test]
fn phone_notations_read_as_one_number() {
    for text in [
        "0912 345 678",
        "84912345678",
        "+84 912.345.678",
        "912345678",
        "912345678.0",
        "+84 (0)912 345 678",
        "0912-345-678",
        "\u{ff10}912345678",
        "'0912345678",
        "0912–345–678",
        "0912·345·678",
        "0912−345−678",
        "0912345678;",
        "0912345678,",
        "Zalo: 0912345678",
        "ĐT: 0912.345.678",
    ] {
        assert_eq!(Phone::parse(text).unwrap().0.as_str(), "+84912345678", "{text}");
    }
    for (old, new) in [
        ("0162", "032"),
        ("0169", "039"),
        ("0120", "070"),
        ("0121", "079"),
        ("0122", "077"),
        ("0126", "076"),
        ("0128", "078"),
        ("0123", "083"),
        ("0124", "084"),
        ("0125", "085"),
        ("0127", "081"),
        ("0129", "082"),
        ("0186", "056"),
        ("0188", "058"),
        ("0199", "059"),
    ] {
        let (phone, repairs) = Phone::parse(&format!("{old}1234567")).unwrap();
        assert_eq!(
            (phone.as_str(), repairs.to_string().as_str()),
            (&*format!("+84{}1234567", &new[1..]), "phone-prefix-2018")
        );
    }
    for (text, fault) in [
        ("0234 3822 222", PhoneFault::Bad),
        ("091234567", PhoneFault::Bad),
        ("0912345678 / 0987654321", PhoneFault::Ambiguous),
        ("0912345678; 0987654321", PhoneFault::Ambiguous),
        ("0912345678 hoặc 0987654321", PhoneFault::Ambiguous),
        ("không có", PhoneFault::Bad),
        ("٠912345678", PhoneFault::Bad),
    ] {
        assert_eq!(Phone::parse(text).unwrap_err(), fault, "{text}");
    }
}

/// Dates are read day first or in ISO form; impossible years are refused.
#[test]
fn dates_read_day_first_or_iso() {
    for text in [
        "2023-02-01",
        "01/02/2023",
        "1/2/2023",
        "1-2-2023",
        "01.02.2023",
        "０１/02/2023",
        "20230201",
        "ngày 01 tháng 02 năm 2023",
        "Ngày 1 tháng 2 năm 2023",
        "2023-02-01T00:00:00",
        "2023-02-01 09:30",
        "2023-02-01T09:30:05.123",
        "01/02/2023 0:00",
        "1/2/2023 12:00:00 AM",
        // An instant becomes its day in Huế.
        "2023-01-31T17:00:00Z",
        "2023-02-01T23:30:00+07:00",
    ] {
        assert_eq!(parse_day(text), Ok(Date::constant(2023, 2, 1)), "{text}");
    }
    for text in ["1/2/23", "0023-02-01", "1/2/0023"] {
        assert_eq!(parse_day(text), Err(DateFault::Ambiguous), "{text}");
    }
    for text in [
        "2023-02-29",
        "31/4/2023",
        "13/13/2023",
        "2023/02/01",
        "",
        "hôm nay",
        "20231301",
        "01022023",
        "2023-02-01 hôm qua",
        "2023-02-01 25:00",
        "2023-02-01T",
        "ngày 1 tháng 2",
        "ngày 1-2 tháng 2 năm 2023",
        "ngày 30 tháng 2 năm 2023",
    ] {
        assert_eq!(parse_day(text), Err(DateFault::Bad), "{text}");
    }
    // Of the Buddhist calendar, or mistyped; not the day by which files say that something has no end.
    for text in ["2565-05-04", "4/5/2565", "25650504", "1023-05-04", "9999-12-30"] {
        assert_eq!(parse_day(text), Err(DateFault::ImpossibleYear), "{text}");
        assert_eq!(PartialDate::parse(text), Err(DateFault::ImpossibleYear), "{text}");
    }
    for text in ["2565", "05/2565", "2565-05"] {
        assert_eq!(PartialDate::parse(text), Err(DateFault::ImpossibleYear), "{text}");
        // Values that were imported before this check can still be read.
        let kept = PartialDate::try_from(text.to_owned()).unwrap();
        assert_eq!(PartialDate::try_from(kept.to_string()), Ok(kept));
    }
    for text in ["9999-12-31", "1800-01-01", "2199-12-31"] {
        assert!(parse_day(text).is_ok(), "{text}");
    }
    // 23:30 UTC on the 15th is the 16th in Huế.
    assert_eq!(
        local_day("2023-07-15T23:30:00Z".parse().unwrap()),
        Date::constant(2023, 7, 16)
    );
}

/// Birth dates are compared by the parts that both sides know.
#[test]
fn birth_dates_compared_by_parts_known_to_both() {
    let parse = |text: &str| PartialDate::parse(text).unwrap();
    for (a, b, agree) in [
        ("1957", "1957-08-15", true),
        ("00/00/1957", "1957", true),
        ("--/08/1957", "1957-08", true),
        ("08/1957", "15/8/1957", true),
        ("08-1957", "1957-08", true),
        ("1957.0", "1957", true),
        ("1957-08-15 00:00:00", "19570815", true),
        ("1957-08", "1957-09-01", false),
        ("1957-08-15", "1957-08-16", false),
        ("1957", "1958", false),
    ] {
        assert_eq!(parse(a).agrees(parse(b)), agree, "{a} / {b}");
    }
    for text in ["57", "57.0", "13-1957", "1957-13", "31/02/1957", "abc"] {
        assert!(PartialDate::parse(text).is_err(), "{text}");
    }
}

fn unit(code: &str, parent: &str, name: &str, to: Option<(Date, &str)>) -> Unit {
    let some = |code: &str| (!code.is_empty()).then(|| UnitCode(code.into()));
    Unit {
        code: UnitCode(code.into()),
        parent: some(parent),
        name: name.into(),
        kind: UnitKind::Commune,
        valid_from: None,
        valid_to: to.map(|(day, _)| day),
        successor: to.and_then(|(_, successor)| some(successor)),
    }
}

const LAST: Date = Date::constant(2020, 12, 31);

fn tree() -> UnitTree {
    UnitTree::build([
        unit("P", "", "Tỉnh P", None),
        unit("X", "P", "Xã Thuỷ An", None),
        unit("Y", "P", "Xã Dương Hòa", Some((LAST, "X"))),
        unit("Z", "P", "Xã Cũ", Some((LAST, ""))),
        unit("X1", "X", "Thôn Hộ", None),
        unit("Y1", "Y", "Thôn Hộ", None),
        unit("Y2", "Y", "Thôn Một, Hai", None),
    ])
    .unwrap()
}

/// An ended unit resolves to its successor, or else to its parent.
#[test]
fn ended_unit_resolves_to_successor_or_parent() {
    let tree = tree();
    let code = |text: &str| UnitCode(text.into());
    let after = LAST.tomorrow().unwrap();
    for (from, on, to) in [
        ("Y", LAST, "Y"),
        ("Y", after, "X"),
        ("Z", after, "P"),
        ("P", after, "P"),
        ("?", after, "?"),
    ] {
        assert_eq!(tree.follow(&code(from), on).as_str(), to);
    }
    let lineage = |of: &str, on| {
        tree.lineage(&code(of), on)
            .into_iter()
            .map(|c| c.as_str().to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(lineage("Y1", LAST), "Y1 Y P");
    assert_eq!(lineage("Y1", after), "Y1 X P");
    assert!(tree.is_within(&code("Y1"), &code("X"), after) && !tree.is_within(&code("Y1"), &code("X"), LAST));
}

/// The name of a unit resolves if one unit has it, or together with the units above it.
#[test]
fn unit_name_resolves_if_unique_or_with_its_path() {
    let tree = tree();
    let found = |text: &str, on| tree.by_name(text, on).map(|c| c.as_str().to_owned());
    assert_eq!(found("xã thủy an", LAST).as_deref(), Some("X"));
    assert_eq!(found("Xa Thuy An", LAST), None, "never folded");
    assert_eq!(found("Thôn Hộ", LAST), None, "two have it");
    assert_eq!(found("Thôn Hộ, xã Dương Hoà", LAST).as_deref(), Some("Y1"));
    assert_eq!(found("Thôn Hộ, Xã Thuỷ An, Tỉnh P", LAST).as_deref(), Some("X1"));
    assert_eq!(found("Thôn Một, Hai", LAST).as_deref(), Some("Y2"));
    assert_eq!(found("Xã Cũ", LAST.tomorrow().unwrap()), None, "nobody succeeds it");
}

/// A masked phone is shown in the national form.
#[test]
fn masked_phone_starts_with_zero_and_shows_three_digits() {
    let masked = |typed: &str| Phone::parse(typed).unwrap().0.masked();
    assert_eq!(masked("+84 910 102 947"), "0910***947");
    assert_eq!(masked("0912345678"), "0912***678");
}

/// Two villages of one name come under one commune when their communes are merged.
#[test]
fn merged_namesake_units_shown_with_former_parent() {
    let (tree, after) = (tree(), LAST.tomorrow().unwrap());
    let told = |code: &str, day| tree.told_name(tree.get(&UnitCode(code.into())).unwrap(), day);
    assert_eq!(told("Y1", after), "Thôn Hộ (Xã Dương Hòa)");
    assert_eq!(told("X1", after), "Thôn Hộ", "it stands where it stood");
    assert_eq!(told("Y1", LAST), "Thôn Hộ", "before the merger there is one in each");
    assert_eq!(told("Y2", after), "Thôn Một, Hai", "no other is called so");
}

/// A name typed without the kind of unit is found if only one unit has it.
#[test]
fn typed_unit_name_without_kind_resolves_if_unique() {
    let tree = tree();
    let found = |text: &str, on| tree.by_typed_name(text, on).map(|c| c.as_str().to_owned());
    assert_eq!(found("thủy an", LAST).as_deref(), Some("X"));
    assert_eq!(found(" Dương Hòa ", LAST).as_deref(), Some("Y"));
    assert_eq!(found("Dương Hòa", LAST.tomorrow().unwrap()), None, "it ended");
    assert_eq!(found("Hộ", LAST), None, "two are called so");
    assert_eq!(found("Thôn Hộ", LAST), None, "two are called so in full");
    for none in ["", "An An", "y An", "Hòa Hộ"] {
        assert_eq!(found(none, LAST), None, "{none}");
    }
    assert_eq!(
        found("Thôn Hộ, xã Dương Hoà", LAST).as_deref(),
        Some("Y1"),
        "in full as before"
    );
}

/// Provinces, districts and communes that ended, some of them twice.
fn merged() -> UnitTree {
    const DISTRICT: Date = Date::constant(2019, 12, 31);
    let province = |code: &str, name: &str, to| Unit {
        kind: UnitKind::Province,
        ..unit(code, "", name, to)
    };
    UnitTree::build([
        province("P", "Tỉnh P", Some((LAST, "Q"))),
        province("Q", "Thành phố Q", None),
        unit("D1", "P", "Huyện Bắc", Some((DISTRICT, "D2"))),
        unit("D2", "P", "Thị xã Bắc", Some((LAST, ""))),
        unit("E", "P", "Huyện Nam", Some((LAST, ""))),
        unit("A", "D1", "Xã Dương Hòa", Some((LAST, "N"))),
        unit("B", "E", "Xã Dương Hòa", Some((LAST, "M"))),
        unit("C", "D1", "Xã Thuỷ Bằng", Some((LAST, ""))),
        unit("F", "D1", "Xã An", Some((DISTRICT, "G"))),
        unit("G", "D1", "Xã An", Some((LAST, "N"))),
        unit("H", "P", "Sở Cũ", Some((LAST, "S"))),
        unit("S", "Q", "Sở Mới", None),
        unit("N", "Q", "Phường Dương Hòa", None),
        unit("M", "Q", "Xã Dương Hòa", None),
        unit("V", "A", "Thôn Hộ", Some((LAST, "W"))),
        unit("W", "N", "Tổ dân phố Hộ", None),
    ])
    .unwrap()
}

/// The name of an ended unit resolves only with all units that were above it.
#[test]
fn former_unit_name_resolves_only_with_its_whole_path() {
    let (tree, after) = (merged(), LAST.tomorrow().unwrap());
    let found = |text: &str| tree.by_name(text, after).map(|c| c.as_str().to_owned());
    for (text, right) in [
        ("Xã Dương Hòa, Thị xã Bắc", Some("N")),
        ("xã Dương Hoà,thị xã Bắc,", Some("N")),
        // The units above as they were at any time.
        ("Xã Dương Hòa, Huyện Bắc", Some("N")),
        ("Xã Dương Hòa, Huyện Nam", Some("M")),
        ("Thôn Hộ, Xã Dương Hòa, Thị xã Bắc", Some("W")),
        ("Sở Cũ", Some("S")),
        // The province may follow, under its old or its current name.
        ("Xã Dương Hòa, Thị xã Bắc, Tỉnh P", Some("N")),
        ("Xã Dương Hòa, Thị xã Bắc, Thành phố Q", Some("N")),
        ("Xã Dương Hòa, Thị xã Bắc, Tỉnh R", None),
        ("Xã Dương Hòa, Thị xã Bắc, Tỉnh P, Việt Nam", None),
        // Two units that ended one after the other lead to the same unit.
        ("Xã An, Huyện Bắc", Some("N")),
        // A name that a current unit has means that unit.
        ("Xã Dương Hòa", Some("M")),
        ("Xã Dương Hòa, Thành phố Q", Some("M")),
        // Not all units above it, or not at the same time.
        ("Xã An", None),
        ("Thôn Hộ, Xã Dương Hòa", None),
        ("Thôn Hộ, Thị xã Bắc", None),
        ("Xã Dương Hòa, Huyện Tây", None),
        ("Xa Duong Hoa, Thi xa Bac", None),
        // The unit was split.
        ("Xã Thuỷ Bằng, Thị xã Bắc", None),
        ("Thị xã Bắc", None),
    ] {
        assert_eq!(found(text).as_deref(), right, "{text}");
    }
    let then = |text: &str| tree.by_name(text, LAST).map(|c| c.as_str().to_owned());
    assert_eq!(then("Xã Dương Hòa, Thị xã Bắc").as_deref(), Some("A"));
    assert_eq!(then("Xã Dương Hòa, Huyện Bắc").as_deref(), None, "it has not ended yet");
}

/// A user name is the same in any case, and as a phone in any notation.
#[test]
fn user_name_key_ignores_case_and_phone_notation() {
    let key = ngomon_rules::values::username_key;
    for phone in [
        "0906361711",
        "0906 361 711",
        "+84906361711",
        "84906361711",
        "906361711",
        "0906.361.711",
    ] {
        assert_eq!(key(phone), "+84906361711", "{phone}");
    }
    for name in [
        "Lê.An01",
        "lê.an01",
        "LÊ.AN01",
        " lê\u{200b}.an01 ",
        "le\u{302}.an01",
        "ＬÊ.ＡＮ01",
    ] {
        assert_eq!(key(name), "lê.an01", "{name:?}");
    }
    assert_ne!(key("le.an01"), key("lê.an01"));
    assert_ne!(key("090636171"), key("0906361711"));
}

/// Invisible characters are no part of a value.
#[test]
fn invisible_characters_removed_from_values() {
    for c in [
        '\u{ad}', '\u{34f}', '\u{200b}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{2066}', '\u{2060}', '\u{feff}',
        '\u{fe0f}',
    ] {
        let (read, repairs) = FullName::parse(&format!("Lê{c} An")).unwrap();
        assert_eq!(
            (read.as_str(), repairs.to_string().as_str()),
            ("Lê An", "zero-width"),
            "{c:?}"
        );
        assert!(id(&format!("04609{c}5001234")).is_ok() && Phone::parse(&format!("{c}0912345678")).is_ok());
    }
}

/// A national id typed on a page gets no leading zero added.
#[test]
fn typed_national_id_gets_no_leading_zero() {
    for whole in [
        "046095001234",
        "046 095 001 234",
        "'046095001234",
        "\u{ff10}46095001234",
    ] {
        assert!(NationalId::typed(whole).is_ok(), "{whole}");
    }
    for short in [
        "46095001234",
        "1095001234",
        "46095001234.0",
        "4.6095001234E+10",
        "04609500123",
    ] {
        assert_eq!(NationalId::typed(short).unwrap_err(), Bad, "{short}");
    }
    assert_eq!(NationalId::typed("190123456").unwrap_err(), OldCmnd);
}

/// Units with a loop, an unknown parent or a repeated code are refused.
#[test]
fn unit_tree_with_loop_orphan_or_duplicate_refused() {
    let ring = [unit("A", "B", "a", None), unit("B", "A", "b", None)];
    assert!(matches!(UnitTree::build(ring), Err(TreeFault::Loop(_))));
    let heirs = [
        unit("A", "", "a", Some((LAST, "B"))),
        unit("B", "", "b", Some((LAST, "A"))),
    ];
    assert!(matches!(UnitTree::build(heirs), Err(TreeFault::Loop(_))));
    assert!(matches!(
        UnitTree::build([unit("A", "?", "a", None)]),
        Err(TreeFault::Unknown { .. })
    ));
    let twice = [unit("A", "", "a", None), unit("A", "", "b", None)];
    assert!(matches!(UnitTree::build(twice), Err(TreeFault::Twice(_))));
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-ZĐÂÊÔƠƯa-zđâêôơưáàảãạ]{1,8}( [a-zđâêôơưoaieuyàáòóùúỳý]{1,6}){0,3}",
        "\\PC{1,20}",
        "(Ho[àá]|H[òó]a|Thu[ỷý]|Th[ủú]y|Qu[ýỳ]|To[àá]n) [A-Z]",
    ]
}

proptest! {
    /// The grade of two names is reflexive and symmetric, and agrees with the keys.
    #[test]
    fn name_grade_is_reflexive_and_symmetric(a in names(), b in names()) {
        if let (Some((a, _)), Some((b, _))) = (FullName::parse(&a), FullName::parse(&b)) {
            prop_assert_eq!(a.grade(&a), Grade::Exact);
            prop_assert_eq!(a.grade(&b), b.grade(&a));
            if a.exact_key() == b.exact_key() {
                prop_assert_eq!(a.grade(&b), Grade::Exact);
            }
            prop_assert_eq!(a.grade(&b).is_same_person(), a.person_key() == b.person_key() || a.exact_key() == b.exact_key());
            // The stored form parses to itself.
            prop_assert_eq!(FullName::parse(a.as_str()).map(|(n, _)| n), Some(a.clone()));
        }
    }

    /// The key of a key is the key itself.
    #[test]
    fn exact_key_is_idempotent(text in "\\PC{0,30}") {
        prop_assert_eq!(exact_key(&exact_key(&text)), exact_key(&text));
    }

    /// Any cell is refused, or its written form is read back as the same value.
    #[test]
    fn arbitrary_cell_read_back_from_its_written_form(text in "\\PC{0,30}") {
        if let Ok((id, _)) = NationalId::parse(&text, None, None) {
            prop_assert_eq!(NationalId::parse(id.as_str(), None, None).unwrap().0, id);
        }
        if let Ok((phone, _)) = Phone::parse(&text) {
            prop_assert_eq!(Phone::parse(phone.as_str()).unwrap().0, phone);
        }
        if let Ok(date) = PartialDate::parse(&text) {
            prop_assert!(date.agrees(date));
            prop_assert_eq!(PartialDate::parse(&date.to_string()), Ok(date));
        }
        if let Ok(day) = parse_day(&text) {
            prop_assert_eq!(parse_day(&day.to_string()), Ok(day));
        }
    }

    /// If one partial date agrees with another, the reverse holds too.
    #[test]
    fn partial_date_agreement_is_symmetric(y in 1900i16..2020, m in 1i8..13, d in 1i8..29, y2 in 1900i16..2020, m2 in 1i8..13) {
        let all = [PartialDate::Year(y), PartialDate::Month(y, m), PartialDate::Day(Date::constant(y, m, d)), PartialDate::Month(y2, m2)];
        for a in all {
            for b in all {
                prop_assert_eq!(a.agrees(b), b.agrees(a));
            }
        }
    }

    /// Following always ends at a unit that follows to itself.
    #[test]
    fn unit_successor_resolution_is_idempotent(ends in prop::collection::vec((0..4u8, 0..20usize), 2..20)) {
        let last = ends.len() - 1;
        // A unit's successor and parent come after it, so that there is no loop.
        let rows = ends.iter().enumerate().map(|(i, (sort, to))| {
            let later = |n: usize| format!("U{}", (i + 1 + n % 5).min(last));
            let (code, parent) = (format!("U{i}"), if i == last { String::new() } else { later(*to) });
            let successor = later(to / 2);
            match sort {
                0 if i < last => unit(&code, &parent, "x", Some((LAST, &successor))),
                1 if i < last => unit(&code, &parent, "x", Some((LAST, ""))),
                _ => unit(&code, &parent, "x", None),
            }
        });
        let tree = UnitTree::build(rows).unwrap();
        for i in 0..=last {
            let code = UnitCode(format!("U{i}"));
            for on in [LAST, LAST.tomorrow().unwrap()] {
                let to = tree.follow(&code, on).clone();
                prop_assert_eq!(tree.follow(&to, on), &to);
                prop_assert!(tree.get(&to).unwrap().is_valid_on(on));
                prop_assert_eq!(tree.lineage(&code, on)[0], &to);
            }
        }
    }
}
