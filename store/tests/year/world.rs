//! The events of the made-up province, month after month, and the files that report them.

use crate::dice::Dice;
use jiff::ToSpan as _;
use jiff::civil::Date;
use std::fmt::Write as _;

pub const STAFF: usize = 300;
pub const HUMANS: usize = 900;
pub const CITIZENS: usize = 1_000;

/// The last day of the n-th month of the year; one of them is 29 February.
pub fn month_end(month: usize) -> Date {
    let begins = Date::constant(2023, 7, 1) + i64::try_from(month).unwrap().months();
    begins.last_of_month()
}

/// Family names with and without diacritics.
const FAMILIES: [(&str, &str); 7] = [
    ("Nguyễn", "NGUYEN"),
    ("Trần", "TRAN"),
    ("Lê", "LE"),
    ("Đặng", "DANG"),
    ("Hồ", "HO"),
    ("Võ", "VO"),
    ("Tôn Nữ", "TONNU"),
];
const MIDDLES: [(&str, &str); 5] = [("Văn", "VAN"), ("Thị", "THI"), ("Đức", "DUC"), ("Như", "NHU"), ("", "")];
const GIVEN: [(&str, &str); 11] = [
    ("An", "AN"),
    ("Bình", "BINH"),
    ("Cường", "CUONG"),
    ("Đạt", "DAT"),
    ("Hòa", "HOA"),
    ("Khuê", "KHUE"),
    ("Lộc", "LOC"),
    ("Mỹ", "MY"),
    ("Quý", "QUY"),
    ("Thủy", "THUY"),
    ("Yến", "YEN"),
];

/// A name, and its folded form without diacritics and spaces.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name {
    pub written: String,
    pub folded: String,
}

impl Name {
    fn made_up(dice: &mut Dice) -> Self {
        let parts = [*dice.pick(&FAMILIES), *dice.pick(&MIDDLES), *dice.pick(&GIVEN)];
        let written: Vec<&str> = parts
            .iter()
            .map(|part| part.0)
            .filter(|part| !part.is_empty())
            .collect();
        Self {
            written: written.join(" "),
            folded: parts.iter().map(|part| part.1).collect(),
        }
    }

    /// The name without diacritics, as a machine without Vietnamese prints it.
    fn plain(&self) -> Self {
        Self {
            written: self.folded.clone(),
            folded: self.folded.clone(),
        }
    }

    fn loud(&self) -> Self {
        Self {
            written: self.written.to_uppercase(),
            folded: self.folded.clone(),
        }
    }

    fn other(dice: &mut Dice, than: &Self) -> Self {
        loop {
            let name = Self::made_up(dice);
            if name.folded != than.folded {
                return name;
            }
        }
    }
}

#[derive(Clone)]
pub struct Unit {
    pub code: String,
    pub parent: Option<String>,
    pub name: String,
    pub kind: &'static str,
    pub from: Option<Date>,
    pub to: Option<Date>,
    pub successor: Option<String>,
}

/// A person in the registry.
#[derive(Clone)]
pub struct Human {
    pub name: Name,
    male: bool,
    pub born: Date,
    /// All numbers that the person ever held, the current one last.
    pub numbers: Vec<String>,
    /// Months since the replacement of the number in which the registry names the former one.
    pub names_former: usize,
    pub phone: Option<String>,
    pub issued: Date,
    /// The issue date of the previous card, which is in the file, too.
    issued_before: Option<Date>,
    pub dead: bool,
    /// The row is unreadable this month.
    pub unread: bool,
}

impl Human {
    pub fn number(&self) -> &str {
        self.numbers.last().unwrap()
    }

    pub fn former(&self) -> &[String] {
        if self.names_former > 0 {
            &self.numbers[..self.numbers.len() - 1]
        } else {
            &[]
        }
    }
}

/// The fault of one of HR's rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bad {
    Date,
    Number,
    Keyless,
    Unit,
    Conflict,
}

