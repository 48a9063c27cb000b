//! The commands as an operator types them: what is wrong is said in words, and changes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{Ngomon, On, after, fixtures, lines};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

const UNITS: &str =
    "code,parent,name,kind,valid_from,valid_to,successor\nP,,Tỉnh P,province,,,\nV,P,Thôn V,village,,,\n";

fn with_units(on: On) -> Ngomon {
    let n = Ngomon::new(on);
    let file = n.file("units.csv", UNITS);
    n.ok(&format!("import units {}", file.display()));
    n
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let n = Ngomon::new(On::Sqlite);
    for words in [
        "",
        "no-such-verb",
        "import colours x.csv",
        "import units",
        "import units x.csv --as-of 2023-02-30",
        "reconcile",
        "reconcile --as-of hôm-qua",
        "reconcile --approve X --undo Y",
        "reconcile --changed",
        "reconcile --approve X --changed",
        "standardise x.csv",
        "standardise x.csv --output y.csv --as-of soon",
        "report --format pdf",
        "holds --kind unit",
    ] {
        n.ends(2, words);
    }
    assert!(
        n.ends(2, "reconcile --as-of 2023-02-30")
            .contains("không phải một ngày")
    );
    assert!(!n.path("data").exists());
    let en = n
        .command("reconcile --as-of 2023-02-30")
        .env("LC_ALL", "en_GB.UTF-8")
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&en.stderr).contains("this is no day"));
    assert!(n.ok("--help").contains("Nạp một tệp dữ liệu"));
}

#[test]
fn without_data_nothing_is_made() {
    let n = Ngomon::new(On::Sqlite);
    for words in [
        "report",
        "holds",
        "review",
        "verify",
        "rebuild",
        "explain X",
        "reconcile --as-of 2023-07-31",
        "operator list",
        "campaign show",
    ] {
        assert!(n.ends(1, words).contains("Chưa có dữ liệu"), "{words}");
    }
    assert!(n.ends(1, "import units missing.csv").contains("Không thấy tệp"));
    assert!(!n.path("data").exists());
}

#[test]
fn a_database_that_is_not_there_is_said_so() {
    let n = Ngomon::new(On::Sqlite);
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_ngomon"))
        .args(["report", "--database", "postgres://nobody@localhost:1/none", "--keys"])
        .arg(n.path("keys"))
        .env("LC_ALL", "vi")
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&out.stderr).contains("Chưa kết nối được cơ sở dữ liệu"));
}

#[test]
fn files_that_are_wrong_change_nothing() {
    let n = with_units(On::Sqlite);
    let heading = "national_id,full_name,birth_date,gender,issued_on,phone,residence_unit,status\n";
    let row = "046095001234,Lê An,,,2021-05-01,0912345678,V,active\n";
    let good = n.file("good.csv", &format!("{heading}{row}"));
    n.ok(&format!("import registry {}", good.display()));
    for (name, text, said) in [
        ("empty.csv", String::new(), "không có dòng nào"),
        ("units.csv", UNITS.to_owned(), "Thiếu cột: national_id"),
        ("cut.csv", format!("{heading}046095001234,\"Lê An"), "bị cắt giữa chừng"),
        ("short.csv", format!("{heading}046095001234,Lê An"), "bị cắt giữa chừng"),
    ] {
        let file = n.file(name, &text);
        assert!(
            n.ends(1, &format!("import registry {}", file.display())).contains(said),
            "{name}"
        );
    }
    let utf16: Vec<u8> = heading.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(n.path("utf16.csv"), utf16).unwrap();
    n.ends(1, &format!("import registry {}", n.path("utf16.csv").display()));
    assert!(
        n.ends(1, &format!("import registry {}", n.dir.path().display()))
            .contains("là thư mục")
    );
    let ring = n.file(
        "ring.csv",
        "code,parent,name,kind,valid_from,valid_to,successor\nA,B,a,commune,,,\nB,A,b,commune,,,\n",
    );
    assert!(
        n.ends(1, &format!("import units {}", ring.display()))
            .contains("dẫn vòng")
    );
    n.ends(1, &format!("import profiles {} --full NOWHERE", good.display()));
    assert_eq!(n.sql("SELECT COUNT(*) FROM registry").trim(), "1");
    assert_eq!(n.sql("SELECT COUNT(*) FROM load").trim(), "2");
    n.ok("verify");
}

