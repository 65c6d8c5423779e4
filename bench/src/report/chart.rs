//! Bar charts as SVG: one bar for each row, the best on top, ours in colour.

use std::fmt::Write as _;

use super::{Figure, Table, markdown::number};
use crate::peers::is_ours;

/// A chart of one column of one table.
#[derive(Debug)]
pub(crate) struct Chart {
    /// The file's name without its extension.
    pub(crate) name: &'static str,
    /// The table by its name, and the column counted from 0.
    pub(crate) table: &'static str,
    pub(crate) column: usize,
    pub(crate) title: &'static str,
    pub(crate) more_is_better: bool,
}

/// All charts of the report.
pub(crate) const CHARTS: &[Chart] = &[
    chart(
        "burst-deliveries",
        "burst",
        0,
        "Burst: deliveries, millions per second",
        true,
    ),
    chart(
        "burst-cpu",
        "burst",
        1,
        "Burst: CPU time per delivery, µs",
        false,
    ),
    chart(
        "sustained-deliveries",
        "sustained",
        0,
        "Sustained: deliveries, millions per second",
        true,
    ),
    chart(
        "sustained-p99",
        "sustained",
        3,
        "Sustained: p99 latency, ms",
        false,
    ),
    chart(
        "paced-cpu",
        "paced",
        0,
        "Paced: CPU time per delivery, µs",
        false,
    ),
    chart(
        "decode-llm",
        "decode-llm",
        1,
        "Decoding the answer of an LLM in 1,400-byte chunks, GB/s",
        true,
    ),
    chart(
        "decode-tick",
        "decode-tick",
        1,
        "Decoding ticks in 1,400-byte chunks, GB/s",
        true,
    ),
    chart(
        "memory",
        "memory",
        0,
        "Memory per idle connection, KB",
        false,
    ),
];

const WIDTH: f64 = 760.0;
const LEFT: f64 = 180.0;
const RIGHT: f64 = 100.0;
const TOP: f64 = 58.0;
const ROW: f64 = 26.0;
const BAR: f64 = 16.0;
const BOTTOM: f64 = 16.0;

/// A bar longer than so many times the next one is cut, so that the others can be told apart.
const CUT: f64 = 3.0;

impl Chart {
    /// The picture; nothing if the table has no such column or no figures.
    pub(crate) fn svg(&self, table: &Table) -> Option<String> {
        let mut bars: Vec<(&str, Figure)> = table
            .rows
            .iter()
            .filter_map(|row| Some((row.peer.as_str(), (*row.figures.get(self.column)?)?)))
            .collect();
        bars.sort_by(|(_, a), (_, b)| a.median.total_cmp(&b.median));
        let scale = scale(&bars)?;
        if self.more_is_better {
            bars.reverse();
        }
        let rows: String = bars
            .iter()
            .zip(0..)
            .map(|((peer, figure), index)| row(peer, *figure, scale, TOP + ROW * f64::from(index)))
            .collect();
        let height = bars.iter().fold(TOP + BOTTOM, |height, _| height + ROW);
        let better = if self.more_is_better {
            "more is better"
        } else {
            "less is better"
        };
        let title = self.title;
        Some(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
             height=\"{height}\" role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
             <title>{title}</title>\n\
             <rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\" fill=\"#ffffff\" stroke=\"#d0d7de\"/>\n\
             <text x=\"16\" y=\"28\" font-size=\"15\" font-weight=\"600\" fill=\"#1f2328\">{title}</text>\n\
             <text x=\"16\" y=\"46\" font-size=\"11\" fill=\"#59636e\">{better}; blue: these crates; \
             thin lines: the rounds' spread; a bar with a cut is longer</text>\n{rows}</svg>\n",
            WIDTH - 1.0,
            height - 1.0,
        ))
    }
}

/// The figure that a bar of full length stands for; nothing without figures.
fn scale(ascending: &[(&str, Figure)]) -> Option<f64> {
    let mut medians: Vec<f64> = ascending.iter().map(|(_, it)| it.median).collect();
    while let [.., next, longest] = medians[..]
        && longest > next * CUT
        && medians.len() > 2
    {
        medians.pop();
    }
    medians.pop().filter(|longest| *longest > 0.0)
}

fn row(peer: &str, figure: Figure, scale: f64, y: f64) -> String {
    let full = WIDTH - LEFT - RIGHT;
    let is_cut = figure.median > scale * 1.001;
    let length = (figure.median / scale * full).clamp(1.0, full);
    let (colour, weight) = if is_ours(peer) {
        ("#1f6feb", 600)
    } else {
        ("#afb8c1", 400)
    };
    let (text, middle) = (y + 12.5, y + BAR / 2.0);
    let mut row = String::new();
    let mut line = |shape: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(row, "{shape}");
    };
    line(format!(
        "<text x=\"{}\" y=\"{text}\" text-anchor=\"end\" font-weight=\"{weight}\" fill=\"#1f2328\">{peer}</text>",
        LEFT - 8.0
    ));
    line(format!(
        "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{length:.1}\" height=\"{BAR}\" rx=\"2\" fill=\"{colour}\"/>"
    ));
    let mut end = length;
    if is_cut {
        let (from, to) = (LEFT + length * 0.9, y + BAR + 2.0);
        line(format!(
            "<path d=\"M{from:.1} {to} l6 -{0} M{1:.1} {to} l6 -{0}\" stroke=\"#ffffff\" stroke-width=\"3\"/>",
            BAR + 4.0,
            from + 8.0
        ));
    } else if figure.max > figure.min {
        let at = |value: f64| (value / scale * full).clamp(0.0, full + 20.0);
        let (from, to) = (at(figure.min), at(figure.max));
        end = end.max(to);
        line(format!(
            "<path d=\"M{:.1} {middle} H{:.1}\" stroke=\"#1f2328\" stroke-width=\"1\"/>",
            LEFT + from,
            LEFT + to
        ));
    }
    line(format!(
        "<text x=\"{:.1}\" y=\"{text}\" font-weight=\"{weight}\" fill=\"#1f2328\">{}</text>",
        LEFT + end + 8.0,
        number(figure.median)
    ));
    row
}

const fn chart(
    name: &'static str,
    table: &'static str,
    column: usize,
    title: &'static str,
    more_is_better: bool,
) -> Chart {
    Chart {
        name,
        table,
        column,
        title,
        more_is_better,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(figures: &[(&str, f64)]) -> Table {
        let mut table = Table::new("burst", "Burst", "").column("speed", "M/s");
        for (peer, value) in figures {
            table.push(peer, vec![Figure::of(&[*value])]);
        }
        table
    }

    #[test]
    fn the_best_is_on_top_and_ours_in_colour() {
        let svg = CHARTS[0]
            .svg(&table(&[("slow", 1.0), ("ours-axum", 20.0)]))
            .unwrap();
        assert!(
            svg.find("ours-axum").unwrap() < svg.find("slow").unwrap(),
            "{svg}"
        );
        assert_eq!(svg.matches("#1f6feb").count(), 1);
    }

    #[test]
    fn a_bar_that_would_dwarf_the_others_is_cut() {
        let figures = [("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 100.0)];
        let svg = CHARTS[1].svg(&table(&figures));
        assert_eq!(svg, None, "no such column");
        let svg = CHARTS[0].svg(&table(&figures)).unwrap();
        assert_eq!(svg.matches("stroke-width=\"3\"").count(), 1, "{svg}");
        assert!(CHARTS[0].svg(&table(&[])).is_none());
    }
}
