//! What the school office does to the roster, and teachers to the account.

use rosterd_core::roster::Sid;

use crate::driver::Driver;
use rosterd_testkit::chance::{happens, one_of};
use rosterd_testkit::*;

/// The name of a candidate whom the roster may come to name: where nothing agrees, a person has to decide. Nobody else has it: a
/// newcomer with a leaver's name would be asked about.
fn here_already(login: &str) -> String {
    format!("Here already as {login}")
}

impl Driver {
    /// One change of the roster; says what it was.
    pub fn edit_roster(&mut self) -> String {
        let fresh = self.fresh();
        let ids: Vec<String> = self.world.people.keys().cloned().collect();
        let id = ids[self.chance.usize(0..ids.len())].clone();
        let other = ids[self.chance.usize(0..ids.len())].clone();
        let is_student = self.world.people[&id].active;
        match self.chance.u32(0..100) {
            0..12 => self.change(&id, |it| it.named(&format!("Name {fresh}"))),
            12..18 => self.change(&id, |it| it.phone(&format!("phone-{fresh}"))),
            18..21 => self.change(&id, |it| it.phone("")),
            21..26 => self.change(&id, |it| it.password(&format!("secret-{fresh}"))),
            26..33 => self.change(&id, |it| it.login(&format!("login-{fresh}"))),
            33..38 => {
                let (one, two) =
                    (self.world.people[&id].login.clone(), self.world.people[&other].login.clone());
                self.change(&id, |it| Person { login: two, ..it });
                self.change(&other, |it| Person { login: one, ..it });
            }
            38..50 => {
                let sets: &[&[&str]] = &[&["g1"], &["g2"], &["g3"], &["g1", "g2"], &["g2", "g3"]];
                let groups = one_of(&mut self.chance, sets);
                let groups = groups.iter().map(|code| (*code).to_owned()).collect();
                self.change(&id, |it| Person { groups, ..it });
            }
            50..56 => {
                if let Some(before) = self.before.get(&id).cloned() {
                    let Person { name, phone, password, groups, .. } = before;
                    self.change(&id, |it| Person { name, phone, password, groups, ..it });
                    return format!("roster: {id} is as before");
                }
            }
            56..58 => self.change(&id, |it| it.login("")),
            58..60 => self.change(&id, |it| it.in_groups([])),
            60..62 => self.change(&id, |it| it.in_groups(["h1"])),
            62..74 if is_student && ids.len() > 4 => {
                self.leave(&id);
                return format!("roster: {id} leaves");
            }
            74..84 if !is_student => {
                self.change(&id, |it| Person { active: true, ..it });
                return format!("roster: {id} returns");
            }
            _ => {
                let login = match self.adoptable.pop().filter(|_| happens(&mut self.chance, 70)) {
                    Some(login) => login,
                    None => format!("login-{fresh}"),
                };
                let newcomer = tagged(&format!("s{fresh:04}")).login(&login).named(&here_already(&login));
                self.world.people.insert(newcomer.id.clone(), newcomer);
                return format!("roster: s{fresh:04} arrives as {login}");
            }
        }
        format!("roster: {id} changes: {:?}", self.world.people[&id])
    }

    fn change(&mut self, id: &str, change: impl FnOnce(Person) -> Person) {
        let person = self.world.people[id].clone();
        self.before.insert(id.to_owned(), person.clone());
        self.world.people.insert(id.to_owned(), change(person));
    }

    fn leave(&mut self, id: &str) {
        if happens(&mut self.chance, 50) {
            self.world.people.remove(id);
        } else {
            self.change(id, Person::inactive);
        }
    }

    /// One thing done by hand in the account; says what it was. Nobody renames a candidate whose add has just been
    /// cut off: it would be known by nothing any more, and the student be entered again.
    pub async fn edit_account(&mut self) -> String {
        let fresh = self.fresh();
        let candidates = self.world.sandbox.candidates();
        let ours: Vec<_> = candidates.iter().filter(|it| !self.strangers.contains_key(&it.sid)).collect();
        let any = ours.get(self.chance.usize(0..ours.len().max(1)));
        let owners = self.world.state.sid_owners(any.map(|it| Sid(it.sid))).await.unwrap();
        let gids = [self.world.gid("g1"), self.world.gid("g2"), self.world.foreign];
        let gid = one_of(&mut self.chance, &gids);
        let sandbox = &self.world.sandbox;
        match (self.chance.u32(0..100), any) {
            (0..15, Some(it)) if !owners.is_empty() => {
                let login = format!("by-hand-{fresh}");
                sandbox.edit_candidate(it.sid, &[(LOGIN, &login)]);
                self.remember_login_by_hand(it.sid, &login);
            }
            (15..30, Some(it)) => sandbox.edit_candidate(it.sid, &[(NAME, &format!("By hand {fresh}"))]),
            (30..40, Some(it)) => sandbox.edit_candidate(it.sid, &[(PHONE, "")]),
            (40..52, Some(it)) => {
                sandbox.remove_candidate(it.sid);
                return format!("by hand: {} is deleted", it.sid);
            }
            (52..64, Some(it)) => {
                let gids: Vec<i64> = it.gids.iter().copied().chain([gid]).collect();
                sandbox.set_candidate_groups(it.sid, &gids);
                return format!("by hand: {} joins {gid}", it.sid);
            }
            (64..72, Some(it)) => {
                sandbox.set_candidate_groups(it.sid, &[gid]);
                return format!("by hand: {} is in {gid} alone", it.sid);
            }
            (72..86, _) => {
                let login = format!("here-already-{fresh}");
                let sid = sandbox.insert_candidate(&[(LOGIN, &login), (NAME, &here_already(&login))], &[gid]);
                self.adoptable.push(login);
                self.remember_stranger(sid);
                return format!("by hand: {sid} is there, whom the roster may come to name");
            }
            _ => {
                let login = format!("stranger-{fresh}");
                let sid = sandbox.insert_candidate(&[(LOGIN, &login), (NAME, "Not ours")], &[gid]);
                self.remember_stranger(sid);
                return format!("by hand: {sid} is there, who is not ours");
            }
        }
        format!("by hand: {:?} is edited", any.map(|it| it.sid))
    }
}

/// A student whose candidate shows who it is whatever else is edited: nobody ever edits the gender.
pub fn tagged(id: &str) -> Person {
    Person { gender: Some(id.to_owned()), ..student(id) }
}
