//! How a school is built: what the services know, and what the configuration says.

use std::collections::BTreeMap;
use std::time::Duration;

use rosterd::ClassinPatience;
use rosterd::Clock;
use rosterd::RosterWriter;
use rosterd_sandbox::{Sandbox, SandboxSettings};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use tokio_util::sync::CancellationToken;

use super::School;
use super::leftovers::Leftovers;

/// Our tests need no real time between calls: what the services count by the clock is off.
const USUAL_SWITCHES: [(&str, &str); 4] = [
    ("exam.qps_limit", "0"),
    ("exam.clock_window_s", "0"),
    ("classin.clock_window_s", "0"),
    ("classin.duplicate_window_s", "0"),
];

/// Every school of the tests begins here. Until something else is said: both services, mode `sync`, an empty roster,
/// a login field called `login`.
pub struct SchoolBuilder {
    exam_code: String,
    classin_secret: String,
    fields: Vec<(i64, String)>,
    login_field: String,
    switches: Vec<(String, String)>,
    environment: BTreeMap<String, String>,
    configuration: Option<String>,
}

impl Default for SchoolBuilder {
    fn default() -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self {
            exam_code: "xxx".to_owned(),
            classin_secret: "topsecret".to_owned(),
            fields: Vec::new(),
            login_field: "login".to_owned(),
            switches: USUAL_SWITCHES.map(owned).to_vec(),
            environment: BTreeMap::new(),
            configuration: None,
        }
    }
}

impl SchoolBuilder {
    /// The exam account's code and ClassIn's secret, as both sides know them.
    #[must_use]
    pub fn credentials(mut self, code: &str, secret: &str) -> Self {
        (self.exam_code, self.classin_secret) = (code.to_owned(), secret.to_owned());
        self.setting("EXAM__CODE", code).setting("CLASSIN__SECRET", secret)
    }

    /// A custom field of the exam account, whose values tell candidates apart.
    #[must_use]
    pub fn login_field(mut self, id: i64, label: &str) -> Self {
        self.fields.push((id, label.to_owned()));
        self.login_field = id.to_string();
        self
    }

    /// The field of the exam account whose values tell candidates apart, by label.
    #[must_use]
    pub fn login_field_called(mut self, label: &str) -> Self {
        self.login_field = label.to_owned();
        self
    }

    /// Switches of the sandbox, over the usual ones.
    #[must_use]
    pub fn switches(mut self, switches: &[(&str, &str)]) -> Self {
        self.switches.extend(switches.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self
    }

    /// A setting, such as `CLASSIN__REMOVALS`.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(format!("ROSTERD__{name}"), value.to_owned());
        self
    }

    /// The configuration file, in place of the usual one; `ADDRESS` stands for where the services are.
    #[must_use]
    pub fn configuration(mut self, text: &str) -> Self {
        self.configuration = Some(text.to_owned());
        self
    }

    /// The school, with its services serving.
    pub async fn build(self) -> School {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::new(SandboxSettings {
            exam_code: self.exam_code,
            classin_secret: self.classin_secret,
            fields: self.fields,
            login_field: self.login_field,
            switches: self.switches,
            ..SandboxSettings::default()
        })
        .unwrap();
        let serving = sandbox.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
        let path = folder.path().join("roster.db");
        RosterWriter::open_or_create(&path).await.unwrap().close().await;
        let options = SqliteConnectOptions::new().filename(&path);
        let roster = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
        let text = self.configuration.as_deref().unwrap_or(USUAL_CONFIGURATION);
        let text = text.replace("ADDRESS", &serving.base_url());
        std::fs::write(folder.path().join("config.toml"), text).unwrap();
        let school = School {
            sandbox,
            serving,
            clock: Clock::system(),
            stop: CancellationToken::new(),
            patience: ClassinPatience {
                before_repeating: Duration::from_millis(20),
                before_registering_again: Duration::from_millis(20),
                ..ClassinPatience::default()
            },
            environment: self.environment,
            leftovers: Leftovers::default(),
            roster,
            folder,
        };
        school.sql("ALTER TABLE students ADD COLUMN login TEXT").await;
        school
    }
}

const USUAL_CONFIGURATION: &str = r#"[roster]
database = "roster.db"
[state]
database = "state.db"
[sync]
mode = "sync"
[exam]
base_url = "ADDRESS"
login_field = "login"
requests_per_second = 0
[exam.fields]
name = 1
phone = 4
login = "login"
password = 10
[classin]
enabled = true
base_url = "ADDRESS"
sid = "2339736"
requests_per_second = 0
[http]
listen = ""
"#;
