//! What ships beside the binary, read as text: the units, the image and the examples name only flags and keys that
//! exist, keep their hardening, and hold no secret.
//!
//! Whether systemd accepts the units is asked of systemd itself, by `.ci/run`.

use std::fs;
use std::path::{Path, PathBuf};

/// Every key of the configuration, as `section.key`.
const KEYS: &[&str] = &[
    "roster.database",
    "state.database",
    "sync.mode",
    "schedule.cron",
    "schedule.time_zone",
    "schedule.missed",
    "schedule.jitter",
    "schedule.blackout",
    "exam.enabled",
    "exam.base_url",
    "exam.code",
    "exam.code_file",
    "exam.login_field",
    "exam.page_size",
    "exam.batch_size",
    "exam.requests_per_second",
    "exam.max_in_flight",
    "exam.timeout",
    "exam.ca_file",
    "exam.verify_groups",
    "exam.leavers",
    "exam.adopt",
    "exam.create_groups",
    "exam.create_groups_under",
    "exam.delete_grace",
    "exam.shared",
    "classin.enabled",
    "classin.base_url",
    "classin.sid",
    "classin.secret",
    "classin.secret_file",
    "classin.batch_size",
    "classin.requests_per_second",
    "classin.max_in_flight",
    "classin.timeout",
    "classin.register",
    "classin.removals",
    "guard.max_delete",
    "guard.max_modify",
    "guard.min_roster",
    "retry.max_attempts",
    "retry.first_delay",
    "retry.max_delay",
    "results.cron",
    "results.full_every",
    "http.listen",
    "http.token_file",
];

/// The lines that keep a compromised daemon in its cell; both services carry all of them.
const HARDENING: &[&str] = &[
    "DynamicUser=yes",
    "User=rosterd",
    "StateDirectoryMode=0700",
    "UMask=0077",
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "ProtectProc=invisible",
    "ProcSubset=pid",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "PrivateUsers=yes",
    "PrivateIPC=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectControlGroups=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "LockPersonality=yes",
    "MemoryDenyWriteExecute=yes",
    "KeyringMode=private",
    "DevicePolicy=closed",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources",
    "LimitCORE=0",
];

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(project(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Everything under a folder, with its path from the project's top.
fn files_under(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(project(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            found.extend(files_under(&path));
        } else {
            found.push((path.clone(), read(&path)));
        }
    }
    found.sort();
    found
}

/// The lines of a unit file that say something, with the section they are in.
fn directives(unit: &str) -> Vec<(String, String)> {
    let mut section = String::new();
    let mut found = Vec::new();
    for line in unit.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_owned();
        } else {
            assert!(line.contains('='), "not a directive: {line}");
            assert!(!section.is_empty(), "a directive before any section: {line}");
            found.push((section.clone(), line.to_owned()));
        }
    }
    found
}

