//! Compares staged rows with the keys in a database. Finds members without a person or group, new rows that lack required values, and ids that lost their leading zeros in a
//! spreadsheet. A row that fails is reported at its place and takes no further part.

use futures_util::TryStreamExt;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::RosterWriteError;
use super::compare::count_of;
use super::history;
use super::spellings;
use super::spoiled_ids::{note_folded, spoiled_rules};
use super::staging::{Staging, run};
use rosterd_core::counted::counted;
use rosterd_core::roster::shell_word;
use rosterd_import::{Completeness, ImportProblem, Notice, Reading, RosterTable};

/// A rule that rows break.
pub(super) struct Rule {
    pub(super) table: RosterTable,
    pub(super) code: &'static str,
    /// Whether the rule means the second of the table's two noted columns.
    pub(super) second: bool,
    /// Of the rows put aside, named `s`.
    pub(super) breaks: String,
    /// Two texts that the message needs, as SQL.
    pub(super) texts: [String; 2],
    pub(super) message: Message,
}

impl Staging {
    /// Finds out what each row refers to, and moves every row that does not fit to the problems. `foreign`
    /// says that files refer to people by something else than the student's id, `is_list` that they are lists that people keep,
    /// and no bundle of a program.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn check_rows(
        &mut self,
        reading: &mut Reading,
        completeness: Completeness,
        foreign: bool,
        is_list: bool,
    ) -> Result<(), RosterWriteError> {
        spellings::prepare(&mut self.connection).await?;
        if !self.is_empty {
            spellings::follow(&mut self.connection).await?;
        }
        self.note_known(foreign).await?;
        if !is_list {
            enforce(&mut self.connection, reading, &somebody_else()).await?;
        }
        self.leave_out_others(reading, completeness, foreign).await?;
        // A table that is the whole truth says who there is, whatever the database knows.
        let is_whole =
            completeness == Completeness::Whole && reading.complete.contains(&RosterTable::Students);
        let reassigns = self.reassigns;
        if is_list {
            self.part_codes(reading).await?;
        }
        self.settle_doubled(reading, foreign, is_list).await?;
        let connection = &mut *self.connection;
        if is_list {
            note_folded(connection, self.is_empty).await?;
        }
        let spoiled = if is_list { spoiled_rules(&reading.of_accounts) } else { Vec::new() };
        for rule in keyed_rules().into_iter().chain(spoiled) {
            enforce(connection, reading, &rule).await?;
        }
        if foreign && !reassigns {
            enforce(connection, reading, &id_of_another()).await?;
        }
        for (members, owners) in [
            (RosterTable::GroupMembers, RosterTable::Groups),
            (RosterTable::ClassMembers, RosterTable::Classes),
        ] {
            leave_out_members(connection, members, owners).await?;
            if foreign {
                resolve(connection, members).await?;
            }
            for rule in member_rules(members, owners, is_whole) {
                let before = problem_count(reading);
                enforce(connection, reading, &rule).await?;
                // Whom members name and students lack was cut off and has not left: then absence says nothing of anybody.
                if is_whole && rule.code == "unknown-student" && problem_count(reading) > before {
                    reading.complete.remove(&RosterTable::Students);
                }
            }
        }
        if foreign {
            self.follow_changed_ids(reading, completeness).await?;
        }
        self.tell_lengths(reading).await?;
        self.tell_shared_phones(reading).await?;
        self.tell_new(reading).await?;
        self.tell_returned(reading).await?;
        self.tell_alike(reading).await?;
        reading.sort_problems();
        Ok(())
    }

    /// The newest change in any delta of this kind imported into this roster.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn newest_delta(&mut self, kind: &str) -> Result<Option<String>, RosterWriteError> {
        if self.is_empty {
            return Ok(None);
        }
        history::newest_bundle(&mut self.connection, [&history::delta_of(kind); 2]).await
    }

    /// The newest change in any bundle of this kind imported into this roster. Where no import of this kind was noted, as by
    /// earlier releases, the newest that a student's row tells of.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn newest_change(&mut self, kind: &str) -> Result<Option<String>, RosterWriteError> {
        if self.is_empty {
            return Ok(None);
        }
        let kinds = [kind, &history::delta_of(kind)];
        if let Some(newest) = history::newest_bundle(&mut self.connection, kinds).await? {
            return Ok(Some(newest));
        }
        if !has_column(&mut self.connection, "dateLastModified").await? {
            return Ok(None);
        }
        let query = sqlx::query_scalar("SELECT MAX(CAST(\"dateLastModified\" AS TEXT)) FROM students");
        Ok(query.fetch_one(&mut *self.connection).await?)
    }

    /// Whether people who are there are known by another id than the key of their bundles, which stands beside it.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn knows_other_ids(&mut self) -> Result<bool, RosterWriteError> {
        if self.is_empty || !has_column(&mut self.connection, "sourcedId").await? {
            return Ok(false);
        }
        let other = "SELECT EXISTS (SELECT 1 FROM main.students WHERE \"sourcedId\" <> '' AND active IS NOT 0
             AND CAST(\"sourcedId\" AS TEXT) <> CAST(student_id AS TEXT))";
        Ok(count_of(&mut self.connection, other).await? > 0)
    }

    async fn note_known(&mut self, foreign: bool) -> Result<(), RosterWriteError> {
        let connection = &mut *self.connection;
        let known = [
            ("known_students", "student_id", "students"),
            ("known_groups", "group_code", "groups"),
            ("known_classes", "class_code", "classes"),
        ];
        for (name, key, table) in known {
            run(connection, format!("CREATE TEMP TABLE {name} (key TEXT PRIMARY KEY) WITHOUT ROWID")).await?;
            if !self.is_empty {
                let rows = format!(
                    "SELECT CAST({key} AS TEXT) FROM main.{table} WHERE {key} IS NOT NULL ORDER BY 1"
                );
                run(connection, format!("INSERT OR IGNORE INTO temp.{name} {rows}")).await?;
            }
        }
        for statement in [
            "CREATE TEMP TABLE known_refs (ref TEXT PRIMARY KEY, key TEXT) WITHOUT ROWID",
            "CREATE TEMP TABLE known_short (short TEXT PRIMARY KEY, full TEXT) WITHOUT ROWID",
            "INSERT OR IGNORE INTO temp.known_short SELECT LTRIM(key, '0'), key FROM temp.known_students
             WHERE key GLOB '0*' AND key NOT GLOB '*[^0-9]*'",
            "CREATE TEMP TABLE staged_short (short TEXT PRIMARY KEY, full TEXT) WITHOUT ROWID",
            "INSERT OR IGNORE INTO temp.staged_short SELECT LTRIM(key, '0'), key FROM temp.staged_students
             WHERE key GLOB '0*' AND key NOT GLOB '*[^0-9]*'",
            "CREATE INDEX temp.staged_students_by_key ON staged_students (key, good)",
            "CREATE INDEX temp.staged_groups_by_key ON staged_groups (key, good)",
            "CREATE INDEX temp.staged_classes_by_key ON staged_classes (key, good)",
        ] {
            run(connection, statement.to_owned()).await?;
        }
        if foreign {
            run(
                connection,
                "CREATE INDEX temp.staged_students_by_ref ON staged_students (ref, good)".to_owned(),
            )
            .await?;
            if !self.is_empty && has_column(connection, "sourcedId").await? {
                let rows = "SELECT CAST(\"sourcedId\" AS TEXT), CAST(student_id AS TEXT) FROM main.students
                            WHERE \"sourcedId\" <> '' AND student_id IS NOT NULL
                            -- Of several rows of one person, the one that is there counts.
                            ORDER BY active = 0";
                run(connection, format!("INSERT OR IGNORE INTO temp.known_refs {rows}")).await?;
                let by_key = "CREATE INDEX temp.known_refs_by_key ON known_refs (key)";
                run(connection, by_key.to_owned()).await?;
            }
        }
        Ok(())
    }

    /// Leaves out people who are no students, unknown leavers, and made-up titles where there is a better
    /// one.
    async fn leave_out_others(
        &mut self,
        reading: &mut Reading,
        completeness: Completeness,
        foreign: bool,
    ) -> Result<(), RosterWriteError> {
        let connection = &mut *self.connection;
        if foreign {
            let found = "(SELECT k.key FROM temp.known_refs AS k WHERE k.ref = staged_students.ref)";
            let statement = format!(
                "UPDATE temp.staged_students SET key = {found}
                 WHERE key = '' AND departs = 1 AND {found} IS NOT NULL"
            );
            run(connection, statement).await?;
        }
        let unknown = "key NOT IN (SELECT key FROM temp.known_students)";
        let no_role = "needs_role = 1 AND ref NOT IN (SELECT ref FROM temp.staged_roles)";
        let no_student = match completeness {
            Completeness::Whole => no_role.to_owned(),
            // The role of a known person may come from an earlier bundle.
            Completeness::Partial => format!("{no_role} AND {unknown}"),
        };
        let unknown_leaver = format!("departs = 1 AND {unknown}");
        for (left_out, what) in [
            (no_student, "left out, as the bundle names no role of a student for them"),
            (unknown_leaver, "said to have left, and known to the roster under no id as students"),
        ] {
            let refs = format!("SELECT ref FROM temp.staged_students WHERE {left_out}");
            run(connection, format!("INSERT OR IGNORE INTO temp.staged_others {refs}")).await?;
            let count = run(connection, format!("DELETE FROM temp.staged_students WHERE {left_out}")).await?;
            if count > 0 {
                let message = format!("{what}: {}", counted(count, "user"));
                reading.notices.push(Notice { file: String::new(), message });
            }
        }
        for table in ["groups", "classes"] {
            let better = format!(
                "SELECT 1 FROM temp.staged_{table} AS o WHERE o.key = staged_{table}.key
                 AND (o.made_up = 0 OR o.n < staged_{table}.n)"
            );
            let statement =
                format!("DELETE FROM temp.staged_{table} WHERE made_up = 1 AND EXISTS ({better})");
            run(connection, statement).await?;
            let known = format!("SELECT key FROM temp.known_{table}");
            let statement =
                format!("UPDATE temp.staged_{table} SET v0 = NULL WHERE made_up = 1 AND key IN ({known})");
            run(connection, statement).await?;
        }
        Ok(())
    }
}

