//! XML of a workbook's parts, piece by piece: no text of it may be longer than a cell ever is, so that a part of
//! gigabytes takes no more memory than a small one.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use zip::ZipArchive;

use crate::bundle::Unpacked;

/// Bytes that one piece of XML may take: a cell holds 32,767 letters at most.
const LONGEST_PIECE: usize = 1 << 20;

/// Why a workbook cannot be read, as a sentence.
pub(super) type Fault = String;

/// The archive of a workbook.
pub(super) type Archive = ZipArchive<BufReader<File>>;

/// One part of a workbook.
pub(super) struct Part<'a> {
    reader: Reader<Metered<BufReader<Box<dyn Read + 'a>>>>,
    buffer: Vec<u8>,
    /// Elements that are begun and not ended.
    depth: u64,
}

/// Something that a part says.
pub(super) enum Piece {
    /// An element begins; its attributes are by name, without a prefix.
    Start(String, Vec<(String, String)>),
    End(String),
    Text(String),
    Eof,
}

impl<'a> Part<'a> {
    /// Opens a part by its path in the archive, in any case; `None` where there is none.
    pub(super) fn open(archive: &'a mut Archive, path: &str) -> Result<Option<Self>, Fault> {
        let path = path.trim_start_matches('/').replace('\\', "/");
        let Some(at) = place(archive, &path) else { return Ok(None) };
        let entry = archive.by_index(at).map_err(|error| cannot(&error))?;
        let entry: Box<dyn Read + 'a> = Box::new(Unpacked::new(entry));
        let metered = Metered { inner: BufReader::with_capacity(64 << 10, entry), left: LONGEST_PIECE };
        let mut reader = Reader::from_reader(metered);
        reader.config_mut().expand_empty_elements = true;
        Ok(Some(Self { reader, buffer: Vec::new(), depth: 0 }))
    }

    /// The next piece. Comments and the like are passed over.
    pub(super) fn next(&mut self) -> Result<Piece, Fault> {
        loop {
            self.buffer.clear();
            self.reader.get_mut().left = LONGEST_PIECE;
            let event = self.reader.read_event_into(&mut self.buffer).map_err(|error| cannot(&error))?;
            return Ok(match event {
                Event::Start(start) | Event::Empty(start) => {
                    let attributes = attributes(&start)?;
                    self.depth += 1;
                    Piece::Start(start.local_name().as_ref().to_owned(), attributes)
                }
                Event::End(end) => {
                    self.depth = self.depth.saturating_sub(1);
                    Piece::End(end.local_name().as_ref().to_owned())
                }
                Event::Text(text) => Piece::Text(text.xml10_content().into_owned()),
                Event::CData(text) => Piece::Text(text.xml10_content().into_owned()),
                Event::GeneralRef(reference) => {
                    let letter = reference.resolve_char_ref().map_err(|error| cannot(&error))?;
                    Piece::Text(match letter {
                        Some(letter) => letter.to_string(),
                        None => named(&reference.xml10_content()).unwrap_or_default().to_owned(),
                    })
                }
                Event::Eof if self.depth > 0 => return Err(CUT_OFF.to_owned()),
                Event::Eof => Piece::Eof,
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => continue,
            });
        }
    }
}

/// A value among attributes.
pub(super) fn attribute<'a>(attributes: &'a [(String, String)], name: &str) -> Option<&'a str> {
    attributes.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}

fn attributes(start: &BytesStart<'_>) -> Result<Vec<(String, String)>, Fault> {
    let mut found = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| cannot(&error))?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| cannot(&error))?;
        found.push((attribute.key.local_name().as_ref().to_owned(), value.into_owned()));
    }
    Ok(found)
}

fn named(entity: &str) -> Option<&'static str> {
    Some(match entity {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => return None,
    })
}

/// The number of an entry in the archive.
fn place(archive: &Archive, path: &str) -> Option<usize> {
    let exact = archive.index_for_name(path);
    exact.or_else(|| {
        let alike = |name: &str| name.replace('\\', "/").eq_ignore_ascii_case(path);
        archive.file_names().position(|name| name.is_ok_and(|name| alike(&name)))
    })
}

const CUT_OFF: &str =
    "a part of it ends in the middle, as in a file that was cut off: export or copy it again";

/// Never shows bytes of the file: they may be somebody's.
pub(super) fn cannot(error: &dyn std::fmt::Display) -> Fault {
    let text = error.to_string();
    if text.contains(TOO_LONG) {
        return "a cell holds more than 1 MiB: the workbook is damaged, or made to harm".to_owned();
    }
    if text.contains("unpacks to more") {
        return "it unpacks to more than it claims: it is damaged, or made to harm".to_owned();
    }
    "a part of it is damaged: open it in a spreadsheet program and save it again".to_owned()
}

const TOO_LONG: &str = "too long a piece";

/// A reader that gives no more than it is allowed to.
struct Metered<R> {
    inner: R,
    left: usize,
}

impl<R: BufRead> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Metered<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(io::Error::other(TOO_LONG));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount);
        self.inner.consume(amount);
    }
}
