//! The linter's page: one HTML file, with thumbnails of what it found.

use std::path::Path;

use image::imageops::FilterType;

use super::html::{data_uri, document, escape};
use crate::data::check::{Case, Finding, Report};
use crate::data::readers::{Part, Severity, decode};

/// The longer side of a thumbnail.
const SIDE: u32 = 128;
/// Cases of one fault that get a thumbnail; decoding is what takes the time.
const THUMBNAILS: usize = 12;
/// Cases of one fault that are listed.
const LISTED: usize = 200;

const STYLE: &str = "\
:root { color-scheme: light; --ink: #1a1a1a; --grey: #5f5f5f; --pale: #dedede; --paper: #fff; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1rem 4rem; max-width: 64rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; }
h2 { margin-top: 2.5rem; font-size: 1.15rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--pale); text-align: right; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
.tag { display: inline-block; padding: 0 .5rem; border: 2px solid; border-radius: .3rem; font-size: .85rem; }
.error { background: var(--ink); color: var(--paper); border-color: var(--ink); }
.note { border-style: dotted; }
.remedy, .more, figcaption { color: var(--grey); font-size: .9rem; }
.thumbs { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1rem; }
figure { margin: 0; }
figure img { image-rendering: pixelated; border: 1px solid var(--pale); margin-right: .3rem; vertical-align: top; }
ul { font-size: .9rem; padding-left: 1.2rem; }
";

/// The page about the data set `name`. Pictures that cannot be read are named without a thumbnail.
pub fn check_page(name: &str, report: &Report) -> String {
    let mut body = format!("<h1>{}</h1>\n", escape(name));
    if let Some(format) = report.format {
        body.push_str(&format!("<p>Read as <b>{format}</b>: {}.</p>\n", escape(&report.reason)));
    }
    body.push_str(&format!(
        "<p>{} pictures, {} explained; {} errors, {} warnings.</p>\n",
        report.pictures,
        report.explained,
        report.count(Severity::Error),
        report.count(Severity::Warning)
    ));
    body.push_str(&classes(report));
    body.push_str(&leaks(report));
    for finding in &report.findings {
        body.push_str(&section(finding));
    }
    if report.findings.is_empty() {
        body.push_str("<h2>Nothing found</h2>\n");
    }
    document(name, STYLE, &body)
}

fn classes(report: &Report) -> String {
    if report.classes.is_empty() {
        return String::new();
    }
    let head = |part: Part| {
        let name = if report.split { part.to_string() } else { "pictures".to_owned() };
        format!("<th scope=\"col\">{name}</th><th scope=\"col\">explained</th>")
    };
    let shown: Vec<Part> = Part::ALL
        .into_iter()
        .filter(|part| report.classes.iter().any(|class| class.pictures[*part as usize] > 0))
        .collect();
    let rows = report.classes.iter().map(|class| {
        let cells = shown.iter().map(|part| {
            let at = *part as usize;
            format!("<td>{}</td><td>{}</td>", class.pictures[at], class.explained[at])
        });
        format!("<tr><td>{}</td>{}</tr>\n", escape(&class.class), cells.collect::<String>())
    });
    format!(
        "<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">class</th>{}</tr></thead>\n<tbody>\n{}</tbody>\n</table></div>\n",
        shown.iter().map(|part| head(*part)).collect::<String>(),
        rows.collect::<String>()
    )
}

fn leaks(report: &Report) -> String {
    if report.leaks.is_empty() {
        return String::new();
    }
    let rows = report.leaks.iter().map(|leak| {
        format!(
            "<tr><td>{}</td><td>{}</td><td>{:.2}</td><td>{:.0} %</td></tr>\n",
            leak.by,
            escape(&leak.class),
            leak.auc,
            100.0 * leak.balanced_accuracy
        )
    });
    format!(
        "<h2>What tells a class without looking at the content</h2>\n\
         <p class=\"remedy\">AUC: the chance that a picture of the class has the larger number than one of another class, or \
         1 minus that; 0.5 is chance, 1 tells all. Beside it the balanced accuracy of the best threshold; 50 % is chance.</p>\n\
         <div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">by</th><th scope=\"col\">class</th>\
         <th scope=\"col\">AUC</th><th scope=\"col\">right</th></tr></thead>\n<tbody>\n{}</tbody>\n</table></div>\n",
        rows.collect::<String>()
    )
}

