//! JSON made readable by moving whitespace alone: no number, string or key is read, so none can change.

/// `json` with line breaks and two spaces of indentation for each level. Everything but the whitespace between its
/// tokens stays byte for byte; what is no JSON keeps its characters too.
pub(crate) fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                out.push(c);
                while let Some(inner) = chars.next() {
                    out.push(inner);
                    match inner {
                        '\\' => out.extend(chars.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '{' | '[' => {
                out.push(c);
                while chars.next_if(|next| is_blank(*next)).is_some() {}
                match chars.next_if(|next| matches!(next, '}' | ']')) {
                    Some(end) => out.push(end),
                    None => {
                        depth += 1;
                        new_line(&mut out, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            blank if is_blank(blank) => {}
            other => out.push(other),
        }
    }
    out
}

/// RFC 8259, section 2.
const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Beyond this depth the lines would be more blanks than text, and a small text could make a huge page.
const MAX_INDENT: usize = 32;

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth.min(MAX_INDENT) {
        out.push_str("  ");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C08: digits were lost where JSON was parsed and printed again.
    #[test]
    fn only_whitespace_moves() {
        for json in [
            r#"{"a":9007199254740993,"b":1.0,"c":-0.0,"d":1e400,"e":"a, b: {c} [\"d\\"}"#,
            r#"{"z":1,"a":[],"m":{ },"n":[1, 2,{"k\u0000":"é \ud83d"}]}"#,
            "[[[[]]]]",
            "\"unfinished \\",
            "}}}] not json at all, \t: \"",
            "1",
        ] {
            let strip = |text: &str| text.chars().filter(|c| !is_blank(*c)).collect::<String>();
            assert_eq!(strip(&pretty(json)), strip(json), "{json}");
        }
        assert_eq!(
            pretty(r#"{"a":[1,{"b":" x "}],"c":{}}"#),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": \" x \"\n    }\n  ],\n  \"c\": {}\n}"
        );
    }

    #[test]
    fn deep_nesting_makes_no_huge_page() {
        let deep = "[".repeat(100_000);
        assert!(pretty(&deep).len() < 100_000 * (2 + 2 * MAX_INDENT));
    }
}
