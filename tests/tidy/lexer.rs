//! Just enough of Rust's and Kotlin's grammar to tell code from comments and strings.

/// The source with every comment and literal blanked out; lines keep their numbers.
pub(crate) fn code_of(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        let skipped = literal_or_comment(rest);
        if skipped == 0 {
            code.push(next);
            rest = &rest[next.len_utf8()..];
        } else {
            code.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
            code.push(' ');
            rest = &rest[skipped..];
        }
    }
    code
}

/// How many bytes of a comment or literal the text begins with; 0 when it begins with neither.
fn literal_or_comment(text: &str) -> usize {
    let until = |from: usize, end: &str| {
        text[from..].find(end).map_or(text.len(), |found| from + found + end.len())
    };
    match text.as_bytes() {
        [b'/', b'/', ..] => text.find('\n').unwrap_or(text.len()),
        [b'/', b'*', ..] => until(2, "*/"),
        [b'"', b'"', b'"', ..] => until(3, "\"\"\""),
        [b'r', b'#', ..] if text.starts_with("r#\"") => until(3, "\"#"),
        [b'"', ..] => quoted(text),
        [b'\'', b'\\', ..] => until(3, "'"),
        [b'\'', _, b'\'', ..] => 3,
        _ => 0,
    }
}

fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The numbers, from 1, of the lines that have one of the words as a whole word.
pub(crate) fn lines_with(code: &str, words: &[&str]) -> Vec<usize> {
    let has_word = |line: &str| {
        line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| words.contains(&word))
    };
    code.lines().enumerate().filter(|(_, line)| has_word(line)).map(|(at, _)| at + 1).collect()
}

#[test]
fn code_is_told_from_comments_and_literals() {
    let source = "let a = \"f32 \\\" f32\"; // f32\n/* f32\nf32 */ let b: f32 = 'x'; r#\"f32\"#";
    assert_eq!(lines_with(&code_of(source), &["f32"]), [3]);
}

#[test]
fn a_lifetime_is_no_literal() {
    assert_eq!(code_of("fn a<'a>(b: &'a str)"), "fn a<'a>(b: &'a str)");
}

#[test]
fn a_longer_word_is_another_word() {
    assert!(lines_with("unsafe_code f32x", &["unsafe", "f32"]).is_empty());
}