/// One of HR's rows.
#[derive(Clone)]
pub struct Row {
    pub human: usize,
    pub code: String,
    pub number: String,
    pub former: Vec<String>,
    pub name: Name,
    pub born: Date,
    pub unit: String,
    pub status: &'static str,
    pub from: Option<Date>,
    created: Date,
    pub updated: Date,
    pub reviewed: Option<Date>,
    pub due: Option<Date>,
    pub item: &'static str,
}

impl Row {
    pub fn created(&self) -> Date {
        self.created
    }
}

pub struct Staff {
    pub row: Row,
    /// The ended row of a person who was hired again this month.
    pub ended: Option<Row>,
    pub bad: Option<Bad>,
    pub absent: bool,
    twice: bool,
    /// HR wrote something wrong.
    wrong: bool,
    came_from: Option<String>,
    moves_to: Option<String>,
}

pub struct Official {
    pub id: String,
    pub code: Option<String>,
    pub number: Option<String>,
    pub name: Name,
    pub born: Option<Date>,
    pub unit: String,
    pub ordered: bool,
    pub kind: &'static str,
}

pub struct Citizen {
    pub id: String,
    human: Option<usize>,
    pub name: Name,
    pub number: Option<String>,
    pub phone: Option<String>,
    pub unit: Option<String>,
    pub ordered: bool,
    pub made: Date,
}

#[derive(Clone)]
pub struct Notice {
    pub no: String,
    pub number: String,
    pub to: String,
    pub effective: Date,
    pub withdrawn: Option<Date>,
    staff: usize,
}

#[derive(Clone)]
pub struct Form {
    pub account: String,
    pub name: Option<Name>,
    pub number: Option<String>,
    /// The number as typed, if it is written in another way.
    number_typed: Option<String>,
    pub issued: Option<Date>,
    pub phone: Option<String>,
    pub day: Date,
    at: String,
}

/// A file, and the expected result of each row.
pub struct File {
    pub text: String,
    pub results: Vec<&'static str>,
}

pub struct World {
    dice: Dice,
    next: usize,
    pub month: usize,
    pub day: Date,
    pub units: Vec<Unit>,
    pub units_changed: bool,
    pub humans: Vec<Human>,
    pub staff: Vec<Staff>,
    pub officials: Vec<Official>,
    pub citizens: Vec<Citizen>,
    /// The accounts that are imported this month.
    pub new_officials: Vec<Official>,
    pub new_citizens: Vec<Citizen>,
    pub notices: Vec<Notice>,
    pub forms: Vec<Form>,
    /// The months in which units end.
    ends: [usize; 3],
}

fn written(text: Option<&String>) -> &str {
    text.map_or("", String::as_str)
}

