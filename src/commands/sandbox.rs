//! `sandbox`: both services simulated on this machine.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::init::quoted;
use super::{output, sync};
use crate::app::AppError;
use crate::cli::{Cli, SandboxArgs};
use crate::demo::provision;
use crate::exit::Exit;
use crate::files::FileIdentity;
use crate::settings::{ConfigSource, Settings};
use crate::store::roster_writer::RosterWriter;
use rosterd_core::counted::counted_len;
use rosterd_sandbox::{Sandbox, SandboxSettings};

pub(super) async fn run(cli: &Cli, arguments: &SandboxArgs) -> Result<Exit, AppError> {
    let stop = sync::stop_on_signals(None);
    let settings = settings(cli, arguments)?;
    let accepted = Accepted::of(&settings);
    let sandbox = match Sandbox::new(settings) {
        Ok(sandbox) => sandbox,
        Err(error) => {
            return Ok(refuse(cli, Exit::Usage, &crate::run::in_one_line(&error)));
        }
    };
    if let Some(roster) = &arguments.provision {
        let configured = Settings::load_from_environment(cli.config.as_deref())?;
        if let Some(refusal) = refusal(cli, &configured, roster) {
            return Ok(refuse(cli, Exit::Usage, &format!("{}: {refusal}", roster.display())));
        }
        let writer = RosterWriter::open_or_create(roster).await.map_err(anyhow::Error::from)?;
        let made = provision(&sandbox, &writer).await?;
        writer.close().await;
        output::print_notice(&format!(
            "sandbox: created {}, {} and {} for {}",
            counted_len(made.groups, "group"),
            counted_len(made.classes, "class"),
            counted_len(made.accounts, "account"),
            roster.display()
        ));
    }
    let serving = match sandbox.serve(arguments.listen).await {
        Ok(serving) => serving,
        Err(error) => {
            return Ok(refuse(cli, Exit::Temporary, &crate::run::in_one_line(&error)));
        }
    };
    let (label, sfid) = sandbox.login_field();
    let Accepted { exam_code, classin_sid, classin_secret } = &accepted;
    output::print_notice(&format!(
        "sandbox: serving both services on {} : login_field = \"{label}\" (field {sfid}), exam code {exam_code}, \
         ClassIn SID {classin_sid}, ClassIn secret {classin_secret}",
        serving.base_url()
    ));
    let served =
        Served { address: serving.base_url(), login_field: label, login_field_number: sfid, accepted };
    output::show(cli, &served, Served::configuration);
    stop.cancelled().await;
    serving.stop().await;
    Ok(Exit::Done)
}

fn refuse(cli: &Cli, exit: Exit, what: &str) -> Exit {
    output::refuse(cli, exit, &format!("sandbox: {what}"))
}

/// What a configuration for this sandbox has to say.
#[derive(Serialize)]
struct Served {
    address: String,
    /// The label of the field that people log in with.
    login_field: String,
    login_field_number: i64,
    #[serde(flatten)]
    accepted: Accepted,
}

/// Which credentials are accepted. Those that the configuration brought may be real ones, so they are not repeated.
#[derive(Serialize)]
struct Accepted {
    exam_code: String,
    classin_sid: String,
    classin_secret: String,
}

impl Accepted {
    fn of(settings: &SandboxSettings) -> Self {
        let samples = SandboxSettings::default();
        let said = |value: &str, sample: &str| {
            if value == sample { value.to_owned() } else { "as configured".to_owned() }
        };
        Self {
            exam_code: said(&settings.exam_code, &samples.exam_code),
            classin_sid: settings.classin_sid.clone(),
            classin_secret: said(&settings.classin_secret, &samples.classin_secret),
        }
    }
}

/// The fields that a configuration maps without a word.
const MAPPED: [i64; 4] = [1, 2, 4, 10];

impl Served {
    /// The lines of a configuration file that fit this sandbox, with what else is to be done as comments.
    fn configuration(&self) -> String {
        let Self { address, login_field, login_field_number, accepted } = self;
        let Accepted { exam_code, classin_sid, classin_secret } = accepted;
        let fields = if MAPPED.contains(login_field_number) {
            String::new()
        } else {
            let column = quoted(login_field);
            format!(
                "\n[exam.fields]\nname = 1\n{column} = {login_field_number}    # the roster's column that holds it\n"
            )
        };
        format!(
            "# A configuration for this sandbox. Let it be asked for, tried and written: rosterd init --exam-address {address}\n\
             # Its secrets: ROSTERD__EXAM__CODE={exam_code} and ROSTERD__CLASSIN__SECRET={classin_secret}\n\
             [exam]\nbase_url = \"{address}\"\nlogin_field = {login_field_number}    # {}\n{fields}\n\
             [classin]\nenabled = true\nbase_url = \"{address}\"\nsid = {}\n",
            in_one_line_of_a_comment(login_field),
            quoted(classin_sid),
        )
    }
}

fn in_one_line_of_a_comment(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// Why a roster is not to be given ids that are made up: they would be sent to a real service by the next run.
fn refusal(cli: &Cli, configured: &Settings, roster: &Path) -> Option<String> {
    if !roster.is_file() {
        return Some(
            "there is no such file; name a copy of your roster, or make one with `rosterd import`".to_owned(),
        );
    }
    let is_configured =
        configured.roster.is_chosen || cli.config.is_some() || ConfigSource::Standard.path().is_some();
    let is_the_one = FileIdentity::of(roster) == FileIdentity::of(&configured.roster.database);
    let real = configured.real_services();
    (is_configured && is_the_one && !real.is_empty()).then(|| {
        format!(
            "it is the roster of this configuration (roster.database), and {} real: the ids that are made up here would be \
             sent there. Copy it and provision the copy",
            if let [one] = real.as_slice() { format!("{one} is") } else { format!("{} are", real.join(" and ")) }
        )
    })
}

/// Secrets come from the configuration where it has any, else the documented samples.
fn settings(cli: &Cli, arguments: &SandboxArgs) -> Result<SandboxSettings, AppError> {
    let mut settings = SandboxSettings {
        fields: arguments.field.clone(),
        switches: arguments.set.clone(),
        state_file: arguments.state.clone(),
        ..SandboxSettings::default()
    };
    let configured = Settings::load_from_environment(cli.config.as_deref())?;
    let (code, sid, secret) = sandbox_credentials(&configured);
    settings.exam_code = code.unwrap_or(settings.exam_code);
    settings.classin_sid = sid.unwrap_or(settings.classin_sid);
    settings.classin_secret = secret.unwrap_or(settings.classin_secret);
    if let Some(field) = &arguments.login_field {
        settings.login_field.clone_from(field);
    }
    Ok(settings)
}

/// The credentials that a sandbox is to accept: those of the configuration, else the documented samples.
fn sandbox_credentials(settings: &Settings) -> (Option<String>, Option<String>, Option<String>) {
    let exposed =
        |secret: &Option<SecretString>| secret.as_ref().map(|secret| secret.expose_secret().to_owned());
    (exposed(&settings.exam.code), settings.classin.sid.clone(), exposed(&settings.classin.secret))
}
