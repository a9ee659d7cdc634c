//! A page of the listing in just the documented shape, read without building anything of it.
//!
//! Contract: docs/contracts/onlineexammaker.md, 3.7. Whatever departs from the sample in more than order and blanks (a
//! number in the place of a text, a name that is not documented, a name twice) is not read here: then the page is read as
//! every other answer is, which is slower and knows all spellings.

use std::borrow::Cow;

use super::label::Labels;
use rosterd_core::exam_plan::ListedPage;
use rosterd_core::roster::FieldId;

/// No number on a page has more digits.
const MOST_DIGITS: usize = 18;

/// Reads the rows of a page and their labels; the total of the account, or `None` where the body is not of that shape.
/// Then `page` and `labels` hold a part of it.
pub(super) fn read(body: &[u8], page: &mut ListedPage, labels: &mut Labels) -> Option<u64> {
    let mut cursor = Cursor { text: std::str::from_utf8(body).ok()?, at: 0 };
    let (mut total, mut has_data, mut is_ok) = (None, false, false);
    cursor.members(|cursor, name| match name {
        "data" if !has_data => {
            has_data = true;
            cursor.elements(|cursor| cursor.row(page, labels))
        }
        "status" if !is_ok => {
            is_ok = cursor.string()?.eq_ignore_ascii_case("ok");
            is_ok.then_some(())
        }
        "total" if total.is_none() => {
            total = Some(cursor.number()?);
            Some(())
        }
        _ => None,
    })?;
    cursor.blanks();
    let is_whole = has_data && is_ok && cursor.at == cursor.text.len();
    total.filter(|_| is_whole).and_then(|total| u64::try_from(total).ok())
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn row(&mut self, page: &mut ListedPage, labels: &mut Labels) -> Option<()> {
        let (mut login, mut has_fields) = (None, false);
        page.clear_values();
        self.members(|cursor, name| match name {
            "loginValue" if login.is_none() => {
                login = Some(cursor.string()?);
                Some(())
            }
            "fields" if !has_fields => {
                has_fields = true;
                cursor.elements(|cursor| cursor.field(page, labels))
            }
            _ => None,
        })?;
        page.end_row(&login?);
        Some(())
    }

    fn field(&mut self, page: &mut ListedPage, labels: &mut Labels) -> Option<()> {
        let (mut id, mut label, mut value) = (None, None, None);
        self.members(|cursor, name| {
            match name {
                "sFid" if id.is_none() => id = Some(FieldId(cursor.number()?)),
                "label" if label.is_none() => label = Some(cursor.string()?),
                "value" if value.is_none() => value = Some(cursor.string()?),
                _ => return None,
            }
            Some(())
        })?;
        let id = id?;
        if let Some(label) = label {
            labels.note_text(id, &label);
        }
        page.value(id, &value?);
        Some(())
    }

    /// Reads an object, and gives its members' names to `member`, which reads the value.
    fn members(&mut self, mut member: impl FnMut(&mut Self, &str) -> Option<()>) -> Option<()> {
        self.expect(b'{')?;
        if self.takes(b'}') {
            return Some(());
        }
        loop {
            let name = self.plain_string()?;
            self.expect(b':')?;
            member(self, name)?;
            if !self.takes(b',') {
                return self.expect(b'}');
            }
        }
    }

    /// Reads a list, whose elements `element` reads.
    fn elements(&mut self, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.expect(b'[')?;
        if self.takes(b']') {
            return Some(());
        }
        loop {
            element(self)?;
            if !self.takes(b',') {
                return self.expect(b']');
            }
        }
    }

    /// A text; one with escapes is left to the general reader.
    fn string(&mut self) -> Option<Cow<'a, str>> {
        let from = self.begin_string()?;
        let mut is_plain = true;
        loop {
            match self.skip_text()? {
                b'"' => break,
                // The sign after it is part of the escape, whatever it is.
                b'\\' => (is_plain, self.at) = (false, self.at + 1),
                _ => return None,
            }
        }
        if is_plain {
            return self.text.get(from..self.at.checked_sub(1)?).map(Cow::Borrowed);
        }
        let quoted = self.text.get(from.checked_sub(1)?..self.at)?;
        serde_json::from_str(quoted).ok().map(Cow::Owned)
    }

    /// A text without escapes.
    fn plain_string(&mut self) -> Option<&'a str> {
        let from = self.begin_string()?;
        let end = self.skip_text()?;
        (end == b'"').then(|| self.text.get(from..self.at.checked_sub(1)?)).flatten()
    }

    fn begin_string(&mut self) -> Option<usize> {
        self.expect(b'"')?;
        Some(self.at)
    }

    /// Goes behind the next quote, backslash or control character, which it returns.
    fn skip_text(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let skipped = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
        self.at += skipped + 1;
        rest.get(skipped).copied()
    }

    /// A whole number without sign, fraction or leading zero.
    fn number(&mut self) -> Option<i64> {
        self.blanks();
        let rest = self.text.get(self.at..)?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number = rest.get(..digits).filter(|number| digits == 1 || !number.starts_with('0'))?;
        let is_whole = !matches!(rest.as_bytes().get(digits), Some(b'.' | b'e' | b'E'));
        self.at += digits;
        (digits <= MOST_DIGITS && is_whole).then(|| number.parse().ok()).flatten()
    }

    fn blanks(&mut self) {
        while matches!(self.text.as_bytes().get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn takes(&mut self, byte: u8) -> bool {
        self.blanks();
        let is_there = self.text.as_bytes().get(self.at) == Some(&byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.takes(byte).then_some(())
    }
}
