//! Bar charts as SVG: one bar for each row, the best on top, ours in colour.

use std::fmt::Write as _;

use super::{Figure, Table, number};
use crate::peers::is_ours;

/// All charts of the report: the file without its extension, the name of the table, the column
/// counted from 0, and the title.
#[rustfmt::skip]
const CHARTS: [(&str, &str, usize, &str); 8] = [
    ("burst-deliveries", "burst", 0, "Burst: deliveries, millions per second"),
    ("burst-cpu", "burst", 1, "Burst: CPU time per delivery, µs"),
    ("sustained-deliveries", "sustained", 0, "Sustained: deliveries, millions per second"),
    ("sustained-p99", "sustained", 3, "Sustained: p99 latency, ms"),
    ("paced-cpu", "paced", 0, "Paced: CPU time per delivery, µs"),
    ("decode-llm", "decode-llm", 1, "Decoding the answer of an LLM in 1,400-byte chunks, GB/s"),
    ("decode-tick", "decode-tick", 1, "Decoding ticks in 1,400-byte chunks, GB/s"),
    ("memory", "memory", 0, "Memory per idle connection, KB"),
];

const WIDTH: f64 = 760.0;
const LEFT: f64 = 180.0;
const RIGHT: f64 = 100.0;
const TOP: f64 = 58.0;
const ROW: f64 = 26.0;
const BAR: f64 = 16.0;
const BOTTOM: f64 = 16.0;

/// A bar that is longer than this multiple of the next one is cut, so that the others can be
/// distinguished.
const CUT: f64 = 3.0;

/// Draws the charts of a table: file, title and picture of each that has figures.
pub(super) fn charts(table: &Table) -> impl Iterator<Item = (&'static str, &'static str, String)> {
    let charts = CHARTS
        .into_iter()
        .filter(|(_, name, ..)| *name == table.name);
    charts.filter_map(|(file, _, column, title)| Some((file, title, svg(table, column, title)?)))
}

/// Draws the picture; `None` if the table has no such column or no figures.
fn svg(table: &Table, column: usize, title: &str) -> Option<String> {
    // Speeds are better the higher they are, times and sizes the lower.
    let more_is_better = table.columns.get(column)?.ends_with("/s");
    let bars = table
        .rows
        .iter()
        .filter_map(|row| Some((&*row.peer, row.figures[column]?)));
    let mut bars: Vec<(&str, Figure)> = bars.collect();
    bars.sort_by(|(_, a), (_, b)| a.median.total_cmp(&b.median));
    let scale = scale(&bars)?;
    if more_is_better {
        bars.reverse();
    }
    let (mut rows, mut y) = (String::new(), TOP);
    for (peer, figure) in bars {
        rows += &row(peer, figure, scale, y);
        y += ROW;
    }
    let height = y + BOTTOM;
    let better = if more_is_better { "more" } else { "less" };
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
         <title>{title}</title>\n\
         <rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\" fill=\"#ffffff\" stroke=\"#d0d7de\"/>\n\
         <text x=\"16\" y=\"28\" font-size=\"15\" font-weight=\"600\" fill=\"#1f2328\">{title}</text>\n\
         <text x=\"16\" y=\"46\" font-size=\"11\" fill=\"#59636e\">{better} is better; blue: these crates; \
         thin lines: the rounds' spread; a bar with a cut is longer</text>\n{rows}</svg>\n",
        WIDTH - 1.0,
        height - 1.0,
    ))
}

/// Returns the figure of a bar of full length; `None` without figures.
fn scale(ascending: &[(&str, Figure)]) -> Option<f64> {
    let mut medians: Vec<f64> = ascending.iter().map(|(_, it)| it.median).collect();
    while let [_, .., next, longest] = medians[..]
        && longest > next * CUT
    {
        medians.pop();
    }
    medians.pop().filter(|longest| *longest > 0.0)
}

fn row(peer: &str, figure: Figure, scale: f64, y: f64) -> String {
    let full = WIDTH - LEFT - RIGHT;
    let length = (figure.median / scale * full).clamp(1.0, full);
    let (colour, weight) = if is_ours(peer) {
        ("#1f6feb", 600)
    } else {
        ("#afb8c1", 400)
    };
    let (text, right) = (y + 12.5, LEFT - 8.0);
    let mut row = format!(
        "<text x=\"{right}\" y=\"{text}\" text-anchor=\"end\" font-weight=\"{weight}\" fill=\"#1f2328\">{peer}</text>\n\
         <rect x=\"{LEFT}\" y=\"{y}\" width=\"{length:.1}\" height=\"{BAR}\" rx=\"2\" fill=\"{colour}\"/>\n"
    );
    let mut end = LEFT + length;
    if figure.median > scale * 1.001 {
        let (first, to, height) = (LEFT + length * 0.9, y + BAR + 2.0, BAR + 4.0);
        let second = first + 8.0;
        let _ = writeln!(
            row,
            "<path d=\"M{first:.1} {to} l6 -{height} M{second:.1} {to} l6 -{height}\" stroke=\"#ffffff\" \
             stroke-width=\"3\"/>"
        );
    } else if figure.max > figure.min {
        let at = |value: f64| LEFT + (value / scale * full).clamp(0.0, full + 20.0);
        let (from, to, middle) = (at(figure.min), at(figure.max), y + BAR / 2.0);
        end = end.max(to);
        let _ = writeln!(
            row,
            "<path d=\"M{from:.1} {middle} H{to:.1}\" stroke=\"#1f2328\" stroke-width=\"1\"/>"
        );
    }
    let (x, median) = (end + 8.0, number(figure.median));
    row + &format!(
        "<text x=\"{x:.1}\" y=\"{text}\" font-weight=\"{weight}\" fill=\"#1f2328\">{median}</text>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(figures: &[(&str, f64)]) -> Table {
        let mut table = Table::new("burst", "Burst", "", "speed, M/s");
        for (peer, value) in figures {
            table.push(peer, vec![Figure::of([*value])]);
        }
        table
    }

    #[test]
    fn the_best_is_on_top_and_ours_in_colour() {
        let table = table(&[("slow", 1.0), ("ours-axum", 20.0)]);
        let svg = svg(&table, 0, "Burst").unwrap();
        assert!(svg.find("ours-axum") < svg.find("slow"), "{svg}");
        assert_eq!(svg.matches("#1f6feb").count(), 1);
    }

    #[test]
    fn a_bar_that_would_dwarf_the_others_is_cut() {
        let figures = [("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 100.0)];
        let files: Vec<&str> = charts(&table(&figures)).map(|(file, ..)| file).collect();
        assert_eq!(files, ["burst-deliveries"], "there is no other column");
        let svg = svg(&table(&figures), 0, "Burst").unwrap();
        assert_eq!(svg.matches("stroke-width=\"3\"").count(), 1, "{svg}");
        assert_eq!(charts(&table(&[])).count(), 0);
    }
}