#[test]
fn units_come_first() {
    let n = Ngomon::new(On::Sqlite);
    let file = fixtures("sample").join("registry.csv");
    assert!(
        n.ends(1, &format!("import registry {}", file.display()))
            .contains("Chưa có cây đơn vị")
    );
}

#[test]
fn a_file_that_shrank_waits_for_approval_of_that_very_file() {
    for on in [On::Sqlite, On::Postgres] {
        let n = Ngomon::new(on);
        n.import_all("sample-leap", "2025-02-28");
        let all = fs::read_to_string(fixtures("sample-leap").join("profiles.csv")).unwrap();
        let half: String = all.lines().take(100).map(|line| format!("{line}\n")).collect();
        let file = n.file("half.csv", &half);
        let command = format!("import profiles {} --full --as-of 2025-02-28", file.display());
        let said = n.ends(3, &command);
        let load = after(&said, "load").to_owned();
        assert!(
            said.contains("chưa đến 90 %") && said.contains(&format!("--approve {load}")),
            "{said}"
        );
        assert_eq!(n.sql("SELECT COUNT(*) FROM profile WHERE gone = 1").trim(), "0");
        let other = n.file("other.csv", &half.replacen("Nguyễn", "Trần", 1));
        n.ends(
            1,
            &format!(
                "import profiles {} --full --as-of 2025-02-28 --approve {load}",
                other.display()
            ),
        );
        n.ok(&format!("{command} --approve {load}"));
        assert_ne!(n.sql("SELECT COUNT(*) FROM profile WHERE gone = 1").trim(), "0");
        n.ok("verify");
    }
}

#[test]
fn a_simulated_import_takes_nothing_in() {
    let n = with_units(On::Sqlite);
    let report = n.path("rows.csv");
    let file = fixtures("sample").join("citizens.csv");
    n.ok(&format!(
        "import citizens {} --simulate --report {}",
        file.display(),
        report.display()
    ));
    assert_eq!(lines(&fs::read(report).unwrap()).len(), 3405);
    assert_eq!(n.sql("SELECT COUNT(*) FROM account_row").trim(), "0");
}

#[test]
fn an_office_reads_approves_undoes_and_asks_why() {
    for on in [On::Sqlite, On::Postgres] {
        let n = Ngomon::new(on);
        n.import_all("sample-leap", "2025-02-28");
        let simulated = n.ok("reconcile --as-of 2025-02-28 --simulate");
        assert!(simulated.contains("không thay đổi dữ liệu") && !simulated.contains("run: "));
        let stopped = n.ends(3, "reconcile --as-of 2025-02-28");
        assert!(stopped.contains("Vượt ngưỡng an toàn"), "{stopped}");
        let run = after(&stopped, "run").to_owned();
        n.ok(&format!("reconcile --approve {run} --by truong-phong"));
        let holds = n.run("holds --kind official --as-of 2025-02-28 --format csv").stdout;
        let held = lines(&holds);
        let (account, row) = held.iter().find(|(_, row)| row[0] == "review-overdue").unwrap();
        assert_eq!(row[1], "");
        let why = n.ok(&format!("explain {account} --as-of 2025-02-28"));
        for words in [
            "Quá 1 năm chưa rà soát hồ sơ",
            "gạch đầu dòng thứ 4, Công văn số 108/STTTT-CNTT",
            "Cách mở khóa",
            "truong-phong",
            "rà soát gần nhất",
        ] {
            assert!(why.contains(words), "{words}: {why}");
        }
        assert!(
            !why.contains("word-") && !why.contains("fact-") && !why.contains("evidence-"),
            "{why}"
        );
        n.ends(1, &format!("reconcile --approve {run}"));
        assert!(n.ends(1, "reconcile --as-of 2025-02-27").contains("2025-02-28"));
        n.ok("reconcile --as-of 2025-02-27 --simulate");
        n.ok(&format!("reconcile --undo {run}"));
        assert!(lines(&n.run("holds --kind official --as-of 2025-02-28 --format csv").stdout).is_empty());
        assert!(n.ends(1, &format!("reconcile --undo {run}")).contains("đã hoàn tác"));
        n.ends(1, "reconcile --undo nothing");
        n.ends(1, "explain NOBODY");
        n.ok("verify");
    }
}

