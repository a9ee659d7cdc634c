//! `rosterd-sandbox`: serves both simulated services until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use rosterd_sandbox::{Sandbox, SandboxSettings};
use tokio::signal::unix::{SignalKind, signal};

/// `EX_USAGE`: an unknown switch, or a value that it does not take.
const USAGE: u8 = 64;
/// `EX_TEMPFAIL`: the address is taken.
const TEMPORARY: u8 = 75;

/// OnlineExamMaker and ClassIn simulated on this machine, with state, switches and faults.
#[derive(Debug, Parser)]
#[command(name = "rosterd-sandbox", version, max_term_width = 110)]
struct Arguments {
    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8481")]
    listen: SocketAddr,
    /// Keep the state in this file; absent: in memory
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// The field people log in with, by number
    #[arg(long, value_name = "SFID")]
    login_field: Option<String>,
    /// One more field, such as 21=login
    #[arg(long, value_name = "SFID=LABEL", value_parser = field)]
    field: Vec<(i64, String)>,
    /// Set a switch: something the services' documents leave open, or a fault
    #[arg(long, value_name = "SWITCH=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// The exam account's verification code
    #[arg(long, env = "ROSTERD_SANDBOX_CODE", hide_env_values = true, value_name = "CODE")]
    code: Option<String>,
    /// ClassIn's number of the school
    #[arg(long, env = "ROSTERD_SANDBOX_SID", value_name = "SID")]
    sid: Option<String>,
    /// ClassIn's secret of the school
    #[arg(long, env = "ROSTERD_SANDBOX_SECRET", hide_env_values = true, value_name = "SECRET")]
    secret: Option<String>,
}

fn field(text: &str) -> Result<(i64, String), String> {
    let (sfid, label) = pair(text)?;
    let sfid = sfid.parse().map_err(|_| format!("{sfid:?} is no field number"))?;
    Ok((sfid, label))
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=').map(|(key, value)| (key.trim(), value.trim())) {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it like name=value".to_owned()),
    }
}

impl From<&Arguments> for SandboxSettings {
    fn from(arguments: &Arguments) -> Self {
        let usual = Self::default();
        Self {
            exam_code: arguments.code.clone().unwrap_or(usual.exam_code),
            classin_sid: arguments.sid.clone().unwrap_or(usual.classin_sid),
            classin_secret: arguments.secret.clone().unwrap_or(usual.classin_secret),
            login_field: arguments.login_field.clone().unwrap_or(usual.login_field),
            fields: arguments.field.clone(),
            switches: arguments.set.clone(),
            state_file: arguments.state.clone(),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).init();
    let sandbox = match Sandbox::new((&arguments).into()) {
        Ok(sandbox) => sandbox,
        Err(error) => return refuse(&error, USAGE),
    };
    let serving = match sandbox.serve(arguments.listen).await {
        Ok(serving) => serving,
        Err(error) => return refuse(&error, TEMPORARY),
    };
    let (label, sfid) = sandbox.login_field();
    print(&format!(
        "serving both services on {} : login_field = \"{label}\" (field {sfid})",
        serving.base_url()
    ));
    told_to_stop().await;
    serving.stop().await;
    ExitCode::SUCCESS
}

/// SIGTERM or SIGINT. Where no signal can be listened for, the program serves until it is killed.
async fn told_to_stop() {
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        }
        _ => std::future::pending().await,
    }
}

#[expect(clippy::print_stdout, reason = "whoever started the program reads the address here")]
fn print(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "the program's one way to say why it does not start")]
fn refuse(error: &dyn std::error::Error, code: u8) -> ExitCode {
    let mut text = format!("error: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    eprintln!("{text}");
    ExitCode::from(code)
}
