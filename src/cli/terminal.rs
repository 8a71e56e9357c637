//! What a terminal can do, and how the program speaks on it.

use std::fmt::Write as _;
use std::io::{ErrorKind, IsTerminal, Write as _, stderr, stdout};

/// Colour on standard error: a terminal that can, and nobody who asked for none (<https://no-color.org>).
pub fn colour() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    stderr().is_terminal() && !refused && !dumb
}

/// Whether lines on standard error can be drawn over.
pub fn live() -> bool {
    stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn paint(code: &str, text: &str) -> String {
    if colour() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

/// A line on standard error. One that cannot be written is no reason to end a training run.
pub fn note(text: &str) {
    let _ = writeln!(stderr(), "{text}");
}

/// `name  text`, the names in a column.
pub fn field(name: &str, text: &str) {
    note(&format!("{} {text}", paint("1", &format!("{name:<9}"))));
}

pub fn warning(text: &str) {
    note(&format!("{} {text}", paint("1;33", "warning:")));
}

pub fn error(text: &str) {
    note(&format!("{} {text}", paint("1;31", "error:")));
}

/// A result on standard output. A reader that has gone away (`| head`) has what it wanted.
pub fn print(text: &str) -> std::io::Result<()> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

/// Rows in columns, two spaces apart; the columns named in `right` end flush.
pub fn table(rows: &[Vec<String>], right: &[usize]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let space = " ".repeat(widths[column] - cell.chars().count());
            // Writing to a string cannot fail.
            let _ = if right.contains(&column) {
                write!(line, "{space}{cell}  ")
            } else {
                write!(line, "{cell}{space}  ")
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// `1,234,567`.
pub fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 picture`, `2 pictures`.
pub fn plural(n: usize, one: &str) -> String {
    match (n, one.strip_suffix('s')) {
        (1, _) => format!("1 {one}"),
        (_, Some(stem)) => format!("{} {stem}ses", count(n)),
        _ => format!("{} {one}s", count(n)),
    }
}

/// `8 s`, `3 min 20 s`, `2 h 5 min`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round().max(0.0) as u64;
    match whole {
        0 => "under 1 s".to_owned(),
        1..=99 => format!("{whole} s"),
        100..=5999 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole / 60 % 60),
    }
}

/// An argument as a shell would take it.
pub fn quoted(path: &std::path::Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_./:\\+,=@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!([count(0), count(999), count(1000), count(1234567)], ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [plural(1, "class"), plural(2, "class"), plural(1000, "epoch")],
            ["1 class", "2 classes", "1,000 epochs"]
        );
        assert_eq!(
            [0.2, 99.4, 200.0, 7500.0].map(duration),
            ["under 1 s", "99 s", "3 min 20 s", "2 h 5 min"]
        );
    }

    #[test]
    fn an_odd_path_is_quoted() {
        assert_eq!(quoted("runs/a-1".as_ref()), "runs/a-1");
        assert_eq!(quoted("my runs/it's".as_ref()), "'my runs/it'\\''s'");
    }

    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".to_owned(), "1".to_owned()], vec!["long".to_owned(), "23".to_owned()]];
        assert_eq!(table(&rows, &[1]), "a      1\nlong  23\n");
    }
}