#[test]
fn one_change_is_taken_in_by_itself() {
    for on in [On::Sqlite, On::Postgres] {
        let n = Ngomon::new(on);
        n.import_all("sample-leap", "2025-02-28");
        let day = "reconcile --as-of 2025-02-28";
        let first = n.ends(3, &format!("{day} --changed"));
        assert!(first.contains("chưa đối chiếu toàn bộ lần nào"), "{first}");
        n.ok(&format!("reconcile --approve {}", after(&first, "run")));
        n.ok(&format!("{day} --changed"));
        let held = || lines(&n.run("holds --kind official --as-of 2025-02-28 --format csv").stdout);
        // The person reviews the profile; HR sends that row alone.
        let officials = lines(&fs::read(fixtures("sample-leap").join("officials.csv")).unwrap());
        let profiles = fs::read_to_string(fixtures("sample-leap").join("profiles.csv")).unwrap();
        let row_of = |account: &str| {
            let code = &officials.get(account)?[1];
            profiles.lines().find(|line| line.starts_with(&format!("{code},")))
        };
        let overdue = held().into_iter().filter(|(_, row)| row[0] == "review-overdue");
        let mut rows = overdue.filter_map(|(account, _)| Some((row_of(&account)?, account)));
        let (row, account) = rows.next().unwrap();
        let mut cells: Vec<&str> = row.split(',').collect();
        (cells[13], cells[14]) = ("2025-02-28", "2025-02-28");
        let heading = profiles.lines().next().unwrap();
        let file = n.file("reviewed.csv", &format!("{heading}\n{}\n", cells.join(",")));
        n.ok(&format!("import profiles {} --as-of 2025-02-28", file.display()));

        let simulated = n.ok(&format!("{day} --changed --simulate"));
        assert!(simulated.contains("không thay đổi dữ liệu") && held().contains_key(&account));
        let output = n.path("decisions.csv");
        let done = n.ok(&format!("{day} --changed --output {}", output.display()));
        assert!(!done.contains("toàn bộ"), "{done}");
        let decided = lines(&fs::read(output).unwrap());
        assert_eq!((decided.len(), decided[&account][0].as_str()), (1, ""));
        assert!(!held().contains_key(&account));

        n.ok("policy set grace.transfer 5");
        let widened = n.run(&format!("{day} --changed"));
        assert!(String::from_utf8_lossy(&widened.stdout).contains("policy.grace.transfer đã thay đổi"));
        n.ok("verify");
    }
}

#[test]
fn forms_that_cannot_all_be_read_are_not_begun() {
    let n = with_units(On::Sqlite);
    let heading = "seq,account_id,full_name,national_id,issued_on,phone,submitted_at\n";
    let bad = n.file("bad.csv", &format!("{heading}1,A,,,,,\n2,A,,,,,yesterday\n"));
    let out = n.path("out.csv");
    n.ends(1, &format!("standardise {} --output {}", bad.display(), out.display()));
    assert!(!out.exists());
    let good = n.file("good.csv", &format!("{heading}1,=cmd,,,,,\n"));
    n.ok(&format!("standardise {} --output {}", good.display(), out.display()));
    assert_eq!(
        fs::read_to_string(&out).unwrap(),
        "seq,outcome,fields\n1,unknown-account,\n"
    );
    n.ends(
        1,
        &format!("standardise {} --output /no/such/dir/out.csv", good.display()),
    );
}

