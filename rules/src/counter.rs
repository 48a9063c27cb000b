//! The counters where people get help, as an office lists them.

/// A counter ("quầy hỗ trợ"), as the sign on its door describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    /// The name.
    pub name: String,
    /// The postal address.
    pub address: String,
    /// The opening hours.
    pub hours: String,
    /// The phone number as people write it. Empty if it has none.
    pub phone: String,
}

impl Counter {
    /// Parses a list of counters, one per line: name, address, hours and optionally a phone, separated by `;`. `Err` is the number of the
    /// first bad line, counted from 1.
    pub fn read(list: &str) -> Result<Vec<Self>, usize> {
        let lines = (1..).zip(list.lines()).filter(|(_, line)| !line.trim().is_empty());
        lines.map(|(at, line)| Self::of(line).ok_or(at)).collect()
    }

    fn of(line: &str) -> Option<Self> {
        let cells: Vec<&str> = line.split(';').map(str::trim).collect();
        let (name, address, hours, phone) = match cells[..] {
            [name, address, hours] => (name, address, hours, ""),
            [name, address, hours, phone] => (name, address, hours, phone),
            _ => return None,
        };
        let one = Self {
            name: name.to_owned(),
            address: address.to_owned(),
            hours: hours.to_owned(),
            phone: phone.to_owned(),
        };
        let is_number = |c: char| c.is_ascii_digit() || "+ .()-".contains(c);
        let whole = ![name, address, hours].contains(&"") && !line.contains(char::is_control);
        (whole && phone.chars().all(is_number)).then_some(one)
    }

    /// The counter as a line of the list.
    pub fn line(&self) -> String {
        let cells = [&self.name, &self.address, &self.hours, &self.phone];
        cells.map(String::as_str).join("; ").trim_end_matches("; ").to_owned()
    }

    /// The phone number as a link dials it (RFC 3966).
    pub fn tel(&self) -> Option<String> {
        let digits: String = self.phone.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
        (!digits.is_empty()).then(|| format!("tel:{digits}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Counter;

    /// A list of counters has one counter a line, and the error names the bad line.
    #[test]
    fn counter_list_parses_one_counter_per_line() {
        let list = "Trung tâm A; 1 Lê Lợi, phường B; thứ Hai đến thứ Sáu, 7:30 đến 17:00; 0234 3 123 456\n\n Xã C ;thôn D;sáng thứ Bảy \n";
        let read = Counter::read(list).unwrap();
        assert_eq!(
            (read[0].address.as_str(), read[1].name.as_str()),
            ("1 Lê Lợi, phường B", "Xã C")
        );
        assert_eq!(read[0].tel().as_deref(), Some("tel:02343123456"));
        assert_eq!((read[1].phone.as_str(), read[1].tel()), ("", None));
        assert_eq!(read[1].line(), "Xã C; thôn D; sáng thứ Bảy");
        let lines: Vec<String> = read.iter().map(Counter::line).collect();
        assert_eq!(
            Counter::read(&lines.join("\n")).unwrap(),
            read,
            "what is kept is read again"
        );
        for (bad, at) in [
            ("A; B", 1),
            ("A;B;C\n;B;C", 2),
            ("A;B;C;gọi anh Ba", 1),
            ("A;B;C;1;2", 1),
        ] {
            assert_eq!(Counter::read(bad), Err(at), "{bad}");
        }
        assert_eq!(Counter::read(""), Ok(Vec::new()));
    }
}
