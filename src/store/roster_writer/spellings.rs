//! Ids and codes that a school's own database writes otherwise than an import reads them: blanks behind, `.0`, invisible
//! characters, full-width digits. Rows of files then speak as the database does, so that they meet its rows.

use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::RosterWriteError;
use super::compare::count_of;
use super::staging::run;
use rosterd_import::{RosterTable, code_as_read, id_as_read};

/// Spellings that are looked at at once.
const AT_ONCE: i64 = 500;

/// What has ids or codes, its key, and the tables whose rows name it.
const OWNERS: [(RosterTable, &str, &[RosterTable]); 3] = [
    (RosterTable::Students, "student_id", &[RosterTable::GroupMembers, RosterTable::ClassMembers]),
    (RosterTable::Groups, "group_code", &[RosterTable::GroupMembers]),
    (RosterTable::Classes, "class_code", &[RosterTable::ClassMembers]),
];

/// Makes the empty tables. `respelt` says of a spelling how the row that it means is written in the database.
pub(super) async fn prepare(connection: &mut SqliteConnection) -> Result<(), RosterWriteError> {
    for statement in [
        "CREATE TEMP TABLE odd (kind TEXT, stored TEXT, normal TEXT, is_owner INTEGER NOT NULL, PRIMARY KEY (kind, stored))
         WITHOUT ROWID",
        "CREATE TEMP TABLE respelt (kind TEXT, stored TEXT, spelt TEXT NOT NULL, PRIMARY KEY (kind, stored)) WITHOUT ROWID",
    ] {
        run(connection, statement.to_owned()).await?;
    }
    Ok(())
}

/// Finds the spellings of the database, and rewrites the rows that were put aside. A roster in normal form costs a scan of its
/// keys.
pub(super) async fn follow(connection: &mut SqliteConnection) -> Result<(), RosterWriteError> {
    for (owner, key, members) in OWNERS {
        for (table, is_owner) in std::iter::once((owner, 1)).chain(members.iter().map(|table| (*table, 0))) {
            // Neither printable ASCII alone, nor a number with a fraction, nor in an apostrophe.
            let odd = format!(
                "INSERT OR IGNORE INTO temp.odd (kind, stored, is_owner) SELECT DISTINCT '{owner}', value, {is_owner}
                 FROM (SELECT CAST({key} AS TEXT) AS value FROM main.{table})
                 WHERE value GLOB '*[^!-~]*' OR value GLOB '*.0*' OR value GLOB '''*'"
            );
            run(connection, odd).await?;
        }
    }
    if count_of(connection, "SELECT COUNT(*) FROM temp.odd").await? == 0 {
        return Ok(());
    }
    note_normal_forms(connection).await?;
    run(connection, "DELETE FROM temp.odd WHERE normal = stored OR normal = ''".to_owned()).await?;
    run(connection, "CREATE INDEX temp.odd_by_normal ON odd (kind, normal, is_owner)".to_owned()).await?;
    for (owner, key, _) in OWNERS {
        // Where two rows of the database mean one, nothing says which of them is meant.
        let spelt = format!(
            "INSERT INTO temp.respelt SELECT kind, normal, MIN(stored) FROM temp.odd
             WHERE kind = '{owner}' AND is_owner = 1
             AND normal NOT IN (SELECT CAST({key} AS TEXT) FROM main.{owner} WHERE {key} IS NOT NULL)
             GROUP BY kind, normal HAVING COUNT(*) = 1"
        );
        run(connection, spelt).await?;
    }
    let members = "INSERT OR IGNORE INTO temp.respelt
         SELECT o.kind, o.stored, COALESCE((SELECT r.spelt FROM temp.respelt AS r
             WHERE r.kind = o.kind AND r.stored = o.normal), o.normal)
         FROM temp.odd AS o WHERE o.is_owner = 0";
    run(connection, members.to_owned()).await?;
    rewrite(connection).await
}

/// The form in which an import reads each of them.
async fn note_normal_forms(connection: &mut SqliteConnection) -> Result<(), RosterWriteError> {
    let (mut kind, mut stored) = (String::new(), String::new());
    loop {
        let mut page =
            QueryBuilder::<Sqlite>::new("SELECT kind, stored FROM temp.odd WHERE (kind, stored) > (");
        page.push_bind(kind.clone())
            .push(", ")
            .push_bind(stored.clone())
            .push(") ORDER BY kind, stored LIMIT ");
        page.push_bind(AT_ONCE);
        let rows = page.build().fetch_all(&mut *connection).await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            (kind, stored) = (row.try_get(0)?, row.try_get(1)?);
            let is_person = kind == RosterTable::Students.name();
            let normal = if is_person { id_as_read(&stored) } else { code_as_read(&stored) };
            let update = sqlx::query("UPDATE temp.odd SET normal = ? WHERE kind = ? AND stored = ?");
            update.bind(normal).bind(&kind).bind(&stored).execute(&mut *connection).await?;
        }
    }
}

/// Rewrites keys of rows that were put aside, and what names them.
async fn rewrite(connection: &mut SqliteConnection) -> Result<(), RosterWriteError> {
    use RosterTable::{ClassMembers, Classes, GroupMembers, Groups, Students};
    let mut places = vec![
        ("staged_students".to_owned(), "key", Students, String::new()),
        ("staged_groups".to_owned(), "key", Groups, String::new()),
        ("staged_classes".to_owned(), "key", Classes, String::new()),
    ];
    for (members, owner) in [(GroupMembers, Groups), (ClassMembers, Classes)] {
        places.push((format!("staged_{members}"), "key", Students, String::new()));
        places.push((format!("staged_{members}"), "code", owner, String::new()));
        places.push(("staged_columns".to_owned(), "ref", Students, format!(" AND members = '{members}'")));
        places.push(("staged_columns".to_owned(), "code", owner, format!(" AND members = '{members}'")));
        places.push(("staged_gone".to_owned(), "code", owner, format!(" AND owner = '{owner}'")));
    }
    for (table, column, kind, only) in places {
        let spelt = format!("FROM temp.respelt AS r WHERE r.kind = '{kind}' AND r.stored = {table}.{column}");
        let statement = format!(
            "UPDATE OR REPLACE temp.{table} SET {column} = (SELECT r.spelt {spelt}) WHERE EXISTS (SELECT 1 {spelt}){only}"
        );
        run(connection, statement).await?;
    }
    Ok(())
}
