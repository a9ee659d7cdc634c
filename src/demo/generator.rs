//! Makes up a roster: believable people in several scripts, their groups and classes. The same seed gives
//! the same roster everywhere: only 32-bit draws are used, and nothing that depends on the machine.
//!
//! All persons here are made up. Telephone numbers come from ranges reserved for fiction or from the
//! unassigned country code 999; mail addresses from domains reserved for examples.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use fastrand::Rng;

use rosterd_import::{CellValue, ClassRow, GroupRow, RosterRows, RosterTable, StudentRow};

/// Years of the school; each student is in one.
const YEARS: u32 = 8;
/// Groups beside the years, by code and title.
const DEPARTMENTS: [(&str, &str); 10] = [
    ("D01", "Natural sciences"),
    ("D02", "Mathematics"),
    ("D03", "Modern languages"),
    ("D04", "Classical languages"),
    ("D05", "Computing"),
    ("D06", "Economics"),
    ("D07", "Fine arts"),
    ("D08", "Music"),
    ("D09", "Engineering"),
    ("D10", "Health"),
];
const CLUBS: [(&str, &str); 6] = [
    ("K01", "Boarding house North"),
    ("K02", "Boarding house South"),
    ("K03", "Orchestra"),
    ("K04", "Debating team"),
    ("K05", "Olympiad training"),
    ("K06", "Evening courses"),
];
const SUBJECTS: [&str; 10] = [
    "Mathematics",
    "Physics",
    "Chemistry",
    "Biology",
    "History",
    "English",
    "Chinese",
    "Geography",
    "Programming",
    "Music theory",
];
/// The number of students to a class.
const STUDENTS_PER_CLASS: u32 = 25;
const SMALLEST_CLASS: u32 = 8;
const LARGEST_CLASS: u32 = 30;
/// Letters and digits that are not mistaken for one another.
const PASSWORD_LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const PASSWORD_LENGTH: u32 = 10;
/// Area codes with 100 numbers each (555-0100 to 555-0199) that are reserved for fiction.
const AREA_CODES: [u32; 12] = [202, 212, 303, 312, 404, 415, 503, 512, 617, 702, 808, 907];

/// The order of a name's parts.
#[derive(Clone, Copy)]
enum Order {
    GivenFirst,
    FamilyFirst,
    /// As one word, as Chinese, Japanese and Korean names are written.
    FamilyFirstJoined,
}

/// The source of a people's made-up telephone numbers.
#[derive(Clone, Copy)]
enum Phones {
    American,
    British,
    French,
    Nowhere,
}

/// Names of one script; each as the native and, after a bar, the ASCII spelling.
struct Names {
    order: Order,
    phones: Phones,
    /// The share among all weights.
    weight: u32,
    women: &'static [&'static str],
    men: &'static [&'static str],
    families: &'static [&'static str],
    /// Endings of women's family names, as (ending, women's ending).
    women_endings: &'static [(&'static str, &'static str)],
}

/// A roster of this size. Groups have no gid and classes no course: the services assign those.
#[must_use]
pub fn generate(students: u32, seed: u64) -> RosterRows {
    let mut rng = Rng::with_seed(seed);
    let mut people = People::default();
    let mut rows = RosterRows {
        complete: RosterTable::ALL.into_iter().collect(),
        groups: groups(),
        ..RosterRows::default()
    };
    let mut by_year: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for number in 1..=students {
        let student = people.next(&mut rng, number);
        let year = rng.u32(0..YEARS);
        by_year.entry(year).or_default().push(student.student_id.clone());
        for code in group_codes(&mut rng, year) {
            rows.group_members.push((student.student_id.clone(), code));
        }
        rows.students.push(student);
    }
    let everybody: Vec<String> = rows.students.iter().map(|student| student.student_id.clone()).collect();
    for number in 0..students.div_ceil(STUDENTS_PER_CLASS) {
        let class = class(number);
        let year = by_year.get(&(number % YEARS)).filter(|year| size(year) >= SMALLEST_CLASS);
        for student_id in choose(&mut rng, year.unwrap_or(&everybody)) {
            rows.class_members.push((student_id, class.class_code.clone()));
        }
        rows.classes.push(class);
    }
    rows
}

fn groups() -> Vec<GroupRow> {
    let years = (0..YEARS).map(|year| (year_code(year), format!("Year {}", year + 5)));
    let others =
        DEPARTMENTS.iter().chain(&CLUBS).map(|(code, title)| ((*code).to_owned(), (*title).to_owned()));
    years
        .chain(others)
        .map(|(group_code, title)| GroupRow {
            group_code,
            title: CellValue::Value(title),
            gid: CellValue::Nothing,
        })
        .collect()
}

