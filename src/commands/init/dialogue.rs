//! The questions in their order. An answer that fails when it is tried is asked for again, where somebody is there.

use std::path::PathBuf;

use super::answers::{Answers, ClassinAnswers, ExamAnswers, Secret};
use super::asking::{Asker, Question};
use super::place::{IMPORTED, Place};
use super::proposals::{field_of, fitting, proposed_column, proposed_fields, with_login};
use super::trials::{self, RosterLook, Trouble};
use super::{Finding, InitError};
use crate::cli::init::InitArgs;
use crate::commands::output;
use crate::run::AccountLook;
use crate::settings::{SecretVariables, is_this_machine};
use rosterd_core::counted::counted;

const EXAM_ADDRESS: Question =
    Question { text: "Address of the exam service, or of a sandbox", option: "--exam-address" };
const EXAM_CODE: Question = Question {
    text: "Verification code of the exam account (not shown; @FILE names a file that holds it)",
    option: "--exam-code-file",
};
const ROSTER: Question =
    Question { text: "Roster: a database, or a list to import (.csv, .xlsx, .ods)", option: "--roster" };
const LOGIN_FIELD: Question = Question {
    text: "Field of the exam side that people log in with, by label or number",
    option: "--login-field",
};
const LOGIN_COLUMN: Question =
    Question { text: "Column of the roster that holds what they log in with", option: "--login-column" };
const FIELDS: Question = Question {
    text: "Columns that are kept in step, as COLUMN=FIELD with blanks between",
    option: "--field",
};
const CREATE_GROUPS: Question =
    Question { text: "Let runs create the groups that have no gid", option: "--create-groups" };
const CLASSIN: Question = Question { text: "Keep the classes in step in ClassIn", option: "--classin" };
const CLASSIN_ADDRESS: Question =
    Question { text: "Address of ClassIn, or of a sandbox", option: "--classin-address" };
const CLASSIN_SID: Question = Question { text: "The school's id in ClassIn (SID)", option: "--classin-sid" };
const CLASSIN_SECRET: Question = Question {
    text: "The school's secret in ClassIn (not shown; @FILE names a file that holds it)",
    option: "--classin-secret-file",
};
const KEEP: Question = Question { text: "Keep this answer all the same", option: "--even-if-failing" };

const EXAM: &str = "https://api.onlineexammaker.com";
const CLASSIN_SERVICE: &str = "https://api.eeo.cn";

/// The dialogue and what came of it so far.
pub(super) struct Dialogue<'a> {
    arguments: &'a InitArgs,
    asker: Asker,
    pub(super) place: Place,
    pub(super) answers: Answers,
    pub(super) findings: Vec<Finding>,
}

impl<'a> Dialogue<'a> {
    /// Whether somebody has seen the findings already.
    pub(super) fn is_told(&self) -> bool {
        self.asker.is_there()
    }

    pub(super) fn new(arguments: &'a InitArgs, place: Place) -> Self {
        let answers = Answers { time_zone: arguments.time_zone.clone(), ..Answers::default() };
        let asker = Asker::new(arguments.non_interactive);
        Self { arguments, asker, place, answers, findings: Vec::new() }
    }

    /// Asks everything.
    pub(super) async fn hold(mut self) -> Result<Self, InitError> {
        let account = if self.arguments.without_exam { None } else { self.account().await? };
        let roster = self.roster(account.as_ref()).await?;
        if self.answers.exam.is_some() {
            self.login(account.as_ref(), roster.as_ref()).await?;
        }
        self.groups(account.as_ref(), roster.as_ref()).await?;
        self.classin(roster.as_ref()).await?;
        self.rows(roster.as_ref()).await?;
        Ok(self)
    }

    /// Address and code, tried together.
    async fn account(&mut self) -> Result<Option<AccountLook>, InitError> {
        let mut address = self.arguments.exam_address.clone();
        let mut code =
            given_secret(self.arguments.exam_code_file.as_ref(), SecretVariables::of_process().exam_code);
        loop {
            let address = match address.take() {
                Some(address) => address,
                None => self.asker.text(EXAM_ADDRESS, Some(EXAM)).await?,
            };
            let code = match code.take() {
                Some(code) => code,
                None => secret_of(&self.asker.secret(EXAM_CODE).await?),
            };
            self.answers.exam = Some(ExamAnswers {
                address,
                code: self.kept(code),
                login_field: (0, String::new()),
                fields: Vec::new(),
                create_groups: false,
            });
            match trials::account(&self.answers, &self.place).await {
                Ok(look) => {
                    let candidates = counted(look.total, "candidate");
                    let fields = counted(trials::count(look.fields.len()), "field");
                    let detail = format!("credentials accepted, {fields}, {candidates}; {}", look.clock);
                    self.good("exam side", detail);
                    return Ok(Some(look));
                }
                Err(trouble) if self.is_kept("exam side", &trouble).await? => return Ok(None),
                Err(_) => {}
            }
        }
    }

