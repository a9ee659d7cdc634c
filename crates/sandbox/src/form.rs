//! URL-encoded parameters, read by hand so that nothing is shared with the clients under test.

/// Parameters in the order they came; a name may occur more than once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `a=1&b=2`; a `+` is a blank and malformed escapes stand for themselves.
    pub(crate) fn parse(encoded: &[u8]) -> Form {
        let pairs = encoded
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let mut halves = pair.splitn(2, |byte| *byte == b'=');
                let name = decode(halves.next().unwrap_or_default());
                (name, decode(halves.next().unwrap_or_default()))
            })
            .collect();
        Form(pairs)
    }

    /// Adds one parameter, as multipart parts arrive.
    pub(crate) fn push(&mut self, name: String, value: String) {
        self.0.push((name, value));
    }

    /// The first value of exactly this name; names are case-sensitive on both services.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All parameters.
    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}

fn decode(encoded: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => match tail {
                [high, low, after @ ..] if hex(*high).is_some() && hex(*low).is_some() => {
                    bytes.push(hex(*high).unwrap_or(0) * 16 + hex(*low).unwrap_or(0));
                    rest = after;
                }
                _ => bytes.push(b'%'),
            },
            plain => bytes.push(plain),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