fn year_code(year: u32) -> String {
    format!("Y{:02}", year + 5)
}

/// The year; for most a department too, for some a club.
fn group_codes(rng: &mut Rng, year: u32) -> BTreeSet<String> {
    let mut codes = BTreeSet::from([year_code(year)]);
    if rng.u32(0..100) < 70 {
        codes.extend(pick(rng, &DEPARTMENTS).map(|(code, _)| (*code).to_owned()));
    }
    if rng.u32(0..100) < 30 {
        codes.extend(pick(rng, &CLUBS).map(|(code, _)| (*code).to_owned()));
    }
    codes
}

fn class(number: u32) -> ClassRow {
    let year = number % YEARS + 5;
    let round = number / YEARS;
    let subjects = u32::try_from(SUBJECTS.len()).unwrap_or(u32::MAX);
    let subject = at(&SUBJECTS, round % subjects).copied().unwrap_or_default();
    let set = match round / subjects {
        0 => String::new(),
        set => format!(", set {}", set + 1),
    };
    ClassRow {
        class_code: format!("C{:04}", number + 1),
        title: CellValue::Value(format!("{subject}, year {year}{set}")),
        ..ClassRow::default()
    }
}

/// Some of these ids, each once, in their order; all of them where there are too few to choose from.
fn choose(rng: &mut Rng, ids: &[String]) -> Vec<String> {
    let mut wanted = rng.u32(SMALLEST_CLASS..=LARGEST_CLASS).min(size(ids));
    let mut left = size(ids);
    let mut chosen = Vec::new();
    for id in ids {
        if rng.u32(0..left) < wanted {
            chosen.push(id.clone());
            wanted -= 1;
        }
        left -= 1;
    }
    chosen
}

fn size<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}

fn at<T>(items: &[T], index: u32) -> Option<&T> {
    items.get(usize::try_from(index).ok()?)
}

fn pick<'a, T>(rng: &mut Rng, items: &'a [T]) -> Option<&'a T> {
    at(items, rng.u32(0..size(items).max(1)))
}

/// Values already given away, so that each is used once.
#[derive(Default)]
struct People {
    logins: HashMap<String, u32>,
    american: u32,
    british: u32,
    french: u32,
    nowhere: u32,
}

impl People {
    fn next(&mut self, rng: &mut Rng, number: u32) -> StudentRow {
        let names = pick_names(rng);
        let is_woman = rng.bool();
        let (given, given_latin) = split(pick(rng, if is_woman { names.women } else { names.men }));
        let (family, family_latin) = split(pick(rng, names.families));
        let family = if is_woman { womens(family, names.women_endings) } else { family.to_owned() };
        let name = match names.order {
            Order::GivenFirst => format!("{given} {family}"),
            Order::FamilyFirst => format!("{family} {given}"),
            Order::FamilyFirstJoined => format!("{family}{given}"),
        };
        let login = self.login(given_latin, family_latin);
        let domain = if rng.u32(0..3) == 0 { "example.net" } else { "example.org" };
        StudentRow {
            student_id: format!("S{}", 100_000 + u64::from(number)),
            name: CellValue::Value(name),
            gender: CellValue::Value(if is_woman { "female" } else { "male" }.to_owned()),
            phone: CellValue::Value(self.phone(names.phones)),
            email: CellValue::Value(format!("{login}@{domain}")),
            password: CellValue::Value(password(rng)),
            classin_uid: CellValue::Nothing,
            active: CellValue::Value(true),
            further: BTreeMap::from([("login".to_owned(), login)]),
        }
    }

    /// Names hold no digits, so a numbered login never equals a plain one.
    fn login(&mut self, given: &str, family: &str) -> String {
        let plain = format!("{given}.{family}");
        let bearers = self.logins.entry(plain.clone()).or_default();
        *bearers += 1;
        if *bearers == 1 { plain } else { format!("{plain}{bearers}") }
    }