    /// The roster, imported where it is a list.
    async fn roster(&mut self, account: Option<&AccountLook>) -> Result<Option<RosterLook>, InitError> {
        let mut given = self.arguments.roster.clone();
        loop {
            let path = match given.take() {
                Some(path) => path,
                None => PathBuf::from(self.asker.text(ROSTER, None).await?),
            };
            match trials::roster(&path, &self.arguments.map, &mut self.place, account).await {
                Ok((look, report)) => {
                    self.answers.roster =
                        if report.is_some() { IMPORTED.into() } else { self.place.seen_from_here(&path) };
                    if let Some(report) = report.filter(|_| self.asker.is_there()) {
                        output::say(&format!("  {}", report.trim_end().replace('\n', "\n  ")));
                    }
                    let detail = format!(
                        "{}, {}, {}",
                        counted(look.active, "active student"),
                        counted(trials::count(look.groups.len()), "group"),
                        if look.classes.len() == 1 {
                            "1 class".to_owned()
                        } else {
                            format!("{} classes", look.classes.len())
                        },
                    );
                    self.good("roster", detail);
                    return Ok(Some(look));
                }
                Err(trouble) if self.is_kept("roster", &trouble).await? => {
                    self.answers.roster = self.place.seen_from_here(&path);
                    return Ok(None);
                }
                Err(_) => {}
            }
        }
    }

    /// The login field, its column, and the other columns.
    async fn login(
        &mut self,
        account: Option<&AccountLook>,
        roster: Option<&RosterLook>,
    ) -> Result<(), InitError> {
        let field = self.login_field(account).await?;
        let column = self.login_column(account, roster, &field).await?;
        let (number, label) = field;
        let proposed = proposed_fields(&column, number, account, roster);
        let fields = if self.arguments.field.is_empty() {
            let shown: Vec<String> =
                proposed.iter().map(|(column, field)| format!("{column}={field}")).collect();
            let shown = shown.join(" ");
            if self.asker.is_there() { self.fields(&shown).await? } else { proposed }
        } else {
            self.arguments.field.clone()
        };
        if let Some(exam) = &mut self.answers.exam {
            exam.login_field = (number, label);
            exam.fields = with_login(fields, &column, number);
        }
        Ok(())
    }

    async fn fields(&mut self, proposed: &str) -> Result<Vec<(String, String)>, InitError> {
        loop {
            let answer = self.asker.text(FIELDS, Some(proposed)).await?;
            let pairs: Result<Vec<_>, _> = answer.split_whitespace().map(crate::cli::init::pair).collect();
            match pairs {
                Ok(pairs) => return Ok(pairs),
                Err(_) => output::say("  write it like name=1 phone=4"),
            }
        }
    }

    async fn login_field(&mut self, account: Option<&AccountLook>) -> Result<(i64, String), InitError> {
        let mut given = self.arguments.login_field.clone();
        let found = account.and_then(|account| match account.login_fields.as_slice() {
            [only] => Some(only.to_string()),
            _ => None,
        });
        if let Some(account) = account.filter(|_| self.asker.is_there()) {
            let known: Vec<String> =
                account.fields.iter().map(|(number, label)| format!("{number} {label:?}")).collect();
            output::say(&format!("  The account's fields: {}", known.join(", ")));
        }
        loop {
            let answer = match (given.take(), self.asker.is_there(), &found) {
                (Some(answer), ..) => answer,
                (None, false, Some(found)) => found.clone(),
                (None, ..) => self.asker.text(LOGIN_FIELD, found.as_deref()).await?,
            };
            match field_of(&answer, account) {
                Ok(field) => {
                    let seen = account.is_some_and(|account| account.login_fields.contains(&field.0));
                    let why = if seen { "what candidates log in with stands there" } else { "as you say" };
                    self.good("login field", format!("field {} {:?}: {why}", field.0, field.1));
                    return Ok(field);
                }
                Err(trouble) if self.is_kept("login field", &trouble).await? => {
                    return Ok((answer.parse().unwrap_or_default(), answer));
                }
                Err(_) => {}
            }
        }
    }

