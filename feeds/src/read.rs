//! The reader of a row: parses the cells into a record, names the repairs, and keeps the first fault.

use crate::error::FileError;
use crate::row::{OwnerHints, Record};
use crate::source::{Cells, ColumnPosition, Source};
use crate::table::Table;
use ngomon_rules::quarantine::QuarantineReason;
use ngomon_rules::records::{
    AccountAttributes, AccountId, AccountKind, AccountRow, DueItem, Notice, Profile, RegistryRecord, RegistryStatus,
    ServiceKind, ServiceStatus,
};
use ngomon_rules::unit::{Unit, UnitCode, UnitKind, UnitTree};
use ngomon_rules::values::{
    Date, DateFault, FullName, Gender, NationalId, NationalIdFault, PartialDate, Phone, PhoneFault, Repair, Repairs,
    has_nul, lost_in_transcoding, parse_day, strip_invisible,
};

/// The result of reading a row by itself, before it is compared with the others.
pub(crate) struct ReadRow {
    /// Why the row goes to quarantine.
    pub fault: Option<QuarantineReason>,
    /// The repairs.
    pub repairs: Repairs,
    /// The record, if nothing is wrong with the row.
    pub record: Option<Record>,
    /// The clues to the person.
    pub hints: OwnerHints,
    /// A column whose day has an impossible year.
    pub impossible_year: Option<&'static str>,
}

/// The position of each column of the table in the file.
pub(crate) struct Columns {
    pub table: Table,
    places: Vec<ColumnPosition<'static>>,
}

impl Columns {
    /// Matches the heading of a file with the columns of a table, in any order.
    pub fn of(table: Table, source: &Source) -> Result<Self, FileError> {
        let places = source.places(table.name(), table.columns(), table.optional())?;
        Ok(Self { table, places })
    }

    /// Every cell with its column.
    pub fn raw(&self, cells: &Cells<'_>) -> Result<Vec<(String, String)>, FileError> {
        let there = self.places.iter().filter_map(|(name, at)| at.map(|at| (name, at)));
        there
            .map(|(name, at)| Ok((name.to_string(), cells.get(at)?.to_owned())))
            .collect()
    }
}

/// Reads one row.
pub(crate) fn read_row(
    columns: &Columns,
    cells: &Cells<'_>,
    units: &UnitTree,
    as_of: Date,
) -> Result<ReadRow, FileError> {
    let mut texts = Vec::with_capacity(columns.places.len());
    for (name, at) in &columns.places {
        texts.push((*name, at.map(|at| cells.get(at)).transpose()?.unwrap_or_default()));
    }
    let mut row = Reader {
        texts,
        units,
        as_of,
        fault: cells.overfull.then_some(QuarantineReason::BadValue),
        repairs: Repairs::default(),
        impossible_year: None,
    };
    let hints = std::cell::Cell::new(OwnerHints::default());
    let record = match columns.table {
        Table::Units => row.unit_row().map(Record::Unit),
        Table::Registry => row.registry_row().map(|r| Record::Registry(Box::new(r))),
        Table::Citizens => row.citizen_row(&hints).map(|r| Record::Account(Box::new(r))),
        Table::Officials => row.official_row(&hints).map(|r| Record::Account(Box::new(r))),
        Table::Profiles => row.profile_row(&hints).map(|r| Record::Profile(Box::new(r))),
        Table::Notices => row.notice_row().map(Record::Notice),
    };
    if record.is_none() {
        row.fault.get_or_insert(QuarantineReason::MissingField);
    }
    let waits = row.fault.is_some();
    Ok(ReadRow {
        fault: row.fault,
        repairs: row.repairs,
        record: record.filter(|_| !waits),
        hints: hints.into_inner(),
        impossible_year: row.impossible_year,
    })
}

/// The cells of a row while they are parsed. Each method takes a column's name. An empty cell is an unknown value.
struct Reader<'a> {
    texts: Vec<(&'static str, &'a str)>,
    units: &'a UnitTree,
    as_of: Date,
    fault: Option<QuarantineReason>,
    repairs: Repairs,
    impossible_year: Option<&'static str>,
}

