//! From numbers to shapes. A drawing is stretched to the width it gets, so its text stands beside it, as HTML.

use std::fmt::Write as _;

use notify_core::store::activity::Latencies;

use crate::words::{When, grouped};

use super::Sums;

/// How wide a column is in the drawing, with the gap to the next.
const COLUMN: usize = 10;
const GAP: usize = 2;
const HEIGHT: u64 = 1_000;
/// What exists is seen.
const LEAST: u64 = 16;

/// One part of a stacked chart: what it counts, and how it is told apart.
pub(super) struct Part<'a> {
    key: Key,
    of: Box<dyn Fn(&Sums) -> u64 + 'a>,
}

/// What a colour or a line stands for.
#[derive(Debug)]
pub(in super::super) struct Key {
    pub(in super::super) class: &'static str,
    pub(in super::super) label: String,
}

/// The shapes of a chart, and the words around them.
#[derive(Debug)]
pub(in super::super) struct Drawing {
    pub(in super::super) keys: Vec<Key>,
    pub(in super::super) width: usize,
    pub(in super::super) rects: Vec<Rect>,
    pub(in super::super) lines: Vec<Line>,
    pub(in super::super) ticks: Vec<Tick>,
    pub(in super::super) begins: When,
    pub(in super::super) ends: When,
}

#[derive(Debug)]
pub(in super::super) struct Rect {
    pub(in super::super) class: &'static str,
    pub(in super::super) x: usize,
    pub(in super::super) y: u64,
    pub(in super::super) width: usize,
    pub(in super::super) height: u64,
}

#[derive(Debug)]
pub(in super::super) struct Line {
    pub(in super::super) class: &'static str,
    pub(in super::super) path: String,
}

/// A number at the edge. The stylesheet knows where each class stands: a `style` attribute would break the policy.
#[derive(Debug)]
pub(in super::super) struct Tick {
    pub(in super::super) class: &'static str,
    pub(in super::super) label: String,
    pub(in super::super) y: u64,
}

impl<'a> Part<'a> {
    pub(super) fn new(class: &'static str, label: String, of: impl Fn(&Sums) -> u64 + 'a) -> Self {
        Self { key: Key { class, label }, of: Box::new(of) }
    }
}