    async fn login_column(
        &mut self,
        account: Option<&AccountLook>,
        roster: Option<&RosterLook>,
        field: &(i64, String),
    ) -> Result<String, InitError> {
        let mut given = self.arguments.login_column.clone();
        let proposal = roster.and_then(|roster| proposed_column(roster, field));
        loop {
            let answer = match (given.take(), self.asker.is_there(), &proposal) {
                (Some(answer), ..) => answer,
                (None, false, Some(proposal)) => proposal.clone(),
                (None, ..) => self.asker.text(LOGIN_COLUMN, proposal.as_deref()).await?,
            };
            match fitting(&answer, account, roster) {
                Ok(detail) => {
                    self.good("login column", detail);
                    return Ok(answer);
                }
                Err(trouble) if self.is_kept("login column", &trouble).await? => return Ok(answer),
                Err(_) => {}
            }
        }
    }

    /// Groups without a gid, and those that students are in already.
    async fn groups(
        &mut self,
        account: Option<&AccountLook>,
        roster: Option<&RosterLook>,
    ) -> Result<(), InitError> {
        let (Some(roster), Some(exam)) = (roster, self.answers.exam.clone()) else { return Ok(()) };
        let column = exam.fields.iter().find(|(_, field)| *field == exam.login_field.0.to_string());
        let fit = column.and_then(|(column, _)| roster.fit(column));
        if let (Some(account), Some(fit)) = (account, fit) {
            let settings = self.answers.settings(&roster.path, &self.place.state());
            let seen = match settings.map_err(Trouble::from) {
                Ok(settings) => trials::groups(&settings, account, fit, &roster.groups).await,
                Err(trouble) => Err(trouble),
            };
            match seen {
                Ok(Some(detail)) => self.good("groups", detail),
                Ok(None) => {}
                Err(trouble) => self.bad("groups", trouble).await?,
            }
        }
        let missing = roster.without_gid();
        let create = match (missing, self.arguments.create_groups) {
            (_, Some(answer)) => answer.is_yes(),
            (0, None) => false,
            (_, None) => {
                let proposal = account.is_some_and(|account| account.total == 0);
                if self.asker.is_there() {
                    output::say(&format!(
                        "  Groups without a gid: {missing} of {}. Either runs create them there, or you enter their gids later: \
                         `rosterd import csv FILE` with the columns group_code and gid.",
                        roster.groups.len()
                    ));
                }
                self.asker.is_yes(CREATE_GROUPS, proposal).await?
            }
        };
        if missing > 0 {
            let what = if create { "runs create them" } else { "their students wait until you enter them" };
            self.good("groups", format!("{} without a gid: {what}", counted(missing, "group")));
        }
        if let Some(exam) = &mut self.answers.exam {
            exam.create_groups = create;
        }
        Ok(())
    }

    async fn classin(&mut self, roster: Option<&RosterLook>) -> Result<(), InitError> {
        let with_course = roster.map_or(0, RosterLook::with_course);
        let is_wanted = match self.arguments.classin {
            Some(answer) => answer.is_yes(),
            None if self.arguments.without_exam => true,
            None if roster.is_some_and(|roster| roster.classes.is_empty()) => false,
            None => self.asker.is_yes(CLASSIN, with_course > 0).await?,
        };
        if !is_wanted {
            return Ok(());
        }
        if let Some(roster) = roster {
            let without = trials::count(roster.classes.len()).saturating_sub(with_course);
            if without > 0 {
                let ids = "enter course_id and class_id (import csv, columns class_code,course_id,class_id)";
                self.good(
                    "classes",
                    format!(
                        "{with_course} have their course_id, {without} have none and are left out: {ids}"
                    ),
                );
            }
        }
        self.school().await
    }