    /// An unassigned number, as ClassIn writes numbers from abroad: `00<country>-<number>`.
    fn phone(&mut self, phones: Phones) -> String {
        // Sources: NANP 555-0100 to -0199; Ofcom, drama numbers, mobile 07700 900000 to 900999;
        // ARCEP decision 2018-0881, 06 39 98 00 00 to 99 99.
        match phones {
            Phones::American => {
                let number = self.american;
                if let Some(area) = at(&AREA_CODES, number / 100) {
                    self.american += 1;
                    return format!("001-{area}55501{:02}", number % 100);
                }
            }
            Phones::British if self.british < 1_000 => {
                self.british += 1;
                return format!("0044-7700900{:03}", self.british - 1);
            }
            Phones::French if self.french < 10_000 => {
                self.french += 1;
                return format!("0033-63998{:04}", self.french - 1);
            }
            Phones::British | Phones::French | Phones::Nowhere => {}
        }
        self.nowhere += 1;
        format!("00999-{}", 5_000_000_u64 + u64::from(self.nowhere))
    }
}

fn pick_names(rng: &mut Rng) -> &'static Names {
    let total: u32 = ALL_NAMES.iter().map(|names| names.weight).sum();
    let mut draw = rng.u32(0..total);
    for names in ALL_NAMES {
        if draw < names.weight {
            return names;
        }
        draw -= names.weight;
    }
    &LATIN
}

fn split(name: Option<&&'static str>) -> (&'static str, &'static str) {
    name.and_then(|name| name.split_once('|')).unwrap_or(("", ""))
}

fn womens(family: &str, endings: &[(&str, &str)]) -> String {
    for (ending, womens) in endings {
        if let Some(stem) = family.strip_suffix(ending) {
            return format!("{stem}{womens}");
        }
    }
    family.to_owned()
}

fn password(rng: &mut Rng) -> String {
    (0..PASSWORD_LENGTH)
        .filter_map(|_| pick(rng, PASSWORD_LETTERS))
        .map(|&letter| char::from(letter))
        .collect()
}

const ALL_NAMES: [&Names; 8] =
    [&LATIN, &CHINESE, &CYRILLIC, &GREEK, &ARABIC, &DEVANAGARI, &KOREAN, &JAPANESE];

#[rustfmt::skip]
static LATIN: Names = Names {
    order: Order::GivenFirst, phones: Phones::American, weight: 34,
    women_endings: &[("ski", "ska"), ("řák", "řáková"), ("mundsson", "mundsdóttir")],
    women: &["Zoë|zoe", "Chloé|chloe", "Aïcha|aicha", "Łucja|lucja", "Siân|sian", "María|maria", "Inês|ines", "Åsa|asa",
        "Jördis|joerdis", "Šárka|sarka", "Þóra|thora", "Noémie|noemie", "Anđela|andjela", "Emma|emma", "Olivia|olivia",
        "Beatriz|beatriz", "Ngọc|ngoc", "Elif|elif"],
    men: &["Jürgen|juergen", "José|jose", "Søren|soeren", "Łukasz|lukasz", "Özgür|oezguer", "François|francois", "Ádám|adam",
        "Željko|zeljko", "João|joao", "Björn|bjoern", "Ştefan|stefan", "Tomáš|tomas", "Seán|sean", "Noah|noah", "Oliver|oliver",
        "Ignacio|ignacio", "Minh|minh", "Kağan|kagan"],
    families: &["Müller|mueller", "García|garcia", "Sørensen|soerensen", "Wiśniewski|wisniewski", "Öztürk|oeztuerk",
        "Lefèvre|lefevre", "Szabó|szabo", "Kovačević|kovacevic", "Gonçalves|goncalves", "Åkesson|akesson", "Ionescu|ionescu",
        "Dvořák|dvorak", "O’Brien|obrien", "Smith|smith", "Johnson|johnson", "Núñez|nunez", "Nguyễn|nguyen",
        "Guðmundsson|gudmundsson", "van den Berg|vandenberg", "D’Angelo|dangelo"],
};

#[rustfmt::skip]
static CHINESE: Names = Names {
    order: Order::FamilyFirstJoined, phones: Phones::Nowhere, weight: 22, women_endings: &[],
    women: &["芳|fang", "秀英|xiuying", "娜|na", "敏|min", "静|jing", "丽|li", "雪梅|xuemei", "婷婷|tingting", "思雨|siyu",
        "欣怡|xinyi", "梓涵|zihan", "诗琪|shiqi", "雨桐|yutong", "佳慧|jiahui", "晓燕|xiaoyan", "梦瑶|mengyao"],
    men: &["伟|wei", "强|qiang", "磊|lei", "军|jun", "洋|yang", "勇|yong", "浩然|haoran", "子轩|zixuan", "宇航|yuhang", "志强|zhiqiang",
        "建国|jianguo", "文博|wenbo", "天佑|tianyou", "俊杰|junjie", "小明|xiaoming", "泽楷|zekai"],
    families: &["王|wang", "李|li", "张|zhang", "刘|liu", "陈|chen", "杨|yang", "赵|zhao", "黄|huang", "周|zhou", "吴|wu", "徐|xu", "孙|sun",
        "胡|hu", "朱|zhu", "林|lin", "欧阳|ouyang", "司马|sima", "吕|lv"],
};

