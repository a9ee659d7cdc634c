//! What admins and tests see and do beside the two services: settings, kept state, the journal, the pages.

use rosterd_sandbox::{Sandbox, SandboxSettings};
use serde_json::{Value, json};

use crate::client::{Served, newcomers};

fn with_file(path: &std::path::Path) -> SandboxSettings {
    SandboxSettings { state_file: Some(path.to_owned()), ..SandboxSettings::default() }
}

#[tokio::test]
async fn the_state_is_kept_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let served = Served::around(Sandbox::new(with_file(&path)).unwrap()).await;
    let gid = served.sandbox.create_group("g");
    served.exam("addStudents", &[("info", &newcomers(gid, &["a", "b"]))]).await;
    let course = served.sandbox.create_course("c");
    let class = served.sandbox.create_class(course, "k");
    let uid = served.sandbox.create_account("n", Some("13800000000"));
    served.sandbox.insert_class_member(course, class, uid);
    served.serving.stop().await;

    let again = Served::around(Sandbox::new(with_file(&path)).unwrap()).await;
    assert_eq!(again.logins(), ["a", "b"]);
    assert_eq!(again.sandbox.account("13800000000"), Some(uid));
    assert!(again.sandbox.class_members(course, class).contains(&uid));
    let repeated = again.add(gid, &["a", "c"]).await;
    assert_eq!(repeated["fail"], json!([1]), "login values are known again");
    assert!(again.sandbox.create_account("m", None) > uid);
}

#[tokio::test]
async fn the_state_file_follows_a_moment_after_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let served = Served::around(Sandbox::new(with_file(&path)).unwrap()).await;
    let gid = served.sandbox.create_group("g");
    served.add(gid, &["kept"]).await;
    for _ in 0..200 {
        if std::fs::read_to_string(&path).is_ok_and(|text| text.contains("kept")) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("the state file did not follow");
}

#[tokio::test]
async fn a_state_file_that_holds_something_else_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    std::fs::write(&path, "[1,2]").unwrap();
    assert!(Sandbox::new(with_file(&path)).is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "[1,2]", "it is left alone");
}

#[tokio::test]
async fn the_login_field_is_an_sfid_or_a_label_and_a_new_label_becomes_a_field() {
    let settings = |login_field: &str| SandboxSettings {
        login_field: login_field.to_owned(),
        fields: vec![(11, "house".to_owned()), (4, "mobile".to_owned())],
        ..SandboxSettings::default()
    };
    for (chosen, field) in [("4", 4), ("house", 11), ("student number", 12)] {
        let sandbox = Sandbox::new(settings(chosen)).unwrap();
        sandbox.insert_candidate(&[(1, "name"), (4, "v4"), (11, "v11"), (12, "v12")], &[1]);
        assert_eq!(sandbox.candidates()[0].login_value, format!("v{field}"), "{chosen}");
    }
    assert_eq!(Sandbox::new(settings("student number")).unwrap().field_id("student number"), Some(12));
    assert_eq!(Sandbox::new(settings("1")).unwrap().field_id("mobile"), Some(4));
    assert!(Sandbox::new(settings("77")).is_err());
}

#[test]
fn a_switch_or_fault_in_another_case_is_refused_by_its_name() {
    let sandbox = Sandbox::new(SandboxSettings::default()).unwrap();
    for (name, known) in [
        ("INDEX_BASE", "index_base"),
        ("Exam.index_base", "exam.index_base"),
        ("Reset", "reset"),
        ("Maintenance", "maintenance"),
    ] {
        let refused = sandbox.set(name, "1").unwrap_err().to_string();
        assert!(refused.contains(name) && refused.ends_with(&format!(": {known}")), "{refused}");
    }
    let switches = [("index_base", "1"), ("INDEX_BASE", "0")];
    let switches = switches.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    assert!(Sandbox::new(SandboxSettings { switches, ..SandboxSettings::default() }).is_err());
}

#[tokio::test]
async fn an_unknown_switch_or_value_is_an_error_that_lists_what_exists() {
    let sandbox = Sandbox::new(SandboxSettings::default()).unwrap();
    let unknown = sandbox.set("no_such_switch", "1").unwrap_err().to_string();
    assert!(unknown.contains("exam.index_base") && unknown.contains("lose_answer"), "{unknown}");
    let value = sandbox.set("index_base", "2").unwrap_err().to_string();
    assert!(value.contains("exam.index_base") && value.contains("0 | 1"), "{value}");
    assert!(sandbox.set("lose_answer", "nowhere").is_err());
    assert!(sandbox.set("classin.lose_answer", "addStudents").is_err(), "not an action of that service");
    assert!(sandbox.set("item_missing", "addStudents").is_err(), "not a fault of that service");
    sandbox.set("qps_limit", "3").unwrap();
    sandbox.set("maintenance", "errno_901").unwrap();
    sandbox.set("maintenance", "getstulist@2").unwrap();
}

#[tokio::test]
async fn the_journal_tells_calls_and_counts_but_no_persons() {
    let served = Served::with(&[]).await;
    let gid = served.sandbox.create_group("g");
    served.sandbox.insert_candidate(&[(1, "taken")], &[gid]);
    served.add(gid, &["Secret Name", "taken"]).await;
    let pairs = [("telephone", "13812345678"), ("password", "hunter22")];
    served.classin("register", &pairs).await;
    let journal = served.sandbox.journal();
    let told: Vec<_> = journal
        .iter()
        .map(|it| (it.number, &*it.service, &*it.endpoint, it.items, &*it.answered, it.applied))
        .collect();
    assert_eq!(told, [(1, "exam", "addStudents", 2, "partial", 1), (2, "classin", "register", 1, "ok", 1)]);
    let text = serde_json::to_string(&journal).unwrap();
    for secret in ["Secret", "13812345678", "hunter22", "xxx", "topsecret"] {
        assert!(!text.contains(secret), "{text}");
    }
    served.sandbox.clear_journal();
    served.exam("getFields", &[]).await;
    assert_eq!(served.sandbox.journal()[0].number, 3);
}

