//! Text into rows of fields, each with the line it starts in. It knows nothing of what the columns mean.

use csv::{ReaderBuilder, StringRecord};

/// Closes every text before it is parsed: if it does not come back as a row of its own, a quote was left
/// open and swallowed the rest of the file. Text holds no zero byte when it gets here.
const END: &str = "\0end";

/// A row that cannot be taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RowFault {
    pub(super) line: u64,
    pub(super) code: &'static str,
    pub(super) message: String,
}

/// A row with as many fields as there are headers.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) fields: StringRecord,
}

/// A text that is ready to be taken apart.
pub(super) struct Sheet {
    text: String,
    delimiter: u8,
}

impl Sheet {
    /// Takes text with LF line ends and finds out what separates its fields.
    pub(super) fn new(mut text: String) -> Self {
        let delimiter = sniff_delimiter(&text);
        text.push('\n');
        text.push_str(END);
        text.push('\n');
        Self { text, delimiter }
    }

    /// The headers, trimmed, and the rows below them; `None` when the file is empty.
    pub(super) fn open(&self) -> Result<Option<(Headers, Rows<'_>)>, RowFault> {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .from_reader(self.text.as_bytes());
        let mut rows = Rows { reader, text: &self.text, scanned: 0, line: 1, width: 0 };
        let Some(first) = rows.next_record()? else {
            return Ok(None);
        };
        let mut names: Vec<String> =
            first.fields.iter().map(|name| crate::roster::normalise(name).into_owned()).collect();
        while names.last().is_some_and(String::is_empty) {
            names.pop();
        }
        rows.width = names.len();
        Ok(Some((Headers { line: first.line, names }, rows)))
    }
}

/// The first row of a file.
#[derive(Debug)]
pub(super) struct Headers {
    pub(super) line: u64,
    pub(super) names: Vec<String>,
}

/// The rows below the headers.
pub(super) struct Rows<'t> {
    reader: csv::Reader<&'t [u8]>,
    text: &'t str,
    scanned: usize,
    line: u64,
    width: usize,
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, RowFault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let row = match self.next_record() {
                Ok(row) => row?,
                Err(fault) => return Some(Err(fault)),
            };
            if row.fields.iter().all(|field| field.trim().is_empty()) {
                continue;
            }
            return Some(self.fitted(row));
        }
    }
}

impl Rows<'_> {
    fn next_record(&mut self) -> Result<Option<Row>, RowFault> {
        let mut fields = StringRecord::new();
        let read = self.reader.read_record(&mut fields);
        let start = fields
            .position()
            .map_or(self.scanned, |position| usize::try_from(position.byte()).unwrap_or(self.scanned));
        let line = self.line_at(start);
        let fault = |code, message: &str| RowFault { line, code, message: message.to_owned() };
        match read {
            Err(_) => return Err(fault("broken-row", "the row cannot be taken apart")),
            Ok(false) => return Ok(None),
            Ok(true) => {}
        }
        let swallowed = fields.iter().any(|field| field.contains(END));
        match (swallowed, fields.len()) {
            (true, 1) if fields.get(0) == Some(END) => Ok(None),
            (true, _) => {
                Err(fault("open-quote", "a quote is opened in this row and closed nowhere below it"))
            }
            (false, _) => Ok(Some(Row { line, fields })),
        }
    }

    /// The line of a row that the parser says begins at a byte: it counts the empty lines before a row in.
    fn line_at(&mut self, start: usize) -> u64 {
        let passed = self.text.as_bytes().get(self.scanned..start).unwrap_or_default();
        let breaks = passed.iter().filter(|&&byte| byte == b'\n').count();
        let ahead = self.text.as_bytes().get(start..).unwrap_or_default();
        let empty = ahead.iter().take_while(|&&byte| byte == b'\n').count();
        self.scanned = start + empty;
        self.line += u64::try_from(breaks + empty).unwrap_or_default();
        self.line
    }

    fn fitted(&self, mut row: Row) -> Result<Row, RowFault> {
        let found = row.fields.len();
        let surplus_is_empty = row.fields.iter().skip(self.width).all(|field| field.trim().is_empty());
        if found < self.width || !surplus_is_empty {
            return Err(RowFault {
                line: row.line,
                code: "field-count",
                message: format!("the row has {found} fields where the header has {}", self.width),
            });
        }
        row.fields.truncate(self.width);
        Ok(row)
    }
}

/// The separator that the first line has most of, outside quotes; a comma where there is none.
fn sniff_delimiter(text: &str) -> u8 {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let mut counts = [(b',', 0_u32), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in header.bytes() {
        quoted ^= byte == b'"';
        for (delimiter, count) in &mut counts {
            *count += u32::from(!quoted && byte == *delimiter);
        }
    }
    let mut best = (b',', 0);
    for candidate in counts {
        if candidate.1 > best.1 {
            best = candidate;
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row's line with its fields, or with the code of what is wrong.
    type Seen = (u64, Result<Vec<String>, &'static str>);

    fn rows_of(text: &str) -> Vec<Seen> {
        let sheet = Sheet::new(text.to_owned());
        let (_, rows) = sheet.open().unwrap().unwrap();
        rows.map(|row| match row {
            Ok(row) => (row.line, Ok(row.fields.iter().map(str::to_owned).collect())),
            Err(fault) => (fault.line, Err(fault.code)),
        })
        .collect()
    }

    fn good(line: u64, fields: &[&str]) -> Seen {
        (line, Ok(fields.iter().map(|&field| field.to_owned()).collect()))
    }

    #[test]
    fn a_row_carries_the_line_it_starts_in_past_empty_lines_and_quoted_ones() {
        let rows = rows_of("\na,b\n\n1,\"x\ny\"\n\n\n2,z\n,\n3,w");
        assert_eq!(rows, [good(4, &["1", "x\ny"]), good(8, &["2", "z"]), good(10, &["3", "w"])]);
    }

    #[test]
    fn a_quote_that_is_never_closed_is_reported_where_it_opens() {
        assert_eq!(rows_of("a,b\n1,x\n2,\"y\n3,z\n"), [good(2, &["1", "x"]), (3, Err("open-quote"))]);
    }

    #[test]
    fn a_row_of_another_width_is_bad_unless_only_empty_fields_are_too_many() {
        assert_eq!(
            rows_of("a,b,,\n1\n1,2,,\n1,2,3,4\n"),
            [(2, Err("field-count")), good(3, &["1", "2"]), (4, Err("field-count"))]
        );
    }

    #[test]
    fn the_separator_is_found_outside_quotes() {
        for (header, delimiter) in
            [("a,b", b','), ("a;b", b';'), ("a\tb", b'\t'), ("\"a,b,c\";d", b';'), ("a", b',')]
        {
            assert_eq!(sniff_delimiter(header), delimiter, "{header}");
        }
    }

    #[test]
    fn an_empty_file_has_no_headers() {
        assert!(Sheet::new("\n\n".to_owned()).open().unwrap().is_none());
    }
}
