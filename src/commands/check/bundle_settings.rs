//! The configuration for strangers: what is set, without secrets, without the credentials of an address, and without anything
//! that names a person or an account.

use std::time::Duration;

use crate::notify::Target;
use crate::settings::{
    ClassinSettings, Endpoint, ExamSettings, FieldRef, GuardSettings, HttpSettings, LoginField,
    NotifySettings, ResultsSettings, RetrySettings, ScheduleSettings, Settings, StateSettings,
};
use rosterd_core::roster::Leavers;

/// A line a setting. Every part is taken apart, so that a new setting is thought of here.
pub(super) fn lines(settings: &Settings) -> Vec<String> {
    let Settings {
        roster,
        state: StateSettings { database, keep },
        mode,
        schedule,
        exam,
        classin,
        guard,
        retry,
        results,
        http,
        notify,
        import,
        demo,
        secret_files,
        looked_for,
    } = settings;
    let mut lines = vec![
        format!("roster.database = {}", roster.database.display()),
        format!("roster.max_age = {}", roster.max_age.map_or("off".to_owned(), span)),
        // The statements themselves may hold anything.
        format!("roster.queries: {}", queries(&roster.queries)),
        format!("state.database = {}", database.display()),
        format!("state.keep = {}", span(*keep)),
        format!("sync.mode = {}", mode.as_str()),
    ];
    lines.extend(looked_for.iter().map(|path| format!("no configuration at {}", path.display())));
    lines.extend(of_schedule(schedule));
    lines.extend(of_exam(exam));
    lines.extend(of_classin(classin));
    let GuardSettings { max_delete, max_modify, max_move, max_group, min_roster } = guard;
    lines.extend([
        format!("guard.max_delete = {max_delete:?}"),
        format!("guard.max_modify = {max_modify:?}"),
        format!("guard.max_move = {max_move:?}"),
        format!("guard.max_group = {max_group:?}"),
        format!("guard.min_roster = {min_roster}"),
    ]);
    let RetrySettings { max_attempts, first_delay, max_delay } = retry;
    lines.extend([
        format!("retry.max_attempts = {max_attempts}"),
        format!("retry.first_delay = {}", span(*first_delay)),
        format!("retry.max_delay = {}", span(*max_delay)),
    ]);
    let ResultsSettings { cron, full_every } = results;
    lines.extend([
        format!("results.cron: {}", given(cron.is_some())),
        format!("results.full_every = {}", span(*full_every)),
    ]);
    let HttpSettings { listen, token } = http;
    lines.extend([
        format!("http.listen = {}", listen.map_or("off".to_owned(), |listen| listen.to_string())),
        format!("http.token_file: {}", given(token.is_some())),
    ]);
    lines.extend(of_notify(notify));
    lines.push(format!(
        "import: {} profiles, {} watched",
        import.len(),
        import.values().filter(|it| it.watch.is_some()).count()
    ));
    lines.push(format!("demo: {}", given(demo.is_some())));
    lines.push(format!("secrets read from files: {}", secret_files.len()));
    lines
}

fn of_schedule(schedule: &ScheduleSettings) -> Vec<String> {
    let ScheduleSettings { expression, cron: _, time_zone, missed, jitter, blackout } = schedule;
    vec![
        format!("schedule.cron = {expression}"),
        format!("schedule.time_zone = {}", time_zone.iana_name().unwrap_or("an offset")),
        format!("schedule.missed = {missed:?}"),
        format!("schedule.jitter = {}", span(*jitter)),
        format!("schedule.blackout: {} spans", blackout.len()),
    ]
}

