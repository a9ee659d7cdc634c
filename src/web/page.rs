//! The status page: one plain table, safe to show on a screen in public. No names of persons, no script,
//! nothing loaded from elsewhere.

use std::fmt::{self, Write as _};

use super::health::HealthPicture;
use crate::invocation::{self, Written};
use rosterd_core::situation::{Matter, Weight, retold};

/// The page's only style sheet, served beside it so that the content policy need not allow inline styles.
pub(super) const STYLE: &str = "\
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8886; }
.bad { font-weight: bold; }
";

/// The page for this moment.
pub(super) fn render(picture: &HealthPicture) -> Result<String, fmt::Error> {
    let mut html = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"refresh\" content=\"30\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>rosterd</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n<body>\n",
    );
    writeln!(html, "<h1>rosterd {}</h1>", Escaped(picture.version))?;
    summary_table(&mut html, picture)?;
    waiting_table(&mut html, picture)?;
    runs_table(&mut html, picture)?;
    html.push_str("</body>\n</html>\n");
    Ok(html)
}

fn summary_table(html: &mut String, picture: &HealthPicture) -> fmt::Result {
    let situation = &picture.situation;
    let class = if situation.healthy { "good" } else { "bad" };
    writeln!(html, "<p class=\"{class}\">{}</p>", Escaped(&situation.heading))?;
    for line in situation.matters.iter().filter_map(Matter::advice) {
        writeln!(html, "<p>{}</p>", Escaped(&line))?;
    }
    html.push_str("<table>\n");
    match &picture.reason {
        None => row(html, "Ready", "yes")?,
        Some(reason) => row(html, "Ready", &format!("no: {reason}"))?,
    }
    let alive = if picture.alive { "ticking" } else { "silent for three minutes or more" };
    row(html, "Scheduler", alive)?;
    let told = |moment: &String| retold(moment, picture.made_at_ms, &picture.zone);
    let last_good = picture.last_good_run_at.as_ref().map(told);
    row(html, "Last good run", last_good.as_deref().unwrap_or("none yet"))?;
    match &picture.running_since {
        Some(since) => row(html, "Now", &format!("a run is under way since {}", told(since)))?,
        None => row(html, "Now", "waiting")?,
    }
    row(html, "Next run", situation.next_run().as_deref().unwrap_or("none is due"))?;
    html.push_str("</table>\n");
    Ok(())
}

fn waiting_table(html: &mut String, picture: &HealthPicture) -> fmt::Result {
    html.push_str("<h2>What waits</h2>\n<table>\n");
    for (service, count) in &picture.failures_open {
        row(html, &format!("Open failures, {service}"), &count.to_string())?;
    }
    row(html, "Held for approval", &picture.held.to_string())?;
    for matter in &picture.situation.matters {
        let name = if matter.weight == Weight::Failing { "Not healthy" } else { "Attention" };
        let (kind, line, what) = (&matter.kind, picture.situation.line(matter), &matter.what);
        let (kind, line, what) = (Escaped(kind), Escaped(&line), Escaped(what));
        writeln!(html, "<tr><th>{name}, {kind}</th><td>{line}<br>{what}</td></tr>")?;
    }
    html.push_str("</table>\n");
    if picture.held > 0 || picture.failures_open.values().any(|count| *count > 0) {
        let (status, failures) = (Escaped("rosterd status"), Escaped("rosterd failures"));
        writeln!(html, "<p>Details: <code>{status}</code> and <code>{failures}</code>.</p>")?;
    }
    Ok(())
}

fn runs_table(html: &mut String, picture: &HealthPicture) -> fmt::Result {
    html.push_str("<h2>Last runs</h2>\n<table>\n<tr><th>Run</th><th>Outcome</th><th>Finished</th></tr>\n");
    for run in &picture.runs {
        let number = run.run_id.map_or_else(|| "–".to_owned(), |id| id.to_string());
        let class = if run.good { "good" } else { "bad" };
        writeln!(
            html,
            "<tr><td>{}</td><td class=\"{class}\">{}</td><td>{}</td></tr>",
            Escaped(&number),
            Escaped(run.outcome),
            Escaped(&retold(&run.finished_at, picture.made_at_ms, &picture.zone))
        )?;
    }
    html.push_str("</table>\n");
    Ok(())
}

fn row(html: &mut String, name: &str, value: &str) -> fmt::Result {
    writeln!(html, "<tr><th>{}</th><td>{}</td></tr>", Escaped(name), Escaped(value))
}

/// Text that means nothing to a browser, its commands completed.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in invocation::complete(self.0, Written::Plain).chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::{Health, RunSummary};

    #[test]
    fn the_page_shows_last_runs_next_run_and_what_waits() {
        let health = Health::new();
        health.ready(true, "");
        health.heartbeat(1_000);
        let summary = RunSummary { run_id: Some(42), outcome: "held", ..RunSummary::failed(60_000) };
        health.remember(&summary);
        health.next_run(Some(1_800_000_000_000));
        health.held(7);
        health.failures_open("exam", 3);
        let page = render(&health.picture(61_000)).unwrap();
        for part in [
            "<td>42</td><td class=\"bad\">held</td><td>1970-01-01 00:01 +00:00 (less than a minute ago)</td>",
            "<tr><th>Next run</th><td>2027-01-15 08:00 +00:00 (in 20833 days)</td></tr>",
            "<tr><th>Open failures, exam</th><td>3</td></tr>",
            "<tr><th>Held for approval</th><td>7</td></tr>",
            "<tr><th>Ready</th><td>yes</td></tr>",
        ] {
            assert!(page.contains(part), "{part} is missing in\n{page}");
        }
    }

    #[test]
    fn nothing_on_the_page_is_taken_for_markup() {
        let health = Health::new();
        health.ready(false, "<script>alert('x')</script> & \"more\"");
        let page = render(&health.picture(0)).unwrap();
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;more&quot;"));
    }
}
