//! ClassIn's console and client by HTTP: edits by hand, for tests and rehearsals in another process.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;

use super::Served;
use crate::{Role, Sandbox};

type Words = BTreeMap<String, String>;

/// Reads the parameters of a query, or says what is wrong with it.
struct ConsoleRequest<'a>(&'a Words);

impl ConsoleRequest<'_> {
    fn text(&self, name: &str) -> Result<&str, String> {
        self.0.get(name).map(String::as_str).ok_or_else(|| format!("{name} is missing\n"))
    }

    fn number(&self, name: &str) -> Result<i64, String> {
        self.text(name)?.trim().parse().map_err(|_| format!("{name} is no number\n"))
    }

    fn optional(&self, name: &str) -> Result<Option<i64>, String> {
        if self.0.contains_key(name) { self.number(name).map(Some) } else { Ok(None) }
    }

    fn known(&self, names: &[&str]) -> Result<(), String> {
        match self.0.keys().find(|name| !names.contains(&name.as_str())) {
            Some(odd) => Err(format!("{odd} is not asked for; there are: {}\n", names.join(", "))),
            None => Ok(()),
        }
    }
}

/// `POST /_sandbox/classin/DEED`: 200 with the id of what was made, or with nothing; 400 with what is wrong.
pub(super) async fn deed(
    State(served): State<Served>,
    Path(deed): Path<String>,
    Query(words): Query<Words>,
) -> (StatusCode, String) {
    match done(&served.sandbox, &deed, &ConsoleRequest(&words)) {
        Ok(made) => (StatusCode::OK, made.map(|id| id.to_string()).unwrap_or_default()),
        Err(wrong) => (StatusCode::BAD_REQUEST, wrong),
    }
}

fn done(sandbox: &Sandbox, deed: &str, asked: &ConsoleRequest<'_>) -> Result<Option<i64>, String> {
    match deed {
        "create-course" | "create-class" | "create-account" => create(sandbox, deed, asked).map(Some),
        "cancel-account" | "leave-school" | "change-contact" => person(sandbox, deed, asked).map(|()| None),
        "recycle-contact" | "replace-account" => new_owner(sandbox, deed, asked).map(Some),
        "end-class" | "delete-class" | "capacity" => place(sandbox, deed, asked).map(|()| None),
        "add-member" | "remove-member" | "role" => member(sandbox, deed, asked).map(|()| None),
        _ => Err(format!("there is no deed {deed}; GET / lists them\n")),
    }
}

fn create(sandbox: &Sandbox, deed: &str, asked: &ConsoleRequest<'_>) -> Result<i64, String> {
    match deed {
        "create-course" => {
            asked.known(&["title"])?;
            Ok(sandbox.create_course(asked.text("title")?))
        }
        "create-class" => {
            asked.known(&["course", "title"])?;
            let course = there(sandbox, asked.number("course")?, None)?;
            Ok(sandbox.create_class(course, asked.text("title")?))
        }
        _ => {
            asked.known(&["name", "contact"])?;
            Ok(sandbox.create_account(asked.text("name")?, asked.text("contact").ok()))
        }
    }
}

fn person(sandbox: &Sandbox, deed: &str, asked: &ConsoleRequest<'_>) -> Result<(), String> {
    asked.known(if deed == "change-contact" { &["uid", "contact"] } else { &["uid"] })?;
    let uid = somebody(sandbox, asked)?;
    match deed {
        "cancel-account" => sandbox.cancel_account(uid),
        "leave-school" => sandbox.leave_school(uid),
        _ => sandbox.change_contact(uid, asked.text("contact")?),
    }
    Ok(())
}

/// Deeds after which somebody else, or the same person anew, is found by a phone or e-mail.
fn new_owner(sandbox: &Sandbox, deed: &str, asked: &ConsoleRequest<'_>) -> Result<i64, String> {
    if deed == "recycle-contact" {
        asked.known(&["contact", "name"])?;
        return Ok(sandbox.recycle_contact(asked.text("contact")?, asked.text("name")?));
    }
    asked.known(&["uid"])?;
    let uid = somebody(sandbox, asked)?;
    sandbox.replace_account(uid).ok_or_else(|| format!("there is no account {uid}\n"))
}

fn place(sandbox: &Sandbox, deed: &str, asked: &ConsoleRequest<'_>) -> Result<(), String> {
    let names = ["course", "class", "students"];
    asked.known(if deed == "capacity" { &names } else { &["course", "class"] })?;
    let (course, class) = (asked.number("course")?, asked.optional("class")?);
    there(sandbox, course, class)?;
    match (deed, class) {
        ("capacity", class) => {
            let students = usize::try_from(asked.number("students")?)
                .map_err(|_| "students is no capacity\n".to_owned())?;
            match class {
                Some(class) => sandbox.set_class_capacity(course, class, students),
                None => sandbox.set_course_capacity(course, students),
            }
        }
        (_, None) => return Err("class is missing\n".to_owned()),
        ("end-class", Some(class)) => sandbox.end_class(course, class),
        (_, Some(class)) => sandbox.delete_class(course, class),
    }
    Ok(())
}

fn member(sandbox: &Sandbox, deed: &str, asked: &ConsoleRequest<'_>) -> Result<(), String> {
    let names = ["course", "class", "uid", "role"];
    asked.known(if deed == "role" { &names } else { &["course", "class", "uid"] })?;
    let (course, class) = (asked.number("course")?, asked.optional("class")?);
    there(sandbox, course, class)?;
    let uid = somebody(sandbox, asked)?;
    match (deed, class) {
        ("add-member", Some(class)) => sandbox.insert_class_member(course, class, uid),
        ("add-member", None) => sandbox.set_role(course, None, uid, Role::CourseStudent),
        ("remove-member", Some(class)) => sandbox.remove_class_member(course, class, uid),
        ("remove-member", None) => sandbox.remove_course_member(course, uid),
        _ => match role(asked.text("role")?)? {
            Some(role) => sandbox.set_role(course, class, uid, role),
            None => sandbox.clear_roles(course, uid),
        },
    }
    Ok(())
}

fn role(word: &str) -> Result<Option<Role>, String> {
    Ok(Some(match word {
        "teacher" => Role::Teacher,
        "co-teacher" => Role::CoTeacher,
        "head-teacher" => Role::HeadTeacher,
        "auditor" => Role::Auditor,
        "course-student" => Role::CourseStudent,
        "transferred-out" => Role::TransferredOut,
        "none" => return Ok(None),
        _ => return Err(format!("there is no role {word}\n")),
    }))
}

/// The course, if it and the class are there.
fn there(sandbox: &Sandbox, course: i64, class: Option<i64>) -> Result<i64, String> {
    let courses = sandbox.courses();
    let view = courses.get(&course).ok_or_else(|| format!("there is no course {course}\n"))?;
    match class.filter(|class| !view.classes.contains_key(class)) {
        Some(class) => Err(format!("course {course} has no class {class}\n")),
        None => Ok(course),
    }
}

fn somebody(sandbox: &Sandbox, asked: &ConsoleRequest<'_>) -> Result<i64, String> {
    let uid = asked.number("uid")?;
    let is_there = sandbox.accounts().iter().any(|account| account.uid == uid);
    if is_there { Ok(uid) } else { Err(format!("there is no account {uid}\n")) }
}