fn section(finding: &Finding) -> String {
    let word = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let mut text = format!(
        "<h2><span class=\"tag {word}\">{word}</span> {}: {}</h2>\n<p class=\"remedy\">Remedy: {}.</p>\n",
        escape(finding.title),
        finding.cases.len(),
        escape(finding.remedy)
    );
    let mut figures = String::new();
    let mut rest = Vec::new();
    for (i, case) in finding.cases.iter().take(LISTED).enumerate() {
        let images = if i < THUMBNAILS { images(case) } else { String::new() };
        if images.is_empty() {
            rest.push(format!("<li>{}</li>\n", words(case)));
        } else {
            figures.push_str(&format!("<figure>{images}<figcaption>{}</figcaption></figure>\n", words(case)));
        }
    }
    if !figures.is_empty() {
        text.push_str(&format!("<div class=\"thumbs\">\n{figures}</div>\n"));
    }
    if !rest.is_empty() {
        text.push_str(&format!("<ul>\n{}</ul>\n", rest.concat()));
    }
    if finding.cases.len() > LISTED {
        text.push_str(&format!("<p class=\"more\">And {} more.</p>\n", finding.cases.len() - LISTED));
    }
    text
}

fn words(case: &Case) -> String {
    let parts = [&case.what, &case.detail].into_iter().filter(|part| !part.is_empty());
    parts.map(|part| escape(part)).collect::<Vec<_>>().join(": ")
}

/// The picture, and its mask beside it.
fn images(case: &Case) -> String {
    let both = [(&case.picture, "picture"), (&case.mask, "mask")];
    let shown = both.into_iter().filter_map(|(path, what)| thumbnail(path.as_deref()?, what));
    shown.collect()
}

fn thumbnail(path: &Path, what: &str) -> Option<String> {
    let picture = decode::file(path).ok()?;
    let (width, height) = (picture.width(), picture.height());
    let small = match width.max(height) > SIDE {
        true => picture.resize(SIDE, SIDE, FilterType::Triangle).into_rgb8(),
        false => picture.into_rgb8(),
    };
    // Small pictures are shown larger, each pixel a square.
    let scale = (SIDE / small.width().max(small.height()).max(1)).max(1);
    let (shown, data) = ((small.width() * scale, small.height() * scale), data_uri(&small).ok()?);
    Some(format!(
        "<img src=\"{data}\" width=\"{}\" height=\"{}\" alt=\"{what}, {width}×{height}\">",
        shown.0, shown.1
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::readers::Fault;

    #[test]
    fn a_page_shows_the_offender_and_loads_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        image::GrayImage::from_pixel(200, 100, image::Luma([7])).save(&path).unwrap();
        let fault = Fault::ConstantPicture;
        let case =
            |what: &str, picture| Case { what: what.into(), detail: "flat".into(), picture, mask: None };
        let report = Report {
            format: None,
            reason: String::new(),
            classes: Vec::new(),
            split: false,
            pictures: 2,
            explained: 0,
            sizes: None,
            leaks: Vec::new(),
            findings: vec![Finding {
                fault,
                severity: fault.severity(),
                title: fault.title(),
                remedy: fault.remedy(),
                cases: vec![case("a<b>.png", Some(path)), case("gone.png", Some("/nowhere/x.png".into()))],
            }],
        };
        let page = check_page("my \"data\"", &report);
        for words in
            ["a&lt;b&gt;.png: flat", "<li>gone.png", "width=\"128\" height=\"64\"", "my &quot;data&quot;"]
        {
            assert!(page.contains(words), "{words}: {page}");
        }
        assert_eq!(page.matches("src=").count(), page.matches("src=\"data:image/png;base64,").count());
        for outside in ["http:", "https:", "<script", "<link"] {
            assert!(!page.contains(outside), "{outside}");
        }
        for tag in ["div", "p", "ul", "li", "h2", "figure", "body", "style"] {
            let opened =
                page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
        }
    }
}