fn day(day: Option<Date>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let ends = [1 + dice.below(9), 1 + dice.below(9), 1 + dice.below(9)];
        let mut world = Self {
            dice,
            next: 0,
            month: 0,
            day: month_end(0),
            units: Vec::new(),
            units_changed: true,
            humans: Vec::new(),
            staff: Vec::new(),
            officials: Vec::new(),
            citizens: Vec::new(),
            new_officials: Vec::new(),
            new_citizens: Vec::new(),
            notices: Vec::new(),
            forms: Vec::new(),
            ends,
        };
        world.found_units();
        for _ in 0..HUMANS {
            world.bear();
        }
        for human in 0..STAFF {
            world.hire(human);
        }
        for staff in 0..STAFF - 6 {
            world.give_official_account(staff);
        }
        for n in 0..4 {
            let mut stranger = world.official_of(n);
            stranger.code = Some(format!("KHONG{n}"));
            stranger.number = None;
            world.new_officials.push(stranger);
            let mut unit = world.official_of(n);
            (unit.kind, unit.code, unit.number) = ("unit", None, None);
            world.new_officials.push(unit);
        }
        for n in 0..CITIZENS {
            let human = if n < HUMANS - 50 {
                Some(n)
            } else if n < HUMANS + 80 {
                Some(world.dice.below(HUMANS))
            } else {
                None
            };
            world.give_account(human);
        }
        world.write_forms();
        world
    }

    fn unique(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    fn found_units(&mut self) {
        let mut unit = |code: &str, parent: &str, name: String, kind| {
            self.units.push(Unit {
                code: code.to_owned(),
                parent: (!parent.is_empty()).then(|| parent.to_owned()),
                name,
                kind,
                from: None,
                to: None,
                successor: None,
            });
        };
        unit("P", "", "Tỉnh Sông Hương".into(), "province");
        for n in 1..5 {
            unit(&format!("S{n}"), "P", format!("Sở Số {n}"), "department");
        }
        for d in 1..4 {
            unit(&format!("H{d}"), "P", format!("Huyện {d}"), "district");
            for c in 1..5 {
                unit(&format!("C{d}{c}"), &format!("H{d}"), format!("Xã {d}{c}"), "commune");
                unit(
                    &format!("V{d}{c}"),
                    &format!("C{d}{c}"),
                    format!("Thôn {d}{c}"),
                    "village",
                );
            }
        }
    }

    /// The first two communes of a district become one; the last commune of the third district ends without a successor.
    fn end_units(&mut self) {
        self.units_changed = false;
        for d in 0..3 {
            if self.ends[d] != self.month {
                continue;
            }
            self.units_changed = true;
            let (day, district) = (self.day, d + 1);
            let ending: Vec<String> = if d == 2 {
                vec!["C34".into()]
            } else {
                vec![format!("C{district}1"), format!("C{district}2")]
            };
            let successor = (d != 2).then(|| format!("N{district}"));
            for unit in &mut self.units {
                if ending.contains(&unit.code) {
                    (unit.to, unit.successor) = (Some(day), successor.clone());
                }
            }
            if let Some(code) = successor {
                self.units.push(Unit {
                    code,
                    parent: Some(format!("H{district}")),
                    name: format!("Phường Mới {district}"),
                    kind: "commune",
                    from: Some(day.tomorrow().unwrap()),
                    to: None,
                    successor: None,
                });
            }
        }
    }

    /// A unit where somebody works; some rows still name ended units.
    fn workplace(&mut self) -> String {
        let places: Vec<&String> = self
            .units
            .iter()
            .filter(|u| matches!(u.kind, "department" | "commune") && u.from.is_none_or(|from| from <= self.day))
            .map(|u| &u.code)
            .collect();
        (*self.dice.pick(&places)).clone()
    }

    fn new_number(&mut self, male: bool, born: Date) -> String {
        let n = self.unique();
        let century = u8::from(born.year() >= 2000) * 2 + u8::from(!male);
        format!("046{century}{:02}{n:06}", born.year() % 100)
    }

    fn new_phone(&mut self) -> String {
        format!("+849{:08}", self.unique())
    }

    fn bear(&mut self) {
        let born = Date::constant(1964, 1, 1) + i64::try_from(self.dice.below(14_000)).unwrap().days();
        let male = self.dice.often(500);
        let (name, number) = (Name::made_up(&mut self.dice), self.new_number(male, born));
        let phone = self.dice.often(900).then(|| self.new_phone());
        let issued = Date::constant(2021, 2, 1) + i64::try_from(self.dice.below(800)).unwrap().days();
        self.humans.push(Human {
            name,
            male,
            born,
            numbers: vec![number],
            names_former: 0,
            phone,
            issued,
            issued_before: None,
            dead: false,
            unread: false,
        });
    }

    fn hire(&mut self, human: usize) {
        let code = format!("E{:05}", self.unique());
        let unit = self.workplace();
        let (day, dice) = (self.day, &mut self.dice);
        let reviewed = dice
            .often(900)
            .then(|| day - i64::try_from(dice.below(340)).unwrap().days());
        let due = dice
            .often(400)
            .then(|| day + i64::try_from(dice.below(360)).unwrap().days());
        let of = &self.humans[human];
        let row = Row {
            human,
            code,
            number: of.number().to_owned(),
            former: Vec::new(),
            name: of.name.clone(),
            born: of.born,
            unit,
            status: "working",
            from: None,
            created: if reviewed.is_some() {
                Date::constant(2015, 3, 1)
            } else {
                day - 200.days()
            },
            updated: day - 30.days(),
            reviewed,
            due,
            item: ["pay-step", "rank", "position-term", "assessment"][human % 4],
        };
        self.staff.push(Staff {
            row,
            ended: None,
            bad: None,
            absent: false,
            twice: false,
            wrong: false,
            came_from: None,
            moves_to: None,
        });
    }

    fn official_of(&mut self, staff: usize) -> Official {
        let id = format!("CV{:05}", self.unique());
        let (row, dice) = (&self.staff[staff].row, &mut self.dice);
        let name = match dice.below(100) {
            0 => Name::other(dice, &row.name),
            1..4 => row.name.plain(),
            4..7 => row.name.loud(),
            _ => row.name.clone(),
        };
        Official {
            id,
            code: dice.often(850).then(|| row.code.clone()),
            number: dice.often(900).then(|| row.number.clone()),
            name,
            born: dice.often(900).then_some(row.born),
            unit: row.unit.clone(),
            ordered: dice.often(10),
            kind: "official",
        }
    }

    fn give_official_account(&mut self, staff: usize) {
        let mut account = self.official_of(staff);
        if self.dice.often(30) {
            account.unit = self.workplace();
        }
        self.new_officials.push(account);
        if self.dice.often(25) {
            let mut second = self.official_of(staff);
            second.unit = self.workplace();
            self.new_officials.push(second);
        }
    }

    fn give_account(&mut self, human: Option<usize>) {
        let n = self.unique();
        let id = format!("HS{n:05}");
        let made = if self.month == 0 {
            Date::constant(2022, 1, 1)
        } else {
            self.day - i64::try_from(n % 25).unwrap().days()
        };
        let homes: Vec<&String> = self
            .units
            .iter()
            .filter(|u| matches!(u.kind, "village" | "commune"))
            .map(|u| &u.code)
            .collect();
        let unit = (!self.dice.often(40)).then(|| (*self.dice.pick(&homes)).clone());
        let ordered = self.dice.often(5);
        let account = if let Some(n) = human {
            let other = self.dice.below(HUMANS);
            let dice = &mut self.dice;
            let of = &self.humans[n];
            let name = match dice.below(100) {
                0..6 => self.humans[other].name.clone(),
                6..12 => of.name.loud(),
                12..16 => of.name.plain(),
                _ => of.name.clone(),
            };
            let phone = match dice.below(100) {
                0..10 => self.humans[other].phone.clone(),
                10..25 => None,
                _ => of.phone.clone(),
            };
            Citizen {
                id,
                human,
                name,
                number: dice.often(700).then(|| of.number().to_owned()),
                phone,
                unit,
                ordered,
                made,
            }
        } else {
            let born = Date::constant(1990, 1, 1);
            let number = self.dice.often(500).then(|| self.new_number(true, born));
            Citizen {
                id,
                human,
                name: Name::made_up(&mut self.dice),
                number,
                phone: Some(self.new_phone()),
                unit,
                ordered,
                made,
            }
        };
        self.new_citizens.push(account);
    }

    /// Advances to the next month.
    pub fn advance(&mut self) {
        self.month += 1;
        self.day = month_end(self.month);
        self.officials.append(&mut self.new_officials);
        self.citizens.append(&mut self.new_citizens);
        self.end_units();
        self.change_humans();
        for staff in 0..self.staff.len() {
            self.change_staff(staff);
        }
        self.hire_some();
        for _ in 0..8 {
            let human = self.dice.often(900).then(|| self.dice.below(HUMANS));
            self.give_account(human);
        }
        self.write_forms();
    }

    fn change_humans(&mut self) {
        for n in 0..self.humans.len() {
            let (day, chance) = (self.dice.day_of_month(self.day), self.dice.below(1_000));
            let phone = self.new_phone();
            let (male, born) = (self.humans[n].male, self.humans[n].born);
            let number = self.new_number(male, born);
            let human = &mut self.humans[n];
            human.names_former = human.names_former.saturating_sub(1);
            (human.issued_before, human.unread) = (None, false);
            if human.dead {
                continue;
            }
            match chance {
                0..8 => {
                    human.numbers.push(number);
                    human.names_former = if n % 3 == 0 { 1 } else { 100 };
                    human.issued = day;
                }
                8..20 => {
                    human.issued_before = Some(human.issued);
                    human.issued = day;
                    if chance < 14 {
                        human.phone = Some(phone);
                    }
                }
                20..24 => human.dead = true,
                24..34 => human.unread = true,
                _ => {}
            }
        }
    }

    #[allow(clippy::too_many_lines, reason = "one kind of event after the other")]
    fn change_staff(&mut self, n: usize) {
        let (day, end) = (self.dice.day_of_month(self.day), self.day);
        let place = self.workplace();
        let code = format!("E{:05}", self.unique());
        let new_name = Name::other(&mut self.dice, &self.staff[n].row.name);
        let mistyped = format!("{}{:06}", &self.staff[n].row.number[..6], 900_000 + self.next % 100_000);
        let dice = &mut self.dice;
        let staff = &mut self.staff[n];
        let human = &self.humans[staff.row.human];
        staff.ended = None;
        staff.twice = dice.often(8);
        if staff.absent {
            staff.absent = !dice.often(250);
            return;
        }
        let was_bad = staff.bad.take();
        if was_bad.is_some() && dice.often(300) {
            staff.bad = was_bad;
            return;
        }
        let row = &mut staff.row;
        let in_service = !matches!(row.status, "resigned" | "retired" | "deceased" | "discharged");
        if !in_service {
            match dice.below(100) {
                0..12 if row.from.is_some_and(|from| from <= day) && row.status == "resigned" && !human.dead => {
                    staff.ended = Some(row.clone());
                    row.code = code;
                    (row.status, row.from, row.created, row.updated) = ("working", Some(day), day, day);
                    (row.reviewed, row.due, row.unit) = (None, None, place);
                }
                12..16 => {
                    // It was a mistake.
                    (row.status, row.from, row.updated) = ("working", None, day);
                }
                16..22 => staff.absent = true,
                _ => {}
            }
            return;
        }
        if let Some(to) = staff.moves_to.take() {
            if dice.often(700) {
                staff.came_from = Some(std::mem::replace(&mut row.unit, to));
                row.updated = day;
            } else if dice.often(500) {
                staff.moves_to = Some(to);
            } else if let Some(notice) = self.notices.iter_mut().rev().find(|notice| notice.staff == n) {
                notice.withdrawn = Some(day);
            }
        }
        // The registry has another number: HR gets it sooner or later, and names the former one or not.
        if !staff.wrong && row.number != human.number() && dice.often(600) {
            row.former = if dice.often(600) {
                vec![row.number.clone()]
            } else {
                Vec::new()
            };
            row.number = human.number().to_owned();
            row.updated = day;
        } else if dice.often(500) {
            row.former.clear();
        }
        if staff.wrong && dice.often(400) {
            staff.wrong = false;
            (row.name, row.born, row.number) = (human.name.clone(), human.born, human.number().to_owned());
            row.updated = day;
        }
        if row.due.is_some_and(|due| due < end) && dice.often(600) {
            row.updated = end;
            row.due = Some(end + 300.days());
        }
        if dice.often(75) {
            (row.reviewed, row.updated) = (Some(day), day);
        }
        match dice.below(1_000) {
            0..25 => {
                let to = match &staff.came_from {
                    Some(back) if dice.often(400) => back.clone(),
                    _ => place,
                };
                if dice.often(600) {
                    let number = if dice.often(200) {
                        human.numbers[0].clone()
                    } else {
                        row.number.clone()
                    };
                    self.notices.push(Notice {
                        no: format!("{}/TB-SNV", self.notices.len() + 1),
                        number,
                        to: to.clone(),
                        effective: day,
                        withdrawn: None,
                        staff: n,
                    });
                }
                if dice.often(500) {
                    staff.came_from = Some(std::mem::replace(&mut row.unit, to));
                    row.updated = day;
                } else {
                    staff.moves_to = Some(to);
                }
            }
            25..37 => (row.code, row.updated) = (code, day),
            37..52 => {
                let from = if dice.often(300) { end + 20.days() } else { day };
                (row.status, row.from, row.updated) = ("resigned", Some(from), day);
            }
            52..58 => (row.status, row.from, row.updated) = ("retired", Some(day), day),
            58..62 => (row.status, row.from, row.updated) = ("discharged", None, day),
            62..70 => staff.absent = true,
            70..88 => {
                staff.bad = Some(*dice.pick(&[Bad::Date, Bad::Number, Bad::Keyless, Bad::Unit, Bad::Conflict]));
                row.updated = day;
                if dice.often(200) {
                    row.code = code;
                }
            }
            88..98 => (row.name, row.updated, staff.wrong) = (new_name, day, true),
            98..103 => {
                // The year stays, because the number contains it, too.
                row.born = if row.born.month() < 7 {
                    row.born + 40.days()
                } else {
                    row.born - 40.days()
                };
                (row.updated, staff.wrong) = (day, true);
            }
            103..108 => {
                (row.number, row.updated, staff.wrong) = (mistyped, day, true);
                row.former.clear();
            }
            108..116 => (row.status, row.from, row.updated) = ("on-leave", None, day),
            116..122 => (row.status, row.from, row.updated) = ("seconded", None, day),
            122..140 if row.status != "working" => (row.status, row.from, row.updated) = ("working", None, day),
            140..148 => (row.name, row.updated) = (row.name.plain(), day),
            _ => {}
        }
        if human.dead && row.status != "deceased" && dice.often(500) {
            (row.status, row.from, row.updated) = ("deceased", Some(day), day);
        }
    }

    fn hire_some(&mut self) {
        let employed: Vec<usize> = self.staff.iter().map(|staff| staff.row.human).collect();
        let next = (0..HUMANS)
            .find(|human| !employed.contains(human) && !self.humans[*human].dead && !self.humans[*human].unread);
        if let Some(human) = next {
            self.hire(human);
            let (day, staff) = (self.day, self.staff.len() - 1);
            let row = &mut self.staff[staff].row;
            (row.created, row.updated, row.reviewed) = (day, day, None);
        }
        // A person who was hired earlier gets an account.
        let late = self.staff.len() - 2;
        if self.dice.often(700) && late >= STAFF {
            self.give_official_account(late);
        }
    }

    fn write_forms(&mut self) {
        self.forms.clear();
        for _ in 0..90 {
            let all = self.citizens.len() + self.new_citizens.len();
            let at = self.dice.below(all);
            let citizen = if at < self.citizens.len() {
                &self.citizens[at]
            } else {
                &self.new_citizens[at - self.citizens.len()]
            };
            let (account, own) = (citizen.id.clone(), citizen.human);
            let human = match own {
                Some(own) if !self.dice.often(60) => own,
                _ => self.dice.below(HUMANS),
            };
            let spare = self.new_phone();
            let day = self.dice.day_of_month(self.day);
            let other = Name::other(&mut self.dice, &self.humans[human].name);
            let (of, dice) = (&self.humans[human], &mut self.dice);
            let mut form = Form {
                account,
                name: Some(of.name.clone()),
                number: Some(of.number().to_owned()),
                number_typed: None,
                issued: Some(of.issued),
                phone: Some(of.phone.clone().unwrap_or(spare.clone())),
                day,
                at: format!("{day}T{:02}:30:00+07:00", 8 + dice.below(8)),
            };
            match dice.below(100) {
                0..6 => form.name = Some(other),
                6..11 => form.name = Some(of.name.plain()),
                11..17 => form.issued = Some(of.issued - 500.days()),
                17..22 => form.phone = Some(spare),
                22..25 => form.number = Some(format!("0460880{:05}", dice.below(90_000))),
                25..27 => form.number = None,
                27..29 => form.phone = None,
                29..31 => (form.name, form.issued) = (None, None),
                31..37 => form.number = Some(of.numbers[0].clone()),
                37..40 => form.number_typed = Some(of.number()[1..].to_owned()),
                40..41 => form.account = "HS-KHONG-CO".into(),
                _ => {}
            }
            self.forms.push(form);
        }
    }

    pub fn units_csv(&self) -> File {
        let mut text = "code,parent,name,kind,valid_from,valid_to,successor\n".to_owned();
        for u in &self.units {
            let (parent, successor) = (written(u.parent.as_ref()), written(u.successor.as_ref()));
            writeln!(
                text,
                "{},{parent},{},{},{},{},{successor}",
                u.code,
                u.name,
                u.kind,
                day(u.from),
                day(u.to)
            )
            .unwrap();
        }
        File {
            text,
            results: vec!["read"; self.units.len()],
        }
    }

    pub fn registry_csv(&self) -> File {
        let mut text =
            "national_id,full_name,birth_date,gender,issued_on,phone,residence_unit,status,former_ids\n".to_owned();
        let mut results = Vec::new();
        for of in &self.humans {
            let gender = if of.male { "M" } else { "F" };
            let status = if of.dead { "deceased" } else { "active" };
            let mut line = |issued: String| {
                let (number, phone, former) = (of.number(), written(of.phone.as_ref()), of.former().join(" "));
                writeln!(
                    text,
                    "{number},{},{},{gender},{issued},{phone},,{status},{former}",
                    of.name.written, of.born
                )
                .unwrap();
            };
            if of.unread {
                line("2021-13-40".into());
                results.push("bad-date");
                continue;
            }
            if let Some(before) = of.issued_before {
                line(before.to_string());
                results.push("superseded");
            }
            line(of.issued.to_string());
            results.push("read");
        }
        File { text, results }
    }

    pub fn profiles_csv(&self) -> File {
        let mut text = "employee_code,full_name,birth_date,gender,national_id,unit,position,kind,status,status_from,phone,email,created_on,\
             updated_on,reviewed_on,next_due_on,next_due_item,former_ids\n"
            .to_owned();
        let mut results = Vec::new();
        for staff in self.staff.iter().filter(|staff| !staff.absent) {
            let mut line = |row: &Row, bad: Option<Bad>, position: &str| {
                let keyless = bad == Some(Bad::Keyless);
                let code: &str = if keyless { "" } else { &row.code };
                let number: &str = if keyless || bad == Some(Bad::Number) {
                    "12"
                } else {
                    &row.number
                };
                let unit: &str = if bad == Some(Bad::Unit) {
                    "Phòng không có"
                } else {
                    &row.unit
                };
                let reviewed = if bad == Some(Bad::Date) {
                    "2023-02-30".to_owned()
                } else {
                    day(row.reviewed)
                };
                let item = row.due.map_or("", |_| row.item);
                writeln!(
                    text,
                    "{code},{},{},,{number},{unit},{position},,{},{},,,{},{},{reviewed},{},{item},{}",
                    row.name.written,
                    row.born,
                    row.status,
                    day(row.from),
                    row.created,
                    row.updated,
                    day(row.due),
                    row.former.join(" ")
                )
                .unwrap();
            };
            if let Some(ended) = &staff.ended {
                line(ended, None, "");
                results.push("superseded");
            }
            match staff.bad {
                Some(Bad::Conflict) => {
                    line(&staff.row, None, "Chuyên viên");
                    line(&staff.row, None, "Văn thư");
                    results.extend(["conflicting-row"; 2]);
                }
                bad => {
                    line(&staff.row, bad, "");
                    results.push(match bad {
                        Some(Bad::Date) => "bad-date",
                        Some(Bad::Number | Bad::Keyless) => "bad-national-id",
                        Some(Bad::Unit) => "unknown-unit",
                        _ => "read",
                    });
                    if staff.twice && bad.is_none() {
                        line(&staff.row, None, "");
                        results.push("duplicate-row");
                    }
                }
            }
        }
        File { text, results }
    }

    pub fn notices_csv(&self) -> File {
        let mut text = "notice_no,national_id,from_unit,to_unit,effective_on,withdrawn_on\n".to_owned();
        for notice in &self.notices {
            writeln!(
                text,
                "{},{},,{},{},{}",
                notice.no,
                notice.number,
                notice.to,
                notice.effective,
                day(notice.withdrawn)
            )
            .unwrap();
        }
        File {
            text,
            results: vec!["read"; self.notices.len()],
        }
    }

    pub fn officials_csv(&self) -> File {
        let mut text = "account_id,username,employee_code,full_name,birth_date,national_id,unit,email,phone,created_on,last_sign_in_on,\
             password_hash,held_reason,kind\n"
            .to_owned();
        for o in &self.new_officials {
            let held = if o.ordered { "Theo công văn" } else { "" };
            let (code, number) = (written(o.code.as_ref()), written(o.number.as_ref()));
            writeln!(
                text,
                "{0},u{0},{code},{1},{2},{number},{3},,,2022-01-01,,,{held},{4}",
                o.id,
                o.name.written,
                day(o.born),
                o.unit,
                o.kind
            )
            .unwrap();
        }
        File {
            text,
            results: vec!["read"; self.new_officials.len()],
        }
    }

    pub fn citizens_csv(&self) -> File {
        let mut text =
            "account_id,username,display_name,national_id,phone,email,unit,created_on,last_sign_in_on,password_hash,held_reason\n".to_owned();
        for c in &self.new_citizens {
            let held = if c.ordered { "Theo công văn" } else { "" };
            let (number, phone) = (written(c.number.as_ref()), written(c.phone.as_ref()));
            writeln!(
                text,
                "{0},u{0},{1},{number},{phone},,{2},{3},,,{held}",
                c.id,
                c.name.written,
                written(c.unit.as_ref()),
                c.made
            )
            .unwrap();
        }
        File {
            text,
            results: vec!["read"; self.new_citizens.len()],
        }
    }

    pub fn forms_csv(&self) -> String {
        let mut text = "seq,account_id,full_name,national_id,issued_on,phone,submitted_at\n".to_owned();
        for (n, form) in self.forms.iter().enumerate() {
            let name = form.name.as_ref().map_or("123", |name| &name.written);
            let number = form.number_typed.as_ref().or(form.number.as_ref());
            let number = number.map_or("0460850000123", String::as_str);
            let issued = form
                .issued
                .map_or_else(|| "31/02/2021".to_owned(), |day| day.to_string());
            let phone = form.phone.as_ref().map_or("0234 3822 222", String::as_str);
            writeln!(
                text,
                "{n},{},{name},{number},{issued},{phone},{}",
                form.account, form.at
            )
            .unwrap();
        }
        text
    }
}
