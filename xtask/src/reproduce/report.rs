//! The files of the report: CSV, pictures, and one page in two forms.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::experiment::Experiment;
use super::shown::{Image, Shown};

/// Where and from what a report was made.
pub(crate) struct Origin {
    commit: String,
    machine: String,
    options: String,
}

impl Origin {
    pub(crate) fn new(quick: bool) -> Self {
        let git = Command::new("git")
            .args(["describe", "--always", "--dirty", "--exclude=*"])
            .output();
        let commit = git.map_or_else(
            |_| String::new(),
            |o| String::from_utf8_lossy(&o.stdout).trim().to_owned(),
        );
        let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = info.lines().find_map(|l| l.strip_prefix("model name"));
        let cpu = cpu
            .unwrap_or("unknown processor")
            .trim_start_matches(['\t', ' ', ':']);
        Self {
            commit: if commit.is_empty() {
                "unknown".into()
            } else {
                commit
            },
            machine: format!("{cpu}, {} threads", rayon::current_num_threads()),
            options: if quick { "quick" } else { "full" }.into(),
        }
    }

    fn words(&self) -> String {
        format!(
            "commit {}, {} run, {}",
            self.commit, self.options, self.machine
        )
    }
}

/// An experiment with what came out.
pub(crate) type Done = (&'static Experiment, Shown);

/// Writes the CSV and the pictures of one experiment.
pub(crate) fn write_experiment(
    folder: &Path,
    origin: &Origin,
    (experiment, shown): &Done,
) -> Result<()> {
    let mut csv = format!(
        "# {}\n# {}\n# written by cargo xtask reproduce {}; the seed of each run is in its row\n",
        experiment.title,
        origin.words(),
        experiment.name
    )
    .into_bytes();
    let mut writer = csv::Writer::from_writer(&mut csv);
    writer.write_record(&shown.header)?;
    for row in &shown.table {
        writer.write_record(row)?;
    }
    writer.flush()?;
    drop(writer);
    forney_uai::write_atomic(folder.join(format!("{}.csv", experiment.name)), &csv)?;
    for figure in &shown.figures {
        let (ending, bytes) = match &figure.image {
            Image::Svg(text) => ("svg", text.as_bytes()),
            Image::Png(bytes) => ("png", bytes.as_slice()),
        };
        forney_uai::write_atomic(folder.join(format!("{}.{ending}", figure.name)), bytes)?;
    }
    Ok(())
}

/// Writes `README.md` and `index.html`.
pub(crate) fn write_pages(folder: &Path, origin: &Origin, done: &[Done]) -> Result<()> {
    let page = markdown(origin, done)?;
    forney_uai::write_atomic(folder.join("README.md"), page.as_bytes())?;
    let page = html(origin, done)?;
    forney_uai::write_atomic(folder.join("index.html"), page.as_bytes())?;
    Ok(())
}

const TITLE: &str = "The experiments, run again";

fn intro(origin: &Origin) -> String {
    format!(
        "Written by `cargo xtask reproduce` ({}). Every run is in the CSV beside its figure. \
         Bounds are recomputed from their witnesses; bars are standard errors over seeds.",
        origin.words()
    )
}

fn markdown(origin: &Origin, done: &[Done]) -> Result<String> {
    let mut page = format!("# {TITLE}\n\n{}\n\n", intro(origin));
    page.push_str("| experiment | statements that agree |\n|---|---|\n");
    for (experiment, shown) in done {
        let (holding, all) = count(shown);
        let anchor = anchor(experiment.title);
        writeln!(
            page,
            "| [{}](#{anchor}) | {holding} of {all} |",
            experiment.title
        )?;
    }
    for (experiment, shown) in done {
        writeln!(page, "\n## {}\n", experiment.title)?;
        writeln!(
            page,
            "**The source.** {}\n\n**Here.** {}\n",
            experiment.says, experiment.does
        )?;
        for figure in &shown.figures {
            let ending = match figure.image {
                Image::Svg(_) => "svg",
                Image::Png(_) => "png",
            };
            let (name, caption) = (&figure.name, &figure.caption);
            writeln!(page, "![{name}]({name}.{ending})\n\n{caption}\n")?;
        }
        if !shown.claims.is_empty() {
            page.push_str("| statement | measured | verdict |\n|---|---|---|\n");
        }
        for claim in &shown.claims {
            let verdict = claim.verdict();
            let cells = [&*claim.says, &claim.measured, &verdict].map(|c| c.replace('|', "\\|"));
            writeln!(page, "| {} |", cells.join(" | "))?;
        }
        let name = experiment.name;
        writeln!(page, "\nEvery run: [{name}.csv]({name}.csv)")?;
    }
    Ok(page)
}

fn count(shown: &Shown) -> (usize, usize) {
    let holding = shown.claims.iter().filter(|c| c.holds).count();
    (holding, shown.claims.len())
}

/// The anchor that a heading gets where Markdown is shown.
fn anchor(title: &str) -> String {
    let kept = title.to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || " -".contains(*c));
    kept.collect::<String>().replace(' ', "-")
}

