//! Members taken out of a JSON text, or masked, and all else left as it stands, byte by byte: a
//! number that is written anew is another number to some reader.
//!
//! Owns: where the members are in the text. Does not own: that the text has one reading
//! (`body::json`, which is asked first), who may see what (`stage`).

use std::borrow::Cow;

use crate::body::finding::{FINDINGS_MAX, push_token};
use crate::body::pointer::{FieldPointer, Names};

/// Deepest nesting that is followed: more than `body::json` lets through.
const DEPTH_MAX: usize = 64;

/// What is done with the members under one pointer.
#[derive(Clone, Copy, Debug)]
pub struct Cut<'a> {
    pub pointer: &'a FieldPointer,
    /// JSON to stand in their place; `None` takes them out.
    pub mask: Option<&'a str>,
}

/// What was found, and the text without it.
#[derive(Debug, Default)]
pub struct Edited {
    /// `None`: there was nothing to cut.
    pub text: Option<Vec<u8>>,
    /// Where, each with the place of its cut in the list: at most [`FINDINGS_MAX`].
    pub places: Vec<(usize, String)>,
}

/// The text is not the JSON that it was taken for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unreadable;

/// Cuts members out of `text`, which `body::json::parse` has read without a fault.
///
/// A pointer that leads nowhere, or through a value that has no members, cuts nothing. A member
/// under two cuts is taken out rather than masked. Total: no input panics; linear in the text and
/// in the number of cuts.
pub fn edit(text: &[u8], cuts: &[Cut<'_>], names: Names) -> Result<Edited, Unreadable> {
    let mut scan = Scan {
        text,
        at: 0,
        cuts,
        names,
        edits: Vec::new(),
        path: Vec::new(),
        places: Vec::new(),
    };
    let live: Vec<Live> = (0..cuts.len()).map(|cut| Live { cut, depth: 0 }).collect();
    scan.value(&live, 0)?;
    let (mut edits, places) = (scan.edits, scan.places);
    if edits.is_empty() {
        return Ok(Edited::default());
    }
    edits.sort_by_key(|edit| edit.start);
    let mut edited = Vec::with_capacity(text.len());
    let mut from = 0;
    for edit in edits {
        edited.extend_from_slice(text.get(from..edit.start).ok_or(Unreadable)?);
        edited.extend_from_slice(edit.mask.unwrap_or_default().as_bytes());
        from = edit.end;
    }
    edited.extend_from_slice(text.get(from..).ok_or(Unreadable)?);
    Ok(Edited {
        text: Some(edited),
        places,
    })
}

/// A cut whose pointer leads here, and the step that is next.
#[derive(Clone, Copy)]
struct Live {
    cut: usize,
    depth: usize,
}

struct Edit<'a> {
    start: usize,
    end: usize,
    mask: Option<&'a str>,
}

enum Part<'t> {
    Name(Cow<'t, str>),
    Item(usize),
}

struct Scan<'t, 'c> {
    text: &'t [u8],
    at: usize,
    cuts: &'c [Cut<'c>],
    names: Names,
    edits: Vec<Edit<'c>>,
    path: Vec<Part<'t>>,
    places: Vec<(usize, String)>,
}

/// What happens to one member.
enum Fate<'c> {
    Stays(Vec<Live>),
    Masked(&'c str),
    Goes,
}

/// The members of one array or object, as far as they were read.
#[derive(Default)]
struct Members {
    /// Whether one before stays, behind whose end a cut can begin.
    kept: bool,
    /// Where the member before ends.
    end: usize,
    /// Where a cut began that ends with the next member.
    open: Option<usize>,
}

