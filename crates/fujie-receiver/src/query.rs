//! Parameters in a query string or a form (WHATWG URL §5.1, as RFC 6749 appendix B uses it), read strictly.
//!
//! A parameter that stands twice is refused (RFC 6749 §3.1): two readers would take different ones. It does not know
//! what any parameter means.

/// Most parameters that are read.
pub const PARAMETERS_MAX: usize = 100;

/// Names and values, decoded and in their order. `None` when a name stands twice, an escape is broken, a text is not
/// UTF-8 or holds NUL, or there are more than [`PARAMETERS_MAX`].
pub fn parse(query: &str) -> Option<Vec<(String, String)>> {
    let mut list: Vec<(String, String)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?, decode(value)?);
        if list.len() == PARAMETERS_MAX || list.iter().any(|(own, _)| *own == name) {
            return None;
        }
        list.push((name, value));
    }
    Some(list)
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, expected: Option<&[(&str, &str)]>) {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        assert_eq!(parse(query), expected.map(|list| list.iter().map(owned).collect()), "{}", query);
    }

    #[test]
    fn parameters_are_decoded_in_their_order() {
        check("", Some(&[]));
        check("code=c%201&state=a+b", Some(&[("code", "c 1"), ("state", "a b")]));
        check("&a&b=&c==&", Some(&[("a", ""), ("b", ""), ("c", "=")]));
        check("%e4%BD%a0=%E5%A5%BD%2B", Some(&[("你", "好+")]));
    }

    #[test]
    fn what_two_readers_would_read_differently_is_refused() {
        for query in ["a=1&a=2", "a=1&a=1", "a=&%61", "a=%", "a=%2", "a=%g0", "a=%+1", "a=%ff", "a=%00", "%00=a"] {
            check(query, None);
        }
        let many = |count: usize| (0..count).map(|n| format!("p{}=&", n)).collect::<String>();
        assert_eq!(parse(&many(PARAMETERS_MAX)).unwrap().len(), PARAMETERS_MAX);
        assert_eq!(parse(&many(PARAMETERS_MAX + 1)), None);
    }
}