    /// Address, SID and secret, tried together.
    async fn school(&mut self) -> Result<(), InitError> {
        let mut address = self.arguments.classin_address.clone();
        let mut sid = self.arguments.classin_sid.clone();
        let variables = SecretVariables::of_process();
        let mut secret = given_secret(self.arguments.classin_secret_file.as_ref(), variables.classin_secret);
        let exam = self.answers.exam.as_ref().map(|exam| exam.address.clone());
        let proposal =
            exam.filter(|exam| is_this_machine(exam)).unwrap_or_else(|| CLASSIN_SERVICE.to_owned());
        loop {
            let address = match (address.take(), self.asker.is_there()) {
                (Some(address), _) => address,
                (None, false) => proposal.clone(),
                (None, true) => self.asker.text(CLASSIN_ADDRESS, Some(&proposal)).await?,
            };
            let sid = match sid.take() {
                Some(sid) => sid,
                None => self.asker.text(CLASSIN_SID, None).await?,
            };
            let secret = match secret.take() {
                Some(secret) => secret,
                None => secret_of(&self.asker.secret(CLASSIN_SECRET).await?),
            };
            let secret = self.kept(secret);
            self.answers.classin = Some(ClassinAnswers { address, sid, secret });
            match trials::classin(&self.answers, &self.place).await {
                Ok(detail) => {
                    self.good("ClassIn", detail);
                    return Ok(());
                }
                Err(trouble) if self.is_kept("ClassIn", &trouble).await? => return Ok(()),
                Err(_) => {}
            }
        }
    }

    /// The whole configuration, and the rows that cannot be used under it. Bad rows stop nobody: they fail alone.
    async fn rows(&mut self, roster: Option<&RosterLook>) -> Result<(), InitError> {
        let Some(roster) = roster else { return Ok(()) };
        let column = self.answers.exam.as_ref().and_then(|exam| {
            let is_login = |(_, field): &&(String, String)| *field == exam.login_field.0.to_string();
            exam.fields.iter().find(is_login).map(|(column, _)| column.clone())
        });
        let settings = self.answers.settings(&roster.path, &self.place.state()).map_err(Trouble::from);
        let checked = match settings {
            Ok(settings) => trials::rows(&settings, column.as_deref(), &self.place).await,
            Err(trouble) => Err(trouble),
        };
        match checked {
            Ok(check) if check.problems.is_empty() => {}
            Ok(check) => {
                let rows = counted(trials::count(check.problems.len()), "row");
                let some: Vec<String> = check.problems.iter().take(3).map(ToString::to_string).collect();
                let detail =
                    format!("{rows} cannot be used as they are (rosterd check):\n{}", some.join("\n"));
                self.good("roster", detail);
            }
            Err(trouble) => self.bad("configuration", trouble).await?,
        }
        Ok(())
    }

    /// A secret's file as the configuration names it.
    fn kept(&self, secret: Secret) -> Secret {
        match secret {
            Secret::InFile(path) => Secret::InFile(self.place.seen_from_here(&path)),
            Secret::Typed(_) | Secret::InEnvironment(_) => secret,
        }
    }

    fn good(&mut self, what: &'static str, detail: impl Into<String>) {
        let detail = detail.into();
        if self.asker.is_there() {
            output::say(&format!("  {what}: {}", detail.replace('\n', "\n  ")));
        }
        self.findings.push(Finding { ok: true, what, detail });
    }

    /// What failed and has no answer of its own that could be given again.
    async fn bad(&mut self, what: &'static str, trouble: Trouble) -> Result<(), InitError> {
        if self.is_kept(what, &trouble).await? { Ok(()) } else { Err(InitError::Refused(trouble)) }
    }

    /// Says what is wrong with an answer, and whether it is kept all the same.
    async fn is_kept(&mut self, what: &'static str, trouble: &Trouble) -> Result<bool, InitError> {
        if !self.arguments.even_if_failing {
            if !self.asker.is_there() {
                return Err(InitError::Refused(trouble.clone()));
            }
            output::say(&format!("  FAIL  {}", trouble.what.replace('\n', "\n  ")));
            if !self.asker.is_yes(KEEP, false).await? {
                return Ok(false);
            }
        }
        self.findings.push(Finding { ok: false, what, detail: trouble.what.clone() });
        Ok(true)
    }
}

/// A secret by option or by the environment.
fn given_secret(file: Option<&PathBuf>, variable: Option<secrecy::SecretString>) -> Option<Secret> {
    file.cloned().map(Secret::InFile).or_else(|| variable.map(Secret::InEnvironment))
}

/// What was typed: the secret, or `@` and the file that holds it.
fn secret_of(typed: &str) -> Secret {
    match typed.strip_prefix('@') {
        Some(path) => Secret::InFile(path.into()),
        None => Secret::Typed(typed.to_owned().into()),
    }
}
