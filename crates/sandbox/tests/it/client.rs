//! A served sandbox and a plain HTTP client beside it. No assertions here but that calls can be made.

use std::time::{SystemTime, UNIX_EPOCH};

use md5::{Digest, Md5};
use rosterd_sandbox::{Sandbox, SandboxSettings, Serving};
use serde_json::Value;

/// A sandbox that is being served.
pub(crate) struct Served {
    pub(crate) sandbox: Sandbox,
    pub(crate) serving: Serving,
    pub(crate) http: reqwest::Client,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {}", self.text))
    }
}

pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed()
}

pub(crate) fn md5_hex(text: &str) -> String {
    base16ct::lower::encode_string(&Md5::digest(text.as_bytes()))
}

pub(crate) fn encode(pairs: &[(&str, &str)]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric();
    let escape = |text: &str| {
        text.bytes()
            .map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect::<String>()
    };
    pairs
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
        .collect::<Vec<_>>()
        .join("&")
}

impl Served {
    /// Empty, without rate limit, with these switches.
    pub(crate) async fn with(switches: &[(&str, &str)]) -> Served {
        let mut all = vec![("exam.qps_limit".to_owned(), "0".to_owned())];
        all.extend(switches.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let settings = SandboxSettings { switches: all, ..SandboxSettings::default() };
        Served::around(Sandbox::new(settings).unwrap()).await
    }

    /// The contracts' sample world.
    pub(crate) async fn sample() -> Served {
        let served = Served::around(Sandbox::sample_world()).await;
        served.sandbox.set("exam.qps_limit", "0").unwrap();
        served
    }

    pub(crate) async fn around(sandbox: Sandbox) -> Served {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let serving = sandbox.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
        let http = reqwest::Client::builder()
            .no_proxy()
            .no_gzip()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Served { sandbox, serving, http }
    }

    pub(crate) fn set(&self, name: &str, value: &str) {
        self.sandbox.set(name, value).unwrap();
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, text: response.text().await? })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.serving.base_url())
    }

    /// A form body as it is.
    pub(crate) fn post(&self, path: &str, body: &str) -> reqwest::RequestBuilder {
        let kind = "application/x-www-form-urlencoded";
        self.http.post(self.url(path)).header("Content-Type", kind).body(body.to_owned())
    }

    /// A signed exam call.
    pub(crate) async fn try_exam(
        &self,
        endpoint: &str,
        pairs: &[(&str, &str)],
    ) -> Result<Answer, reqwest::Error> {
        let time = now().to_string();
        let token = md5_hex(&format!("{time}xxx"));
        let mut all = vec![("code", "xxx"), ("time", time.as_str())];
        all.extend(pairs);
        let path = format!("/api/v1/student/{endpoint}");
        let request = if ["getFields", "queryresults"].contains(&endpoint) {
            self.http.get(self.url(&format!("{path}?{}", encode(&all))))
        } else {
            self.post(&path, &encode(&all))
        };
        self.send(request.header("Authorization", token)).await
    }

    /// A signed exam call's JSON.
    pub(crate) async fn exam(&self, endpoint: &str, pairs: &[(&str, &str)]) -> Value {
        self.try_exam(endpoint, pairs).await.unwrap().json()
    }

    /// addStudents with field 1 only, all in one group.
    pub(crate) async fn add(&self, gid: i64, names: &[&str]) -> Value {
        self.exam("addStudents", &[("info", &newcomers(gid, names))]).await
    }

    /// A signed ClassIn call.
    pub(crate) async fn try_classin(
        &self,
        action: &str,
        pairs: &[(&str, &str)],
    ) -> Result<Answer, reqwest::Error> {
        let time = now().to_string();
        let key = md5_hex(&format!("topsecret{time}"));
        let mut all = vec![("SID", "2339736"), ("safeKey", key.as_str()), ("timeStamp", time.as_str())];
        all.extend(pairs);
        self.send(self.post(&format!("/partner/api/course.api.php?action={action}"), &encode(&all))).await
    }

    /// A signed ClassIn call's JSON.
    pub(crate) async fn classin(&self, action: &str, pairs: &[(&str, &str)]) -> Value {
        self.try_classin(action, pairs).await.unwrap().json()
    }

    /// Waits until a call has been handled, whether or not it has been answered.
    pub(crate) async fn arrived(&self) {
        while self.sandbox.journal().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// What the journal says of the last call.
    pub(crate) fn last(&self) -> String {
        self.sandbox.journal().last().map(|entry| entry.answered.clone()).unwrap_or_default()
    }

    /// Login values in the order of the sids.
    pub(crate) fn logins(&self) -> Vec<String> {
        self.sandbox.candidates().into_iter().map(|candidate| candidate.login_value).collect()
    }
}

/// The `info` of addStudents.
pub(crate) fn newcomers(gid: i64, names: &[&str]) -> String {
    let items: Vec<String> = names
        .iter()
        .map(|name| format!(r#"{{"gid":"{gid}","fields":[{{"sfid":1,"value":"{name}"}}]}}"#))
        .collect();
    format!("[{}]", items.join(","))
}

/// The `info` of changeStuinfo by sid, one field.
pub(crate) fn change(sid: i64, sfid: i64, value: &str) -> String {
    format!(r#"[{{"sid":{sid},"loginValue":"","fields":[{{"sfid":{sfid},"value":"{value}"}}]}}]"#)
}

/// The integers of a JSON list.
pub(crate) fn numbers(list: &Value) -> Vec<i64> {
    list.as_array().unwrap().iter().map(|item| item.as_i64().unwrap()).collect()
}
