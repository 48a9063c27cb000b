//! The expected results, computed from the text of the letters' rules by an author who never saw the program's rules.

use crate::world::{Bad, Citizen, Form, Human, Notice, Official, Row, Staff, Unit};
use jiff::ToSpan as _;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub type Facts = BTreeMap<String, String>;
/// Reason and facts. The reason of a duplicate is `duplicate` and the account that has the claim.
pub type Holds = BTreeMap<String, Facts>;

fn facts<const N: usize>(of: [(&str, String); N]) -> Facts {
    of.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn text(day: Option<Date>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

/// The state of an official's account.
#[derive(Clone, Debug)]
pub struct Standing {
    pub unit: String,
    code: Option<String>,
    number: Option<String>,
    folded: String,
    born: Option<Date>,
    pub ordered: bool,
    is_unit: bool,
    pub holds: Holds,
}

/// The state of a citizen's account.
#[derive(Clone, Debug)]
pub struct Bearer {
    made: Date,
    pub unit: Option<String>,
    name: String,
    folded: String,
    number: Option<String>,
    phone: Option<String>,
    pub ordered: bool,
    pub claimed: bool,
    pub refused: bool,
    /// By the account that has the claim: what is the same.
    pub duplicates: BTreeMap<String, String>,
}

/// The readable parts of an unreadable row.
struct Unread {
    code: Option<String>,
    number: Option<String>,
    folded: String,
}

struct Claim {
    account: String,
    number: String,
    name: String,
    phone: Option<String>,
}

/// The decision about an account.
#[derive(Debug)]
pub enum Decided {
    Nothing,
    Holds(Holds),
}

/// The expected result of a run.
#[derive(Debug, Default)]
pub struct Run {
    pub decided: BTreeMap<String, Decided>,
    /// By the account whose line creates it: the unit, and the accounts it succeeds.
    pub creates: BTreeMap<String, (String, BTreeSet<String>)>,
    /// The units of profiles in service without an account.
    pub newcomers: Vec<String>,
    pub needs_approval: bool,
}

#[derive(Default)]
pub struct Recount {
    units: BTreeMap<String, Unit>,
    /// By number: the person to whom it was ever linked.
    persons: HashMap<String, usize>,
    registry: BTreeMap<String, Human>,
    former: BTreeMap<String, String>,
    /// HR's rows that count, by their position in HR's list.
    rows: BTreeMap<usize, Row>,
    unread: Vec<Unread>,
    notices: Vec<Notice>,
    pub officials: BTreeMap<String, Standing>,
    pub citizens: BTreeMap<String, Bearer>,
    claims: Vec<Claim>,
}

impl Recount {
    pub fn units(&mut self, units: &[Unit]) {
        self.units = units.iter().map(|unit| (unit.code.clone(), unit.clone())).collect();
    }

    /// "from the day after, its successor counts; without a successor, its parent".
    fn counts(&self, unit: &str, day: Date) -> String {
        let mut at = unit.to_owned();
        while let Some(unit) = self.units.get(&at).filter(|unit| unit.to.is_some_and(|to| to < day)) {
            match unit.successor.clone().or_else(|| unit.parent.clone()) {
                Some(next) => at = next,
                None => break,
            }
        }
        at
    }

    /// A unit and all units above it, as of a day.
    fn above(&self, unit: &str, day: Date) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let mut at = Some(unit.to_owned());
        while let Some(unit) = at.take_if(|unit| self.units.contains_key(unit)) {
            let here = self.counts(&unit, day);
            at = self.units[&here].parent.clone();
            all.insert(here);
        }
        all
    }

    fn is_one(&self, a: &str, b: &str) -> bool {
        let person = |number: &str| self.persons.get(number);
        a == b || person(a).is_some_and(|known| person(b) == Some(known))
    }

    fn are_one(&self, a: Option<&String>, b: Option<&String>) -> bool {
        a.zip(b).is_some_and(|(a, b)| self.is_one(a, b))
    }

    /// "all numbers a person ever held are kept".
    fn link(&mut self, number: &str, former: &[String]) {
        let fresh = self.persons.len();
        for other in former {
            let [one, two] = [number, other].map(|n| *self.persons.entry(n.to_owned()).or_insert(fresh));
            self.persons
                .values_mut()
                .filter(|person| **person == two)
                .for_each(|person| *person = one);
        }
    }

    /// Each load replaces the registry.
    pub fn registry(&mut self, humans: &[Human]) {
        self.registry.clear();
        self.former.clear();
        for of in humans.iter().filter(|of| !of.unread) {
            self.registry.insert(of.number().to_owned(), of.clone());
            for former in of.former() {
                self.former.insert(former.clone(), of.number().to_owned());
            }
            self.link(of.number(), of.former());
        }
        // The phone and the name of a claim's person follow the registry.
        for of in humans.iter().filter(|of| !of.unread) {
            for at in 0..self.claims.len() {
                if self.is_one(&self.claims[at].number, of.number()) {
                    (self.claims[at].name, self.claims[at].phone) = (of.name.written.clone(), of.phone.clone());
                }
            }
        }
    }

    pub fn citizens(&mut self, citizens: &[Citizen]) {
        for c in citizens {
            let bearer = Bearer {
                unit: c.unit.clone(),
                name: c.name.written.clone(),
                folded: c.name.folded.clone(),
                number: c.number.clone(),
                phone: c.phone.clone(),
                ordered: c.ordered,
                made: c.made,
                claimed: false,
                refused: false,
                duplicates: BTreeMap::new(),
            };
            self.citizens.insert(c.id.clone(), bearer);
        }
        // "again whenever an account comes in".
        for c in citizens {
            for at in 0..self.claims.len() {
                self.judge(&c.id, at);
            }
        }
    }

    /// C4, for one account and one claim.
    fn judge(&mut self, account: &str, claim: usize) {
        let (claim, bearer) = (&self.claims[claim], &self.citizens[account]);
        if claim.account == account || bearer.claimed {
            return;
        }
        let same = if bearer
            .number
            .as_ref()
            .is_some_and(|number| self.is_one(number, &claim.number))
        {
            "national_id"
        } else if bearer.number.is_none()
            && bearer.phone.is_some()
            && bearer.phone == claim.phone
            && bearer.name.to_lowercase() == claim.name.to_lowercase()
        {
            "phone full_name"
        } else {
            return;
        };
        let holder = claim.account.clone();
        let bearer = self.citizens.get_mut(account).unwrap();
        bearer.duplicates.entry(holder).or_insert_with(|| same.to_owned());
    }

    /// C2, in its order.
    pub fn form(&mut self, form: &Form) -> (&'static str, Vec<&'static str>) {
        let Some(bearer) = self.citizens.get(&form.account) else {
            return ("unknown-account", vec![]);
        };
        if bearer.claimed {
            return ("already-done", vec![]);
        }
        let (outcome, fields) = self.compared(form);
        self.citizens.get_mut(&form.account).unwrap().refused = outcome != "standardised";
        (outcome, fields)
    }

    fn compared(&mut self, form: &Form) -> (&'static str, Vec<&'static str>) {
        // "An issue date to come is `malformed`."
        let issued = form.issued.filter(|issued| *issued <= form.day);
        let missing = [
            ("full_name", form.name.is_none()),
            ("issued_on", issued.is_none()),
            ("national_id", form.number.is_none()),
            ("phone", form.phone.is_none()),
        ];
        let named = |of: [(&'static str, bool); 4]| {
            of.into_iter()
                .filter(|(_, is)| *is)
                .map(|(name, _)| name)
                .collect::<Vec<_>>()
        };
        let (Some(name), Some(issued), Some(number), Some(phone)) = (&form.name, issued, &form.number, &form.phone)
        else {
            return ("malformed", named(missing));
        };
        let now = self.former.get(number).unwrap_or(number);
        let Some(record) = self.registry.get(now).cloned() else {
            return ("not-found", vec![]);
        };
        let differs = named([
            ("full_name", name.folded != record.name.folded),
            ("issued_on", issued != record.issued),
            ("national_id", false),
            ("phone", record.phone.as_ref().is_some_and(|held| held != phone)),
        ]);
        if !differs.is_empty() {
            return ("mismatch", differs);
        }
        if record.dead {
            return ("deceased", vec![]);
        }
        if number != record.number() {
            return ("revoked", vec![]);
        }
        if let Some(claim) = self
            .claims
            .iter()
            .find(|claim| self.is_one(&claim.number, record.number()))
        {
            let holder = claim.account.clone();
            let bearer = self.citizens.get_mut(&form.account).unwrap();
            bearer.duplicates.entry(holder).or_insert_with(|| "form".to_owned());
            return ("taken", vec![]);
        }
        self.claims.push(Claim {
            account: form.account.clone(),
            number: record.number().to_owned(),
            name: record.name.written.clone(),
            phone: record.phone.clone(),
        });
        let bearer = self.citizens.get_mut(&form.account).unwrap();
        bearer.claimed = true;
        bearer.duplicates.clear();
        if bearer.folded == record.name.folded {
            bearer.name = record.name.written;
        }
        let others: Vec<String> = self.citizens.keys().cloned().collect();
        for other in others {
            self.judge(&other, self.claims.len() - 1);
        }
        ("standardised", vec![])
    }

    /// The accounts listed for review, with the account whose claim is the reason: the earliest claim.
    pub fn review(&self) -> BTreeMap<String, String> {
        let mut listed = BTreeMap::new();
        for claim in &self.claims {
            for (id, bearer) in &self.citizens {
                let suspected = bearer.phone.is_some()
                    && bearer.phone == claim.phone
                    && !bearer.claimed
                    && bearer.duplicates.is_empty();
                let died = *id == claim.account
                    && self
                        .registry
                        .values()
                        .any(|record| record.dead && self.is_one(record.number(), &claim.number));
                if suspected || died {
                    listed.entry(id.clone()).or_insert_with(|| claim.account.clone());
                }
            }
        }
        listed
    }

    pub fn officials(&mut self, officials: &[Official]) {
        for o in officials {
            let standing = Standing {
                unit: o.unit.clone(),
                code: o.code.clone(),
                number: o.number.clone(),
                folded: o.name.folded.clone(),
                born: o.born,
                ordered: o.ordered,
                is_unit: o.kind == "unit",
                holds: Holds::new(),
            };
            self.officials.insert(o.id.clone(), standing);
        }
    }

    /// A full extract: a row that is not in it is gone, but an unreadable row decides nothing.
    pub fn profiles(&mut self, staff: &[Staff]) {
        self.unread.clear();
        for (n, of) in staff.iter().enumerate() {
            match of.bad {
                _ if of.absent => {
                    self.rows.remove(&n);
                }
                None => {
                    self.link(&of.row.number, &of.row.former);
                    self.rows.insert(n, of.row.clone());
                }
                Some(bad) => {
                    let keyless = bad == Bad::Keyless;
                    let code = (!keyless).then(|| of.row.code.clone());
                    let number = (!keyless && bad != Bad::Number).then(|| of.row.number.clone());
                    // The previous row stays, unless the unreadable row does not show whose it is.
                    let known = self.rows.get(&n).is_some_and(|row| {
                        Some(&row.code) == code.as_ref() || self.are_one(Some(&row.number), number.as_ref())
                    });
                    if !known {
                        self.rows.remove(&n);
                    }
                    self.unread.push(Unread {
                        code,
                        number,
                        folded: of.row.name.folded.clone(),
                    });
                }
            }
        }
    }

    pub fn notices(&mut self, notices: &[Notice]) {
        self.notices = notices.to_vec();
    }

    /// "An account finds its profile by employee code; where it has none, or no profile has that code, by national id".
    fn row_of(&self, account: &Standing) -> Option<usize> {
        let by_code = self
            .rows
            .iter()
            .find(|(_, row)| Some(&row.code) == account.code.as_ref());
        let by_number = || {
            self.rows
                .iter()
                .find(|(_, row)| self.are_one(account.number.as_ref(), Some(&row.number)))
        };
        by_code.or_else(by_number).map(|(n, _)| *n)
    }

    /// "A profile row that could not be read decides nothing".
    fn is_unread(&self, account: &Standing, row: Option<&Row>) -> bool {
        self.unread.iter().any(|unread| {
            let (code, number) = (unread.code.as_ref(), unread.number.as_ref());
            let keyless = code.is_none() && number.is_none();
            let of_code = code == account.code.as_ref() || code == row.map(|row| &row.code);
            (code.is_some() && of_code)
                || self.are_one(account.number.as_ref(), number)
                || self.are_one(row.map(|row| &row.number), number)
                || (keyless && row.is_none() && unread.folded == account.folded)
        })
    }

    fn decide(&self, account: &Standing, day: Date) -> Decided {
        if account.is_unit {
            return Decided::Holds(Holds::new());
        }
        let row = self.row_of(account).map(|n| &self.rows[&n]);
        if self.is_unread(account, row) {
            return Decided::Nothing;
        }
        Decided::Holds(match row {
            None => [("no-profile".to_owned(), Facts::new())].into(),
            Some(row) => self.holds_by(account, row, day),
        })
    }

    fn holds_by(&self, account: &Standing, row: &Row, day: Date) -> Holds {
        let status = status_on(row, day);
        let one = |reason: &str, facts: Facts| Holds::from([(reason.to_owned(), facts)]);
        if has_left(status) {
            let reason = if status == "retired" { "retired" } else { "left" };
            return one(
                reason,
                facts([("status", status.to_owned()), ("status_from", text(row.from))]),
            );
        }
        let at = self.counts(&row.unit, day);
        if self.counts(&account.unit, day) != at {
            return one("moved", facts([("to_unit", at)]));
        }
        let mut holds = Holds::new();
        let mut differing = Facts::new();
        if account.folded != row.name.folded {
            differing.insert("full_name".into(), "*".into());
        }
        if account.born.is_some_and(|born| born != row.born) {
            differing.insert("birth_date".into(), "differs".into());
        }
        if account
            .number
            .as_ref()
            .is_some_and(|number| !self.is_one(number, &row.number))
        {
            differing.insert("national_id".into(), "differs".into());
        }
        if !differing.is_empty() {
            holds.insert("mismatch".into(), differing);
        }
        let begun = self.notices.iter().filter(|notice| {
            let of_person = self.is_one(&notice.number, &row.number);
            of_person && notice.effective <= day && notice.withdrawn.is_none_or(|withdrawn| withdrawn > day)
        });
        if let Some(notice) = begun.max_by_key(|notice| notice.effective) {
            let to = self.counts(&notice.to, day);
            if to != at {
                let known = [
                    ("notice", notice.no.clone()),
                    ("effective_on", notice.effective.to_string()),
                    ("to_unit", to),
                    ("profile_unit", at),
                ];
                holds.insert("transfer-pending".into(), facts(known));
            }
        }
        if !matches!(status, "on-leave" | "unpaid-leave") {
            if let Some(due) = row.due.filter(|due| *due < day && row.updated < *due) {
                let known = [
                    ("due_on", due.to_string()),
                    ("item", row.item.to_owned()),
                    ("updated_on", row.updated.to_string()),
                ];
                holds.insert("stale-info".into(), facts(known));
            }
            let due = row.reviewed.unwrap_or(row.created()).max(Date::constant(2021, 3, 1)) + 1.year();
            if due < day {
                holds.insert(
                    "review-overdue".into(),
                    facts([("reviewed_on", text(row.reviewed)), ("due_on", due.to_string())]),
                );
            }
        }
        holds
    }

    /// The expected result of a run on that day, before it is applied.
    pub fn run(&self, day: Date) -> Run {
        let mut run = Run::default();
        let mut of_row: BTreeMap<usize, Vec<&String>> = BTreeMap::new();
        for (id, account) in &self.officials {
            run.decided.insert(id.clone(), self.decide(account, day));
            if let Some(n) = self.row_of(account).filter(|_| !account.is_unit) {
                of_row.entry(n).or_default().push(id);
            }
        }
        let without = self
            .rows
            .iter()
            .filter(|(n, _)| !of_row.contains_key(n))
            .map(|(_, row)| row);
        let in_service =
            without.filter(|row| !has_left(status_on(row, day)) && !self.is_unread(&probe(row), Some(row)));
        run.newcomers = in_service.map(|row| self.counts(&row.unit, day)).collect();
        run.newcomers.sort();
        let mut open_at_new = BTreeSet::new();
        for (n, ids) in &of_row {
            let at = self.counts(&self.rows[n].unit, day);
            let moved: BTreeSet<String> = ids
                .iter()
                .filter(|id| is_moved(&run.decided[**id]))
                .map(|id| (*id).clone())
                .collect();
            let there: Vec<&&String> = ids
                .iter()
                .filter(|id| self.counts(&self.officials[**id].unit, day) == at)
                .collect();
            let Some(first) = moved.first().cloned() else { continue };
            let is_open = if there.is_empty() {
                let made = self.made(&first, &at);
                let open = matches!(self.decide(&made, day), Decided::Holds(holds) if holds.is_empty());
                run.creates.insert(first, (at, moved));
                open
            } else {
                there.iter().any(|id| match &run.decided[**id] {
                    Decided::Holds(holds) => holds.is_empty() && !self.officials[**id].ordered,
                    Decided::Nothing => self.officials[**id].holds.is_empty() && !self.officials[**id].ordered,
                })
            };
            if is_open {
                open_at_new.insert(*n);
            }
        }
        let is_open = |account: &Standing| account.holds.is_empty() && !account.ordered && !account.is_unit;
        let open = self.officials.values().filter(|account| is_open(account)).count();
        let newly = self.officials.iter().filter(|(id, account)| {
            let Decided::Holds(holds) = &run.decided[*id] else {
                return false;
            };
            let beside = holds.contains_key("moved") && self.row_of(account).is_some_and(|n| open_at_new.contains(&n));
            is_open(account) && !holds.is_empty() && !beside
        });
        run.needs_approval = newly.count() * 100 > (2 * open).max(2_000);
        run
    }

    fn made(&self, from: &str, at: &str) -> Standing {
        let old = &self.officials[from];
        let row = &self.rows[&self.row_of(old).unwrap()];
        Standing {
            unit: at.to_owned(),
            code: Some(row.code.clone()),
            holds: Holds::new(),
            ordered: false,
            ..old.clone()
        }
    }

    /// Applies the run. `made` maps an account to the one that the run created as its successor.
    pub fn apply(&mut self, run: Run, made: &BTreeMap<String, String>, day: Date) {
        let mut new = Vec::new();
        for (from, (unit, _)) in &run.creates {
            let account = self.made(from, unit);
            let holds = match self.decide(&account, day) {
                Decided::Holds(holds) => holds,
                Decided::Nothing => Holds::new(),
            };
            new.push((made[from].clone(), Standing { holds, ..account }));
        }
        for (id, decided) in run.decided {
            let Decided::Holds(holds) = decided else { continue };
            // "the profile's code is then written back".
            let row = self.row_of(&self.officials[&id]).map(|n| self.rows[&n].code.clone());
            let account = self.officials.get_mut(&id).unwrap();
            account.holds = holds;
            if row.is_some() && !account.is_unit {
                account.code = row;
            }
        }
        self.officials.extend(new);
    }

    /// `accounts, standardised, held, pending, refused, not started` of each unit, including all units below it.
    pub fn report(&self, day: Date) -> BTreeMap<String, [u64; 6]> {
        let mut lines = self.lines(day);
        for bearer in self.citizens.values() {
            let at = if bearer.claimed {
                1
            } else if !bearer.duplicates.is_empty() || bearer.ordered {
                2
            } else if bearer.refused {
                4
            } else {
                5
            };
            self.add(&mut lines, bearer.unit.as_deref().unwrap_or_default(), day, at);
        }
        lines
    }

    /// How many accounts existed on a past day, in each unit including all units below it.
    pub fn accounts_on(&self, day: Date) -> BTreeMap<String, u64> {
        let mut lines = self.lines(day);
        for bearer in self.citizens.values().filter(|bearer| bearer.made <= day) {
            self.add(&mut lines, bearer.unit.as_deref().unwrap_or_default(), day, 5);
        }
        lines.into_iter().map(|(unit, line)| (unit, line[0])).collect()
    }

    /// `staff, standardised` of each unit, including all units below it.
    pub fn staff_report(&self, day: Date) -> BTreeMap<String, [u64; 6]> {
        let mut lines = self.lines(day);
        for row in self.rows.values().filter(|row| !has_left(status_on(row, day))) {
            let done = self.claims.iter().any(|claim| self.is_one(&claim.number, &row.number));
            self.add(&mut lines, &row.unit, day, if done { 1 } else { 5 });
        }
        lines
    }

    fn lines(&self, day: Date) -> BTreeMap<String, [u64; 6]> {
        let valid = self
            .units
            .iter()
            .filter(|(_, unit)| unit.from.is_none_or(|from| from <= day) && unit.to.is_none_or(|to| to >= day));
        valid.map(|(code, _)| (code.clone(), [0; 6])).collect()
    }

    fn add(&self, lines: &mut BTreeMap<String, [u64; 6]>, unit: &str, day: Date, at: usize) {
        let above = self.above(unit, day);
        if above.is_empty() {
            lines.entry(String::new()).or_default();
        }
        let above = if above.is_empty() {
            BTreeSet::from([String::new()])
        } else {
            above
        };
        // A unit that does not exist yet has no line.
        for line in lines
            .iter_mut()
            .filter(|(unit, _)| above.contains(*unit))
            .map(|(_, line)| line)
        {
            line[0] += 1;
            line[at] += 1;
        }
    }
}

/// The account that a person would have by that row.
fn probe(row: &Row) -> Standing {
    Standing {
        unit: row.unit.clone(),
        code: Some(row.code.clone()),
        number: Some(row.number.clone()),
        folded: row.name.folded.clone(),
        born: None,
        ordered: false,
        is_unit: false,
        holds: Holds::new(),
    }
}

fn is_moved(decided: &Decided) -> bool {
    matches!(decided, Decided::Holds(holds) if holds.contains_key("moved"))
}

/// "A status counts from its `status_from`; until then the profile counts as `working`."
fn status_on(row: &Row, day: Date) -> &'static str {
    if row.from.is_some_and(|from| from > day) {
        "working"
    } else {
        row.status
    }
}

fn has_left(status: &str) -> bool {
    matches!(
        status,
        "resigned" | "dismissed" | "discharged" | "transferred-out" | "retired" | "deceased"
    )
}