#[rustfmt::skip]
static CYRILLIC: Names = Names {
    order: Order::GivenFirst, phones: Phones::British, weight: 10,
    women_endings: &[("ский", "ская"), ("ов", "ова"), ("ев", "ева"), ("ёв", "ёва"), ("ин", "ина")],
    women: &["Анна|anna", "Мария|maria", "Елена|elena", "Ольга|olga", "Наталья|natalya", "Татьяна|tatyana", "Ирина|irina",
        "Светлана|svetlana", "Юлия|yulia", "Дарья|darya", "Ксения|ksenia", "Алёна|alyona", "Полина|polina", "Зоряна|zoryana",
        "Іванна|ivanna", "Софія|sofia"],
    men: &["Александр|alexander", "Дмитрий|dmitry", "Сергей|sergey", "Андрей|andrey", "Алексей|alexey", "Михаил|mikhail",
        "Иван|ivan", "Максим|maxim", "Артём|artyom", "Фёдор|fyodor", "Юрий|yury", "Пётр|pyotr", "Олексій|oleksiy", "Тарас|taras",
        "Николай|nikolay", "Григорий|grigory"],
    families: &["Иванов|ivanov", "Смирнов|smirnov", "Кузнецов|kuznetsov", "Попов|popov", "Соколов|sokolov", "Лебедев|lebedev",
        "Козлов|kozlov", "Новиков|novikov", "Морозов|morozov", "Воробьёв|vorobyov", "Зайцев|zaitsev", "Пушкин|pushkin",
        "Шевченко|shevchenko", "Коваленко|kovalenko", "Вишневский|vishnevsky", "Щукин|shchukin"],
};

#[rustfmt::skip]
static GREEK: Names = Names {
    order: Order::GivenFirst, phones: Phones::French, weight: 6,
    women_endings: &[("όπουλος", "οπούλου"), ("ίδης", "ίδου"), ("ΐδης", "ΐδου"), ("άδης", "άδου"), ("άκης", "άκη"), ("ίου", "ίου"), ("ής", "ή"), ("ος", "ου"), ("ης", "η"), ("άς", "ά")],
    women: &["Μαρία|maria", "Ελένη|eleni", "Αικατερίνη|aikaterini", "Βασιλική|vasiliki", "Σοφία|sofia", "Αγγελική|angeliki",
        "Γεωργία|georgia", "Δήμητρα|dimitra", "Ειρήνη|irini", "Φωτεινή|fotini", "Χριστίνα|christina", "Ζωή|zoi", "Αθηνά|athina",
        "Θάλεια|thalia", "Ίριδα|irida"],
    men: &["Γιώργος|giorgos", "Δημήτρης|dimitris", "Κωνσταντίνος|konstantinos", "Ιωάννης|ioannis", "Νικόλαος|nikolaos",
        "Χρήστος|christos", "Παναγιώτης|panagiotis", "Βασίλης|vasilis", "Αθανάσιος|athanasios", "Μιχάλης|michalis",
        "Ευάγγελος|evangelos", "Σπύρος|spyros", "Ηλίας|ilias", "Στέφανος|stefanos", "Άγγελος|angelos"],
    families: &["Παπαδόπουλος|papadopoulos", "Βλάχος|vlachos", "Αγγελόπουλος|angelopoulos", "Νικολαΐδης|nikolaidis",
        "Γεωργίου|georgiou", "Πετρίδης|petridis", "Αθανασιάδης|athanasiadis", "Δημητρίου|dimitriou", "Καραγιάννης|karagiannis",
        "Οικονόμου|oikonomou", "Παπαδάκης|papadakis", "Μακρής|makris", "Σαμαράς|samaras", "Ζαχαρίου|zachariou", "Χατζής|chatzis"],
};