fn values<'a>(directives: &'a [(String, String)], key: &str) -> Vec<&'a str> {
    directives.iter().filter_map(|(_, line)| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

/// The Dockerfile's instructions, continued lines joined, comments left out.
fn instructions(dockerfile: &str) -> Vec<String> {
    let lines = dockerfile.lines().filter(|line| !line.trim_start().starts_with('#'));
    let joined = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    joined.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

const SERVICES: [&str; 2] = ["deploy/systemd/rosterd.service", "deploy/systemd/rosterd-sync.service"];

/// Each unit of one school, and its template for several.
const TEMPLATES: [(&str, &str); 3] = [
    ("deploy/systemd/rosterd.service", "deploy/systemd/rosterd@.service"),
    ("deploy/systemd/rosterd-sync.service", "deploy/systemd/rosterd-sync@.service"),
    ("deploy/systemd/rosterd-sync.timer", "deploy/systemd/rosterd-sync@.timer"),
];

#[test]
fn a_template_is_the_unit_of_one_school_with_the_schools_name_in_every_place_of_its_own() {
    for (unit, template) in TEMPLATES {
        let expected = read(unit)
            .replace("/etc/rosterd/config.toml", "/etc/rosterd/%i.toml")
            .replace("/etc/rosterd/credentials/", "/etc/rosterd/credentials/%i/")
            .replace("User=rosterd\n", "User=rosterd-%i\n")
            .replace("StateDirectory=rosterd\n", "StateDirectory=rosterd-%i\n")
            .replace("RuntimeDirectory=rosterd\n", "RuntimeDirectory=rosterd-%i\n")
            .replace("SyslogIdentifier=rosterd\n", "SyslogIdentifier=rosterd@%i\n")
            .replace("Unit=rosterd-sync.service", "Unit=rosterd-sync@%i.service")
            .replace("synchronisation daemon\n", "synchronisation daemon for %i\n")
            .replace("roster synchronisation\n", "roster synchronisation for %i\n")
            .replace("by timer, instead", "by timer for %i, instead");
        assert_eq!(read(template), expected, "{template}");
        assert!(expected.matches("%i").count() >= 2, "{template}");
    }
}

#[test]
fn a_second_school_shares_nothing_with_the_first() {
    let (first, second) = (read("deploy/config/rosterd.toml"), read("deploy/config/school.toml"));
    let own = |text: &str| -> Vec<String> {
        let quoted =
            text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split('"').nth(1));
        quoted.filter(|value| value.starts_with('/') || value.contains(":84")).map(str::to_owned).collect()
    };
    assert_eq!(own(&first).len(), own(&second).len());
    assert!(own(&first).len() >= 4, "{:?}", own(&first));
    for path in own(&first) {
        assert!(!own(&second).contains(&path), "{path} is shared");
    }
}

/// Of an `ExecStartPre=` that ends with 78 systemd tries again and again: `RestartPreventExitStatus=` is about the main
/// process alone. The daemon looks at its configuration itself before it is ready.
#[test]
fn nothing_but_the_daemon_itself_refuses_a_wrong_configuration() {
    for unit in ["deploy/systemd/rosterd.service", "deploy/systemd/rosterd@.service"] {
        assert!(values(&directives(&read(unit)), "ExecStartPre").is_empty(), "{unit}");
    }
}

#[test]
fn every_credential_of_a_unit_has_a_blank_one_to_fall_back_on() {
    for unit in SERVICES {
        let directives = directives(&read(unit));
        let name = |value: &&str| value.split_once(':').map(|(name, _)| name.to_owned());
        let names = |key: &str| -> Vec<String> { values(&directives, key).iter().filter_map(name).collect() };
        assert_eq!(names("LoadCredential"), names("SetCredential"), "{unit}");
        assert_eq!(names("SetCredential").len(), 2, "{unit}");
    }
}

#[test]
fn the_package_holds_each_unit_once_and_starts_none() {
    let manifest = read("Cargo.toml");
    let package = manifest.split("[package.metadata.deb]").nth(1).unwrap().split("\n[").next().unwrap();
    for line in
        ["enable = false", "start = false", "restart-after-upgrade = true", "default-features = false"]
    {
        assert!(package.contains(line), "{line}");
    }
    // cargo-deb finds rosterd.service and rosterd@.service by the package's name.
    for entry in fs::read_dir(project("deploy/systemd")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_found = ["rosterd.service", "rosterd@.service"].contains(&name.as_str());
        let listed = package.matches(&format!("deploy/systemd/{name}\"")).count();
        assert_eq!(listed, usize::from(!is_found), "{name}");
    }
    for needed in ["ca-certificates", "procps", "tzdata"] {
        assert!(package.contains(needed), "{needed}");
    }
}

#[test]
fn units_have_the_sections_that_systemd_knows() {
    for (unit, sections) in [
        ("deploy/systemd/rosterd.service", vec!["Unit", "Service", "Install"]),
        ("deploy/systemd/rosterd-sync.service", vec!["Unit", "Service"]),
        ("deploy/systemd/rosterd-sync.timer", vec!["Unit", "Timer", "Install"]),
        ("deploy/systemd/rosterd@.service", vec!["Unit", "Service", "Install"]),
        ("deploy/systemd/rosterd-sync@.service", vec!["Unit", "Service"]),
        ("deploy/systemd/rosterd-sync@.timer", vec!["Unit", "Timer", "Install"]),
    ] {
        let mut found: Vec<_> = directives(&read(unit)).into_iter().map(|(section, _)| section).collect();
        found.dedup();
        assert_eq!(found, sections, "{unit}");
    }
}

#[test]
fn units_start_the_installed_binary_with_flags_that_it_has() {
    let command_line = read("src/cli/mod.rs");
    for unit in SERVICES {
        let directives = directives(&read(unit));
        let commands = [values(&directives, "ExecStartPre"), values(&directives, "ExecStart")].concat();
        assert!(!commands.is_empty(), "{unit}");
        for command in commands {
            let mut words = command.split_whitespace();
            assert_eq!(words.next(), Some("/usr/bin/rosterd"), "{unit}: {command}");
            for word in words.filter(|word| !word.starts_with('/')) {
                let name = word.trim_start_matches('-').replace('-', "_");
                let verb = name.split('_').map(capitalised).collect::<String>();
                let is_known = if word.starts_with("--") {
                    command_line.contains(&format!("{name}:"))
                } else {
                    command_line.contains(&format!("    {verb}"))
                };
                assert!(is_known, "{unit}: the command line has no {word}");
            }
        }
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[test]
fn both_services_carry_every_line_of_hardening() {
    for unit in SERVICES {
        let directives = directives(&read(unit));
        for line in HARDENING {
            let is_there = directives.iter().any(|(section, found)| section == "Service" && found == line);
            assert!(is_there, "{unit} has lost {line}");
        }
    }
}

#[test]
fn the_daemon_is_watched_reloaded_and_not_restarted_into_the_same_wall() {
    let directives = directives(&read("deploy/systemd/rosterd.service"));
    for (key, value) in [
        ("Type", "notify"),
        ("WatchdogSec", "60s"),
        ("ExecReload", "/bin/kill -HUP $MAINPID"),
        ("Restart", "on-failure"),
        ("RestartPreventExitStatus", "64 77 78"),
        ("SuccessExitStatus", "143"),
        ("TimeoutStopSec", "60s"),
    ] {
        assert_eq!(values(&directives, key), [value], "{key}");
    }
}

#[test]
fn one_run_by_timer_may_end_incomplete_or_held_and_is_caught_up() {
    let service = directives(&read("deploy/systemd/rosterd-sync.service"));
    assert_eq!(values(&service, "Type"), ["oneshot"]);
    assert_eq!(values(&service, "SuccessExitStatus"), ["3 4 143"]);
    let timer = directives(&read("deploy/systemd/rosterd-sync.timer"));
    assert_eq!(values(&timer, "Persistent"), ["true"]);
    assert_eq!(values(&timer, "Unit"), ["rosterd-sync.service"]);
    assert_eq!(values(&timer, "OnCalendar").len(), 1);
}

#[test]
fn every_environment_variable_in_deploy_is_a_key_of_the_configuration() {
    let mut count = 0;
    for (path, text) in files_under("deploy") {
        for found in text.split("ROSTERD__").skip(1) {
            let is_name = |c: char| c.is_ascii_uppercase() || c == '_';
            let name: String = found.chars().take_while(|c| is_name(*c)).collect();
            let key = name.to_lowercase().replacen("__", ".", 1);
            assert!(KEYS.contains(&key.as_str()), "{path}: ROSTERD__{name} is no key");
            count += 1;
        }
    }
    assert!(count >= 6, "only {count} variables were found: has the form changed?");
}

#[test]
fn every_key_of_the_example_is_a_key_of_the_configuration() {
    let mut section = String::new();
    let text = format!("{}{}", read("deploy/config/rosterd.toml"), read("deploy/config/school.toml"));
    for line in text.lines().map(|line| line.trim_start_matches("# ").trim()) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_owned();
        } else if let Some((key, _)) = line.split_once(" = ") {
            let key = format!("{section}.{key}");
            assert!(KEYS.contains(&key.as_str()), "{key} is no key");
        }
    }
}

#[test]
fn the_list_of_keys_is_that_of_the_default_configuration() {
    let defaults = read("config/default.toml");
    for key in KEYS {
        let (section, name) = key.split_once('.').unwrap();
        let start = defaults.find(&format!("\n[{section}]")).unwrap_or_else(|| panic!("no [{section}]"));
        let rest = &defaults[start + 2..];
        let end = rest.find("\n[").unwrap_or(rest.len());
        assert!(rest[..end].contains(name), "config/default.toml says nothing of {key}");
    }
}

#[test]
fn credentials_come_as_files_and_no_shipped_file_holds_one() {
    for (path, text) in files_under("deploy") {
        let lines = text.lines().map(|line| line.trim_start_matches('#').trim());
        for line in lines {
            for bare in ["ROSTERD__EXAM__CODE", "ROSTERD__CLASSIN__SECRET"] {
                let is_value = line.contains(bare) && !line.contains(&format!("{bare}_FILE"));
                assert!(!is_value, "{path}: a secret belongs into a file, not into a variable: {line}");
            }
            for key in ["code", "secret", "password"] {
                let given =
                    line.strip_prefix(key).map(str::trim_start).and_then(|rest| rest.strip_prefix('='));
                assert!(given.is_none(), "{path}: {line}");
            }
        }
    }
    for unit in SERVICES {
        let directives = directives(&read(unit));
        for (credential, variable) in
            [("exam-code", "ROSTERD__EXAM__CODE_FILE"), ("classin-secret", "ROSTERD__CLASSIN__SECRET_FILE")]
        {
            let loaded = format!("{credential}:/etc/rosterd/credentials/{credential}");
            assert!(values(&directives, "LoadCredential").contains(&loaded.as_str()), "{unit}: {loaded}");
            let named = format!("{variable}=%d/{credential}");
            assert!(values(&directives, "Environment").contains(&named.as_str()), "{unit}: {named}");
        }
    }
}

#[test]
fn the_image_runs_as_nobody_in_particular_and_hears_the_stop_signal() {
    let instructions = instructions(&read("deploy/docker/Dockerfile"));
    let last = |name: &str| {
        let found = instructions.iter().rev().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        found.unwrap_or_else(|| panic!("no {name}")).trim()
    };
    assert_eq!(last("USER"), "65532:65532");
    assert_eq!(last("ENTRYPOINT"), r#"["/usr/bin/rosterd"]"#);
    assert_eq!(last("VOLUME"), r#"["/var/lib/rosterd"]"#);
    assert!(last("HEALTHCHECK").ends_with(r#"CMD ["/usr/bin/rosterd", "status", "--check"]"#));
    assert!(!instructions.iter().any(|line| line.starts_with("CMD")), "the daemon is the default");
    let position = |start: &str| instructions.iter().rposition(|line| line.starts_with(start)).unwrap();
    assert!(position("USER") > position("RUN"), "nothing is done as root after the user is set");
}

#[test]
fn the_image_is_assembled_from_named_images_and_has_no_shell() {
    let instructions = instructions(&read("deploy/docker/Dockerfile"));
    let stages: Vec<_> = instructions.iter().filter(|line| line.starts_with("FROM ")).collect();
    assert_eq!(stages, ["FROM ${BUILD_IMAGE} AS builder", "FROM ${RUNTIME_IMAGE} AS files", "FROM scratch"]);
    let images = instructions.iter().filter(|line| line.starts_with("ARG ") && line.contains("_IMAGE="));
    assert_eq!(images.clone().count(), 2);
    for line in images {
        let image = line.split_once('=').unwrap().1;
        assert!(image.contains(':') && !image.ends_with(":latest"), "{line}: name a version");
        assert!(!image.contains('/'), "{line}: an ordinary image name, no host");
    }
    for line in &instructions {
        assert!(!line.starts_with("ADD "), "{line}: COPY says what it does");
        assert!(!line.contains("curl") && !line.contains("sudo"), "{line}");
        if line.contains("apt-get install") {
            assert!(line.contains("--no-install-recommends") && line.contains("rm -rf /var/lib/apt/lists"));
            assert!(line.contains("ca-certificates") && line.contains("tzdata"));
        }
    }
    let version = read("rust-toolchain.toml");
    let channel = version.split('"').nth(1).unwrap().trim_end_matches(".0");
    assert!(
        instructions[0].contains(&format!("rust:{channel}-")),
        "{}: not the toolchain's",
        instructions[0]
    );
}

#[test]
fn nothing_but_what_the_build_reads_goes_into_the_image() {
    let ignored = read(".dockerignore");
    let rules: Vec<_> = ignored.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(rules[0], "*");
    for needed in [
        "!Cargo.toml",
        "!Cargo.lock",
        "!src",
        "!templates",
        "!config",
        "!migrations",
        "!deploy/config",
        "!deploy/docker/assemble",
        "!deploy/notices",
        "!target/image",
    ] {
        assert!(rules.contains(&needed), "{needed}");
    }
    for never in ["**/secrets", "**/credentials", "**/*.db"] {
        assert!(rules.contains(&never), "{never}");
    }
}

#[test]
fn the_composition_gives_the_container_nothing_that_it_does_not_need() {
    let text = read("deploy/docker/compose.yaml");
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    assert!(!text.contains('\t'), "YAML knows no tabs");
    for line in [
        "read_only: true",
        "cap_drop:",
        "- ALL",
        "- no-new-privileges:true",
        "stop_grace_period: 60s",
        "user: \"65532:65532\"",
        "- \"127.0.0.1:8480:8480\"",
        "ROSTERD__EXAM__CODE_FILE: /run/secrets/exam-code",
        "ROSTERD__CLASSIN__SECRET_FILE: /run/secrets/classin-secret",
        "file: ./secrets/exam-code",
        "file: ./secrets/classin-secret",
        "ROSTERD__HTTP__TOKEN_FILE: /run/secrets/http-token",
        "file: ./secrets/http-token",
        "- ../config/rosterd.toml:/etc/rosterd/config.toml:ro",
    ] {
        assert!(lines.contains(&line), "compose.yaml has lost: {line}");
    }
    for never in ["privileged", "network_mode", "docker.sock", "cap_add", "0.0.0.0"] {
        assert!(!text.contains(never), "{never}");
    }
}

#[test]
fn both_files_that_name_the_health_check_name_what_the_command_line_has() {
    let command_line = read("src/cli/mod.rs");
    assert!(command_line.contains("    Status"), "no verb status");
    assert!(command_line.contains("check: bool"), "no flag --check");
}