fn problem_count(reading: &Reading) -> u64 {
    reading.unlisted_problems.saturating_add(u64::try_from(reading.row_problems.len()).unwrap_or(u64::MAX))
}

pub(super) async fn has_column(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<bool, RosterWriteError> {
    let query = sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM main.pragma_table_info('students') WHERE name = ?",
    );
    Ok(query.bind(name).fetch_one(connection).await? > 0)
}

/// The message of a rule, from its two texts.
pub(super) type Message = fn(&str, &str) -> String;

fn keyed_rules() -> Vec<Rule> {
    let mut rules = vec![Rule {
        table: RosterTable::Students,
        code: "missing-id",
        second: false,
        breaks: "s.key = ''".to_owned(),
        texts: ["''".to_owned(), "''".to_owned()],
        message: |_, _| "the student's id is empty".to_owned(),
    }];
    let new = |table: RosterTable| format!("s.key NOT IN (SELECT key FROM temp.known_{table})");
    let full = "(SELECT k.full FROM temp.known_short AS k WHERE k.short = s.key)".to_owned();
    rules.push(Rule {
        table: RosterTable::Students,
        code: "lost-zeros",
        second: false,
        breaks: format!("{} AND s.key IN (SELECT short FROM temp.known_short)", new(RosterTable::Students)),
        texts: ["s.key".to_owned(), full],
        message: |key, full| format!("student_id {key} is in the database as {full}: zeros were lost"),
    });
    let is_padded = "s.key GLOB '0*' AND s.key NOT GLOB '*[^0-9]*'";
    rules.push(Rule {
        table: RosterTable::Students,
        code: "returned-zeros",
        second: false,
        breaks: format!(
            "{is_padded} AND {} AND LTRIM(s.key, '0') IN (SELECT key FROM temp.known_students)",
            new(RosterTable::Students)
        ),
        texts: ["s.key".to_owned(), "LTRIM(s.key, '0')".to_owned()],
        message: |key, bare| format!("student_id {key} is in the database as {bare}, without zeros in front"),
    });
    rules.push(Rule {
        table: RosterTable::Students,
        code: "lost-zeros",
        second: false,
        breaks: format!("{} AND s.key IN (SELECT short FROM temp.staged_short)", new(RosterTable::Students)),
        texts: [
            "s.key".to_owned(),
            "(SELECT p.full FROM temp.staged_short AS p WHERE p.short = s.key)".to_owned(),
        ],
        message: |key, full| {
            format!("student_id {key} stands in the files as {full} too: zeros were lost in one of them")
        },
    });
    for (table, texts) in [(RosterTable::Groups, "groups"), (RosterTable::Classes, "classes")] {
        let is_number = |of: &str| format!("{of}key <> '' AND {of}key NOT GLOB '*[^0-9]*'");
        let known = format!("SELECT LTRIM(key, '0') FROM temp.known_{texts} WHERE {}", is_number(""));
        let full = format!(
            "(SELECT k.key FROM temp.known_{texts} AS k WHERE {} AND LTRIM(k.key, '0') = LTRIM(s.key, '0'))",
            is_number("k.")
        );
        rules.push(Rule {
            table,
            code: "lost-zeros",
            second: false,
            breaks: format!("{} AND {} AND LTRIM(s.key, '0') IN ({known})", is_number("s."), new(table)),
            texts: ["s.key".to_owned(), full],
            message: |key, full| {
                format!("{key} is in the database as {full}: zeros in front were lost, or came back")
            },
        });
    }
    let titles: [(RosterTable, &'static str, Message); 3] = [
        (RosterTable::Students, "missing-name", |key, _| format!("the new student {key} has no name")),
        (RosterTable::Groups, "missing-title", |key, _| format!("the new group {key} has no title")),
        (RosterTable::Classes, "missing-title", |key, _| format!("the new class {key} has no title")),
    ];
    for (table, code, message) in titles {
        // An empty name is found this late only for people whose role comes from another file.
        let breaks = format!("(s.v0 = '' OR s.v0 IS NULL AND {})", new(table));
        rules.push(Rule {
            table,
            code,
            second: true,
            breaks,
            texts: ["s.key".to_owned(), "''".to_owned()],
            message,
        });
    }
    rules
}

/// One key of a bundle for a student and for somebody who is none: what names it could mean either.
fn somebody_else() -> Rule {
    Rule {
        table: RosterTable::Students,
        code: "duplicate-id",
        second: false,
        breaks: "s.ref IN (SELECT ref FROM temp.staged_others)".to_owned(),
        texts: ["s.ref".to_owned(), "''".to_owned()],
        message: |key, _| {
            format!("{key} stands as a student here, and in another row as somebody else: leave one of them")
        },
    }
}

/// The rule that nobody gets the id under which the roster knows another person: their candidate would become this one's.
fn id_of_another() -> Rule {
    let former = "SELECT k.key FROM temp.known_refs AS k WHERE k.ref = s.ref";
    Rule {
        table: RosterTable::Students,
        code: "id-of-another",
        second: false,
        breaks: format!(
            "s.departs = 0 AND s.key <> ({former})
             AND EXISTS (SELECT 1 FROM temp.known_refs AS o WHERE o.key = s.key AND o.ref <> s.ref)"
        ),
        texts: [format!("({former})"), "s.key".to_owned()],
        message: |former, key| {
            let aside = format!("{key}-former");
            let [former, key, aside] = [former, key, &aside].map(shell_word);
            format!(
                "the roster knows this person as {former}, and {key} as somebody else, whose candidate and results would become \
                 this person's: have the id corrected; where it is meant, stop the daemon, import with --reassigned-ids, and \
                 before the next run type rosterd relink {key} {aside} --force and rosterd relink {former} {key} --force"
            )
        },
    }
}

/// `is_whole` says that the files have every student.
fn member_rules(members: RosterTable, owners: RosterTable, is_whole: bool) -> [Rule; 2] {
    let known = |owner: RosterTable, column: &str| {
        let given = format!(
            "EXISTS (SELECT 1 FROM temp.staged_{owner} AS o WHERE o.key = s.{column} AND o.good = 1)"
        );
        if is_whole && owner == RosterTable::Students {
            return given;
        }
        format!("{given} OR s.{column} IN (SELECT key FROM temp.known_{owner})")
    };
    let unknown: Message = if is_whole {
        |id, _| format!("student {id} is not among the students of the files, which are the whole truth")
    } else {
        |id, _| format!("student {id} is neither in a good row of the files nor in the database")
    };
    [
        Rule {
            table: members,
            code: "unknown-student",
            second: false,
            breaks: format!(
                "s.departs = 0 AND (s.key IS NULL OR NOT ({}))",
                known(RosterTable::Students, "key")
            ),
            texts: ["s.ref".to_owned(), "''".to_owned()],
            message: unknown,
        },
        Rule {
            table: members,
            code: "unknown-code",
            second: true,
            breaks: format!("s.departs = 0 AND NOT ({})", known(owners, "code")),
            texts: ["s.code".to_owned(), "''".to_owned()],
            message: |code, _| format!("{code} is neither in a good row of the files nor in the database"),
        },
    ]
}

/// Reports the rows that break a rule.
async fn enforce(
    connection: &mut SqliteConnection,
    reading: &mut Reading,
    rule: &Rule,
) -> Result<(), RosterWriteError> {
    let Rule { table, code, second, breaks, texts: [one, other], message } = rule;
    let column = *reading.key_columns(*table).get(usize::from(*second)).unwrap_or(&1);
    let statement = format!(
        "SELECT s.file, s.line, {one}, {other} FROM temp.staged_{table} AS s WHERE s.good = 1 AND {breaks} ORDER BY s.n"
    );
    let mut found = QueryBuilder::<Sqlite>::new(statement);
    let mut count = 0_u64;
    {
        let mut rows = found.build().persistent(false).fetch(&mut *connection);
        while let Some(row) = rows.try_next().await? {
            let file = usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(usize::MAX);
            let line = u64::try_from(row.try_get::<i64, _>(1)?).unwrap_or_default();
            let texts = [row.try_get::<String, _>(2)?, row.try_get::<String, _>(3)?];
            let file = reading.file_name(file);
            let [one, other] = texts;
            let message = message(&one, &other);
            reading.refuse_row(&[*table], ImportProblem { file, line, column, code, message });
            count += 1;
        }
    }
    if count == 0 {
        return Ok(());
    }
    run(connection, format!("UPDATE temp.staged_{table} AS s SET good = 0 WHERE s.good = 1 AND {breaks}"))
        .await?;
    Ok(())
}

/// Leaves out members of ended groups and members who are no students.
async fn leave_out_members(
    connection: &mut SqliteConnection,
    members: RosterTable,
    owners: RosterTable,
) -> Result<(), RosterWriteError> {
    let gone = format!("SELECT code FROM temp.staged_gone WHERE owner = '{owners}'");
    let statement = format!(
        "DELETE FROM temp.staged_{members} WHERE ref IN (SELECT ref FROM temp.staged_others) OR code IN ({gone})"
    );
    run(connection, statement).await?;
    Ok(())
}

async fn resolve(connection: &mut SqliteConnection, members: RosterTable) -> Result<(), RosterWriteError> {
    let here = format!(
        "SELECT p.key FROM temp.staged_students AS p WHERE p.ref = staged_{members}.ref AND p.good = 1"
    );
    let known = format!("SELECT k.key FROM temp.known_refs AS k WHERE k.ref = staged_{members}.ref");
    run(connection, format!("UPDATE temp.staged_{members} SET key = COALESCE(({here}), ({known}))")).await?;
    Ok(())
}