#[rustfmt::skip]
static ARABIC: Names = Names {
    order: Order::GivenFirst, phones: Phones::Nowhere, weight: 8, women_endings: &[],
    women: &["فاطمة|fatima", "عائشة|aisha", "مريم|maryam", "زينب|zaynab", "نور|nour", "ليلى|layla", "سارة|sara", "هدى|huda", "سلمى|salma",
        "رنا|rana", "ياسمين|yasmin", "دعاء|duaa", "خديجة|khadija", "آمنة|amina", "ريم|reem"],
    men: &["محمد|muhammad", "أحمد|ahmad", "علي|ali", "عمر|omar", "يوسف|yusuf", "خالد|khalid", "حسن|hasan", "إبراهيم|ibrahim", "سعيد|said",
        "طارق|tariq", "ياسر|yasir", "مصطفى|mustafa", "عبد الله|abdullah", "كريم|karim", "زياد|ziad"],
    families: &["الحسن|alhasan", "المصري|almasri", "حداد|haddad", "خوري|khoury", "النجار|alnajjar", "الشامي|alshami", "العلي|alali",
        "بن سعيد|binsaid", "الهاشمي|alhashimi", "القاسم|alqasim", "صالح|saleh", "منصور|mansour", "عثمان|othman", "الفارسي|alfarsi",
        "بوعزيز|bouaziz"],
};

#[rustfmt::skip]
static DEVANAGARI: Names = Names {
    order: Order::GivenFirst, phones: Phones::British, weight: 8, women_endings: &[],
    women: &["प्रिया|priya", "अनीता|anita", "सुनीता|sunita", "लक्ष्मी|lakshmi", "कविता|kavita", "पूजा|pooja", "नेहा|neha", "मीरा|meera", "रश्मि|rashmi",
        "दिव्या|divya", "स्वाति|swati", "गीता|geeta", "अदिति|aditi", "श्रुति|shruti", "ऋचा|richa"],
    men: &["राहुल|rahul", "अमित|amit", "विजय|vijay", "संजय|sanjay", "राजेश|rajesh", "अर्जुन|arjun", "कृष्ण|krishna", "रोहन|rohan", "आदित्य|aditya",
        "विक्रम|vikram", "सूर्य|surya", "हर्ष|harsh", "गणेश|ganesh", "मनोज|manoj", "ऋषि|rishi"],
    families: &["शर्मा|sharma", "वर्मा|verma", "सिंह|singh", "गुप्ता|gupta", "पटेल|patel", "कुमार|kumar", "मिश्रा|mishra", "जोशी|joshi", "देशमुख|deshmukh",
        "अग्रवाल|agrawal", "कुलकर्णी|kulkarni", "चौधरी|chaudhary", "त्रिपाठी|tripathi", "यादव|yadav", "श्रेष्ठ|shrestha"],
};

#[rustfmt::skip]
static KOREAN: Names = Names {
    order: Order::FamilyFirstJoined, phones: Phones::Nowhere, weight: 6, women_endings: &[],
    women: &["서연|seoyeon", "지우|jiwoo", "민서|minseo", "수빈|subin", "지민|jimin", "하은|haeun", "예은|yeeun", "유진|yujin", "은지|eunji", "소영|soyoung",
        "채원|chaewon", "다은|daeun", "혜진|hyejin", "미경|mikyung", "나래|narae"],
    men: &["민준|minjun", "서준|seojun", "도윤|doyun", "지훈|jihun", "현우|hyunwoo", "준서|junseo", "건우|gunwoo", "성민|sungmin", "태양|taeyang",
        "영호|youngho", "동현|donghyun", "재민|jaemin", "승기|seunggi", "우진|woojin", "한결|hangyeol"],
    families: &["김|kim", "이|lee", "박|park", "최|choi", "정|jung", "강|kang", "조|cho", "윤|yoon", "장|jang", "임|lim", "한|han", "오|oh", "서|seo",
        "신|shin", "남궁|namgung"],
};

