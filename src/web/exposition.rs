//! The two text forms of metrics: OpenMetrics, which they are written in, and Prometheus' own, which older readers and
//! `promtool` know. Which one is sent is the reader's choice.

/// Prometheus' own text form.
pub(super) const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The content type of OpenMetrics.
pub(super) const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whether a reader with these `Accept` headers rather has OpenMetrics: who does not name it gets Prometheus' form.
pub(super) fn wants_openmetrics<'a>(accept: impl Iterator<Item = &'a str>) -> bool {
    let (mut openmetrics, mut plain) = (0.0_f32, 0.0_f32);
    for range in accept.flat_map(|header| header.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let (mut weight, mut version) = (1.0_f32, None);
        for parameter in parts {
            match parameter.split_once('=').map(|(name, value)| (name.trim(), value.trim().trim_matches('"')))
            {
                Some((name, value)) if name.eq_ignore_ascii_case("q") => {
                    weight = value.parse().unwrap_or(0.0)
                }
                Some((name, value)) if name.eq_ignore_ascii_case("version") => version = Some(value),
                Some(_) | None => {}
            }
        }
        match kind.as_str() {
            "application/openmetrics-text" if version.is_none_or(|version| version == "1.0.0") => {
                openmetrics = weight.max(openmetrics);
            }
            "text/plain" => plain = weight.max(plain),
            _ => {}
        }
    }
    openmetrics > 0.0 && openmetrics >= plain
}

/// OpenMetrics in Prometheus' own form: there a counter's name has its ending everywhere, facts are gauges, and nothing
/// marks the end.
pub(super) fn as_prometheus(openmetrics: &str) -> String {
    let mut text = String::with_capacity(openmetrics.len());
    let mut help = None;
    for line in openmetrics.lines() {
        if let Some(said) = line.strip_prefix("# HELP ") {
            help = said.split_once(' ');
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|said| said.split_once(' '))
        {
            let (ending, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                other => ("", other),
            };
            if let Some((_, said)) = help.take().filter(|(helped, _)| *helped == name) {
                text.push_str(&format!("# HELP {name}{ending} {said}\n"));
            }
            text.push_str(&format!("# TYPE {name}{ending} {kind}\n"));
        } else if !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_is_sent_to_who_names_it_and_prometheus_form_to_everybody_else() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
                          text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accept, expected) in [
            (&[][..], false),
            (&["*/*"], false),
            (&["text/html, */*;q=0.1"], false),
            (&["text/plain;version=0.0.4"], false),
            (&["application/openmetrics-text"], true),
            (&["Application/OpenMetrics-Text; Version=\"1.0.0\"; charset=utf-8"], true),
            (&["application/openmetrics-text; version=0.0.1"], false),
            (&["application/openmetrics-text;q=0"], false),
            (&["application/openmetrics-text;q=0.2, text/plain;q=0.9"], false),
            (&["text/plain;q=0.2", "application/openmetrics-text"], true),
            (&[prometheus], true),
            (&["application/openmetrics-text;q=nonsense"], false),
        ] {
            assert_eq!(wants_openmetrics(accept.iter().copied()), expected, "{accept:?}");
        }
    }

    #[test]
    fn counters_and_facts_are_named_as_prometheus_reads_them() {
        let openmetrics = "# HELP a_runs Runs.\n# TYPE a_runs counter\na_runs_total{result=\"# x\"} 1\n\
                           # HELP a_build Build.\n# TYPE a_build info\na_build_info{version=\"1\"} 1\n\
                           # TYPE a_seconds gauge\n# UNIT a_seconds seconds\na_seconds 1.5\n# EOF\n";
        let expected = "# HELP a_runs_total Runs.\n# TYPE a_runs_total counter\na_runs_total{result=\"# x\"} 1\n\
                        # HELP a_build_info Build.\n# TYPE a_build_info gauge\na_build_info{version=\"1\"} 1\n\
                        # TYPE a_seconds gauge\na_seconds 1.5\n";
        assert_eq!(as_prometheus(openmetrics), expected);
    }
}