#[tokio::test]
async fn another_process_can_look_and_set_over_http() {
    let served = Served::with(&[]).await;
    let get = async |path: &str| served.send(served.http.get(served.url(path))).await.unwrap();
    let post = async |path: &str| served.send(served.http.post(served.url(path))).await.unwrap();
    assert!(get("/").await.text.contains("/_sandbox/switches"));
    let gid = served.sandbox.create_group("g");
    served.add(gid, &["a"]).await;
    assert_eq!(get("/_sandbox/exam").await.json()[0]["login_value"], "a");
    let course = served.sandbox.create_course("c");
    let class = served.sandbox.create_class(course, "k");
    served.sandbox.insert_class_member(course, class, 7);
    let members = get("/_sandbox/classin").await.json();
    assert_eq!(members[course.to_string()]["classes"][class.to_string()], json!([7]));
    assert_eq!(post("/_sandbox/set?name=index_base&value=0").await.status, 200);
    assert_eq!(post("/_sandbox/set?name=http_5xx&value=getFields@*").await.status, 200);
    let wrong = post("/_sandbox/set?name=index_base&value=7").await;
    assert_eq!((wrong.status, wrong.text.contains("0 | 1")), (400, true));
    assert_eq!(served.try_exam("getFields", &[]).await.unwrap().status, 500);
    let overview = get("/_sandbox/switches").await.json();
    let base =
        overview["switches"].as_array().unwrap().iter().find(|it| it["name"] == "exam.index_base").unwrap();
    assert_eq!((&base["value"], &base["default"]), (&json!("0"), &json!("1")));
    assert_eq!(overview["armed"].as_array().unwrap().len(), 1);
    assert_eq!(post("/_sandbox/clear-faults").await.status, 204);
    assert_eq!(served.try_exam("getFields", &[]).await.unwrap().status, 200);
    assert_eq!(get("/_sandbox/journal").await.json().as_array().map(Vec::len), Some(3));
    served.send(served.http.delete(served.url("/_sandbox/journal"))).await.unwrap();
    assert_eq!(get("/_sandbox/journal").await.json(), Value::Array(Vec::new()));
}

#[tokio::test]
async fn calls_at_once_are_each_applied_whole() {
    let served = Served::with(&[("exam.latency_ms", "50")]).await;
    let gid = served.sandbox.create_group("g");
    let names: Vec<String> = (0..12).map(|number| format!("s{number}")).collect();
    let calls = names.iter().map(|name| {
        let list = [name.as_str(), "shared"];
        let served = &served;
        async move { served.add(gid, &list).await }
    });
    let answers = futures_util::future::join_all(calls).await;
    let applied: usize = answers.iter().map(|it| it["success"].as_array().unwrap().len()).sum();
    assert_eq!(applied, 13, "the shared one is added once");
    assert_eq!(served.sandbox.candidate_count(), 13);
    assert!(served.sandbox.peak_in_flight() > 1);
}

#[tokio::test]
async fn stopping_breaks_off_answers_that_wait() {
    let served = Served::with(&[("delay", "getFields:60000")]).await;
    let (url, http) = (served.url("/api/v1/student/getFields?code=xxx&time=1"), served.http.clone());
    let waiting = tokio::spawn(async move { http.get(url).send().await.is_err() });
    served.arrived().await;
    let start = std::time::Instant::now();
    served.serving.stop().await;
    assert!(waiting.await.unwrap(), "closed without a byte");
    assert!(start.elapsed() < std::time::Duration::from_secs(10));
}

#[tokio::test]
async fn a_sandbox_becomes_the_sample_world_unless_it_keeps_a_state() {
    let served = Served::with(&[("index_base", "0"), ("http_5xx", "getFields@*")]).await;
    served.sandbox.insert_candidate(&[(1, "a")], &[1]);
    let post = served.http.post(served.url("/_sandbox/sample-world"));
    assert_eq!(served.send(post).await.unwrap().status, 200);
    assert_eq!(served.sandbox.candidate_count(), 12);
    assert_eq!(served.sandbox.groups()[&2993], "2993");
    assert_eq!(served.exam("getFields", &[]).await["status"], "ok");

    let folder = tempfile::tempdir().unwrap();
    let kept = Served::around(Sandbox::new(with_file(&folder.path().join("state.json"))).unwrap()).await;
    kept.sandbox.insert_candidate(&[(1, "a")], &[1]);
    let post = kept.http.post(kept.url("/_sandbox/sample-world"));
    assert_eq!(kept.send(post).await.unwrap().status, 409);
    assert_eq!(kept.logins(), ["a"]);
}

#[tokio::test]
async fn a_client_that_goes_away_keeps_nothing_busy() {
    let served = Served::with(&[("classin.latency_ms", "60000")]).await;
    let course = served.sandbox.create_course("c").to_string();
    let uid = served.sandbox.create_account("n", None);
    let json = format!(r#"[{{"uid":{uid}}}]"#);
    let pairs = [("courseId", course.as_str()), ("identity", "1"), ("studentJson", &json)];
    tokio::select! {
        answer = served.classin("addCourseStudentMultiple", &pairs) => panic!("{answer} came at once"),
        () = served.arrived() => {}
    }
    served.set("classin.latency_ms", "0");
    for _ in 0..200 {
        let again = served.classin("addCourseStudentMultiple", &pairs).await;
        if again["error_info"]["errno"] != 464 {
            assert_eq!(again["data"][0]["errno"], 163);
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("the course stays busy");
}
