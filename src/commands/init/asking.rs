//! How questions are asked and answered: on a terminal, by lines that another program writes, or not at all.

use std::io::{BufRead as _, IsTerminal as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::mpsc::{Receiver, channel};

use super::InitError;
use crate::commands::output;

/// A question, and the option that answers it too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    pub(super) text: &'static str,
    pub(super) option: &'static str,
}

/// Asks for answers, one line each.
pub(super) struct Asker {
    /// The lines of standard input; absent where nothing is asked.
    lines: Option<Receiver<String>>,
}

impl Asker {
    pub(super) fn new(non_interactive: bool) -> Self {
        Self { lines: (!non_interactive).then(lines_of_standard_input) }
    }

    /// Whether a wrong answer can be mended.
    pub(super) fn is_there(&self) -> bool {
        self.lines.is_some()
    }

    /// A text; Enter alone takes the proposal, where there is one.
    pub(super) async fn text(
        &mut self,
        question: Question,
        proposal: Option<&str>,
    ) -> Result<String, InitError> {
        loop {
            let answer = self.line(question, proposal).await?;
            match (answer.is_empty(), proposal) {
                (false, _) => return Ok(answer),
                (true, Some(proposal)) => return Ok(proposal.to_owned()),
                (true, None) => output::say("  an answer is needed here"),
            }
        }
    }

    /// A secret: what is typed on a terminal is not shown.
    pub(super) async fn secret(&mut self, question: Question) -> Result<String, InitError> {
        let _dark = Dark::begin();
        let answer = self.text(question, None).await;
        // The terminal did not show the end of the line either.
        output::say("");
        answer
    }

    /// Yes or no.
    pub(super) async fn is_yes(&mut self, question: Question, proposal: bool) -> Result<bool, InitError> {
        loop {
            let shown = if proposal { "yes" } else { "no" };
            let answer = self.text(question, Some(shown)).await?.to_lowercase();
            match answer.as_str() {
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => output::say("  write yes or no"),
            }
        }
    }

    async fn line(&mut self, question: Question, proposal: Option<&str>) -> Result<String, InitError> {
        let Some(lines) = &mut self.lines else {
            return Err(InitError::Missing { option: question.option });
        };
        let shown = proposal.map_or_else(String::new, |proposal| format!(" [{proposal}]"));
        output::prompt(&format!("{}{shown}: ", question.text));
        match lines.recv().await {
            Some(line) => Ok(line.trim().to_owned()),
            None => Err(InitError::Ended { option: question.option }),
        }
    }
}

/// A thread of its own, which nobody waits for: reading a terminal cannot be cut off.
fn lines_of_standard_input() -> Receiver<String> {
    let (sender, receiver) = channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// A terminal that does not show what is typed, as long as this lives.
struct Dark(Option<Termios>);

impl Dark {
    fn begin() -> Self {
        let stdin = std::io::stdin();
        if !stdin.is_terminal() {
            return Self(None);
        }
        let Ok(usual) = tcgetattr(&stdin) else { return Self(None) };
        let mut dark = usual.clone();
        dark.local_modes.remove(LocalModes::ECHO);
        let is_dark = tcsetattr(&stdin, OptionalActions::Now, &dark).is_ok();
        Self(is_dark.then_some(usual))
    }
}

impl Drop for Dark {
    fn drop(&mut self) {
        if let Some(usual) = &self.0 {
            // Where the terminal is gone, nobody misses it.
            let _gone = tcsetattr(std::io::stdin(), OptionalActions::Now, usual);
        }
    }
}
