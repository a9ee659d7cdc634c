//! Who imports whom, file by file, and which files import one another in a circle.
//!
//! A name counts for the file that defines it: what a `mod.rs` only passes on by `pub use` is followed to its source.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{CRATES, Source};

/// A crate and the path of a module in it.
type Module = (String, Vec<String>);

/// A path as a `use` or an expression writes it.
type Name = Vec<String>;

/// What one file says of its own and of other modules.
struct File {
    /// From the repository's root.
    path: String,
    defined: BTreeSet<String>,
    /// What each name that a `use` brings in stands for.
    imported: Vec<(Name, String)>,
    /// Everything that it uses, what it only passes on left out.
    used: Vec<Name>,
}

/// The files of all crates.
pub(super) struct Imports(BTreeMap<Module, File>);

impl Imports {
    pub(super) fn of(sources: &[Source]) -> Self {
        let files = sources.iter().filter(|source| !source.bare.trim().is_empty());
        Self(files.filter_map(|source| Some((module_of(source)?, File::read(source)))).collect())
    }

    /// Circles with files of more than one folder, each as its files in order.
    pub(super) fn circles(&self) -> Vec<Vec<String>> {
        let edges: BTreeMap<&Module, BTreeSet<&Module>> =
            self.0.iter().map(|(module, file)| (module, self.targets(module, file))).collect();
        let reach: BTreeMap<&Module, BTreeSet<&Module>> =
            self.0.keys().map(|module| (module, reachable(&edges, module))).collect();
        let mut found = BTreeSet::new();
        for module in self.0.keys() {
            let back = reach[module].iter().filter(|other| reach[*other].contains(module));
            let circle: BTreeSet<&str> = back.map(|other| self.0[*other].path.as_str()).collect();
            let folders: BTreeSet<&str> = circle.iter().map(|path| folder(path)).collect();
            if folders.len() > 1 {
                found.insert(circle.into_iter().map(str::to_owned).collect::<Vec<_>>());
            }
        }
        found.into_iter().collect()
    }

    fn targets<'a>(&'a self, module: &'a Module, file: &File) -> BTreeSet<&'a Module> {
        let targets = file.used.iter().filter_map(|name| self.resolve(module, name, 0));
        let is_above = |target: &Module| target.0 == module.0 && module.1.starts_with(&target.1);
        targets.filter(|target| !is_above(target)).collect()
    }

    /// The file that defines what a name stands for in a module.
    fn resolve(&self, from: &Module, name: &[String], depth: usize) -> Option<&Module> {
        if depth > 12 {
            return None;
        }
        let Some((mut at, mut rest)) = self.absolute(from, name) else {
            let first = name.first()?;
            let (path, _) =
                self.0[from].imported.iter().find(|(path, alias)| alias == first && path != name)?;
            return self.resolve(from, &[path, name.get(1..)?].concat(), depth + 1);
        };
        while let Some(first) = rest.first() {
            let child = (at.0.clone(), [at.1.as_slice(), std::slice::from_ref(first)].concat());
            if self.0.contains_key(&child) {
                at = child;
                rest.remove(0);
                continue;
            }
            let file = self.0.get(&at)?;
            let passed_on = (!file.defined.contains(first)).then(|| self.passed_on(&at, &rest, depth));
            return passed_on.flatten().or_else(|| self.0.get_key_value(&at).map(|(module, _)| module));
        }
        self.0.get_key_value(&at).map(|(module, _)| module)
    }

    /// What a module only passes on.
    fn passed_on(&self, at: &Module, rest: &[String], depth: usize) -> Option<&Module> {
        let first = rest.first()?;
        let tail = &rest[1..];
        self.0[at].imported.iter().find_map(|(path, alias)| {
            if alias == first {
                self.resolve(at, &[path.as_slice(), tail].concat(), depth + 1)
            } else if alias == "*" {
                let found = self.resolve(at, &[&path[..path.len() - 1], rest].concat(), depth + 1)?;
                (found != at).then_some(found)
            } else {
                None
            }
        })
    }

    /// The module that a path begins in, and what is left of the path.
    fn absolute(&self, from: &Module, name: &[String]) -> Option<(Module, Name)> {
        let (krate, module) = from;
        match name.first()?.as_str() {
            "crate" => Some(((krate.clone(), Vec::new()), name[1..].to_vec())),
            "self" | "super" => {
                let steps = name.iter().take_while(|part| matches!(part.as_str(), "self" | "super"));
                let up = steps.clone().filter(|part| *part == "super").count();
                let left = module.len().checked_sub(up)?;
                Some(((krate.clone(), module[..left].to_vec()), name[steps.count()..].to_vec()))
            }
            first if self.0.contains_key(&(first.to_owned(), Vec::new())) => {
                Some(((first.to_owned(), Vec::new()), name[1..].to_vec()))
            }
            first => {
                let child = [module.as_slice(), &[first.to_owned()]].concat();
                let is_child = self.0.contains_key(&(krate.clone(), child));
                is_child.then(|| (from.clone(), name.to_vec()))
            }
        }
    }
}

