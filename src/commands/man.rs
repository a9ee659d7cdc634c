//! `man` and `completions`: manual pages and completions, made from the command line's own definition and from the manual
//! of the settings.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use clap::Command;
use clap_mangen::Man;
use serde::Serialize;

use super::new_file::{Existing, NewFile};
use super::output;
use crate::app::AppError;
use crate::cli::help::HELP;
use crate::cli::man::{CompletionsArgs, ManArgs};
use crate::cli::{Cli, OutputFormat};
use crate::exit::Exit;
use crate::settings::MANUAL;
use rosterd_core::counted::counted_len;

/// The page about the configuration, by its file.
const CONFIGURATION: &str = "rosterd-config.5";

/// One manual page in the form that `man` reads.
#[derive(Serialize)]
struct Page {
    /// Its file, such as `rosterd-plan.1`.
    name: String,
    text: String,
}

#[derive(Serialize)]
struct Written {
    written: Vec<String>,
}

/// A script for a shell.
#[derive(Serialize)]
struct Completions {
    shell: String,
    script: String,
}

pub(super) fn run(cli: &Cli, arguments: &ManArgs) -> Result<Exit, AppError> {
    let pages = pages()?;
    if let Some(folder) = &arguments.to {
        let written = write_all(&pages, folder, Existing::of(arguments.replace))?;
        output::show(cli, &Written { written }, |it| {
            format!("{} in {}", counted_len(it.written.len(), "page"), folder.display())
        });
        return Ok(Exit::Done);
    }
    let wanted = match arguments.page.as_str() {
        "1" | "rosterd" => "rosterd.1".to_owned(),
        "5" | "config" => CONFIGURATION.to_owned(),
        command => format!("rosterd-{command}.1"),
    };
    let Some(page) = pages.iter().find(|page| page.name == wanted) else {
        let commands: Vec<&str> =
            pages.iter().filter_map(|page| page.name.strip_prefix("rosterd-")?.strip_suffix(".1")).collect();
        let known = commands.join(", ");
        let what = format!("there is no page {:?}: write 1, 5, or one of {known}", arguments.page);
        return Ok(output::refuse(cli, Exit::Usage, &what));
    };
    show(cli, page, &page.text);
    Ok(Exit::Done)
}

pub(super) fn completions(cli: &Cli, arguments: &CompletionsArgs) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::documented(), "rosterd", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let completions = Completions { shell: arguments.shell.to_string(), script };
    show(cli, &completions, &completions.script);
    Exit::Done
}

/// As JSON, or the text as it is: no command in it is about this installation.
fn show<T: Serialize>(cli: &Cli, document: &T, text: &str) {
    match cli.output {
        OutputFormat::Json => output::show(cli, document, |_| String::new()),
        OutputFormat::Text => output::print_unchanged(text),
    }
}

fn pages() -> anyhow::Result<Vec<Page>> {
    let mut pages = Vec::new();
    add_pages(&Cli::documented(), &mut pages)?;
    pages.push(Page { name: CONFIGURATION.to_owned(), text: configuration(MANUAL) });
    Ok(pages)
}

fn add_pages(command: &Command, pages: &mut Vec<Page>) -> anyhow::Result<()> {
    let man = Man::new(command.clone());
    let mut text = Vec::new();
    man.render(&mut text).context("a manual page cannot be made")?;
    pages.push(Page { name: man.get_filename(), text: String::from_utf8_lossy(&text).into_owned() });
    let commands = command.get_subcommands().filter(|command| command.get_name() != HELP);
    commands.into_iter().try_for_each(|command| add_pages(command, pages))
}

fn write_all(pages: &[Page], folder: &Path, existing: Existing) -> anyhow::Result<Vec<String>> {
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be created", folder.display()))?;
    let mut written = Vec::new();
    for Page { name, text } in pages {
        let path = folder.join(name);
        let mut file = NewFile::begin(&path, existing)?;
        file.write_all(text.as_bytes()).with_context(|| format!("{} cannot be written", path.display()))?;
        file.put_in_place()?;
        written.push(name.clone());
    }
    Ok(written)
}

