//! The page of a study: one HTML file that needs no network.

use super::StudyError;
use super::document::{Document, Table};
use crate::report::html::{document, escape, prose};
use crate::report::plot::{NARROW, Plot, WIDE};

const STYLE: &str = "\
:root { color-scheme: light; --ink: #1a1a1a; --grey: #5f5f5f; --pale: #dedede; --paper: #fff; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1rem 4rem; max-width: 56rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; }
h2 { margin-top: 3rem; font-size: 1.25rem; }
nav ul, dl.facts { font-size: .92rem; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; }
dl.facts dt { color: var(--grey); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 1.5rem 0; }
figure svg { max-width: 100%; height: auto; display: block; }
figcaption { color: var(--grey); font-size: .92rem; text-align: left; padding: .3rem 0; }
.narrow { display: none; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--pale); text-align: right; white-space: nowrap; }
th { vertical-align: bottom; font-weight: 600; white-space: normal; }
th:first-child, td:first-child { text-align: left; padding-left: 0; position: sticky; left: 0; background: var(--paper); }
dl.terms dt { font-weight: 600; margin-top: .6rem; }
dl.terms dd { margin: 0; }
code { font-size: .9em; overflow-wrap: anywhere; }
@media (min-width: 58rem) { .scroll { width: max-content; max-width: calc(50vw + 25rem); } }
@media (max-width: 40rem) { .wide { display: none; } .narrow { display: block; }
  dl.facts { grid-template-columns: 1fr; } dl.facts dd { margin-bottom: .4rem; } }
@media print { .scroll { overflow: visible; } h2 { break-after: avoid; } figure { break-inside: avoid; } }
";

fn figure(plot: &Plot) -> Result<String, StudyError> {
    Ok(format!(
        "<figure>\n<div class=\"wide\">{}</div>\n<div class=\"narrow\">{}</div>\n<figcaption>{}</figcaption>\n</figure>\n",
        plot.svg(WIDE)?,
        plot.svg(NARROW)?,
        escape(plot.caption())
    ))
}

/// The definition of a column stands behind its title.
fn table(table: &Table, definitions: &[(String, String)]) -> String {
    let head = table.head.iter().map(|title| {
        let meaning = definitions.iter().find(|(term, _)| term == title);
        let hint = meaning.map_or(String::new(), |(_, meaning)| format!(" title=\"{}\"", escape(meaning)));
        format!("<th scope=\"col\"{hint}>{}</th>", escape(title))
    });
    let row = |cells: &Vec<String>| {
        let cells = cells.iter().map(|cell| format!("<td>{}</td>", escape(cell)));
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    };
    format!(
        "<figure>\n<figcaption>{}</figcaption>\n<div class=\"scroll\"><table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n\
         </table></div>\n</figure>\n",
        escape(&table.caption),
        head.collect::<String>(),
        table.rows.iter().map(row).collect::<String>()
    )
}

/// The whole page.
pub fn page(study: &Document) -> Result<String, StudyError> {
    let mut body = format!("<h1>{}</h1>\n", escape(&study.title));
    for paragraph in &study.lead {
        body.push_str(&format!("<p>{}</p>\n", prose(paragraph)));
    }
    body.push_str("<nav><ul>\n");
    let headings = study.sections.iter().map(|section| section.heading.as_str());
    for (i, heading) in headings.chain(["What the columns mean", "How to get it again"]).enumerate() {
        body.push_str(&format!("<li><a href=\"#part-{i}\">{}</a></li>\n", escape(heading)));
    }
    body.push_str("</ul></nav>\n");
    for (i, section) in study.sections.iter().enumerate() {
        body.push_str(&format!("<h2 id=\"part-{i}\">{}</h2>\n", escape(&section.heading)));
        for paragraph in &section.text {
            body.push_str(&format!("<p>{}</p>\n", prose(paragraph)));
        }
        for plot in &section.plots {
            body.push_str(&figure(plot)?);
        }
        body.extend(section.tables.iter().map(|own| table(own, &study.definitions)));
    }
    let last = study.sections.len();
    body.push_str(&format!("<h2 id=\"part-{last}\">What the columns mean</h2>\n<dl class=\"terms\">\n"));
    for (term, definition) in &study.definitions {
        body.push_str(&format!("<dt>{}</dt><dd>{}</dd>\n", escape(term), prose(definition)));
    }
    body.push_str(&format!(
        "</dl>\n<h2 id=\"part-{}\">How to get it again</h2>\n<dl class=\"facts\">\n",
        last + 1
    ));
    for (name, value) in &study.facts {
        body.push_str(&format!("<dt>{}</dt><dd>{}</dd>\n", escape(name), prose(value)));
    }
    body.push_str(
        "</dl>\n<p>Beside this page: <code>cells.csv</code> and <code>summary.csv</code> with every seed, \
         <code>results.json</code>, <code>tables/</code>, <code>plots/</code>, and the models' own records in \
         <code>cells/</code>.</p>\n",
    );
    Ok(document(&study.title, STYLE, &body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::document::Section;

    #[test]
    fn a_page_is_whole_escapes_what_it_shows_and_loads_nothing() {
        let document = Document {
            title: "A < B".into(),
            lead: vec!["Run `x --seeds 1`.".into()],
            facts: vec![("command".into(), "`rationale study <x>`".into())],
            sections: vec![Section {
                heading: "Part".into(),
                tables: vec![Table {
                    name: "t".into(),
                    caption: "c".into(),
                    head: vec!["method".into(), "accuracy".into()],
                    rows: vec![vec!["a & b".into(), "1".into()]],
                }],
                ..Default::default()
            }],
            definitions: vec![("accuracy".into(), "Share \"right\".".into())],
        };
        let page = page(&document).unwrap();
        for words in [
            "<title>A &lt; B</title>",
            "<code>x --seeds 1</code>",
            "<td>a &amp; b</td>",
            "title=\"Share &quot;right&quot;.\"",
            "href=\"#part-0\"",
            "id=\"part-2\"",
            "&lt;x&gt;",
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }
        for outside in ["src=", "http:", "https:", "<script", "<link"] {
            assert!(!page.contains(outside), "{outside}");
        }
        // Every element that is opened is closed.
        for tag in ["table", "div", "p", "dl", "h2", "li", "body", "style"] {
            let opened =
                page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
        }
    }
}
