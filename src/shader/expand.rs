//! Repetition in shader text. Kernels that hold a block in registers need one variable for each element of it, and
//! lanes of `subgroupBroadcast` must be constants; both are written once and repeated here:
//!
//! ```text
//! //: for r in 0..ROWS
//!     let x$r = load(s$(r / 2), $(r % 2)u);
//! //: end
//! ```
//!
//! Loops nest. `$r` and `$(…)` stand for a loop variable and for arithmetic (+ − × ÷ remainder, parentheses) over loop
//! variables, numbers, `SUBGROUP_SIZE` and any `const NAME: u32 = …;` above. The build script expands every shader
//! once for each subgroup size, so that what runs was validated.

use std::collections::HashMap;

/// The text with every loop written out, and `const SUBGROUP_SIZE: u32` in front where the text uses it.
/// An error says what is wrong and in which line.
pub fn expand(text: &str, subgroup_size: Option<u32>) -> Result<String, String> {
    let mut names: HashMap<String, i64> = HashMap::new();
    let mut out = String::with_capacity(2 * text.len());
    if let Some(size) = subgroup_size {
        names.insert("SUBGROUP_SIZE".to_owned(), i64::from(size));
    }
    let lines: Vec<(usize, &str)> = text.lines().enumerate().map(|(n, line)| (n + 1, line)).collect();
    write_lines(&lines, &mut names, &mut out)?;
    if let Some(size) = subgroup_size {
        // Behind the opening comment, which names the kernel.
        let at = out.find("\nconst ").map_or(0, |at| at + 1);
        out.insert_str(at, &format!("const SUBGROUP_SIZE: u32 = {size}u;\n"));
    }
    Ok(out)
}

fn write_lines(
    lines: &[(usize, &str)],
    names: &mut HashMap<String, i64>,
    out: &mut String,
) -> Result<(), String> {
    let mut at = 0;
    while let Some(&(number, line)) = lines.get(at) {
        at += 1;
        match line.trim_start().strip_prefix("//:").map(str::trim) {
            None => {
                let written = substitute(line, names).map_err(|e| format!("line {number}: {e}"))?;
                if let Some((name, value)) = constant(&written, names) {
                    names.insert(name, value);
                }
                out.push_str(&written);
                out.push('\n');
            }
            Some("end") => return Err(format!("line {number}: `end` without `for`")),
            Some(head) => {
                let within = |e: String| format!("line {number}: {e}");
                let (name, range) = head
                    .strip_prefix("for ")
                    .and_then(|head| head.split_once(" in "))
                    .ok_or_else(|| within(format!("`{head}` is neither `for NAME in A..B` nor `end`")))?;
                let (from, to) =
                    range.split_once("..").ok_or_else(|| within(format!("`{range}` is no range A..B")))?;
                let from = value(from, names).map_err(within)?;
                let to = value(to, names).map_err(within)?;
                let length = body(&lines[at..]).ok_or_else(|| within("`for` without `end`".to_owned()))?;
                for i in from..to {
                    let hidden = names.insert(name.trim().to_owned(), i);
                    write_lines(&lines[at..at + length], names, out)?;
                    match hidden {
                        Some(old) => names.insert(name.trim().to_owned(), old),
                        None => names.remove(name.trim()),
                    };
                }
                at += length + 1;
            }
        }
    }
    Ok(())
}

/// Lines before the `end` of a loop whose head stands in front of `lines`.
fn body(lines: &[(usize, &str)]) -> Option<usize> {
    let mut depth = 0;
    for (at, (_, line)) in lines.iter().enumerate() {
        match line.trim_start().strip_prefix("//:").map(str::trim) {
            Some("end") if depth == 0 => return Some(at),
            Some("end") => depth -= 1,
            Some(_) => depth += 1,
            None => {}
        }
    }
    None
}

/// The name and value of a line `const NAME: u32 = …;` that can be worked out here.
fn constant(line: &str, names: &HashMap<String, i64>) -> Option<(String, i64)> {
    let (name, rest) = line.strip_prefix("const ")?.split_once(": u32 = ")?;
    let value = value(rest.split_once(';')?.0, names).ok()?;
    Some((name.to_owned(), value))
}