impl<'t, 'c> Scan<'t, 'c> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Result<(), Unreadable> {
        self.space();
        match self.peek() == Some(byte) {
            true => {
                self.at += 1;
                Ok(())
            }
            false => Err(Unreadable),
        }
    }

    fn value(&mut self, live: &[Live], depth: usize) -> Result<(), Unreadable> {
        self.space();
        match self.peek().ok_or(Unreadable)? {
            _ if live.is_empty() => self.skip(),
            _ if depth > DEPTH_MAX => Err(Unreadable),
            b'{' => self.members(live, depth, b'}'),
            b'[' => self.members(live, depth, b']'),
            _ => self.skip(),
        }
    }

    fn members(&mut self, live: &[Live], depth: usize, close: u8) -> Result<(), Unreadable> {
        self.at += 1;
        self.space();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(());
        }
        let mut members = Members::default();
        for index in 0.. {
            self.space();
            let start = self.at;
            if let Some(open) = members.open.take() {
                self.cut(open, start, None);
            }
            let part = match close {
                b'}' => Part::Name(self.name()?),
                _ => Part::Item(index),
            };
            self.path.push(part);
            if close == b'}' {
                self.take(b':')?;
                self.space();
            }
            self.member(live, depth, start, &mut members)?;
            self.path.pop();
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(byte) if byte == close => {
                    self.at += 1;
                    break;
                }
                _ => return Err(Unreadable),
            }
        }
        if let Some(open) = members.open {
            self.cut(open, members.end, None);
        }
        Ok(())
    }

    /// One member's value, from where it stands; `start` is where its name does.
    fn member(
        &mut self,
        live: &[Live],
        depth: usize,
        start: usize,
        members: &mut Members,
    ) -> Result<(), Unreadable> {
        let from = self.at;
        match self.fate(live) {
            Fate::Stays(below) => {
                self.value(&below, depth + 1)?;
                members.kept = true;
            }
            Fate::Masked(mask) => {
                self.skip()?;
                self.cut(from, self.at, Some(mask));
                members.kept = true;
            }
            Fate::Goes => {
                self.skip()?;
                match members.kept {
                    true => self.cut(members.end, self.at, None),
                    false => members.open = Some(start),
                }
            }
        }
        members.end = self.at;
        Ok(())
    }

    fn cut(&mut self, start: usize, end: usize, mask: Option<&'c str>) {
        self.edits.push(Edit { start, end, mask });
    }

    /// What the cuts say of the member that the path leads to.
    fn fate(&mut self, live: &[Live]) -> Fate<'c> {
        let (mut below, mut masked, mut goes) = (Vec::new(), None, false);
        let mut ends = Vec::new();
        for Live { cut, depth } in live.iter().copied() {
            let Some(one) = self.cuts.get(cut) else {
                continue;
            };
            let leads = match self.path.last() {
                Some(Part::Name(name)) => one.pointer.leads_to(depth, name, self.names),
                Some(Part::Item(index)) => one.pointer.leads_to_item(depth, *index),
                None => false,
            };
            match (leads, one.pointer.is_last(depth)) {
                (false, _) => {}
                (true, false) => below.push(Live {
                    cut,
                    depth: depth + 1,
                }),
                (true, true) => {
                    ends.push(cut);
                    match one.mask {
                        None => goes = true,
                        Some(mask) => masked = masked.or(Some(mask)),
                    }
                }
            }
        }
        for cut in ends {
            if self.places.len() < FINDINGS_MAX {
                self.places.push((cut, self.pointer()));
            }
        }
        match masked {
            _ if goes => Fate::Goes,
            Some(mask) => Fate::Masked(mask),
            None => Fate::Stays(below),
        }
    }

    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for part in &self.path {
            match part {
                Part::Name(name) => push_token(&mut pointer, name),
                Part::Item(index) => push_token(&mut pointer, &index.to_string()),
            }
        }
        pointer
    }

    /// A name, as it reads and not as it is written.
    fn name(&mut self) -> Result<Cow<'t, str>, Unreadable> {
        let start = self.at;
        self.string()?;
        let text = self.text;
        let quoted = text.get(start..self.at).ok_or(Unreadable)?;
        if quoted.contains(&b'\\') {
            let name: String = serde_json::from_slice(quoted).map_err(|_| Unreadable)?;
            return Ok(Cow::Owned(name));
        }
        let inner = quoted.get(1..quoted.len() - 1).ok_or(Unreadable)?;
        let name = std::str::from_utf8(inner).map_err(|_| Unreadable)?;
        Ok(Cow::Borrowed(name))
    }

    fn string(&mut self) -> Result<(), Unreadable> {
        self.take(b'"')?;
        loop {
            match self.peek().ok_or(Unreadable)? {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }

    /// Passes over one value, whatever is in it; it does not recurse.
    fn skip(&mut self) -> Result<(), Unreadable> {
        let mut open = 0_usize;
        loop {
            self.space();
            match self.peek().ok_or(Unreadable)? {
                b'"' => self.string()?,
                b'{' | b'[' => {
                    open += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    open = open.checked_sub(1).ok_or(Unreadable)?;
                    self.at += 1;
                }
                b',' | b':' if open > 0 => self.at += 1,
                b',' | b':' => return Err(Unreadable),
                _ => self.plain(),
            }
            if open == 0 {
                return Ok(());
            }
        }
    }

    /// A number or a word.
    fn plain(&mut self) {
        let ends = |byte| {
            matches!(
                byte,
                b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' | b'}' | b']'
            )
        };
        while self.peek().is_some_and(|byte| !ends(byte)) {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests;