fn of_exam(exam: &ExamSettings) -> Vec<String> {
    let ExamSettings {
        enabled,
        endpoint,
        code,
        login_field,
        page_size,
        batch_size,
        verify_groups,
        leavers,
        adopt,
        create_groups,
        create_groups_under,
        delete_grace,
        shared,
        fields,
    } = exam;
    let leavers = match leavers {
        Leavers::Delete => "delete",
        Leavers::Keep => "keep",
        Leavers::MoveTo(_) => "a group",
    };
    let login_field = match login_field {
        LoginField::Auto => "auto".to_owned(),
        LoginField::Named(field) => field_in_words(field),
    };
    let mut lines = vec![format!("exam.enabled = {enabled}")];
    lines.extend(of_endpoint("exam", endpoint));
    lines.extend([
        format!("exam.code: {}", given(code.is_some())),
        format!("exam.login_field = {login_field}"),
        format!("exam.page_size = {page_size}"),
        format!("exam.batch_size = {batch_size}"),
        format!("exam.verify_groups = {}", span(*verify_groups)),
        format!("exam.leavers = {leavers}"),
        format!("exam.adopt = {adopt:?}"),
        format!("exam.create_groups = {create_groups}"),
        format!("exam.create_groups_under: {}", given(*create_groups_under != 0)),
        format!("exam.delete_grace = {}", span(*delete_grace)),
        format!("exam.shared = {}", shared.map_or("not set".to_owned(), |shared| shared.to_string())),
        format!("exam.fields: {} columns", fields.len()),
    ]);
    lines
}

fn field_in_words(field: &FieldRef) -> String {
    match field {
        FieldRef::Id(id) => format!("field {id}"),
        FieldRef::Label(_) => "by its label".to_owned(),
    }
}

fn of_classin(classin: &ClassinSettings) -> Vec<String> {
    let ClassinSettings {
        enabled,
        endpoint,
        sid,
        secret,
        batch_size,
        register,
        home_country: _,
        removals,
        verify_calls,
    } = classin;
    let mut lines = vec![format!("classin.enabled = {enabled}")];
    lines.extend(of_endpoint("classin", endpoint));
    lines.extend([
        format!("classin.sid: {}", given(sid.is_some())),
        format!("classin.secret: {}", given(secret.is_some())),
        format!("classin.batch_size = {batch_size}"),
        format!("classin.register = {register}"),
        format!("classin.removals = {removals:?}"),
        format!("classin.verify_calls = {verify_calls}"),
    ]);
    lines
}

fn of_endpoint(section: &str, endpoint: &Endpoint) -> Vec<String> {
    let Endpoint { base_url, requests_per_second, max_in_flight, timeout, ca_file } = endpoint;
    vec![
        format!("{section}.base_url = {}", without_credentials(base_url)),
        format!("{section}.requests_per_second = {requests_per_second}"),
        format!("{section}.max_in_flight = {max_in_flight}"),
        format!("{section}.timeout = {}", span(*timeout)),
        format!("{section}.ca_file: {}", given(ca_file.is_some())),
    ]
}

fn of_notify(notify: &NotifySettings) -> Vec<String> {
    // Titles, addresses and users are the school's own.
    let words: Vec<&str> = Target::all(notify).map(|target| target.word()).collect();
    vec![
        format!("notify: {}", if words.is_empty() { "nobody".to_owned() } else { words.join(", ") }),
        format!("notify.digest_at: {}", given(notify.digest_at.is_some())),
        format!("notify.timeout = {}", span(notify.timeout)),
    ]
}

fn queries(queries: &crate::settings::RosterQueries) -> String {
    let crate::settings::RosterQueries { students, groups, group_members, classes, class_members } = queries;
    let given: Vec<&str> = [
        ("students", students),
        ("groups", groups),
        ("group_members", group_members),
        ("classes", classes),
        ("class_members", class_members),
    ]
    .into_iter()
    .filter(|(_, query)| query.is_some())
    .map(|(name, _)| name)
    .collect();
    if given.is_empty() { "none, our own tables".to_owned() } else { given.join(", ") }
}

fn given(is_given: bool) -> &'static str {
    if is_given { "set" } else { "not set" }
}

fn span(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

/// Scheme, host and port.
fn without_credentials(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_scheme_host_and_port_are_told_alone() {
        for (url, told) in [
            ("https://api.example.org", "https://api.example.org"),
            ("https://user:secret@api.example.org:8443/path?key=secret", "https://api.example.org:8443"),
            ("http://127.0.0.1:8481/", "http://127.0.0.1:8481"),
        ] {
            assert_eq!(without_credentials(url), told);
        }
    }
}
