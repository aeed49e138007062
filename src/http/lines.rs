//! A body line by line, each of bounded length.

use axum::body::Bytes;

use crate::http::body::Pieces;
use crate::http::problem::Problem;

/// A line without its end, or that it is too long.
pub(crate) type Line = Result<Vec<u8>, TooLong>;

/// A line longer than allowed; it is skipped to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// The lines of a body. Lines of white space are counted but not given.
pub(crate) struct Lines {
    pieces: Pieces,
    limit: usize,
    piece: Bytes,
    number: u64,
}

impl Lines {
    pub(crate) fn new(pieces: Pieces, limit: usize) -> Self {
        Self { pieces, limit, piece: Bytes::new(), number: 0 }
    }

    /// The next line and its number, from 1; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<(u64, Line)>, Problem> {
        loop {
            let Some(line) = self.whole().await? else { return Ok(None) };
            self.number += 1;
            if !line.as_ref().is_ok_and(|line| line.iter().all(u8::is_ascii_whitespace)) {
                return Ok(Some((self.number, line)));
            }
        }
    }

    async fn whole(&mut self) -> Result<Option<Line>, Problem> {
        let mut line = Vec::new();
        let (mut too_long, mut begun) = (false, false);
        loop {
            if self.piece.is_empty() {
                match self.pieces.next().await? {
                    Some(piece) => self.piece = piece,
                    None if begun => return Ok(Some(if too_long { Err(TooLong) } else { Ok(line) })),
                    None => return Ok(None),
                }
                continue;
            }
            begun = true;
            let end = self.piece.iter().position(|byte| *byte == b'\n');
            let part = self.piece.split_to(end.unwrap_or(self.piece.len()));
            if too_long || line.len() + part.len() > self.limit {
                too_long = true;
                line = Vec::new();
            } else {
                line.extend_from_slice(&part);
            }
            if end.is_some() {
                let _newline = self.piece.split_to(1);
                return Ok(Some(if too_long { Err(TooLong) } else { Ok(line) }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use crate::http::limits::Limits;
    use axum::body::Body;

    async fn lines(pieces: &[&'static str]) -> Vec<(u64, Result<String, TooLong>)> {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| Ok::<_, std::io::Error>(Bytes::from_static(piece.as_bytes())))
            .collect();
        let body = Body::from_stream(futures_util::stream::iter(pieces));
        let mut lines = Lines::new(Pieces::new(body, &Limits::production()), 4);
        let mut all = Vec::new();
        while let Some((number, line)) = lines.next().await.unwrap() {
            all.push((number, line.map(|line| String::from_utf8(line).unwrap())));
        }
        all
    }

    #[tokio::test]
    async fn lines_are_whole_however_the_body_is_cut() {
        let whole = vec![(1, Ok("a".into())), (3, Ok("bcd".into())), (4, Ok("e".into()))];
        assert_eq!(lines(&["a\n \nbcd\ne\n"]).await, whole);
        assert_eq!(lines(&["a", "\n", "\n", "b", "cd\ne"]).await, whole);
        assert_eq!(lines(&[]).await, vec![]);
        assert_eq!(lines(&["\n\n", "\r\n"]).await, vec![]);
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_skipped_and_the_next_is_read() {
        let expected = vec![(1, Err(TooLong)), (2, Ok("good".into())), (3, Err(TooLong))];
        assert_eq!(lines(&["12345\ngood\n123", "45"]).await, expected);
        assert_eq!(lines(&["123", "4567", "89\ngo", "od\n12345"]).await, expected);
    }
}
