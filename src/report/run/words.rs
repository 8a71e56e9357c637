//! Figures, paragraphs and tables as HTML.

use crate::report::html::{escape, prose};

/// A share with three decimals.
pub fn share(value: f64) -> String {
    format!("{value:.3}")
}

/// A share in hundreds.
pub fn percent(value: f64) -> String {
    format!("{:.1}\u{a0}%", 100.0 * value)
}

/// A paragraph whose backticks become code.
pub fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", prose(text))
}

/// The same in small print.
pub fn note(text: &str) -> String {
    format!("<p class=\"note\">{}</p>\n", prose(text))
}

/// Names and values.
pub fn facts(facts: &[(String, String)]) -> String {
    let line =
        |(name, value): &(String, String)| format!("<dt>{}</dt><dd>{}</dd>\n", escape(name), escape(value));
    format!("<dl class=\"facts\">\n{}</dl>\n", facts.iter().map(line).collect::<String>())
}

/// Rows of texts; `left` columns of words come before the numbers.
pub fn table(head: &[&str], rows: &[Vec<String>], left: usize) -> String {
    let class = |column: usize| if column < left { " class=\"left\"" } else { "" };
    let head =
        head.iter().enumerate().map(|(i, t)| format!("<th scope=\"col\"{}>{}</th>", class(i), escape(t)));
    let row = |cells: &Vec<String>| {
        let cells = cells.iter().enumerate().map(|(i, t)| format!("<td{}>{}</td>", class(i), escape(t)));
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    };
    format!(
        "<div class=\"scroll\"><table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n</table></div>\n",
        head.collect::<String>(),
        rows.iter().map(row).collect::<String>()
    )
}
