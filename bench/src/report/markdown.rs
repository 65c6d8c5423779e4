//! Tables as Markdown, in the document and on the terminal.

use std::{fmt::Write as _, iter};

use super::{Figure, ITS_OWN, Ratio, Row, Table};
use crate::peers::{is_ours, own_framework};

/// Writes a table with its title and its text, as the document and the terminal show it.
pub(crate) fn section(table: &Table, pictures: &[String]) -> String {
    let mut text = thousands(&format!("## {}\n\n{}\n\n", table.title, table.caption));
    // Writing to a string cannot fail.
    for picture in pictures {
        let _ = writeln!(text, "{picture}");
    }
    text += &markdown(table);
    for note in &table.notes {
        let _ = write!(text, "\n{note}\n");
    }
    for failure in &table.failures {
        let _ = write!(text, "\nNot measured: {failure}.\n");
    }
    if !table.measured.is_empty() {
        let _ = write!(text, "\nMeasured {}.\n", table.measured);
    }
    text
}

/// Writes a number with three significant digits, and thousands apart.
pub(crate) fn number(value: f64) -> String {
    let digits = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    // "0.00" says no more than "0".
    match text.trim_matches(['-', '0', '.']) {
        "" => "0".to_owned(),
        _ => thousands(&text),
    }
}

/// Sets thousands apart in the numbers of a text: "100,000 clients".
fn thousands(text: &str) -> String {
    let is_digit = |letter: char| letter.is_ascii_digit();
    let mut grouped = String::new();
    for (index, letter) in text.char_indices() {
        let rest = &text[index..];
        let digits = rest.len() - rest.trim_start_matches(is_digit).len();
        if grouped.ends_with(is_digit) && digits > 0 && digits.is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(letter);
    }
    grouped
}

/// Writes the table with its computed columns, aligned so that its source can be read.
fn markdown(table: &Table) -> String {
    let rows = table.rows.iter().map(|row| cells(table, row));
    let lines: Vec<Vec<String>> = iter::once(heading(table)).chain(rows).collect();
    let width = |column: usize| {
        lines
            .iter()
            .map(move |line| line[column].chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..lines[0].len()).filter_map(width).collect();
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        for (index, (cell, &width)) in line.iter().zip(&widths).enumerate() {
            let _ = match index {
                0 => write!(text, "| {cell:<width$} "),
                _ => write!(text, "| {cell:>width$} "),
            };
        }
        text += "|\n";
        if number == 0 {
            let _ = write!(text, "|-{}-", "-".repeat(widths[0]));
            for width in &widths[1..] {
                let _ = write!(text, "|-{}:", "-".repeat(*width));
            }
            text += "|\n";
        }
    }
    text
}

fn heading(table: &Table) -> Vec<String> {
    let ratio = |it: &Ratio| format!("{} × {}", table.column_name(it.column), it.against);
    let ratios = table.ratios.iter().map(ratio);
    let columns = table.columns.iter().cloned().chain(ratios);
    let headings = iter::once(table.subject.clone()).chain(columns);
    headings.map(|it| thousands(&it)).collect()
}

fn cells(table: &Table, row: &Row) -> Vec<String> {
    let bold = if is_ours(&row.peer) { "**" } else { "" };
    let name = format!("{bold}{}{bold}", thousands(&row.peer));
    let figures = row.figures.iter().map(|it| it.map(figure));
    let ratios = table
        .ratios
        .iter()
        .map(|it| ratio(table, row, it).map(number));
    let numbers = figures.chain(ratios).map(Option::unwrap_or_default);
    iter::once(name).chain(numbers).collect()
}

/// Writes a figure: "19.8 (19.1..20.3)"; without the spread if there is none.
fn figure(figure: Figure) -> String {
    let [median, min, max] = [figure.median, figure.min, figure.max].map(number);
    match figure {
        Figure { is_more: true, .. } => format!("> {median}"),
        _ if min == max => median,
        _ => format!("{median} ({min}..{max})"),
    }
}

/// Returns the figure of a row as a multiple of the figure that it is compared with.
fn ratio(table: &Table, row: &Row, Ratio { column, against }: &Ratio) -> Option<f64> {
    let against = if against == ITS_OWN {
        own_framework(&row.peer)?
    } else {
        against
    };
    let value = row.figures[*column]?.median / table.figure(against, *column)?.median;
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_significant_digits() {
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
    fn numbers_in_a_text_have_their_thousands_apart() {
        let text = "1 of 999, 1000, 1234567 or 12,345; 0.123 and 1234.567";
        let expected = "1 of 999, 1,000, 1,234,567 or 12,345; 0.123 and 1,234.567";
        assert_eq!(thousands(text), expected);
    }

    #[test]
    fn a_table_has_medians_spreads_and_ratios() {
        let mut table = Table::new("a", "A", "", "speed, M/s").ratios(0, &["slow"]);
        table.push("ours-axum", vec![Figure::of([4.0, 6.0, 5.0])]);
        table.push("slow", vec![Figure::of([2.0])]);
        table.push("none", vec![None]);
        let expected = "\
            | peer          |        speed, M/s | speed × slow |\n\
            |---------------|------------------:|-------------:|\n\
            | **ours-axum** | 5.00 (4.00..6.00) |         2.50 |\n\
            | slow          |              2.00 |         1.00 |\n\
            | none          |                   |              |\n";
        assert_eq!(markdown(&table), expected);
    }
}
