//! Tables as Markdown, which is also what a terminal shows.

use std::fmt::Write as _;

use super::{Figure, Ratio, Row, Table};
use crate::peers::own_framework;

/// The table with its computed columns, aligned so that it can be read as it is.
pub(crate) fn table(table: &Table) -> String {
    let mut lines = vec![heading(table)];
    lines.extend(table.rows.iter().map(|row| cells(table, row)));
    let columns = lines[0].len();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            lines
                .iter()
                .map(|line| width(&line[column]))
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        text.push_str(&row(line, &widths));
        if index == 0 {
            text.push_str(&rule(&widths));
        }
    }
    text
}

/// Three digits that count, and thousands apart.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    let digits = match size {
        _ if size >= 100.0 => 0,
        _ if size >= 10.0 => 1,
        _ if size >= 1.0 || size == 0.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    // "0.00" says no more than "0".
    if text.trim_matches(['0', '.']).is_empty() {
        return "0".to_owned();
    }
    thousands(&text)
}

/// A whole number, thousands apart.
pub(crate) fn whole(value: impl Into<u128>) -> String {
    thousands(&value.into().to_string())
}

fn heading(table: &Table) -> Vec<String> {
    let mut cells = vec![table.subject.clone()];
    for column in &table.columns {
        let unit = match column.unit.as_str() {
            "" => String::new(),
            unit => format!(", {unit}"),
        };
        cells.push(format!("{}{unit}", column.name));
    }
    for Ratio { column, against } in &table.ratios {
        let of = against.as_deref().unwrap_or("its own framework");
        cells.push(format!("{} × {of}", table.columns[*column].name));
    }
    cells
}

fn cells(table: &Table, row: &Row) -> Vec<String> {
    let name = if crate::peers::is_ours(&row.peer) {
        format!("**{}**", row.peer)
    } else {
        row.peer.clone()
    };
    let figures = row
        .figures
        .iter()
        .map(|it| it.map_or_else(String::new, figure));
    let ratios = table
        .ratios
        .iter()
        .map(|it| ratio(table, row, it).map_or_else(String::new, number));
    [name].into_iter().chain(figures).chain(ratios).collect()
}

/// "19.8 (19.1..20.3)"; without the spread where there is none.
fn figure(figure: Figure) -> String {
    let (median, min, max) = (
        number(figure.median),
        number(figure.min),
        number(figure.max),
    );
    if figure.is_more {
        format!("> {median}")
    } else if min == max {
        median
    } else {
        format!("{median} ({min}..{max})")
    }
}

/// How many times the figure of what it is compared with.
fn ratio(table: &Table, row: &Row, Ratio { column, against }: &Ratio) -> Option<f64> {
    let against = against.as_deref().or_else(|| own_framework(&row.peer))?;
    let other = table.figure(against, *column)?.median;
    let value = row.figures[*column]?.median / other;
    value.is_finite().then_some(value)
}

fn thousands(text: &str) -> String {
    let (sign, rest) = text
        .strip_prefix('-')
        .map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{grouped}{point}{fraction}")
}

fn row(cells: &[String], widths: &[usize]) -> String {
    let mut text = String::from("|");
    for (index, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let space = " ".repeat(width - self::width(cell));
        let (before, after) = if index == 0 {
            ("", &*space)
        } else {
            (&*space, "")
        };
        // Writing to a string cannot fail.
        let _ = write!(text, " {before}{cell}{after} |");
    }
    text + "\n"
}

fn rule(widths: &[usize]) -> String {
    let mut text = String::from("|");
    for (index, width) in widths.iter().enumerate() {
        let (line, end) = ("-".repeat(width + 1), if index == 0 { "-" } else { ":" });
        let _ = write!(text, "{line}{end}|");
    }
    text + "\n"
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_that_count() {
        let rows = [
            (0.0, "0"),
            (0.0432, "0.043"),
            (1.234, "1.23"),
            (19.87, "19.9"),
            (123.4, "123"),
            (12_345.6, "12,346"),
            (-1_234.0, "-1,234"),
        ];
        for (value, text) in rows {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn a_table_has_medians_spreads_and_ratios() {
        let mut it = Table::new("a", "A", "")
            .column("speed", "M/s")
            .ratio(0, "slow");
        it.push("ours-axum", vec![Figure::of(&[4.0, 6.0, 5.0])]);
        it.push("slow", vec![Figure::of(&[2.0])]);
        it.push("none", vec![None]);
        let expected = "\
            | peer          |        speed, M/s | speed × slow |\n\
            |---------------|------------------:|-------------:|\n\
            | **ours-axum** | 5.00 (4.00..6.00) |         2.50 |\n\
            | slow          |              2.00 |         1.00 |\n\
            | none          |                   |              |\n";
        assert_eq!(table(&it), expected);
    }
}