fn reachable<'a>(
    edges: &BTreeMap<&'a Module, BTreeSet<&'a Module>>,
    from: &'a Module,
) -> BTreeSet<&'a Module> {
    let (mut seen, mut waiting) = (BTreeSet::new(), vec![from]);
    while let Some(module) = waiting.pop() {
        waiting.extend(edges[module].iter().copied().filter(|next| seen.insert(*next)));
    }
    seen
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Crate and module path of a file such as `core/roster/text.rs`; none for a program's own file.
fn module_of(source: &Source) -> Option<Module> {
    let path = source.path.strip_suffix(".rs")?;
    let others = CRATES.iter().filter(|(_, name)| !name.is_empty());
    let other = others.filter_map(|(_, name)| Some((*name, path.strip_prefix(name)?))).next();
    let (krate, below) = match other {
        Some((name, below)) => (format!("rosterd_{}", name.trim_end_matches('/')), below),
        None => ("rosterd".to_owned(), path),
    };
    let mut parts: Name = below.split('/').map(str::to_owned).collect();
    match parts.last()?.as_str() {
        "main" => return None,
        "mod" | "lib" => drop(parts.pop()),
        _ => {}
    }
    Some((krate, parts))
}

impl File {
    fn read(source: &Source) -> Self {
        let (mut imported, mut used) = (Vec::new(), Vec::new());
        let (mut rest, mut others) = (source.bare.as_str(), String::new());
        while let Some((before, statement, after)) = next_use(rest) {
            let passes_on = before.trim_end().ends_with("pub") || before.trim_end().ends_with(')');
            let tree = names(statement);
            if !passes_on {
                used.extend(tree.iter().map(|(path, alias)| without_star(path, alias)));
            }
            imported.extend(tree);
            others.push_str(before);
            rest = after;
        }
        others.push_str(rest);
        used.extend(paths(&others));
        Self { path: source.path.clone(), defined: defined(&source.bare), imported, used }
    }
}

fn without_star(path: &[String], alias: &str) -> Name {
    let kept = if alias == "*" { path.len() - 1 } else { path.len() };
    path[..kept].to_vec()
}

/// The next `use …;`: what stands before it, what it says, what stands behind.
fn next_use(text: &str) -> Option<(&str, &str, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let at = text
        .match_indices("use ")
        .map(|(at, _)| at)
        .find(|at| !text[..*at].chars().next_back().is_some_and(is_word))?;
    let end = at + text[at..].find(';')?;
    Some((&text[..at], &text[at + 4..end], &text[end + 1..]))
}

/// Every path of a `use`, with the name it is known by from then on.
fn names(tree: &str) -> Vec<(Name, String)> {
    let tree = tree.trim();
    if let Some((prefix, group)) = tree.split_once('{') {
        let group = group.rsplit_once('}').map_or(group, |(group, _)| group);
        let parts = split_outside_braces(group);
        return parts.iter().flat_map(|part| names(&format!("{}{}", prefix.trim(), part.trim()))).collect();
    }
    let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias)));
    let mut path: Name = path.split("::").map(|part| part.trim().to_owned()).collect();
    if path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    match path.last() {
        Some(last) if !last.is_empty() => {
            let alias = alias.map_or_else(|| last.clone(), |alias| alias.trim().to_owned());
            vec![(path, alias)]
        }
        _ => Vec::new(),
    }
}

fn split_outside_braces(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0_usize, 0, Vec::new());
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&group[start..]);
    parts
}

/// Paths of two names and more that stand in code.
fn paths(text: &str) -> Vec<Name> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let whole = text.split(|c: char| !is_part(c)).filter(|word| word.contains("::"));
    let split = |word: &str| word.split("::").map(str::to_owned).collect::<Name>();
    whole.map(split).filter(|path| path.iter().take(2).all(|part| !part.is_empty())).collect()
}

/// Items that a file defines.
fn defined(text: &str) -> BTreeSet<String> {
    let kinds = ["struct", "enum", "trait", "fn", "const", "static", "type", "macro_rules!"];
    let words: Vec<&str> = text.split_whitespace().collect();
    let pairs = words.iter().zip(words.iter().skip(1)).filter(|(kind, _)| kinds.contains(kind));
    pairs.map(|(_, name)| name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()).collect()
}