#[rustfmt::skip]
static JAPANESE: Names = Names {
    order: Order::FamilyFirst, phones: Phones::French, weight: 6, women_endings: &[],
    women: &["陽菜|hina", "結衣|yui", "さくら|sakura", "美咲|misaki", "葵|aoi", "凛|rin", "花子|hanako", "恵子|keiko", "優花|yuka", "ひまり|himari",
        "千尋|chihiro", "真央|mao", "楓|kaede", "詩織|shiori", "カレン|karen"],
    men: &["翔太|shota", "蓮|ren", "大翔|hiroto", "健|ken", "太郎|taro", "拓海|takumi", "悠真|yuma", "直樹|naoki", "和也|kazuya", "陸|riku",
        "誠|makoto", "亮|ryo", "颯太|sota", "学|manabu", "ケンジ|kenji"],
    families: &["佐藤|sato", "鈴木|suzuki", "高橋|takahashi", "田中|tanaka", "渡邊|watanabe", "伊藤|ito", "山本|yamamoto", "中村|nakamura", "小林|kobayashi",
        "加藤|kato", "吉田|yoshida", "齋藤|saito", "長谷川|hasegawa", "五十嵐|igarashi", "東海林|shoji"],
};

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn value(given: &CellValue<String>) -> &str {
        match given {
            CellValue::Value(value) => value,
            CellValue::Nothing | CellValue::Empty => "",
        }
    }

    #[test]
    fn a_seed_gives_the_same_roster_on_every_machine() {
        let rows = generate(200, 1);
        let mut hasher = blake3::Hasher::new();
        for student in &rows.students {
            for text in [&student.name, &student.phone, &student.email, &student.password] {
                hasher.update(value(text).as_bytes());
            }
        }
        for (student_id, code) in rows.group_members.iter().chain(&rows.class_members) {
            hasher.update(student_id.as_bytes()).update(code.as_bytes());
        }
        let digest = hasher.finalize().to_hex();
        assert_eq!(digest.get(..16), Some("89fd71e195f7b9e5"));
    }

    #[test]
    fn nobody_shares_an_id_a_login_a_phone_or_a_mail_address() {
        let rows = generate(15_000, 3);
        let distinct =
            |of: fn(&StudentRow) -> &str| rows.students.iter().map(of).collect::<HashSet<_>>().len();
        assert_eq!(distinct(|student| &student.student_id), 15_000);
        assert_eq!(distinct(|student| student.further.get("login").map_or("", String::as_str)), 15_000);
        assert_eq!(distinct(|student| value(&student.phone)), 15_000);
        assert_eq!(distinct(|student| value(&student.email)), 15_000);
        let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '.';
        assert!(rows.students.iter().all(|student| student.further["login"].chars().all(is_plain)));
    }

    #[test]
    fn every_script_and_both_genders_occur() {
        let rows = generate(1_000, 5);
        for letter in ['é', '王', 'И', 'Π', 'م', 'श', '김', '田'] {
            assert!(rows.students.iter().any(|student| value(&student.name).contains(letter)), "{letter}");
        }
        let women = rows.students.iter().filter(|student| value(&student.gender) == "female").count();
        assert!((400..600).contains(&women), "{women}");
    }

    #[test]
    fn each_list_of_names_is_long_enough_and_every_name_has_both_spellings() {
        for names in ALL_NAMES {
            for list in [names.women, names.men, names.families] {
                assert!(list.len() >= 15);
                assert_eq!(list.iter().collect::<HashSet<_>>().len(), list.len());
                for name in list {
                    let (native, latin) = name.split_once('|').unwrap();
                    assert_eq!(rosterd_core::roster::normalise(native), native);
                    assert!(
                        !native.is_empty() && latin.chars().all(|letter| letter.is_ascii_lowercase()),
                        "{name}"
                    );
                }
            }
        }
    }

    #[test]
    fn groups_and_classes_have_believable_sizes() {
        let rows = generate(1_000, 9);
        assert_eq!((rows.groups.len(), rows.classes.len()), (24, 40));
        let count = |pairs: &[(String, String)], by_student: bool| {
            let mut counts: BTreeMap<String, u32> = BTreeMap::new();
            for (student, code) in pairs {
                *counts.entry(if by_student { student } else { code }.clone()).or_default() += 1;
            }
            counts
        };
        let groups = count(&rows.group_members, true);
        assert_eq!(groups.len(), 1_000);
        assert!(groups.values().all(|&number| (1..=3).contains(&number)));
        let classes = count(&rows.class_members, false);
        assert_eq!(classes.len(), 40);
        assert!(classes.values().all(|&number| (SMALLEST_CLASS..=LARGEST_CLASS).contains(&number)));
        let titles: HashSet<&str> = rows.classes.iter().map(|class| value(&class.title)).collect();
        assert_eq!(titles.len(), 40);
    }

    #[test]
    fn a_tiny_school_has_everybody_in_its_one_class() {
        let rows = generate(3, 1);
        assert_eq!((rows.students.len(), rows.classes.len(), rows.class_members.len()), (3, 1, 3));
        assert!(generate(0, 1).students.is_empty());
    }
}