/// Columns of `parts`, the first at the bottom; `None` where there is nothing.
pub(super) fn stacked(columns: &[Sums], parts: &[Part<'_>]) -> Option<Drawing> {
    let highest = columns.iter().map(|sums| parts.iter().map(|part| (part.of)(sums)).sum()).max().unwrap_or(0);
    if highest == 0 {
        return None;
    }
    let top = rounded_up(highest);
    let mut drawing = Drawing::new(columns.len());
    for (index, sums) in columns.iter().enumerate() {
        let mut y = HEIGHT;
        for part in parts {
            let number = (part.of)(sums);
            if number == 0 {
                continue;
            }
            let height = u128::from(number) * u128::from(HEIGHT) / u128::from(top);
            let height = u64::try_from(height).unwrap_or(HEIGHT).max(LEAST).min(y);
            y -= height;
            let (x, width) = (index * COLUMN + GAP / 2, COLUMN - GAP);
            drawing.rects.push(Rect { class: part.key.class, x, y, width, height });
        }
    }
    // In the order of the eye, from the top down.
    let keys = parts.iter().rev().map(|part| Key { class: part.key.class, label: part.key.label.clone() });
    drawing.keys = keys.collect();
    drawing.ticks = vec![Tick { class: "whole", label: grouped(top), y: 0 }];
    if top > 1 {
        drawing.ticks.push(Tick { class: "half", label: grouped(top / 2), y: HEIGHT / 2 });
    }
    Some(drawing)
}

/// One line of steps for each key, through classes of response times; a gap where there is none.
pub(super) fn lines(lines: &[(Key, Vec<Option<usize>>)]) -> Drawing {
    let mut drawing = Drawing::new(lines.first().map_or(0, |(_, classes)| classes.len()));
    for (key, classes) in lines {
        let mut path = String::new();
        let mut drawn = false;
        for (index, class) in classes.iter().enumerate() {
            let Some(class) = class else {
                drawn = false;
                continue;
            };
            let (x, y) = (index * COLUMN, height_of(*class));
            let step = if drawn { format!("V{y}H{}", x + COLUMN) } else { format!("M{x} {y}H{}", x + COLUMN) };
            let _ = write!(path, "{step}");
            drawn = true;
        }
        drawing.lines.push(Line { class: key.class, path });
        drawing.keys.push(Key { class: key.class, label: key.label.clone() });
    }
    let marks = [("over", 10_000, "10 s"), ("upper", 1_000, "1 s"), ("lower", 100, "100 ms"), ("under", 10, "10 ms")];
    let ticks = marks.into_iter().map(|(class, millis, label)| {
        let y = height_of(Latencies::BOUNDS_MS.partition_point(|bound| *bound < millis));
        Tick { class, label: label.to_owned(), y }
    });
    drawing.ticks = ticks.collect();
    drawing
}

impl Drawing {
    fn new(columns: usize) -> Self {
        let none = When::default();
        Self {
            keys: Vec::new(),
            width: columns * COLUMN,
            rects: Vec::new(),
            lines: Vec::new(),
            ticks: Vec::new(),
            begins: none.clone(),
            ends: none,
        }
    }
}

/// Classes of response times grow about by factors, so they stand at even distances.
fn height_of(class: usize) -> u64 {
    let (rows, row) = (Latencies::BOUNDS_MS.len() as u64 + 2, class as u64 + 1);
    HEIGHT.saturating_sub(row * HEIGHT / rows)
}

/// The next of 1, 2, 4, 6, 8, 10, 20, …: halves are whole numbers.
fn rounded_up(number: u64) -> u64 {
    let mut unit = 1_u64;
    while unit.saturating_mul(10) < number {
        unit = unit.saturating_mul(10);
    }
    let steps = [1, 2, 4, 6, 8, 10].map(|step: u64| step.saturating_mul(unit));
    steps.into_iter().find(|step| *step >= number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(delivered: u64, gave_up: u64) -> Sums {
        Sums { delivered, gave_up, ..Sums::default() }
    }

    fn parts() -> [Part<'static>; 2] {
        [Part::new("bad", String::new(), |sums| sums.gave_up), Part::new("good", String::new(), |sums| sums.delivered)]
    }

    #[test]
    fn one_failure_in_a_million_is_seen_and_nothing_leaves_the_drawing() {
        let drawing = stacked(&[column(1_000_000, 1), column(0, 0), column(5, 0)], &parts()).unwrap();
        let shapes: Vec<_> = drawing.rects.iter().map(|rect| (rect.class, rect.x, rect.y, rect.height)).collect();
        assert_eq!(shapes[0], ("bad", 1, HEIGHT - LEAST, LEAST));
        assert_eq!(shapes[2], ("good", 21, HEIGHT - LEAST, LEAST));
        for (_, x, y, height) in shapes {
            assert!(x < drawing.width && y + height <= HEIGHT);
        }
        assert!(stacked(&[column(0, 0)], &parts()).is_none());
    }

    #[test]
    fn the_top_is_a_number_that_can_be_halved() {
        let tops = [1, 2, 3, 5, 7, 9, 10, 11, 99, 250, 1_000_001].map(rounded_up);
        assert_eq!(tops, [1, 2, 4, 6, 8, 10, 10, 20, 100, 400, 2_000_000]);
        assert_eq!(rounded_up(u64::MAX), u64::MAX);
    }

    #[test]
    fn a_line_breaks_where_nothing_was_sent() {
        let classes = vec![None, Some(3), Some(3), Some(15), None, Some(0)];
        let drawing = lines(&[(Key { class: "p50", label: String::new() }, classes)]);
        let [low, high, one] = [3, 15, 0].map(height_of);
        assert_eq!(drawing.lines[0].path, format!("M10 {low}H20V{low}H30V{high}H40M50 {one}H60"));
        assert!(high > 0 && high < low && low < one && one < HEIGHT);
    }
}
