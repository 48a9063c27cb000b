//! Recognises by its first bytes a file that is not canonical CSV, so that the error can name the format and what to do about it.

/// The format of a file that is not canonical CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// A spreadsheet or another packed format: `.xlsx`, `.xls`, `.ods`.
    Spreadsheet,
    /// A web page. Reports saved as `.xls` often are web pages.
    WebPage,
    /// Text in UTF-16, which Excel calls Unicode text.
    Utf16,
    /// Text whose cells are separated by another character than a comma.
    Separated(char),
    /// Text that starts with `sep=`, a line for Excel.
    SeparatorLine,
}

impl FileFormat {
    /// Recognises the format by the start of the file. `None` if it may be canonical CSV.
    pub(crate) fn of(start: &[u8]) -> Option<Self> {
        const PACKED: [&[u8]; 2] = [b"PK\x03\x04", b"\xd0\xcf\x11\xe0"];
        if PACKED.iter().any(|magic| start.starts_with(magic)) {
            return Some(Self::Spreadsheet);
        }
        if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") || has_every_second_nul(start) {
            return Some(Self::Utf16);
        }
        let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
        if start.starts_with(b"<") {
            return Some(Self::WebPage);
        }
        let line = start
            .split(|byte| matches!(byte, b'\n' | b'\r'))
            .next()
            .unwrap_or_default();
        let bare = line.strip_prefix(b"\"").unwrap_or(line);
        if bare.get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"sep=")) {
            return Some(Self::SeparatorLine);
        }
        let count = |separator: char| {
            outside_quotes(line)
                .filter(|byte| char::from(*byte) == separator)
                .count()
        };
        let (most, separator) = [';', '\t', '|'].map(|other| (count(other), other)).into_iter().max()?;
        (most > count(',')).then_some(Self::Separated(separator))
    }
}

/// Detects UTF-16 without a byte order mark: headings are ASCII, so every second byte is zero.
fn has_every_second_nul(start: &[u8]) -> bool {
    let start = &start[..start.len().min(32)];
    let nul = |first: usize| start.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (nul(0), nul(1));
    start.len() >= 4 && even.min(odd) == 0 && even.max(odd) > start.len() / 4
}

fn outside_quotes(line: &[u8]) -> impl Iterator<Item = u8> {
    let mut quoted = false;
    line.iter().copied().filter(move |byte| {
        quoted ^= *byte == b'"';
        !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each foreign file format is recognised by its first bytes.
    #[test]
    fn file_format_recognised_by_first_bytes() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let utf16_be = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
        for (start, format) in [
            (b"PK\x03\x04\x14\x00".to_vec(), FileFormat::Spreadsheet),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(), FileFormat::Spreadsheet),
            (b"\n<html xmlns:o=".to_vec(), FileFormat::WebPage),
            (utf16("\u{feff}code,parent"), FileFormat::Utf16),
            (utf16("code,parent,name"), FileFormat::Utf16),
            (utf16_be("Mã\tĐơn vị trên\tTên"), FileFormat::Utf16),
            (b"code;parent;name\r\nA,B;C;D".to_vec(), FileFormat::Separated(';')),
            ("\u{feff}mã;\"tên, đơn vị\";loại\n".into(), FileFormat::Separated(';')),
            (b"code\tparent\tname".to_vec(), FileFormat::Separated('\t')),
            (b"code|parent|name".to_vec(), FileFormat::Separated('|')),
            (b"sep=,\ncode,parent".to_vec(), FileFormat::SeparatorLine),
            ("\u{feff}\"SEP=;\"\r\ncode;parent".into(), FileFormat::SeparatorLine),
        ] {
            assert_eq!(
                FileFormat::of(&start),
                Some(format),
                "{:?}",
                String::from_utf8_lossy(&start)
            );
        }
    }

    /// A file that may be canonical CSV is taken for no other format.
    #[test]
    fn possible_csv_not_taken_for_another_format() {
        for start in [
            "",
            "\n",
            "\u{feff}",
            "\0",
            "code",
            "code,parent,name\nA;B;C;D;E,,",
            "\"a;b\",c",
            "notice_no,\"to;unit\"\n",
        ] {
            assert_eq!(FileFormat::of(start.as_bytes()), None, "{start:?}");
        }
    }
}