/// The manual of the settings as a page: a section is a heading, a key an entry with what is said of it.
fn configuration(manual: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut page = format!(
        ".TH rosterd\\-config 5 \"\" \"rosterd {version}\"\n.SH NAME\nrosterd\\-config \\- every setting with its default\n\
         .SH DESCRIPTION\n"
    );
    let mut said: Vec<&str> = Vec::new();
    for line in manual.lines() {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        if let Some(section) = bare.strip_prefix('[').filter(|_| bare.ends_with(']')) {
            page.push_str(&format!(".SH \"[{}\"\n", escaped(section)));
            prose(&mut page, &mut said);
        } else if is_key(bare) {
            page.push_str(&format!(".TP\n.B {}\n", escaped(line)));
            prose(&mut page, &mut said);
        } else if let Some(comment) = line.strip_prefix('#') {
            said.push(comment.strip_prefix(' ').unwrap_or(comment));
        } else if line.is_empty() && page.ends_with("DESCRIPTION\n") {
            prose(&mut page, &mut said);
        }
    }
    prose(&mut page, &mut said);
    page
}

/// Whether this is a key with its value, also as an example in a comment.
fn is_key(line: &str) -> bool {
    line.split_once(" = ").is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'_')
    })
}

/// What was said so far; a line that is indented stays a line.
fn prose(page: &mut String, said: &mut Vec<&str>) {
    for line in said.drain(..) {
        if line.is_empty() {
            page.push_str(".PP\n");
            continue;
        }
        if line.starts_with("  ") {
            page.push_str(".br\n");
        }
        page.push_str(&format!("{}\n", escaped(line.trim_start())));
    }
}

/// A text in which nothing is taken for a request.
fn escaped(text: &str) -> String {
    let plain = text.replace('\\', "\\e").replace('-', "\\-").replace('"', "\\(dq");
    if plain.starts_with(['.', '\'']) { format!("\\&{plain}") } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::keys_of_the_manual;

    #[test]
    fn every_command_has_a_page_and_the_page_of_the_configuration_has_every_key() {
        let pages = pages().unwrap();
        let named = |name: &str| pages.iter().find(|page| page.name == name).map(|page| page.text.as_str());
        for name in ["rosterd.1", "rosterd-plan.1", "rosterd-failures-retry.1", "rosterd-import-csv.1"] {
            assert!(named(name).is_some_and(|text| text.contains(".SH")), "{name}");
        }
        assert!(!pages.iter().any(|page| page.name.contains("help")), "help is no command of ours");
        assert!(named("rosterd.1").unwrap().contains("143"), "exit codes");
        let page = named(CONFIGURATION).unwrap();
        let mut entries = 0;
        for key in keys_of_the_manual() {
            let name = key.rsplit('.').next().unwrap();
            let entry =
                page.lines().any(|line| line.starts_with(".B ") && line.contains(&format!("{name} = ")));
            assert!(entry || key == "exam.fields", "{key}");
            entries += usize::from(entry);
        }
        assert!(entries > 50, "{entries}");
    }

    #[test]
    fn nothing_of_a_text_is_taken_for_a_request() {
        assert_eq!(escaped(".TP \\n \"x\" a-b"), "\\&.TP \\en \\(dqx\\(dq a\\-b");
        let page =
            configuration("# What it is.\n\n[one]\n# said\n#   of it\nkey = 1\n# [import.NAME]\n# x = 2\n");
        let expected = "What it is.\n.SH \"[one]\"\n.TP\n.B key = 1\nsaid\n.br\nof it\n.SH \"[import.NAME]\"\n.TP\n.B # x = 2\n";
        assert!(page.ends_with(expected), "{page}");
    }
}