fn substitute(line: &str, names: &HashMap<String, i64>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (expression, behind) = if let Some(inner) = after.strip_prefix('(') {
            let mut depth = 1;
            let close = inner.char_indices().find_map(|(at, c)| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                (depth == 0).then_some(at)
            });
            let close = close.ok_or("`$(` without `)`")?;
            (&inner[..close], &inner[close + 1..])
        } else {
            let end = after.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(after.len());
            after.split_at(end)
        };
        out.push_str(&value(expression, names)?.to_string());
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

fn value(expression: &str, names: &HashMap<String, i64>) -> Result<i64, String> {
    let mut rest = expression;
    let value = sum(&mut rest, names).map_err(|e| format!("`{expression}`: {e}"))?;
    if rest.trim().is_empty() { Ok(value) } else { Err(format!("`{expression}`: `{rest}` is left over")) }
}

fn sum(rest: &mut &str, names: &HashMap<String, i64>) -> Result<i64, String> {
    let mut total = product(rest, names)?;
    loop {
        *rest = rest.trim_start();
        let sign = rest.chars().next();
        if !matches!(sign, Some('+' | '-')) {
            return Ok(total);
        }
        *rest = &rest[1..];
        let term = product(rest, names)?;
        total = if sign == Some('+') { total + term } else { total - term };
    }
}

fn product(rest: &mut &str, names: &HashMap<String, i64>) -> Result<i64, String> {
    let mut total = factor(rest, names)?;
    loop {
        *rest = rest.trim_start();
        let sign = rest.chars().next();
        if !matches!(sign, Some('*' | '/' | '%')) {
            return Ok(total);
        }
        *rest = &rest[1..];
        let other = factor(rest, names)?;
        total = match sign {
            Some('*') => Some(total * other),
            Some('/') => total.checked_div(other),
            _ => total.checked_rem(other),
        }
        .ok_or("division by 0")?;
    }
}

fn factor(rest: &mut &str, names: &HashMap<String, i64>) -> Result<i64, String> {
    *rest = rest.trim_start();
    if let Some(inner) = rest.strip_prefix('(') {
        *rest = inner;
        let value = sum(rest, names)?;
        *rest = rest.trim_start().strip_prefix(')').ok_or("`(` without `)`")?;
        return Ok(value);
    }
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    let (word, behind) = rest.split_at(end);
    *rest = behind;
    if let Ok(number) = word.trim_end_matches('u').parse() {
        return Ok(number);
    }
    names.get(word).copied().ok_or_else(|| format!("there is no `{word}` here"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_loops_stays_as_it_is() {
        let text = "// k\nconst ROWS: u32 = 8;\nlet a = 1; // no: loop\n";
        assert_eq!(expand(text, None).unwrap(), text);
    }

    #[test]
    fn loops_nest_and_know_the_constants_above() {
        let text = "const ROWS: u32 = 2 * SUBGROUP_SIZE;\n//: for r in 0..ROWS / 4\n  a$r\n  //: for c in r..3\n\
                    b$(r)_$c $(7 - 2 * (c % 2))u\n  //: end\n//: end\nend\n";
        let expanded = expand(text, Some(4)).unwrap();
        let expected = "const ROWS: u32 = 2 * SUBGROUP_SIZE;\n  a0\nb0_0 7u\nb0_1 5u\nb0_2 7u\n  a1\nb1_1 5u\n\
                        b1_2 7u\nend\n";
        assert_eq!(expanded, format!("const SUBGROUP_SIZE: u32 = 4u;\n{expected}"));
    }

    #[test]
    fn errors_name_the_line() {
        for (text, part) in [
            ("a\n//: for r in 0..2\nb", "line 2: `for` without `end`"),
            ("//: end", "line 1: `end` without `for`"),
            ("//: loop", "line 1: `loop` is neither"),
            ("\nlet x$i = 1;", "line 2: `i`: there is no `i` here"),
            ("$(1 / 0)", "division by 0"),
            ("$((1)", "without `)`"),
            ("//: for r in 0\n//: end", "no range"),
        ] {
            let error = expand(text, None).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
