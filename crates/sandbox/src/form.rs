//! URL-encoded parameters.

/// Parameters in the order they came; a name may occur more than once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `a=1&b=2`; a `+` is a blank, and malformed escapes are kept as text.
    pub(crate) fn parse(encoded: &[u8]) -> Form {
        Form(form_urlencoded::parse(encoded).into_owned().collect())
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