#[test]
fn the_report_comes_in_four_forms() {
    let n = Ngomon::new(On::Sqlite);
    n.import_all("sample-leap", "2025-02-28");
    let table = n.ok("report --as-of 2025-02-28");
    assert!(table.contains("Đã chuẩn hóa"));
    let json: serde_json::Value =
        serde_json::from_slice(&n.run("report --as-of 2025-02-28 --format json").stdout).unwrap();
    assert!(json[0]["accounts"].is_u64());
    let xlsx = n.path("r.xlsx");
    n.ok(&format!(
        "report --as-of 2025-02-28 --format xlsx --output {}",
        xlsx.display()
    ));
    assert!(fs::read(xlsx).unwrap().starts_with(b"PK"));
    let one = lines(&n.run("report --unit 479 --as-of 2025-02-28 --format csv").stdout);
    let all = lines(&n.run("report --as-of 2025-02-28 --format csv").stdout);
    assert!(!one.is_empty() && one.len() < all.len() && one.iter().all(|(unit, row)| all[unit] == *row));
    n.ends(1, "report --unit NOWHERE");
    n.ends(1, "report --staff --format xlsx");
}

#[test]
fn settings_are_shown_and_checked() {
    let n = with_units(On::Sqlite);
    let campaign = lines(&n.run("campaign show --format csv").stdout);
    assert_eq!(campaign["deadline.officials"][0], "2023-07-19");
    for words in [
        "campaign set colour red",
        "campaign set start soon",
        "policy set grace.transfer -x",
        "policy set brake.duplicate 4",
    ] {
        n.ends(2, words);
    }
    n.ends(1, "campaign set vneid-cut-over 2024-01-01");
    n.ok("policy set review-months 6");
    assert_eq!(
        lines(&n.run("policy show --format csv").stdout)["review-months"][0],
        "6"
    );
    n.ok("verify");
}

#[test]
fn keys_and_copies_go_their_own_ways() {
    for on in [On::Sqlite, On::Postgres] {
        let n = Ngomon::new(on);
        n.import_all("sample-leap", "2025-02-28");
        let copy = n.path("copy");
        assert!(n.ok(&format!("backup {}", copy.display())).contains("KHÔNG có bộ khóa"));
        n.ends(1, &format!("backup {}", copy.display()));
        let sealed = n.path("keys.sealed");
        let with = |words: &str, passphrase: Option<&str>| {
            let mut command = n.command(words);
            command
                .env_remove("NGOMON_PASSPHRASE")
                .stdin(std::process::Stdio::null());
            passphrase.map(|p| command.env("NGOMON_PASSPHRASE", p));
            command.status().unwrap().code()
        };
        let export = format!("keys export {}", sealed.display());
        assert_eq!(with(&export, None), Some(1));
        assert_eq!(with(&export, Some("short")), Some(1));
        assert_eq!(with(&export, Some("mười hai ký tự")), Some(0));
        // On a machine of its own: keys first, then the data.
        let fresh = Ngomon::new(On::Sqlite);
        fresh.ends(1, &format!("restore {}", copy.display()));
        let import = |passphrase: &str| {
            let mut command = fresh.command(&format!("keys import {}", sealed.display()));
            command.env("NGOMON_PASSPHRASE", passphrase).status().unwrap().code()
        };
        assert_eq!(import("một cụm khác hẳn"), Some(1));
        assert_eq!(import("mười hai ký tự"), Some(0));
        fresh.ok(&format!("restore {}", copy.display()));
        let report = "report --as-of 2025-02-28 --format csv";
        assert_eq!(fresh.run(report).stdout, n.run(report).stdout);
        fresh.ends(1, &format!("restore {}", copy.display()));
        fs::remove_dir_all(fresh.path("data/keys")).unwrap();
        assert!(fresh.ends(1, "report").contains("Không thấy bộ khóa"));
    }
}

