//! What a terminal can do, and how the program speaks on it.

use std::fmt::Write as _;
use std::io::{ErrorKind, IsTerminal, Write as _, stderr, stdout};
use std::sync::{Mutex, PoisonError};

/// What has been warned of.
#[derive(Default)]
struct Warnings {
    /// Each text once, and how often it was said.
    said: Vec<(String, usize)>,
    /// Whether something else was written after the first of them, so that they may have scrolled away.
    buried: bool,
}

static WARNINGS: Mutex<Warnings> = Mutex::new(Warnings { said: Vec::new(), buried: false });

fn with_warnings<T>(act: impl FnOnce(&mut Warnings) -> T) -> T {
    act(&mut WARNINGS.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Warnings {
    fn add(&mut self, text: &str) {
        match self.said.iter_mut().find(|(said, _)| said == text) {
            Some((_, times)) => *times += 1,
            None => self.said.push((text.to_owned(), 1)),
        }
    }

    fn bury(&mut self) {
        self.buried |= !self.said.is_empty();
    }

    /// What to say at the end; nothing where the warnings still stand there.
    fn repeated(&self) -> Option<(String, Vec<String>)> {
        let times = |(text, times): &(String, usize)| match times {
            1 => text.clone(),
            times => format!("{text} ({times} times)"),
        };
        let lines: Vec<String> = self.said.iter().map(times).collect();
        let head = format!("{} on the way:", plural(lines.len(), "warning"));
        (self.buried && !lines.is_empty()).then_some((head, lines))
    }
}

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
fn line(text: &str) {
    let _ = writeln!(stderr(), "{text}");
}

/// Something said by the way.
pub fn note(text: &str) {
    with_warnings(Warnings::bury);
    line(text);
}

/// `name  text`, the names in a column.
pub fn field(name: &str, text: &str) {
    note(&format!("{} {text}", paint("1", &format!("{name:<9}"))));
}

fn warning_line(text: &str) {
    line(&format!("{} {text}", paint("1;33", "warning:")));
}

/// A warning, said now and once more at the end.
pub fn warning(text: &str) {
    with_warnings(|warnings| warnings.add(text));
    warning_line(text);
}

/// A warning that a command's own result shows; it is said at the end.
pub fn remember_warning(text: &str) {
    with_warnings(|warnings| {
        warnings.add(text);
        warnings.buried = true;
    });
}

/// Everything that was warned of so far.
pub fn warnings() -> Vec<String> {
    with_warnings(|warnings| warnings.said.iter().map(|(text, _)| text.clone()).collect())
}

/// The warnings once more, counted, where other lines have come after them.
pub fn repeat_warnings() {
    if let Some((head, lines)) = with_warnings(|warnings| warnings.repeated()) {
        line(&head);
        lines.iter().for_each(|text| warning_line(text));
    }
}

pub fn error(text: &str) {
    note(&format!("{} {text}", paint("1;31", "error:")));
}

/// A result on standard output. A reader that has gone away (`| head`) has what it wanted.
pub fn print(text: &str) -> std::io::Result<()> {
    with_warnings(Warnings::bury);
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

/// The command line that started this process, as a shell would take it.
pub fn command_line() -> String {
    let words = std::env::args_os().skip(1).map(|word| quoted(word.as_ref()));
    std::iter::once("rationale".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
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
    fn warnings_come_again_once_each_if_something_came_after_them() {
        let mut warnings = Warnings::default();
        warnings.bury();
        warnings.add("a");
        warnings.add("b");
        warnings.add("a");
        assert_eq!(warnings.repeated(), None, "they are the last thing on the screen");
        warnings.bury();
        let lines = ["a (2 times)", "b"].map(str::to_owned).to_vec();
        assert_eq!(warnings.repeated(), Some(("2 warnings on the way:".to_owned(), lines)));
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
