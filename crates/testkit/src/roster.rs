//! The people of a roster, rewritten as a whole whenever a test changes it.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, SqlitePool};

use super::Person;

/// Makes the database say just this.
pub(crate) async fn write(
    pool: &SqlitePool,
    people: &BTreeMap<String, Person>,
    groups: &BTreeMap<String, Option<i64>>,
) {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    for table in ["students", "groups", "group_members"] {
        let sql = AssertSqlSafe(format!("DELETE FROM {table}"));
        sqlx::query(sql).execute(&mut *transaction).await.unwrap();
    }
    for (code, gid) in groups {
        sqlx::query("INSERT INTO groups (group_code, title, gid) VALUES (?, ?, ?)")
            .bind(code)
            .bind(format!("Group {code}"))
            .bind(gid)
            .execute(&mut *transaction)
            .await
            .unwrap();
    }
    for person in people.values() {
        let Person { id, login, name, gender, phone, password, groups, active } = person;
        sqlx::query(
            "INSERT INTO students (student_id, login, name, gender, phone, password, active) \
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id)
        .bind(login)
        .bind(name)
        .bind(gender)
        .bind(phone)
        .bind(password)
        .bind(active)
        .execute(&mut *transaction)
        .await
        .unwrap();
        for code in groups {
            sqlx::query("INSERT INTO group_members (student_id, group_code) VALUES (?, ?)")
                .bind(id)
                .bind(code)
                .execute(&mut *transaction)
                .await
                .unwrap();
        }
    }
    transaction.commit().await.unwrap();
}
