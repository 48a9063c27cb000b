//! Tests of the commands as an operator types them: an error has a message for people, and changes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{Ngomon, On, Running, after, fixtures, lines};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const UNITS: &str =
    "code,parent,name,kind,valid_from,valid_to,successor\nP,,Tỉnh P,province,,,\nV,P,Thôn V,village,,,\n";

fn with_units(on: On) -> Ngomon {
    let n = Ngomon::new(on);
    let file = n.file("units.csv", UNITS);
    n.ok(&format!("import units {}", file.display()));
    n
}

/// Invalid arguments end with exit status 2 and create nothing.
#[test]
fn invalid_arguments_exit_with_status_2() {
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

/// A command without data fails with a message and creates nothing.
#[test]
fn command_without_data_fails_and_creates_nothing() {
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
    // A path that cannot be read, such as in another user's directory, is not reported as missing.
    let beyond = n.file("file", "").join("beyond");
    let said = n.ends(1, &format!("import units {}", beyond.display()));
    assert!(!said.contains("Không thấy tệp"), "{said}");
    let mut report = std::process::Command::new(env!("CARGO_BIN_EXE_ngomon"));
    let said = report
        .arg("report")
        .arg("--data")
        .arg(&beyond)
        .env("LC_ALL", "vi")
        .output()
        .unwrap();
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(!said.is_empty() && !said.contains("Chưa có dữ liệu"), "{said}");
    assert!(!n.path("data").exists());
}

/// A database that cannot be reached is reported as that.
#[test]
fn unreachable_database_is_reported() {
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

/// Invalid files are refused with the reason, and change nothing.
#[test]
fn invalid_import_files_change_nothing() {
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
    fs::write(n.path("book.csv"), b"PK\x03\x04and more").unwrap();
    n.file("semicolon.csv", &heading.replace(',', ";"));
    n.file("text.csv", &heading.replace(',', "\t"));
    n.file("sep.csv", &format!("sep=,\n{heading}{row}"));
    for (name, said) in [
        ("utf16.csv", "UTF-16"),
        ("book.csv", "là bảng tính"),
        ("semicolon.csv", "bằng dấu chấm phẩy"),
        ("sep.csv", "“sep=”"),
        ("text.csv", "bằng dấu tab"),
    ] {
        let told = n.ends(1, &format!("import registry {}", n.path(name).display()));
        assert!(told.contains(said) && told.contains("Chưa nạp dòng nào"), "{told}");
    }
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

/// Other files are refused before the units are imported.
#[test]
fn import_before_units_is_refused() {
    let n = Ngomon::new(On::Sqlite);
    let file = fixtures("sample").join("registry.csv");
    assert!(
        n.ends(1, &format!("import registry {}", file.display()))
            .contains("Chưa có cây đơn vị")
    );
}

/// A full extract that shrank needs approval, which is valid for that very file.
#[test]
fn shrunken_full_extract_needs_approval_of_same_file() {
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

/// A simulated import stores nothing.
#[test]
fn simulated_import_stores_nothing() {
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

/// An office simulates a run, approves it, asks for the reason of a hold, and undoes the run.
#[test]
fn run_simulated_approved_explained_and_undone() {
    for on in [On::Sqlite, On::Postgres] {
        let n = Ngomon::new(on);
        n.import_all("sample-leap", "2025-02-28");
        let simulated = n.ok("reconcile --as-of 2025-02-28 --simulate");
        assert!(simulated.contains("không thay đổi dữ liệu") && !simulated.contains("run: "));
        let stopped = n.ends(3, "reconcile --as-of 2025-02-28");
        assert!(stopped.contains("Vượt ngưỡng an toàn"), "{stopped}");
        let run = after(&stopped, "run").to_owned();
        for nobody in [
            "truong-phong",
            "operator:truong-phong",
            "cli:truong-phong",
            "HS0000001",
            "nobody:",
        ] {
            let refused = n.ends(1, &format!("reconcile --approve {run} --by {nobody}"));
            assert!(refused.contains("--by nhận tên một quản trị viên"), "{refused}");
        }
        n.ok("operator add truong-phong");
        n.ok(&format!("reconcile --approve {run} --by truong-phong"));
        let holds = n.run("holds --kind official --as-of 2025-02-28 --format csv").stdout;
        let held = lines(&holds);
        let (account, row) = held.iter().find(|(_, row)| row[0] == "review-overdue").unwrap();
        assert_eq!(row[1], "");
        let why = n.ok(&format!("explain {account} --as-of 2025-02-28"));
        for words in [
            "Quá 1 năm chưa rà soát hồ sơ",
            "gạch đầu dòng thứ 4, Công văn số 108/STTTT-CNTT",
            "Người thực hiện",
            "truong-phong",
            "Rà soát gần nhất",
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

/// A single changed row is reconciled by itself with `--changed`.
#[test]
fn changed_row_reconciled_incrementally() {
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

/// If one form of a file cannot be read, none is entered.
#[test]
fn unreadable_submission_file_enters_no_form() {
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

/// The report is written as table, CSV, JSON and spreadsheet.
#[test]
fn report_written_as_table_json_csv_and_xlsx() {
    let n = Ngomon::new(On::Sqlite);
    n.import_all("sample-leap", "2025-02-28");
    let table = n.ok("report --as-of 2025-02-28");
    assert!(table.contains("Đã chuẩn hóa"));
    // In the table for people the accounts without a unit come last, and the requested unit first.
    let no_unit = table.lines().position(|line| line.contains("(chưa rõ đơn vị)"));
    assert!(no_unit.is_none_or(|at| at + 1 == table.lines().count()), "{table}");
    let asked = n.ok("report --unit 479 --as-of 2025-02-28");
    assert!(asked.lines().nth(2).unwrap().starts_with("479 "), "{asked}");
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

/// The settings are shown, and an invalid key or value is refused.
#[test]
fn settings_shown_and_invalid_values_refused() {
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
    let unknown = n.ends(2, "campaign set deadline 2023-12-31");
    assert!(
        unknown.contains("deadline.officials") && !unknown.contains("không nhận"),
        "{unknown}"
    );
    assert!(n.ends(2, "policy set start 2023-01-01").contains("grace.transfer"));
    n.ends(1, "campaign set vneid-cut-over 2024-01-01");
    n.ok("policy set review-months 6");
    assert_eq!(
        lines(&n.run("policy show --format csv").stdout)["review-months"][0],
        "6"
    );
    n.ok("verify");
}

/// A backup and the exported keys together restore the data on another machine; each alone does not.
#[test]
fn backup_and_key_export_restored_on_other_machine() {
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
            command.output().unwrap().status.code()
        };
        let export = format!("keys export {}", sealed.display());
        assert_eq!(with(&export, None), Some(1));
        assert_eq!(with(&export, Some("short")), Some(1));
        assert_eq!(with(&export, Some("mười hai ký tự")), Some(0));
        // On another machine: keys first, then the data.
        let fresh = Ngomon::new(On::Sqlite);
        fresh.ends(1, &format!("restore {}", copy.display()));
        let import = |passphrase: &str| {
            let mut command = fresh.command(&format!("keys import {}", sealed.display()));
            let done = command.env("NGOMON_PASSPHRASE", passphrase).output().unwrap();
            done.status.code()
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

/// After a rotation, a machine with the old keys says so until it has the new ones.
#[test]
fn key_rotation_detected_by_machine_with_old_keys() {
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

/// An operator is added by a command, which prints the enrolment link, and removed as long as two remain.
#[test]
fn operator_added_and_removed_by_command() {
    let n = with_units(On::Sqlite);
    let bare = n.ok("operator add lan");
    assert!(bare.contains("\n/enrol/") && bare.contains("cần ít nhất hai người"));
    let whole = n.ok("operator add minh --public-url https://taikhoan.hue.example/");
    assert!(whole.contains("\nhttps://taikhoan.hue.example/enrol/"), "{whole}");
    assert!(n.ends(1, "operator add lan").contains("Đã có quản trị viên lan"));
    assert!(n.ends(1, "operator add lê").contains("chưa dùng làm tên được"));
    for last in ["lan", "minh"] {
        assert!(n.ends(1, &format!("operator remove {last}")).contains("ít nhất hai"));
    }
    n.ok("operator add chi --by operator:lan");
    n.ok("operator remove lan --by minh");
    assert!(n.ends(1, "operator add lan").contains("không đặt lại cho người khác"));
    assert!(n.ends(1, "policy set idle-days 45 --by lan").contains("--by"));
    assert!(n.ends(1, "operator lift minh --reason x").contains("operator:minh"));
    assert_eq!(
        lines(&n.run("operator list --format csv").stdout)
            .into_keys()
            .collect::<Vec<_>>(),
        ["chi", "minh"]
    );
    let by = n.sql("SELECT subject || ' ' || by_whom FROM journal WHERE kind LIKE 'operator-%' AND by_whom LIKE 'operator:%' ORDER BY at");
    assert_eq!(by.trim(), "chi operator:lan\nlan operator:minh");
    // In a new installation, which has no operators, nothing begins under an operator's name.
    let empty = Ngomon::new(On::Sqlite);
    empty.ends(1, "operator add lan --by operator:minh");
    assert!(!empty.path("data").exists());
    n.ok("verify");
}

/// The demo refuses a port that is taken before it creates anything.
#[test]
fn demo_on_taken_port_creates_nothing() {
    let n = Ngomon::new(On::Sqlite);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let said = n.ends(1, &format!("demo --listen {}", taken.local_addr().unwrap()));
    assert!(
        said.contains("chương trình khác đang dùng") && said.contains("--listen"),
        "{said}"
    );
    assert!(!n.path("data").exists());
}

/// The demo runs all its steps and then serves the pages.
#[test]
fn demo_runs_all_steps_and_serves_pages() {
    let n = Ngomon::new(On::Sqlite);
    let mut demo = n.command("demo --listen 127.0.0.1:0");
    demo.env("NGOMON_DEMO_LEFT_OUT", "there is no Node");
    let mut demo = Running::start(demo.stdout(Stdio::piped()));
    // It runs all steps, then serves the pages until it gets a stop signal.
    let mut said = String::new();
    for line in BufReader::new(demo.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        said += &line;
        if line.contains("http://localhost:") {
            break;
        }
    }
    demo.tell_to_stop();
    assert!(demo.wait().unwrap().success(), "{said}");
    for words in [
        "HS005",
        "CV003",
        "Hue-CV003",
        "Trùng thông tin",
        "Số liệu và nhật ký đều khớp",
        "tiepnhan2",
        "không chạy: there is no Node",
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

/// A resource server is added with its URIs, each of which belongs to one client.
#[test]
fn client_resources_are_unique_across_clients() {
    let n = Ngomon::new(On::Sqlite);
    let added = n.ok("client add Kho --resource https://kho.example/api --resource https://kho.example/v2");
    assert!(added.contains("client_secret: ") && added.contains("/.well-known/openid-configuration"));
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

/// A client is edited, takes over its subject identifiers, and signing keys are replaced.
#[test]
fn client_edited_and_subjects_imported_by_command() {
    let n = Ngomon::new(On::Sqlite);
    let at = |name: &str| fixtures("sample-leap").join(name).display().to_string();
    n.ok(&format!("import units {}", at("units.csv")));
    n.ok(&format!("import citizens {}", at("citizens.csv")));
    let added = n.ok(
        "client add Kho --redirect-uri https://kho.example/cb --scope openid profile --subject pairwise --third-party",
    );
    let id = added
        .lines()
        .find_map(|line| line.strip_prefix("client_id: "))
        .unwrap()
        .to_owned();
    let listed = |n: &Ngomon| n.ok("client list --format csv");
    // Options that are absent leave their values unchanged.
    let edited = n.ok(&format!(
        "client edit {id} --redirect-uri https://moi.example/cb --third-party=false"
    ));
    assert!(edited.contains(&id) && !edited.contains("client_secret"));
    assert!(
        listed(&n).contains(",https://moi.example/cb,openid profile,"),
        "{}",
        listed(&n)
    );
    n.ok(&format!(
        "client edit {id} --name Hai --backchannel-logout-uri https://moi.example/out"
    ));
    n.ok("client edit Hai --backchannel-logout-uri=");
    assert!(listed(&n).contains(&format!("{id},Hai,")));
    for wrong in [
        "client edit Hai --subject public",
        "client edit Hai --redirect-uri http://moi.example/cb",
        "client edit nobody --name X",
    ] {
        n.ends(1, wrong);
    }
    let first = fs::read_to_string(fixtures("sample-leap").join("citizens.csv")).unwrap();
    let account = first.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
    let file = n.file("ids.csv", &format!("account_id,subject\n{account},u-17\n"));
    n.ok(&format!("client subjects Hai {}", file.display()));
    n.ok(&format!("client subjects Hai {}", file.display()));
    for wrong in [
        format!("account_id,subject\n{account},u-18\n"),
        "account_id,subject\nnobody,u-19\n".to_owned(),
        "account_id,subject\n,u-19\n".to_owned(),
        "account,subject\n".to_owned(),
    ] {
        let file = n.file("wrong.csv", &wrong);
        n.ends(1, &format!("client subjects Hai {}", file.display()));
    }
    let keys = n.ok("keys replace-signing --format csv");
    assert_eq!(keys.matches(",signs,").count(), 3, "{keys}");
    let kid = keys.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
    let keys = n.ok(&format!("keys replace-signing --revoke {kid} --format csv"));
    assert!(
        keys.lines()
            .any(|line| line.starts_with(&kid) && line.contains(",revoked,")),
        "{keys}"
    );
    assert_eq!(keys.matches(",signs,").count(), 3, "{keys}");
    n.ends(1, &format!("keys replace-signing --revoke {kid}"));
    n.ok("verify");
    n.ok("rebuild");
}

/// Files and directories below, with their modes.
fn modes(dir: &Path) -> Vec<(PathBuf, u32)> {
    let mut found = vec![(dir.to_owned(), mode(dir))];
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(modes(&path));
        } else {
            found.push((path.clone(), mode(&path)));
        }
    }
    found
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn widen(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Whatever the umask, and whatever exists already.
#[test]
fn written_files_and_directories_are_private() {
    for on in [On::Sqlite, On::Postgres] {
        let n = Ngomon::new(on);
        let wide = |words: &str| {
            let typed = n.command(words);
            let mut shell = Command::new("sh");
            shell
                .args(["-c", "umask 000; exec \"$0\" \"$@\""])
                .arg(typed.get_program());
            let out = shell
                .args(typed.get_args())
                .env("NGOMON_PASSPHRASE", "một cụm mật khẩu dài")
                .output();
            let out = out.unwrap();
            assert!(
                out.status.success(),
                "{words}: {}",
                String::from_utf8_lossy(&out.stderr)
            );
        };
        let keys = if on == On::Sqlite { "data/keys" } else { "keys" };
        for there in ["data", keys, "copy"] {
            fs::create_dir_all(n.path(there)).unwrap();
            widen(&n.path(there), 0o777);
        }
        let units = n.file("units.csv", UNITS);
        let (report, figures) = (n.file("rows.csv", "before"), n.path("figures.csv"));
        widen(&report, 0o666);
        wide(&format!(
            "import units {} --report {}",
            units.display(),
            report.display()
        ));
        let written = |what: &str| {
            let all = modes(&n.path(what));
            let bad = all
                .iter()
                .filter(|(path, mode)| *mode != if path.is_dir() { 0o700 } else { 0o600 });
            assert_eq!(bad.collect::<Vec<_>>(), Vec::<&(PathBuf, u32)>::new(), "{on:?}");
            all.len()
        };
        // The process that created them set the modes already.
        assert!(written(keys) >= 3);
        // A server keeps the database open, with its log files beside it.
        let mut serving = n.command("serve --listen 127.0.0.1:0");
        let mut serving = Running::start(serving.stdout(Stdio::piped()));
        let mut told = BufReader::new(serving.stdout.take().unwrap()).lines();
        told.next().unwrap().unwrap();
        if on == On::Sqlite {
            assert!(n.path("data/ngomon.db-wal").exists());
            assert!(written("data") >= 6);
        }
        assert!(written(keys) >= 3);
        drop(serving);
        // Modes that an earlier program left too wide are narrowed.
        for (path, _) in modes(&n.path(keys)) {
            widen(&path, if path.is_dir() { 0o755 } else { 0o644 });
        }
        if on == On::Sqlite {
            for (path, _) in modes(&n.path("data")) {
                widen(&path, if path.is_dir() { 0o755 } else { 0o644 });
            }
        }
        wide(&format!("backup {}", n.path("copy").display()));
        wide(&format!("report --format csv --output {}", figures.display()));
        wide(&format!("keys export {}", n.path("sealed").display()));
        for what in ["copy", keys] {
            assert!(written(what) >= 3);
        }
        if on == On::Sqlite {
            written("data");
        }
        for file in [&report, &figures, &n.path("sealed")] {
            assert_eq!(mode(file), 0o600, "{}", file.display());
        }
    }
}

/// A directory that contains other files is refused as data directory.
#[test]
fn data_directory_with_foreign_files_is_refused() {
    let n = Ngomon::new(On::Sqlite);
    fs::create_dir(n.path("data")).unwrap();
    fs::write(n.path("data/letter.txt"), "somebody's").unwrap();
    widen(&n.path("data"), 0o755);
    assert!(n.ends(1, "operator add lan").contains("thư mục riêng cho NgoMon"));
    assert!(!n.path("data/ngomon.db").exists() && mode(&n.path("data")) == 0o755);
    widen(&n.path("data"), 0o700);
    n.ok("operator add lan");
}

/// The import reports password hashes that can never match.
#[test]
fn import_reports_password_hashes_that_cannot_match() {
    let n = with_units(On::Sqlite);
    let kept = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let hashes = [
        format!("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ${kept}"),
        format!("$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ${kept}"),
        "$2b$31$abcdefghijklmnopqrstuuD4.p3XOPNZfJ4dMrVDFBZkxmrH2qTuS".to_owned(),
        String::new(),
        format!("$pbkdf2-sha256$1000000000$c2FsdA${kept}"),
        "md5:x".to_owned(),
    ];
    let mut rows =
        "account_id,username,display_name,national_id,phone,email,unit,created_on,last_sign_in_on,password_hash\n"
            .to_owned();
    for (at, hash) in hashes.iter().enumerate() {
        rows += &format!("HS{at},user{at},,,,,V,,,\"{hash}\"\n");
    }
    let file = n.file("citizens.csv", &rows);
    for simulate in ["--simulate", ""] {
        let told = n.ok(&format!("import citizens {} {simulate}", file.display()));
        assert!(told.contains("có 3 mật khẩu cũ không kiểm tra được"), "{told}");
        assert!(told.contains("Các dòng: 3, 4, 6."), "{told}");
    }
    let report = n.path("again.csv");
    n.ok(&format!(
        "import citizens {} --report {}",
        file.display(),
        report.display()
    ));
    let results = lines(&fs::read(&report).unwrap());
    let read = results.values().filter(|row| row[0] == "read").count();
    assert_eq!((results.len(), read, results["7"][0].as_str()), (6, 5, "bad-value"));
    let good = n.file("good.csv", &rows.lines().take(2).collect::<Vec<_>>().join("\n"));
    assert!(
        !n.ok(&format!("import citizens {}", good.display()))
            .contains("mật khẩu")
    );
}

/// Years of the Buddhist calendar, or mistyped ones: the summary names the rows, so that nobody has to search.
#[test]
fn import_reports_row_and_column_of_impossible_year() {
    let n = with_units(On::Sqlite);
    let row = |issued: &str| format!("046090000001,Trần Văn An,1990-01-02,M,{issued},0912345678,V,active\n");
    let head = "national_id,full_name,birth_date,gender,issued_on,phone,residence_unit,status\n";
    let file = n.file("registry.csv", &format!("{head}{}", row("04/05/2565")));
    for simulate in ["--simulate", ""] {
        let told = n.ok(&format!("import registry {} {simulate}", file.display()));
        assert!(told.contains("Có 1 dòng ghi năm chưa hợp lý"), "{told}");
        assert!(told.contains("chờ kiểm tra: dòng 2, cột issued_on."), "{told}");
    }
    let waits = n.ok("quarantine --kind registry --format csv");
    assert!(waits.contains(",2,registry,bad-date"), "{waits}");
    let good = n.file("good.csv", &format!("{head}{}", row("04/05/2022")));
    let told = n.ok(&format!("import registry {}", good.display()));
    assert!(!told.contains("năm"), "{told}");
}

/// "A name of 5 MB": a sentence, and nothing is changed.
#[test]
fn import_refuses_overlong_row_with_message() {
    let n = with_units(On::Sqlite);
    let head =
        "account_id,username,display_name,national_id,phone,email,unit,created_on,last_sign_in_on,password_hash\n";
    let row = |name: &str| format!("HS1,hs1,\"{name}\",,,,V,,,\n");
    let file = n.file(
        "citizens.csv",
        &(head.to_owned() + &row("Lê") + &row(&"ê".repeat(5 << 19))),
    );
    let told = n.ends(1, &format!("import citizens {}", file.display()));
    assert!(told.contains("dòng 3: dòng này dài hơn 64 KB"), "{told}");
    assert!(told.len() < 2_000, "nothing of it is shown");
    assert_eq!(n.sql("SELECT COUNT(*) FROM account_row").trim(), "0");
    assert!(n.ok("quarantine --format csv").lines().count() == 1);
}

/// On a terminal of its own, which would echo the input unless the echo is switched off.
#[test]
fn passphrase_typed_on_terminal_is_not_echoed() {
    const PASSPHRASE: &str = "mot cum mat khau dai";
    let n = with_units(On::Sqlite);
    let file = n.path("sealed");
    let typed = n.command(&format!("keys export {}", file.display()));
    let words: Vec<String> = std::iter::once(typed.get_program())
        .chain(typed.get_args())
        .map(|word| format!("'{}'", word.to_string_lossy()))
        .collect();
    let mut script = Command::new("script");
    script
        .args(["-qefc", &format!("tty; exec {}", words.join(" ")), "/dev/null"])
        .env("LC_ALL", "vi_VN.UTF-8")
        .env("SHELL", "/bin/sh")
        .env_remove("NGOMON_PASSPHRASE");
    let mut script = Running::start(script.stdin(Stdio::piped()).stdout(Stdio::piped()));
    let mut shown = BufReader::new(script.stdout.take().unwrap());
    let mut typing = script.stdin.take().unwrap();
    let mut terminal = String::new();
    while !terminal.starts_with("/dev/") {
        terminal.clear();
        assert!(shown.read_line(&mut terminal).unwrap() > 0);
    }
    let is_silent = || {
        let told = Command::new("stty")
            .args(["-F", terminal.trim(), "-a"])
            .output()
            .unwrap();
        String::from_utf8_lossy(&told.stdout)
            .split_whitespace()
            .any(|word| word == "-echo")
    };
    for prompt in ["Cụm mật khẩu:", "Nhập lại cụm mật khẩu:"] {
        let mut bytes = Vec::new();
        while !String::from_utf8_lossy(&bytes).contains(prompt) {
            let mut one = [0];
            assert_eq!(shown.read(&mut one).unwrap(), 1, "{}", String::from_utf8_lossy(&bytes));
            bytes.push(one[0]);
        }
        while !is_silent() {
            std::thread::yield_now();
        }
        writeln!(typing, "{PASSPHRASE}").unwrap();
    }
    let mut rest = String::new();
    shown.read_to_string(&mut rest).unwrap();
    assert!(script.wait().unwrap().success(), "{rest}");
    assert!(!rest.contains("mat khau dai"), "{rest}");
    let import = n
        .command(&format!("keys import {}", file.display()))
        .args(["--keys", &n.path("elsewhere").to_string_lossy()])
        .env("NGOMON_PASSPHRASE", PASSPHRASE)
        .output();
    assert!(import.unwrap().status.success());
}

/// A database password in the arguments gives a warning, one in the environment does not.
#[test]
fn database_password_in_arguments_gives_warning() {
    let n = with_units(On::Postgres);
    let url = |password: &str| {
        let given = n.command("report");
        let args: Vec<String> = given.get_args().map(|arg| arg.to_string_lossy().into_owned()).collect();
        let at = args.iter().position(|arg| arg == "--database").unwrap();
        args[at + 1].replace("postgres@", &format!("postgres{password}@"))
    };
    let keys = n.path("keys");
    for (password, by_env) in [(":secret", false), (":secret", true), ("", false)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ngomon"));
        command
            .args(["report", "--keys"])
            .arg(&keys)
            .env("LC_ALL", "vi_VN.UTF-8");
        if by_env {
            command.env("NGOMON_DATABASE", url(password));
        } else {
            command.args(["--database", &url(password)]);
        }
        let out = command.output().unwrap();
        let told = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{told}");
        assert_eq!(
            told.contains("NGOMON_DATABASE"),
            !password.is_empty() && !by_env,
            "{told}"
        );
        assert!(!told.contains("secret"));
    }
}
const CITIZENS: &str =
    "account_id,username,display_name,national_id,phone,email,unit,created_on,last_sign_in_on,password_hash\n";
const REGISTRY: &str = "national_id,full_name,birth_date,gender,issued_on,phone,residence_unit,status\n";

/// An account that exists already is read and stays as it is.
#[test]
fn reimported_account_is_read_and_unchanged() {
    for on in [On::Sqlite, On::Postgres] {
        let n = with_units(on);
        let rows = "HS1,a,An,46095001234,,,V,,,\nHS2,b,Bình,46095001235,,,V,,,\nHS3,c,Chi,12,,,V,,,\n";
        let file = n.file("citizens.csv", &format!("{CITIZENS}{rows}"));
        let report = n.path("report.csv");
        let import = format!("import citizens {} --report {}", file.display(), report.display());
        let results = || {
            let found = lines(&fs::read(&report).unwrap());
            found.into_values().map(|row| row.join(" ")).collect::<Vec<_>>()
        };
        n.ok(&import);
        assert_eq!(
            results(),
            [
                "repaired leading-zero",
                "repaired leading-zero",
                "repaired emptied-national-id"
            ]
        );
        n.ok(&import);
        assert_eq!(results(), ["read ", "read ", "read "]);
        // A new row beside them is repaired.
        n.file(
            "citizens.csv",
            &format!("{CITIZENS}{rows}HS4,d,Dũng,46095001236,,,V,,,\n"),
        );
        n.ok(&format!("{import} --simulate"));
        assert_eq!(results(), ["read ", "read ", "read ", "repaired leading-zero"]);
    }
}

/// A killed command continues with the same file, and returns the outcomes of the first forms again.
#[test]
fn killed_standardise_continues_and_repeats_outcomes() {
    const FORMS: usize = 600;
    for on in [On::Sqlite, On::Postgres] {
        let n = with_units(on);
        let (mut citizens, mut registry) = (CITIZENS.to_owned(), REGISTRY.to_owned());
        let mut forms = "seq,account_id,full_name,national_id,issued_on,phone,submitted_at\n".to_owned();
        for i in 0..FORMS {
            citizens += &format!("HS{i},u{i},An,,,,V,,,\n");
            registry += &format!("046095{i:06},Lê An,,,2021-05-01,0912{i:06},V,active\n");
            let number = if i % 5 == 4 { i + 7_000 } else { i };
            forms += &format!("{i},HS{i},Lê An,046095{number:06},2021-05-01,0912{i:06},2023-07-16T08:00:00+07:00\n");
        }
        for (table, text) in [("citizens", citizens), ("registry", registry)] {
            let file = n.file(&format!("{table}.csv"), &text);
            n.ok(&format!("import {table} {}", file.display()));
        }
        let (file, out) = (n.file("forms.csv", &forms), n.path("outcomes.csv"));
        let words = format!("standardise {} --output {}", file.display(), out.display());
        let mut entering = n.command(&words).stdout(Stdio::null()).spawn().unwrap();
        let entered = || -> usize { n.sql("SELECT COUNT(*) FROM submission").trim().parse().unwrap() };
        while entered() < 20 {
            assert!(
                entering.try_wait().unwrap().is_none(),
                "it was to be killed before its end"
            );
        }
        entering.kill().unwrap();
        entering.wait().unwrap();
        let before = entered();
        assert!(before < FORMS, "it was to be killed before its end");
        n.ok(&words);
        let outcomes = || lines(&fs::read(&out).unwrap());
        let found = outcomes();
        assert_eq!((found.len(), entered()), (FORMS, FORMS), "no form is entered twice");
        for (seq, row) in &found {
            let wanted = if seq.parse::<usize>().unwrap() % 5 == 4 {
                "not-found"
            } else {
                "standardised"
            };
            assert_eq!(row[0], wanted, "{seq}");
        }
        // Once it is complete, the same file is entered as new forms.
        n.ok(&words);
        assert_eq!(outcomes()["0"][0], "already-done");
        n.ok("verify");
    }
}

/// Waiting runs and rows in quarantine are listed, and a run is shown line by line.
#[test]
fn waiting_runs_and_quarantined_rows_are_listed() {
    let n = with_units(On::Sqlite);
    let heading = "account_id,username,employee_code,full_name,birth_date,national_id,unit,email,phone,created_on,last_sign_in_on,password_hash\n";
    let officials = n.file(
        "officials.csv",
        &format!("{heading}CV1,a,E1,Lê An,,,V,,,,,\nCV2,b,E2,Lê Bình,,,V,,,,,\n"),
    );
    n.ok(&format!("import officials {}", officials.display()));
    let heading = "employee_code,full_name,birth_date,gender,national_id,unit,position,kind,status,status_from,phone,email,created_on,updated_on,reviewed_on,next_due_on,next_due_item\n";
    let row = |code: &str, name: &str, unit: &str| {
        format!("{code},{name},,,,{unit},,,working,,,,2023-07-01,2023-07-01,2023-07-01,,\n")
    };
    let profiles = [row("E1", "Lê An", "P"), row("E2", "Lê Bình", "?")].concat();
    let profiles = n.file("profiles.csv", &format!("{heading}{profiles}"));
    n.ok(&format!(
        "import profiles {} --full --as-of 2023-07-31",
        profiles.display()
    ));
    let waiting = n.ok("quarantine --kind profiles --format csv");
    let [heading, line] = waiting.lines().collect::<Vec<_>>()[..] else {
        panic!("{waiting}")
    };
    assert_eq!(heading, "load,row,table,reason");
    assert!(line.ends_with(",3,profiles,unknown-unit"), "{line}");
    assert_eq!(n.ok("quarantine --kind notices --format csv").lines().count(), 1);

    let future = n.ends(3, "reconcile --as-of 2199-01-01");
    assert!(future.contains("chưa tới"), "{future}");
    let run = n.ok("reconcile --as-of 2023-07-31");
    let run = after(&run, "run");
    let listed = n.ok("runs --format csv");
    let states: Vec<&str> = listed
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(2).unwrap())
        .collect();
    assert_eq!(states, ["applied", "waiting"]);
    let held = n.ok("holds --as-of 2023-07-31");
    assert!(
        held.contains("Đã chuyển sang tài khoản ở đơn vị mới") && !held.contains("moved"),
        "people read words: {held}"
    );
    let shown = lines(n.ok(&format!("reconcile --show {run} --format csv")).as_bytes());
    assert_eq!(shown["CV1"][..4], ["V", "", "moved", "moved"].map(str::to_owned));
    assert!(shown["CV1"][4].contains("to_unit=P"), "{shown:?}");
    let made = shown.iter().find(|(id, _)| id.starts_with("CV-")).unwrap();
    assert_eq!(made.1[3..], ["made", "username=a.2 succeeds=CV1"].map(str::to_owned));
    assert!(
        n.ok("explain CV1").contains(made.0),
        "the account that follows is named"
    );
    n.ends(2, &format!("reconcile --show {run} --as-of 2023-07-31"));
    n.ends(1, "reconcile --show none");
}

/// A reader that closes the pipe is no error of `explain`.
#[test]
fn explain_with_closed_pipe_succeeds() {
    let n = with_units(On::Sqlite);
    let file = n.file("citizens.csv", &format!("{CITIZENS}HS1,a,An,,,,V,,,\n"));
    n.ok(&format!("import citizens {}", file.display()));
    let mut explain = n
        .command("explain HS1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(explain.stdout.take());
    let out = explain.wait_with_output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(out.stderr, b"");
}

/// A file of an earlier day, or one of units that lacks units in use, needs approval.
#[test]
fn import_of_earlier_day_or_lacking_units_needs_approval() {
    let n = with_units(On::Sqlite);
    let file = n.file("citizens.csv", &format!("{CITIZENS}HS1,a,An,,,,V,,,\n"));
    n.ok(&format!("import citizens {}", file.display()));
    let units = n.file(
        "fewer.csv",
        "code,parent,name,kind,valid_from,valid_to,successor\nP,,Tỉnh P,province,,,\nX,P,Thôn X,village,,,\n",
    );
    let import = format!("import units {}", units.display());
    let asked = n.ends(3, &import);
    assert!(
        asked.contains("thiếu 1 đơn vị") && asked.lines().any(|line| line.trim() == "V"),
        "{asked}"
    );
    assert!(
        n.ok("report --format csv").lines().any(|line| line.starts_with("V,1,")),
        "nothing is applied"
    );
    let registry = n.file(
        "registry.csv",
        &format!("{REGISTRY}046095001234,Lê An,,,2021-05-01,,V,active\n"),
    );
    n.ok(&format!("import registry {} --as-of 2023-07-31", registry.display()));
    let earlier = format!("import registry {} --as-of 2023-07-30", registry.display());
    let asked = n.ends(3, &earlier);
    assert!(asked.contains("sớm hơn lần nạp trước"), "{asked}");
    n.ok(&format!("{earlier} --approve {}", after(&asked, "load")));
    n.ends(3, &format!("import registry {} --as-of 2199-01-01", registry.display()));
}

/// Without `--keys`, two databases that are used from one directory share neither keys nor checkpoints.
#[test]
fn databases_in_one_directory_have_separate_keys() {
    let n = Ngomon::new(On::Postgres);
    let units = n.file("units.csv", UNITS);
    let there = format!("--database {}", n.database_url());
    let ok = |words: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ngomon"));
        command
            .args(words.split_whitespace())
            .current_dir(n.dir.path())
            .env("LC_ALL", "vi_VN.UTF-8");
        let out = command.output().unwrap();
        assert!(
            out.status.success(),
            "{words}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
    };
    for place in ["", &there] {
        ok(&format!("import units {} {place}", units.display()));
    }
    for name in ["lan", "minh"] {
        for place in ["", &there] {
            ok(&format!("operator add {name} {place}"));
            ok(&format!("verify {place}"));
        }
    }
    let own = fs::read_dir(n.path("data")).unwrap().map(|entry| entry.unwrap().path());
    let own = own.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("keys-"));
    let own: Vec<PathBuf> = own.collect();
    assert_eq!(own.len(), 1, "{own:?}");
    for file in ["keyring.json", "checkpoints.txt"] {
        let [first, second] = [&n.path("data/keys"), &own[0]].map(|keys| fs::read(keys.join(file)).unwrap());
        assert_ne!(first, second, "{file}");
    }
}

/// At the start the server warns about what its public URL lacks, if it lacks anything.
#[test]
fn server_warns_at_start_about_its_public_url() {
    let n = with_units(On::Sqlite);
    let (plain, proxy) = ("http không mã hóa", "--trusted-proxies");
    for (at, says) in [
        ("--listen 127.0.0.1:0", None),
        ("--listen 0.0.0.0:0", Some(plain)),
        ("--listen 127.0.0.1:0 --public-url https://id.example", Some(proxy)),
        (
            "--listen 127.0.0.1:0 --public-url https://id.example --trusted-proxies 127.0.0.1",
            None,
        ),
    ] {
        let mut serving = n.command(&format!("serve {at}"));
        let mut serving = Running::start(serving.stdout(Stdio::piped()));
        let mut told = BufReader::new(serving.stdout.take().unwrap());
        let (mut first, mut rest) = (String::new(), String::new());
        told.read_line(&mut first).unwrap();
        serving.tell_to_stop();
        told.read_to_string(&mut rest).unwrap();
        for sentence in [plain, proxy] {
            assert_eq!(rest.contains(sentence), says == Some(sentence), "{at}: {first}{rest}");
        }
    }
}

/// HR's tasks as a file: a newcomer, and what will hold an account within 30 days.
#[test]
fn hr_tasks_written_as_csv() {
    let n = with_units(On::Sqlite);
    let heading = "employee_code,full_name,birth_date,gender,national_id,unit,position,kind,status,status_from,phone,email,created_on,updated_on,\
         reviewed_on,next_due_on,next_due_item\n";
    let row = |code: &str, name: &str, due: &str| {
        format!("{code},{name},,,,V,,,working,,,,2020-01-01,2023-07-01,2023-07-01,{due},rank\n")
    };
    let rows = [row("E1", "Lê Thị An", "2023-08-10"), row("E2", "Trần Bình", "")].concat();
    let profiles = n.file("profiles.csv", &format!("{heading}{rows}"));
    let officials = "account_id,username,employee_code,full_name,birth_date,national_id,unit,email,phone,created_on,last_sign_in_on,password_hash\n";
    let officials = n.file(
        "officials.csv",
        &format!("{officials}CV1,an,E1,Lê Thị An,,,V,,,2022-01-01,2023-07-01,\n"),
    );
    let day = "--as-of 2023-07-31";
    n.ok(&format!("import officials {} {day}", officials.display()));
    n.ok(&format!("import profiles {} --full {day}", profiles.display()));
    let tasks = n.run(&format!("tasks {day} --format csv")).stdout;
    assert_eq!(
        String::from_utf8(tasks).unwrap(),
        "task,on,unit,account_id,employee_code,owner\n\
         newcomer,,V,,E2,Trần Bình\n\
         stale-info,2023-08-11,V,CV1,E1,Lê Thị An\n"
    );
    assert!(n.ok(&format!("tasks --unit V {day}")).contains("Trần Bình"));
    n.ends(1, &format!("tasks --unit NO {day}"));
}

/// What is effective on the day is separate from what is to come, nothing empty is printed, and a form at a counter is not called an online
/// one.
#[test]
fn explanation_separates_current_and_coming_facts() {
    let n = with_units(On::Sqlite);
    let heading = "employee_code,full_name,birth_date,gender,national_id,unit,position,kind,status,status_from,phone,email,created_on,updated_on,\
         reviewed_on,next_due_on,next_due_item\n";
    let row = "E1,Lê Thị An,,,,V,,,resigned,2023-08-15,,,2020-01-01,2023-07-01,,,\n";
    let profiles = n.file("profiles.csv", &format!("{heading}{row}"));
    let officials = "account_id,username,employee_code,full_name,birth_date,national_id,unit,email,phone,created_on,last_sign_in_on,password_hash\n";
    let officials = n.file(
        "officials.csv",
        &format!("{officials}CV1,an,E1,Lê Thị An,,,V,,,2022-01-01,2023-07-01,\n"),
    );
    let citizens = n.file("citizens.csv", &format!("{CITIZENS}HS1,a,An,,,,V,,,\n"));
    let forms =
        "seq,account_id,full_name,national_id,issued_on,phone,submitted_at\n1,HS1,An,12,,,2023-07-20T08:00:00+07:00\n";
    let forms = n.file("forms.csv", forms);
    let day = "--as-of 2023-07-31";
    n.ok(&format!("import officials {} {day}", officials.display()));
    n.ok(&format!("import profiles {} --full {day}", profiles.display()));
    n.ok(&format!("import citizens {} {day}", citizens.display()));
    n.ok(&format!("reconcile {day}"));
    let told = n.ok(&format!("explain CV1 {day}"));
    let said = |label: &str| {
        let line = told.lines().find(|line| line.trim_start().starts_with(label));
        line.unwrap_or_default().to_owned()
    };
    assert!(said("Tình trạng công tác").contains("đang công tác"), "{told}");
    assert!(said("Tình trạng sắp tới từ ngày").contains("15/8/2023"), "{told}");
    assert!(told.contains("Quá 1 năm chưa rà soát hồ sơ"), "{told}");
    assert!(
        !told.to_lowercase().contains("rà soát gần nhất"),
        "never reviewed: {told}"
    );
    let out = n.path("outcomes.csv");
    n.ok(&format!("standardise {} --output {}", forms.display(), out.display()));
    let told = n.ok("explain HS1");
    assert!(told.contains("Phiếu khai") && !told.contains("trực tuyến"), "{told}");
    let help = n.ok("reconcile --help");
    assert!(!help.contains("mặc định: hôm nay"), "--as-of is required: {help}");
}
