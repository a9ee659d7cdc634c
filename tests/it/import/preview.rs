//! What `--dry-run` shows beyond counts: by kind and group, the first ten of each kind, values where asked for.

use super::{Desk, dry};
use rosterd::{ImportReport, import};

/// Of forty students in two groups and none, 13 get another name, 12 go and 15 come.
async fn previewed(desk: &Desk, reveal: bool) -> ImportReport {
    let file = |numbers: std::ops::Range<u32>, is_new: bool| {
        let (mut students, mut members) =
            ("student_id,name,phone,password\n".to_owned(), "student_id,group_code\n".to_owned());
        for number in numbers {
            let name = if is_new && number < 25 { "Bea" } else { "Ann" };
            students.push_str(&format!("S{number:02},{name} {number},1380000{number:04},secret-{number}\n"));
            if number % 3 < 2 {
                members.push_str(&format!("S{number:02},G{}\n", number % 3));
            }
        }
        [
            ("students.csv", students),
            ("groups.csv", "group_code,title\nG0,None\nG1,One\n".to_owned()),
            ("group_members.csv", members),
        ]
    };
    let put = |files: [(&'static str, String); 3]| {
        let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
        super::bulk(desk.put_all(&files))
    };
    drop(import(&put(file(0..40, false))).await.unwrap());
    let request = put(file(12..55, true));
    import(&rosterd::ImportRequest { limit: None, reveal, ..dry(request) }).await.unwrap()
}

#[tokio::test]
async fn a_dry_run_counts_by_kind_and_group_and_shows_the_first_ten_of_each_kind() {
    let desk = Desk::new();
    let report = previewed(&desk, false).await;
    let text = report.to_string();
    let students: Vec<&str> = text.lines().skip(1).take_while(|line| !line.starts_with("groups")).collect();
    insta::assert_snapshot!(students.join("\n"), @r"
    students      15 added, 13 changed, 15 unchanged, 12 left
      - left: G0 (4), G1 (4), in no group (4)
      - S00
      - S01
      - S02
      - S03
      - S04
      - S05
      - S06
      - S07
      - S08
      - S09
      - and 2 more left
      ~ changed: G0 (5), G1 (4), in no group (4)
      ~ S12 (name)
      ~ S13 (name)
      ~ S14 (name)
      ~ S15 (name)
      ~ S16 (name)
      ~ S17 (name)
      ~ S18 (name)
      ~ S19 (name)
      ~ S20 (name)
      ~ S21 (name)
      ~ and 3 more changed
      + added: G0 (5), G1 (5), in no group (5)
      + S40
      + S41
      + S42
      + S43
      + S44
      + S45
      + S46
      + S47
      + S48
      + S49
      + and 5 more added
    ");
    let shown = |mark: &str| students.iter().filter(|line| line.starts_with(&format!("  {mark} S"))).count();
    assert_eq!((shown("+"), shown("~"), shown("-")), (10, 10, 10));
    let json = serde_json::to_value(&report).unwrap();
    let rows = &json["difference"]["students"];
    assert_eq!(rows["by_group"][0]["change"], "left");
    assert_eq!(rows["by_group"][0]["groups"][0]["count"], 4, "{rows}");
    assert_eq!(rows["rows"].as_array().unwrap().len(), 30);
    assert!(!json.to_string().contains("Bea") && !text.contains("Bea"), "{json}");
}

#[tokio::test]
async fn values_before_and_after_are_shown_where_asked_for_and_passwords_never() {
    let desk = Desk::new();
    let report = previewed(&desk, true).await;
    let text = report.to_string();
    for line in [
        "  ~ S12 (name: Ann 12 → Bea 12)",
        "  + S40 (name: Ann 40, phone: 13800000040, password: set)",
        "  - S00 (name: Ann 0)",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
    }
    let json = serde_json::to_value(&report).unwrap();
    let changed = json["difference"]["students"]["rows"].as_array().unwrap();
    let changed = changed.iter().find(|row| row["key"] == "S12").unwrap();
    assert_eq!(
        changed["values"],
        serde_json::json!([{ "column": "name", "before": "Ann 12", "after": "Bea 12" }])
    );
    assert!(!text.contains("secret-") && !json.to_string().contains("secret-"), "{text}");
}

#[tokio::test]
async fn a_value_of_many_lines_forges_no_line_of_a_preview() {
    let desk = Desk::new();
    desk.fill(&[("students.csv", "student_id,name\nS1,Ann\n")]).await;
    let text = "student_id,name,note\nS1,Bea,\"one\n  - S1  forged\"\n";
    let request = rosterd::ImportRequest { reveal: true, ..dry(desk.put_all(&[("students.csv", text)])) };
    let report = import(&request).await.unwrap().to_string();
    assert!(report.contains("  ~ S1 (name: Ann → Bea, note: empty → one?  - S1  forged)"), "{report}");
}