const STYLE: &str = "body{font:16px/1.5 sans-serif;max-width:78rem;margin:2rem auto;padding:0 1rem;color:#222}\
figure{margin:1.5rem 0}svg,img{max-width:100%;height:auto}figcaption{color:#444;max-width:60rem}\
table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.3rem .6rem;text-align:left;vertical-align:top}\
.agrees{background:#e6f3ee}.differs{background:#fbeadd}p{max-width:60rem}";

fn html(origin: &Origin, done: &[Done]) -> Result<String> {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{TITLE}</title>\
         <style>{STYLE}</style></head><body>\n<h1>{TITLE}</h1>\n<p>{}</p>\n<ul>\n",
        text(&intro(origin))
    );
    for (experiment, shown) in done {
        let (holding, all) = count(shown);
        let (name, title) = (experiment.name, text(experiment.title));
        writeln!(
            page,
            "<li><a href=\"#{name}\">{title}</a>: {holding} of {all} statements agree</li>"
        )?;
    }
    page.push_str("</ul>\n");
    for (experiment, shown) in done {
        let (name, title) = (experiment.name, text(experiment.title));
        writeln!(page, "<h2 id=\"{name}\">{title}</h2>")?;
        writeln!(page, "<p><b>The source.</b> {}</p>", text(experiment.says))?;
        writeln!(page, "<p><b>Here.</b> {}</p>", text(experiment.does))?;
        for figure in &shown.figures {
            let image = match &figure.image {
                Image::Svg(svg) => svg.clone(),
                Image::Png(bytes) => format!(
                    "<img alt=\"\" src=\"data:image/png;base64,{}\">",
                    base64(bytes)
                ),
            };
            let caption = text(&figure.caption);
            writeln!(
                page,
                "<figure>{image}<figcaption>{caption}</figcaption></figure>"
            )?;
        }
        if shown.claims.is_empty() {
            continue;
        }
        page.push_str("<table><tr><th>statement</th><th>measured</th><th>verdict</th></tr>\n");
        for claim in &shown.claims {
            let class = if claim.holds { "agrees" } else { "differs" };
            let verdict = claim.verdict().replace("**", "");
            let cells = [&*claim.says, &claim.measured, &verdict]
                .map(text)
                .join("</td><td>");
            writeln!(page, "<tr class=\"{class}\"><td>{cells}</td></tr>")?;
        }
        page.push_str("</table>\n");
    }
    page.push_str("</body></html>\n");
    Ok(page)
}

/// Text as it stands in HTML.
fn text(plain: &str) -> String {
    let escaped = plain
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    escaped.replace('`', "")
}

/// RFC 4648, for pictures inside of the page.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0usize, |g, &b| g << 8 | usize::from(b)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            if digit <= chunk.len() {
                out.push(char::from(DIGITS[group >> (18 - 6 * digit) & 63]));
            } else {
                out.push('=');
            }
        }
    }
    out
}
