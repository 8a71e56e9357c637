//! What a study says, before it is Markdown or a page: sections of sentences, tables and plots.

use crate::report::plot::Plot;

/// A table of texts; the first column is the row's name, the others are numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Stem of its file.
    pub name: String,
    /// Above it.
    pub caption: String,
    /// Above the columns.
    pub head: Vec<String>,
    /// As many texts per row as there are columns.
    pub rows: Vec<Vec<String>>,
}

/// A part of a document.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// Its heading.
    pub heading: String,
    /// Paragraphs.
    pub text: Vec<String>,
    /// Plots.
    pub plots: Vec<Plot>,
    /// Tables.
    pub tables: Vec<Table>,
}

/// A whole report.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// Its title.
    pub title: String,
    /// What it asks, what it found out of itself (counts, stops).
    pub lead: Vec<String>,
    /// How to get it again: command, device, seeds, version.
    pub facts: Vec<(String, String)>,
    /// Its parts.
    pub sections: Vec<Section>,
    /// Term and definition.
    pub definitions: Vec<(String, String)>,
}

impl Table {
    /// The table with the columns left out that hold nothing in any row.
    pub fn without_empty_columns(mut self) -> Self {
        let used: Vec<bool> = (0..self.head.len())
            .map(|column| {
                column == 0 || self.rows.iter().any(|row| row.get(column).is_some_and(|c| !c.is_empty()))
            })
            .collect();
        let keep = |row: &mut Vec<String>| {
            let mut column = 0;
            row.retain(|_| {
                column += 1;
                used[column - 1]
            });
        };
        keep(&mut self.head);
        self.rows.iter_mut().for_each(keep);
        self
    }

    /// In Markdown.
    pub fn markdown(&self) -> String {
        let escape = |cell: &String| cell.replace('|', "\\|");
        let line =
            |row: &[String]| format!("| {} |\n", row.iter().map(escape).collect::<Vec<_>>().join(" | "));
        let mut text = format!("{}\n\n", self.caption);
        text.push_str(&line(&self.head));
        let rule = (0..self.head.len()).map(|column| if column == 0 { "---" } else { "---:" });
        text.push_str(&format!("|{}|\n", rule.collect::<Vec<_>>().join("|")));
        self.rows.iter().for_each(|row| text.push_str(&line(row)));
        text
    }
}

impl Document {
    /// In Markdown; plots as links to `plots/<name>.svg`.
    pub fn markdown(&self) -> String {
        let mut text = format!("# {}\n\n", self.title);
        for paragraph in &self.lead {
            text.push_str(&format!("{paragraph}\n\n"));
        }
        for (name, value) in &self.facts {
            text.push_str(&format!("- {name}: {value}\n"));
        }
        for section in &self.sections {
            text.push_str(&format!("\n## {}\n\n", section.heading));
            section.text.iter().for_each(|paragraph| text.push_str(&format!("{paragraph}\n\n")));
            for plot in &section.plots {
                text.push_str(&format!("![{}](plots/{}.svg)\n\n", plot.caption(), plot.name()));
            }
            let tables: Vec<String> = section.tables.iter().map(Table::markdown).collect();
            text.push_str(&tables.join("\n"));
        }
        if !self.definitions.is_empty() {
            text.push_str("\n## What the columns mean\n\n");
            for (term, definition) in &self.definitions {
                text.push_str(&format!("- **{term}**: {definition}\n"));
            }
        }
        text
    }
}

/// A share with three decimals.
pub fn share(value: f64) -> String {
    format!("{value:.3}")
}

/// `0.807 ± 0.002`, or the mean alone where there is no error.
pub fn with_error(mean: f64, error: Option<f64>) -> String {
    match error {
        Some(error) => format!("{mean:.3} ± {error:.3}"),
        None => share(mean),
    }
}

/// `+0.211 ± 0.004`.
pub fn signed(mean: f64, error: Option<f64>) -> String {
    match error {
        Some(error) => format!("{mean:+.3} ± {error:.3}"),
        None => format!("{mean:+.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown_and_drops_columns_without_content() {
        let table = Table {
            name: "t".into(),
            caption: "Caption.".into(),
            head: ["method", "a|b", "none"].map(str::to_owned).to_vec(),
            rows: vec![["x", "1", ""].map(str::to_owned).to_vec(), ["y", "", ""].map(str::to_owned).to_vec()],
        };
        let text = table.without_empty_columns().markdown();
        assert_eq!(text, "Caption.\n\n| method | a\\|b |\n|---|---:|\n| x | 1 |\n| y |  |\n");
    }

    #[test]
    fn figures_are_rounded_and_signed() {
        assert_eq!(with_error(0.80749, Some(0.0021)), "0.807 ± 0.002");
        assert_eq!(signed(0.2, None), "+0.200");
        assert_eq!(signed(-0.2, Some(0.01)), "-0.200 ± 0.010");
    }
}
