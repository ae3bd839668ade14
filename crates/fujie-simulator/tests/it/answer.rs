//! What a story reads out of an answer.

use crate::http::Answer;

impl Answer {
    /// The body without its chunks' borders.
    pub fn content(&self) -> Vec<u8> {
        if self.header("transfer-encoding") != Some("chunked") {
            return self.body.clone();
        }
        let (mut content, mut rest) = (Vec::new(), self.body.as_slice());
        loop {
            let border = rest.windows(2).position(|window| window == b"\r\n").unwrap();
            let (size, chunk) = (rest.get(..border).unwrap(), rest.get(border + 2..).unwrap());
            let size = usize::from_str_radix(std::str::from_utf8(size).unwrap(), 16).unwrap();
            if size == 0 {
                return content;
            }
            content.extend_from_slice(chunk.get(..size).unwrap());
            rest = chunk.get(size + 2..).unwrap();
        }
    }

    /// `errcode`, 0 when there is none.
    pub fn errcode(&self) -> i64 {
        self.json().get("errcode").map_or(0, |errcode| errcode.as_i64().unwrap())
    }
}
