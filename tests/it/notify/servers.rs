//! Servers that a test owns: one that takes web hooks and pings, one that takes mail. They keep all that they are told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// One request to a hook.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    /// Each as `name: value`, the name in lower case.
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
}

impl Heard {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// A parameter of the query, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let (_, query) = self.path.split_once('?')?;
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let value = pairs.into_iter().find(|(key, _)| *key == name)?.1;
        Some(value.replace("%2B", "+").replace("%2F", "/").replace("%3D", "="))
    }
}

/// What a hook answers: status and body, by the path.
type Answer = dyn Fn(&str) -> (u16, &'static str) + Send + Sync;

/// Takes web hooks and pings.
pub(crate) struct HookServer {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
    answer: Arc<Mutex<Box<Answer>>>,
}

impl HookServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let answer: Arc<Mutex<Box<Answer>>> = Arc::new(Mutex::new(Box::new(well)));
        let (kept, says) = (Arc::clone(&heard), Arc::clone(&answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Some(request) = read_request(&stream) {
                    let (status, body) = says.lock().unwrap()(&request.path);
                    kept.lock().unwrap().push(request);
                    let head =
                        format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close", body.len());
                    let _gone = write!(&stream, "{head}\r\n\r\n{body}");
                }
            }
        });
        Self { address, heard, answer }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn answers(&self, answer: impl Fn(&str) -> (u16, &'static str) + Send + Sync + 'static) {
        *self.answer.lock().unwrap() = Box::new(answer);
    }

    /// All that came to a path so far, in order.
    pub(crate) fn heard(&self, path: &str) -> Vec<Heard> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|request| request.path.split('?').next() == Some(path)).cloned().collect()
    }
}

/// What each service answers that took a message.
pub(crate) fn well(path: &str) -> (u16, &'static str) {
    match path.split(['?', '/']).nth(1).unwrap_or_default() {
        "wecom" | "dingtalk" => (200, r#"{"errcode":0,"errmsg":"ok"}"#),
        "feishu" => (200, r#"{"code":0,"msg":"success","data":{}}"#),
        "teams" => (202, ""),
        _ => (200, "ok"),
    }
}

fn read_request(stream: &TcpStream) -> Option<Heard> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push(format!("{}: {value}", name.to_lowercase()));
    }
    let length = headers.iter().find_map(|header| header.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Heard { method, path, headers, body: String::from_utf8(body).ok()? })
}

/// Takes mail, in plain SMTP (RFC 5321) with a log-in by PLAIN (RFC 4616).
pub(crate) struct MailServer {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl MailServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Some(session) = take_mail(&stream) {
                    kept.lock().unwrap().push(session);
                }
            }
        });
        Self { address, heard }
    }

    pub(crate) fn port(&self) -> String {
        self.address.port().to_string()
    }

    /// Each session that brought a mail, as the client wrote it.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

/// One session; `None` where no mail came of it.
fn take_mail(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let mut session = String::new();
    let mut said = "220 mail.test\r\n";
    let (mut is_data, mut has_mail) = (false, false);
    loop {
        if !said.is_empty() {
            (&*stream).write_all(said.as_bytes()).ok()?;
        }
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 || line.starts_with("QUIT") {
            return has_mail.then_some(session);
        }
        session.push_str(&line);
        said = match line.split([' ', '\r']).next().unwrap_or_default() {
            "." if is_data => {
                (is_data, has_mail) = (false, true);
                "250 taken\r\n"
            }
            _ if is_data => "",
            "EHLO" => "250-mail.test\r\n250-8BITMIME\r\n250 AUTH PLAIN\r\n",
            "AUTH" => "235 welcome\r\n",
            "DATA" => {
                is_data = true;
                "354 go on\r\n"
            }
            _ => "250 ok\r\n",
        };
    }
}