#[test]
fn keys_are_rotated_and_other_machines_say_so() {
    let n = Ngomon::new(On::Sqlite);
    n.import_all("sample-leap", "2025-02-28");
    let report = n.run("report --as-of 2025-02-28 --format csv").stdout;
    let elsewhere = n.path("elsewhere");
    let with_theirs = |words: &str| format!("{words} --keys {}", elsewhere.display());
    let bring = || fs::copy(n.path("data/keys/keyring.json"), elsewhere.join("keyring.json")).unwrap();
    fs::create_dir(&elsewhere).unwrap();
    bring();
    n.ok("keys rotate");
    for words in ["report", "keys rotate", "keys rotate --prepare"] {
        assert!(n.ends(1, &with_theirs(words)).contains("cũ hơn dữ liệu"), "{words}");
    }
    bring();
    n.ok(&with_theirs("report"));
    assert!(n.ok("keys rotate --prepare").contains("chưa dùng đến"));
    bring();
    n.ok("keys rotate");
    n.ok(&with_theirs("report"));
    n.ok("verify");
    assert_eq!(n.run("report --as-of 2025-02-28 --format csv").stdout, report);
}

#[test]
fn an_operator_is_named_by_a_command_and_gets_a_link() {
    let n = with_units(On::Sqlite);
    let bare = n.ok("operator add lan");
    assert!(bare.contains("\n/enrol/") && bare.contains("cần ít nhất hai người"));
    let whole = n.ok("operator add minh --public-url https://taikhoan.hue.example/");
    assert!(whole.contains("\nhttps://taikhoan.hue.example/enrol/"), "{whole}");
    assert!(n.ends(1, "operator add lan").contains("Đã có quản trị viên lan"));
    assert!(n.ends(1, "operator add lê").contains("chưa dùng làm tên được"));
    n.ok("operator remove lan");
    assert_eq!(
        lines(&n.run("operator list --format csv").stdout)
            .into_keys()
            .collect::<Vec<_>>(),
        ["minh"]
    );
    n.ok("verify");
}

#[test]
fn the_demo_plays_by_itself() {
    let n = Ngomon::new(On::Sqlite);
    let mut demo = n
        .command("demo --listen 127.0.0.1:0")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // It plays to its end, then the pages are open until it is told to stop.
    let mut said = String::new();
    for line in BufReader::new(demo.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        said += &line;
        if line.contains("http://localhost:") {
            break;
        }
    }
    let stopped = Command::new("kill").arg(demo.id().to_string()).status().unwrap();
    assert!(stopped.success() && demo.wait().unwrap().success(), "{said}");
    for words in [
        "HS005",
        "CV003",
        "Hue-CV003",
        "Trùng thông tin",
        "Số liệu và nhật ký đều khớp",
        "tiepnhan2",
    ] {
        assert!(said.contains(words), "{words}");
    }
    n.ends(1, "demo");
    // Every reason of the letters occurs among its people.
    let holds = n.ok("holds --as-of 2023-07-31 --format csv");
    for reason in [
        "by-order",
        "duplicate",
        "left",
        "mismatch",
        "moved",
        "no-profile",
        "retired",
        "review-overdue",
        "stale-info",
        "transfer-pending",
    ] {
        assert!(holds.contains(reason), "{reason}");
    }
}

#[test]
fn a_service_is_added_with_its_addresses_each_of_one_system() {
    let n = Ngomon::new(On::Sqlite);
    let added = n.ok("client add Kho --resource https://kho.example/api --resource https://kho.example/v2");
    assert!(added.contains("client_secret: "));
    for wrong in [
        "client add Hai --resource https://kho.example/v2",
        "client add Hai --resource http://hai.example/",
        "client add Hai --resource https://hai.example/#a",
        "client add Hai --resource https://hai.example/ https://hai.example/",
        "client add Hai --public --resource https://hai.example/",
        "client add Hai",
    ] {
        n.ends(1, wrong);
    }
    let listed = n.ok("client list --format csv");
    assert_eq!(listed.lines().count(), 2);
    assert!(listed.lines().next().unwrap().ends_with(",scopes,resources"));
    assert!(listed.contains(",https://kho.example/api https://kho.example/v2"));
}
