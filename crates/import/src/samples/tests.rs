//! What is shown of files in encodings that are not told apart, and which have a heading that tells.

use super::*;

/// A few lines of a list as a language writes them, in the encoding that its spreadsheet programs save.
const LISTS: [(&str, FileEncoding, &str); 10] = [
    ("Turkish", WINDOWS_1254, "id,name\n1,Ayşe Yılmaz\n2,Çağrı Şahin\n3,İbrahim Öztürk\n"),
    ("Hungarian", WINDOWS_1250, "id,name\n1,Erdős Péter\n2,Kovács Gergő\n3,Szűcs Tünde\n"),
    ("Czech", WINDOWS_1250, "id,name\n1,Jiří Dvořák\n2,Tomáš Říha\n3,Žaneta Černá\n"),
    ("Polish", WINDOWS_1250, "id,name\n1,Łukasz Wójcik\n2,Małgorzata Dąbrowska\n3,Święty Paweł\n"),
    ("Russian", WINDOWS_1251, "id,name\n1,Иванов Иван\n2,Петров Пётр\n3,Смирнова Анна\n"),
    ("Vietnamese", WINDOWS_1258, "id,name\n1,Đô\u{303} Anh\n2,Nguyê\u{303}n Thơ\n3,Trương Quân\n"),
    ("Korean", EUC_KR, "student_id,name\n1,김민수\n2,이영희\n3,박지훈\n"),
    ("Japanese", SHIFT_JIS, "id,name\n1,山田太郎\n2,佐藤花子\n3,鈴木さくら\n"),
    ("Traditional Chinese", BIG5, "id,name\n1,王小明\n2,陳怡君\n3,林志豪\n"),
    ("Chinese", GB18030, "id,name\n1,王小明\n2,陈静\n3,韩梅梅\n"),
];

/// A file in an encoding; what it has no letter for is left out.
fn encoded(encoding: FileEncoding, text: &str) -> Vec<u8> {
    let letters = text.chars().map(|letter| encoding.encode(letter.to_string().leak()));
    letters.filter(|(_, _, is_lost)| !is_lost).flat_map(|(bytes, _, _)| bytes.into_owned()).collect()
}

#[test]
fn the_right_reading_is_among_those_that_are_shown() {
    for (language, encoding, text) in LISTS {
        let bytes = encoded(encoding, text);
        let said = samples(&bytes);
        let right = decoded(&bytes, encoding).unwrap();
        let cell = cells(&right)[0].clone();
        let name = encoding.name().to_ascii_lowercase();
        assert!(said.contains(&format!("--encoding {name} reads {cell}")), "{language}: {said}");
    }
}

#[test]
fn the_likely_reading_stands_first() {
    // Czech in Western letters has no letter that no Western name has.
    for (language, encoding, text) in LISTS.into_iter().filter(|(language, ..)| *language != "Czech") {
        let said = samples(&encoded(encoding, text));
        let name = encoding.name().to_ascii_lowercase();
        assert!(said.starts_with(&format!("--encoding {name} ")), "{language}: {said}");
    }
}

#[test]
fn a_heading_of_known_words_tells_the_encodings_of_two_bytes_apart() {
    for (encoding, text) in [
        (GB18030, "名单\n学号,姓名\n1,王\n"),
        (EUC_KR, "학번,이름\n1,김민수\n"),
        (BIG5, "學號,姓名\n1,王小明\n"),
        (SHIFT_JIS, "学籍番号,氏名\n1,山田太郎\n"),
        (EUC_JP, "学籍番号,氏名\n1,山田太郎\n"),
    ] {
        assert_eq!(encoding_of_heading(&encoding.encode(text).0), Some(encoding), "{text}");
    }
    for (encoding, text) in [(GB18030, "id,name\n1,王小明\n"), (WINDOWS_1252, "Prénom,Téléphone\nZoë,1\n")]
    {
        assert_eq!(encoding_of_heading(&encoding.encode(text).0), None, "{text}");
    }
}
