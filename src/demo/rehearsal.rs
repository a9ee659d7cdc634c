//! The rehearsal: made-up people, and the embedded sandbox in the place of both services.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use secrecy::SecretString;

use super::generator;
use crate::settings::{DemoSettings, FieldRef, LoginField, Settings};
use crate::store::roster_writer::{Commit, Completeness, RosterWriter};
use rosterd_sandbox::{Sandbox, SandboxSettings, Serving};

/// A sandbox that serves while this lives, with what a made-up roster needs in it.
pub struct Demo {
    _serving: Serving,
    sandbox: Sandbox,
}

impl Drop for Demo {
    fn drop(&mut self) {
        // The sandbox also saves by itself; this only makes the last moment sure.
        if let Err(error) = self.sandbox.save() {
            tracing::warn!("the rehearsal's sandbox could not be saved: {error}");
        }
    }
}

impl Demo {
    /// Makes the roster if there is none, starts the sandbox with its kept state, creates there what the
    /// roster names, and points the settings at it.
    ///
    /// # Errors
    /// When the roster or the sandbox's state cannot be written.
    pub async fn start(demo: &DemoSettings, settings: &mut Settings) -> anyhow::Result<Self> {
        for path in [&settings.roster.database, &demo.sandbox_state] {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder).context("the rehearsal's folder cannot be created")?;
            }
        }
        let code =
            settings.exam.code.get_or_insert_with(|| SecretString::from("demo-code".to_owned())).clone();
        let secret = settings
            .classin
            .secret
            .get_or_insert_with(|| SecretString::from("demo-secret".to_owned()))
            .clone();
        let sid = settings.classin.sid.get_or_insert_with(|| "2339736".to_owned()).clone();
        let sandbox = Sandbox::new(SandboxSettings {
            exam_code: expose(&code),
            classin_sid: sid,
            classin_secret: expose(&secret),
            login_field: login_field(&settings.exam.login_field),
            switches: vec![("qps_limit".to_owned(), "0".to_owned())],
            state_file: Some(demo.sandbox_state.clone()),
            ..SandboxSettings::default()
        })
        .context("the sandbox cannot be made")?;
        let serving = sandbox
            .serve(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
            .await
            .context("the sandbox cannot listen")?;
        settings.exam.endpoint.base_url = serving.base_url();
        settings.classin.endpoint.base_url = serving.base_url();
        let writer = RosterWriter::open_or_create(&settings.roster.database)
            .await
            .context("the made-up roster cannot be opened")?;
        if writer.counts().await?.students == 0 {
            let rows = generator::generate(demo.students, demo.seed);
            let made = writer.apply(&rows, Completeness::Partial, Commit::Yes).await?;
            tracing::debug!(students = made.students.added, "the made-up roster was written");
        }
        provision(&sandbox, &writer).await?;
        writer.close().await;
        Ok(Self { _serving: serving, sandbox })
    }
}

fn expose(secret: &SecretString) -> String {
    secrecy::ExposeSecret::expose_secret(secret).to_owned()
}

fn login_field(field: &LoginField) -> String {
    match field {
        LoginField::Auto => "1".to_owned(),
        LoginField::Named(FieldRef::Id(id)) => id.to_string(),
        LoginField::Named(FieldRef::Label(label)) => label.clone(),
    }
}

/// The result of provisioning a sandbox for a roster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Provisioned {
    /// Groups created on the exam side.
    pub groups: usize,
    /// Courses with one class each, created on ClassIn.
    pub classes: usize,
    pub accounts: usize,
}

/// Creates in a sandbox what a roster names without ids, and writes the ids into the roster.
///
/// # Errors
/// When the roster cannot be read or written.
pub async fn provision(sandbox: &Sandbox, writer: &RosterWriter) -> anyhow::Result<Provisioned> {
    let mut made = Provisioned::default();
    for (code, title) in writer.groups_without_gid().await? {
        writer.set_gid(&code, sandbox.create_group(&title)).await?;
        made.groups += 1;
    }
    for (code, title) in writer.classes_without_ids().await? {
        let course = sandbox.create_course(&title);
        let class = sandbox.create_class(course, &title);
        writer.set_class_ids(&code, course, class).await?;
        made.classes += 1;
    }
    let uids: Vec<(String, i64)> = writer
        .students_without_uid()
        .await?
        .into_iter()
        .map(|(student, name, phone)| {
            let phone = (!phone.is_empty()).then_some(phone);
            (student, sandbox.create_account(&name, phone.as_deref()))
        })
        .collect();
    writer.set_uids(&uids).await?;
    made.accounts = uids.len();
    sandbox.save().context("the sandbox's state cannot be saved")?;
    Ok(made)
}
