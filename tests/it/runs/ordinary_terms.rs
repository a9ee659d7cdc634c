//! What happens in any school in any term is nobody's question.

use rosterd_testkit::*;

use super::first_syncs::shipped;

/// Given names, of which several pupils have each.
const GIVEN: [&str; 12] =
    ["Wei", "Fang", "Na", "Min", "Jing", "Lei", "Qiang", "Hua", "Ying", "Jie", "Tao", "Yan"];

/// The name of a pupil: about one in twelve has that of another one.
fn name_of(number: usize) -> String {
    let surname = ["Wang", "Li", "Zhang", "Liu", "Chen"][number % 5];
    let given = GIVEN[(number * 7) % 12];
    if number.is_multiple_of(11) {
        "Wang Fang".to_owned()
    } else {
        format!("{surname} {given}{}", number / 60)
    }
}

fn pupil(number: usize, id_is_login: bool) -> Person {
    let id = format!("{number:04}");
    let login = if id_is_login { id.clone() } else { format!("pupil{number}@school.example") };
    let person = Person { gender: Some(["m", "f"][number % 2].to_owned()), ..student(&id) };
    let group = ["g1", "g2", "g3"][number % 3];
    person.login(&login).named(&name_of(number)).phone(&format!("1380000{number:04}")).in_groups([group])
}

/// So many pupils; 0004 and 0005 are siblings with one telephone number, and so are 0010 and 0011.
async fn school(count: usize, id_is_login: bool) -> ExamSchool {
    let people = (1..=count).map(|number| {
        let person = pupil(number, id_is_login);
        match number {
            5 => person.named("Zhao Li").phone("13800000004"),
            4 => person.named("Zhao Lan"),
            11 => person.named("Zhou Bo").phone("13800000010"),
            10 => person.named("Zhou An"),
            _ => person,
        }
    });
    let mut world = ExamSchool::in_step(people).await;
    shipped(&mut world);
    world
}

/// Runs twice a day for some days, each without a question.
async fn days(world: &ExamSchool, days: usize, what: &str) {
    for day in 0..days {
        for _ in 0..2 {
            let report = world.run().await;
            assert_eq!(
                (report.held(), report.exit_code),
                (String::new(), 0),
                "{what}, day {day}: {report:#?}"
            );
            assert_eq!(report.failed() + &report.skipped(), "", "{what}, day {day}: {report:#?}");
            world.later(DAY / 2);
        }
    }
}

#[tokio::test]
async fn an_ordinary_term_ends_without_a_hold() {
    for id_is_login in [false, true] {
        let mut world = school(60, id_is_login).await;
        // One leaves, and one comes, of one gender and in one class.
        world.remove("0003").await;
        world.put(pupil(63, id_is_login).named("Gao Shan")).await;
        days(&world, 1, "one leaves and one comes").await;
        world.edit("0007", |it| it.phone("13900000007")).await;
        world.edit("0008", |it| it.phone("13900000008")).await;
        world.edit("0009", |it| it.named("Sun Mei")).await;
        days(&world, 1, "two telephone numbers and a name").await;
        for (id, group) in [("0013", "g1"), ("0014", "g1"), ("0015", "g2"), ("0016", "g3"), ("0017", "g1")] {
            world.edit(id, |it| it.in_groups([group])).await;
        }
        days(&world, 2, "five move to another class").await;
        // One of two siblings leaves; the younger one of two others comes, with the number of the family.
        world.remove("0004").await;
        world.put(pupil(64, id_is_login).named("Zhou Chen").phone("13800000010")).await;
        days(&world, 1, "siblings").await;
        // A namesake of several comes when another one leaves, and one whose old number another family had.
        world.remove("0022").await;
        world.put(pupil(65, id_is_login).named("Wang Fang")).await;
        world.put(pupil(66, id_is_login).named("He Xi").phone("13800000007")).await;
        days(&world, 5, "a namesake of several").await;
        assert_eq!(world.differences(&[]), [""; 0]);
        assert_eq!(world.logins().len(), 61);
        assert_eq!(world.run().await.outcome.as_str(), "converged");
        assert_eq!(world.failures().await.len(), 0);
    }
}

#[tokio::test]
async fn of_ten_who_leave_while_ten_come_only_the_one_whose_name_came_back_is_asked_about() {
    for id_is_login in [false, true] {
        let mut world = school(200, id_is_login).await;
        for number in 101..=110 {
            world.people.remove(&format!("{number:04}"));
        }
        let newcomers = (301..=310).map(|number| pupil(number, id_is_login));
        let newcomers = newcomers.map(|it| match it.id.as_str() {
            // A name that nobody else in the school has or had.
            "0301" => it.named(&name_of(101)),
            // One that several have.
            "0302" => it.named("Wang Fang"),
            _ => it,
        });
        world.people.extend(newcomers.map(|it| (it.id.clone(), it)));
        world.write_roster().await;
        let namesakes = world.people.values().filter(|it| it.name == name_of(101)).count();
        assert_eq!((namesakes, name_of(110).as_str()), (1, "Wang Fang"), "the world is as meant");
        let report = world.run().await;
        assert_eq!((report.applied(), report.held()), ("10 add".into(), "1 delete".into()), "{report:#?}");
        for _ in 0..5 {
            world.later(DAY);
            let _report = world.run().await;
        }
        let report = world.run().await;
        assert_eq!((report.planned(), report.held()), ("1 delete".into(), "1 delete".into()), "{report:#?}");
        assert_eq!(world.logins().len(), 201);
        let [row] = &world.failures().await[..] else { panic!("one question") };
        assert_eq!(row.student_id, "0101");
    }
}
