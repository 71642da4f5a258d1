//! Where a command or a reply ends on the wire, in RESP2 and RESP3.

/// The length of the first whole frame; `None` while it is not all there.
pub(super) fn split_frame(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    let after = end + 2;
    let number = || std::str::from_utf8(&bytes[1..end]).ok()?.parse::<i64>().ok();
    let length = number().and_then(|number| usize::try_from(number).ok());
    let within = |frames: usize| {
        let mut at = after;
        for _ in 0..frames {
            at += split_frame(&bytes[at..])?;
        }
        Some(at)
    };
    match bytes[0] {
        // -1 is a null, and has nothing after its line.
        b'$' | b'=' | b'!' => {
            let end = length.map_or(after, |length| after + length + 2);
            (bytes.len() >= end).then_some(end)
        }
        b'*' | b'~' | b'>' => within(length.unwrap_or(0)),
        b'%' => within(2 * length.unwrap_or(0)),
        // Attributes, and what they are of.
        b'|' => within(2 * length.unwrap_or(0) + 1),
        _ => Some(after),
    }
}

#[cfg(test)]
mod tests {
    use super::split_frame;

    #[test]
    fn a_frame_ends_where_redis_says_and_not_before_it_is_whole() {
        for frame in [
            "+OK\r\n",
            "-ERR no\r\n",
            ":1\r\n",
            "_\r\n",
            "$-1\r\n",
            "*-1\r\n",
            "$0\r\n\r\n",
            "$4\r\na\r\nb\r\n",
            "*2\r\n$3\r\nGET\r\n$1\r\na\r\n",
            "%1\r\n+a\r\n*2\r\n:1\r\n:2\r\n",
            ">2\r\n+message\r\n$1\r\na\r\n",
            "|1\r\n+ttl\r\n:1\r\n:5\r\n",
        ] {
            assert_eq!(split_frame(format!("{frame}+next\r\n").as_bytes()), Some(frame.len()), "{frame:?}");
            for part in 0..frame.len() {
                assert_eq!(split_frame(&frame.as_bytes()[..part]), None, "{part} bytes of {frame:?}");
            }
        }
    }
}