impl<'a> Reader<'a> {
    fn cell(&self, column: &str) -> &'a str {
        let found = self.texts.iter().find(|(name, _)| *name == column);
        found.map(|(_, text)| *text).unwrap_or_default()
    }

    fn wait(&mut self, reason: QuarantineReason) {
        self.fault.get_or_insert(reason);
    }

    /// Parses a non-empty cell. A fault sends the row to quarantine.
    fn parsed<T>(&mut self, column: &str, parse: impl FnOnce(&'a str) -> Result<T, QuarantineReason>) -> Option<T> {
        let text = self.cell(column);
        if text.is_empty() {
            return None;
        }
        let value = if has_nul(text) {
            Err(QuarantineReason::BadValue)
        } else {
            parse(text)
        };
        value.map_err(|reason| self.wait(reason)).ok()
    }

    /// A code, a user name or other text, without invisible characters.
    fn text(&mut self, column: &str) -> Option<String> {
        let text = self.parsed(column, Ok)?;
        let visible = strip_invisible(text);
        if visible.len() < text.len() {
            self.repairs.add(Repair::ZeroWidth);
        }
        Some(visible.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn word<T>(&mut self, column: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        self.parsed(column, |text| parse(text).ok_or(QuarantineReason::BadValue))
    }

    /// An account's id. Ids of operators' accounts are refused.
    fn account(&mut self) -> Option<AccountId> {
        let id = AccountId(self.text("account_id")?);
        if id.operator().is_some() || id.as_str().contains(char::is_whitespace) {
            self.wait(QuarantineReason::BadValue);
            return None;
        }
        Some(id)
    }

    fn day(&mut self, column: &'static str) -> Option<Date> {
        self.dated(column, parse_day)
    }

    fn birth_date(&mut self) -> Option<PartialDate> {
        self.dated("birth_date", PartialDate::parse)
    }

    fn dated<T>(&mut self, column: &'static str, parse: impl Fn(&str) -> Result<T, DateFault>) -> Option<T> {
        let is_far = matches!(parse(self.cell(column)), Err(DateFault::ImpossibleYear));
        self.impossible_year = self.impossible_year.or(is_far.then_some(column));
        self.parsed(column, |text| parse(text).map_err(date_fault))
    }

    /// A name. Without any letter it counts as missing; if letters were lost in transcoding, it is a bad value.
    fn name(&mut self, column: &str) -> Option<FullName> {
        let (name, repairs) = self.parsed(column, |text| match FullName::parse(text) {
            Some(_) if lost_in_transcoding(text) => Err(QuarantineReason::BadValue),
            read => Ok(read),
        })??;
        self.repairs.extend(&repairs);
        Some(name)
    }

    /// The birth date and gender in the row, which decide whether lost zeros of a number may be restored.
    fn known_birth(&self) -> (Option<PartialDate>, Option<Gender>) {
        (
            PartialDate::parse(self.cell("birth_date")).ok(),
            Gender::parse(self.cell("gender")),
        )
    }

    fn national_id(&mut self) -> Option<NationalId> {
        let (born, gender) = self.known_birth();
        let (id, repairs) = self.parsed("national_id", |text| {
            NationalId::parse(text, born, gender).map_err(id_fault)
        })?;
        self.repairs.extend(&repairs);
        Some(id)
    }

    fn former_ids(&mut self) -> Vec<NationalId> {
        let parse = |text: &str| {
            let each = text.split_whitespace();
            each.map(|id| NationalId::parse(id, None, None).map(|(id, _)| id).map_err(id_fault))
                .collect()
        };
        self.parsed("former_ids", parse).unwrap_or_default()
    }

    fn phone(&mut self) -> Option<Phone> {
        let (phone, repairs) = self.parsed("phone", |text| Phone::parse(text).map_err(phone_fault))?;
        self.repairs.extend(&repairs);
        Some(phone)
    }

    /// A unit, by code or otherwise by name.
    fn unit(&mut self, column: &str) -> Option<UnitCode> {
        let (units, day) = (self.units, self.as_of);
        let (code, repair) = self.parsed(column, |text| {
            let code = UnitCode(strip_invisible(text));
            if units.get(&code).is_some() {
                let repair = (code.as_str().len() < text.len()).then_some(Repair::ZeroWidth);
                return Ok((code, repair));
            }
            let named = units.by_name(text, day).cloned();
            let named = named.map(|code| (code, Some(Repair::UnitByName)));
            named.ok_or(QuarantineReason::UnknownUnit)
        })?;
        if let Some(repair) = repair {
            self.repairs.add(repair);
        }
        Some(code)
    }

    /// Empties a bad cell of a citizen's account, so that the owner does not lose the login over it.
    fn or_emptied<T>(&mut self, repair: Repair, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.fault;
        let value = read(self);
        if self.fault != before {
            self.fault = before;
            self.repairs.add(repair);
        }
        value
    }

    /// A required value. Call it after the cells were parsed, so that a bad cell is reported before a missing one.
    fn required<T>(&mut self, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.wait(QuarantineReason::MissingField);
        }
        value
    }

    fn fits(&mut self, id: Option<NationalId>, born: Option<PartialDate>, gender: Option<Gender>) {
        if id.is_some_and(|id| !id.fits(born, gender)) {
            self.wait(QuarantineReason::IdDoesNotFit);
        }
    }

    fn unit_row(&mut self) -> Option<Unit> {
        let code = self.text("code");
        let parent = self.text("parent");
        let name = self.text("name");
        if name.as_deref().is_some_and(lost_in_transcoding) {
            self.wait(QuarantineReason::BadValue);
        }
        let kind = self.word("kind", UnitKind::parse);
        let (valid_from, valid_to) = (self.day("valid_from"), self.day("valid_to"));
        let successor = self.text("successor");
        Some(Unit {
            code: UnitCode(self.required(code)?),
            parent: parent.map(UnitCode),
            name: self.required(name)?,
            kind: self.required(kind)?,
            valid_from,
            valid_to,
            successor: successor.map(UnitCode),
        })
    }

    fn registry_row(&mut self) -> Option<RegistryRecord> {
        let national_id = self.national_id();
        let full_name = self.name("full_name");
        let birth_date = self.birth_date();
        let gender = self.word("gender", Gender::parse);
        let issued_on = self.day("issued_on");
        let phone = self.phone();
        let residence_unit = self.unit("residence_unit");
        let status = self.word("status", RegistryStatus::parse);
        let former_ids = self.former_ids();
        let (id, name, status) = (
            self.required(national_id)?,
            self.required(full_name)?,
            self.required(status)?,
        );
        self.fits(national_id, birth_date, gender);
        Some(RegistryRecord {
            national_id: id,
            full_name: name,
            birth_date,
            gender,
            issued_on,
            phone,
            residence_unit,
            status,
            former_ids,
        })
    }

    fn citizen_row(&mut self, hints: &std::cell::Cell<OwnerHints>) -> Option<AccountRow> {
        let account = self.account();
        hints.set(of_account(account.as_ref()));
        let username = self.text("username");
        let full_name = self.or_emptied(Repair::EmptiedName, |row| row.name("display_name"));
        let national_id = self.or_emptied(Repair::EmptiedNationalId, Self::national_id);
        let phone = self.or_emptied(Repair::EmptiedPhone, Self::phone);
        let email = self.text("email");
        let unit = self.or_emptied(Repair::EmptiedUnit, |row| row.unit("unit"));
        let (created_on, last_sign_in_on) = (self.day("created_on"), self.day("last_sign_in_on"));
        let password_hash = self.word("password_hash", password_hash);
        let held_reason = self.text("held_reason");
        Some(AccountRow {
            account: self.required(account)?,
            kind: AccountKind::Citizen,
            stated: AccountAttributes {
                username,
                full_name,
                birth_date: None,
                national_id,
                phone,
                phone_at: None,
                email,
                employee_code: None,
            },
            unit,
            created_on,
            last_sign_in_on,
            password_hash,
            held_reason,
        })
    }

    fn official_row(&mut self, hints: &std::cell::Cell<OwnerHints>) -> Option<AccountRow> {
        let account = self.account();
        hints.set(of_account(account.as_ref()));
        let username = self.text("username");
        let employee_code = self.text("employee_code");
        let full_name = self.name("full_name");
        let birth_date = self.birth_date();
        let national_id = self.national_id();
        let unit = self.unit("unit");
        let email = self.text("email");
        let phone = self.phone();
        let (created_on, last_sign_in_on) = (self.day("created_on"), self.day("last_sign_in_on"));
        let password_hash = self.word("password_hash", password_hash);
        let held_reason = self.text("held_reason");
        let kind = self.word("kind", |word| {
            AccountKind::parse(word).filter(|kind| matches!(kind, AccountKind::Official | AccountKind::Unit))
        });
        let (account, full_name, unit) = (self.required(account)?, self.required(full_name)?, self.required(unit)?);
        self.fits(national_id, birth_date, None);
        Some(AccountRow {
            account,
            kind: kind.unwrap_or(AccountKind::Official),
            stated: AccountAttributes {
                username,
                full_name: Some(full_name),
                birth_date,
                national_id,
                phone,
                phone_at: None,
                email,
                employee_code,
            },
            unit: Some(unit),
            created_on,
            last_sign_in_on,
            password_hash,
            held_reason,
        })
    }

    fn profile_row(&mut self, hints: &std::cell::Cell<OwnerHints>) -> Option<Profile> {
        let employee_code = self.text("employee_code");
        let full_name = self.name("full_name");
        let birth_date = self.birth_date();
        let gender = self.word("gender", Gender::parse);
        let national_id = self.national_id();
        let person_key = full_name
            .as_ref()
            .filter(|_| employee_code.is_none() && national_id.is_none());
        hints.set(OwnerHints {
            employee_code: employee_code.clone(),
            national_id,
            person_key: person_key.map(FullName::person_key),
        });
        let unit = self.unit("unit");
        let position = self.text("position");
        let kind = self.word("kind", ServiceKind::parse);
        let status = self.word("status", ServiceStatus::parse);
        let status_from = self.day("status_from");
        let phone = self.phone();
        let email = self.text("email");
        let (created_on, updated_on) = (self.day("created_on"), self.day("updated_on"));
        let (reviewed_on, next_due_on) = (self.day("reviewed_on"), self.day("next_due_on"));
        let next_due_item = self.word("next_due_item", DueItem::parse);
        let former_ids = self.former_ids();
        let (full_name, unit, status) = (self.required(full_name)?, self.required(unit)?, self.required(status)?);
        let key = (employee_code.is_some() || national_id.is_some()).then_some(());
        self.required(key)?;
        self.fits(national_id, birth_date, gender);
        Some(Profile {
            employee_code,
            full_name,
            birth_date,
            gender,
            national_id,
            unit,
            position,
            kind,
            status,
            status_from,
            phone,
            email,
            created_on,
            updated_on,
            reviewed_on,
            next_due_on,
            next_due_item,
            former_ids,
        })
    }

    fn notice_row(&mut self) -> Option<Notice> {
        let notice_no = self.text("notice_no");
        let national_id = self.national_id();
        let (from_unit, to_unit) = (self.unit("from_unit"), self.unit("to_unit"));
        let (effective_on, withdrawn_on) = (self.day("effective_on"), self.day("withdrawn_on"));
        Some(Notice {
            notice_no: self.required(notice_no)?,
            national_id: self.required(national_id)?,
            from_unit,
            to_unit: self.required(to_unit)?,
            effective_on: self.required(effective_on)?,
            withdrawn_on,
        })
    }
}

/// The clue to the owner of an account's row: the account id.
fn of_account(account: Option<&AccountId>) -> OwnerHints {
    OwnerHints {
        employee_code: account.map(ToString::to_string),
        ..OwnerHints::default()
    }
}

fn date_fault(fault: DateFault) -> QuarantineReason {
    match fault {
        DateFault::Bad | DateFault::ImpossibleYear => QuarantineReason::BadDate,
        DateFault::Ambiguous => QuarantineReason::AmbiguousDate,
    }
}

fn id_fault(fault: NationalIdFault) -> QuarantineReason {
    match fault {
        NationalIdFault::Bad => QuarantineReason::BadNationalId,
        NationalIdFault::OldCmnd => QuarantineReason::OldCmnd,
        NationalIdFault::LostDigits => QuarantineReason::LostDigits,
    }
}

fn phone_fault(fault: PhoneFault) -> QuarantineReason {
    match fault {
        PhoneFault::Bad => QuarantineReason::BadPhone,
        PhoneFault::Ambiguous => QuarantineReason::AmbiguousPhone,
    }
}

/// The hash schemes that sign-in supports: PHC strings, passlib's and Django's spellings of PBKDF2, bcrypt, LDAP's salted SHA.
fn password_hash(text: &str) -> Option<String> {
    const SCHEMES: [&str; 13] = [
        "$argon2id$",
        "$pbkdf2-sha256$",
        "$pbkdf2-sha512$",
        "$pbkdf2$",
        "pbkdf2_sha256$",
        "$scrypt$",
        "$2a$",
        "$2b$",
        "$2y$",
        "{SSHA}",
        "{SSHA256}",
        "{SSHA512}",
        "{PBKDF2",
    ];
    SCHEMES
        .iter()
        .any(|scheme| text.starts_with(scheme))
        .then(|| text.to_owned())
}
