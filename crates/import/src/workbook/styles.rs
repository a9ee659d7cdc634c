//! The styles of an `.xlsx`: how numbers are shown, and which cells are struck out.

use super::number_format::NumberFormat;
use super::xml::{Archive, Fault, Part, Piece, attribute};

/// Formats, fonts and styles that are looked at.
const MOST_STYLES: usize = 70_000;

/// The styles of cells, by their numbers.
#[derive(Default)]
pub(super) struct Styles {
    formats: Vec<NumberFormat>,
    struck: Vec<bool>,
}

impl Styles {
    pub(super) fn read(archive: &mut Archive, path: &str) -> Result<Self, Fault> {
        let (mut named, mut fonts, mut styles) = (Vec::new(), Vec::new(), Self::default());
        let Some(mut part) = Part::open(archive, path)? else { return Ok(styles) };
        let (mut is_of_cells, mut is_of_fonts) = (false, false);
        loop {
            match part.next()? {
                Piece::Eof => return Ok(styles),
                Piece::Start(name, attributes) => {
                    let number =
                        |name: &str| attribute(&attributes, name).and_then(|id| id.parse::<u32>().ok());
                    match name.as_str() {
                        "numFmt" if named.len() < MOST_STYLES => {
                            let text = attribute(&attributes, "formatCode").unwrap_or_default();
                            named.push((number("numFmtId").unwrap_or_default(), NumberFormat::parse(text)));
                        }
                        "fonts" => is_of_fonts = true,
                        "font" if is_of_fonts && fonts.len() < MOST_STYLES => fonts.push(false),
                        "strike" if is_of_fonts => {
                            let is_off = matches!(attribute(&attributes, "val"), Some("0" | "false"));
                            fonts.last_mut().into_iter().for_each(|font| *font = !is_off);
                        }
                        "cellXfs" => is_of_cells = true,
                        "xf" if is_of_cells && styles.formats.len() < MOST_STYLES => {
                            let format = number("numFmtId").unwrap_or_default();
                            let own = named.iter().find(|(found, _)| *found == format);
                            let format = own
                                .map_or_else(|| NumberFormat::built_in(format), |(_, format)| format.clone());
                            styles.formats.push(format);
                            let font = number("fontId").and_then(|font| usize::try_from(font).ok());
                            let is_struck = font.and_then(|font| fonts.get(font)).copied();
                            styles.struck.push(is_struck.unwrap_or_default());
                        }
                        _ => {}
                    }
                }
                Piece::End(name) if name == "cellXfs" => is_of_cells = false,
                Piece::End(name) if name == "fonts" => is_of_fonts = false,
                Piece::End(_) | Piece::Text(_) => {}
            }
        }
    }

    /// How a style shows numbers.
    pub(super) fn format(&self, style: usize) -> &NumberFormat {
        self.formats.get(style).unwrap_or(&NumberFormat::Plain)
    }

    /// Whether a style draws a line through the text.
    pub(super) fn is_struck(&self, style: usize) -> bool {
        self.struck.get(style).copied().unwrap_or_default()
    }
}
