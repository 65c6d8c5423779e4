//! What was measured, and how it is shown.

mod chart;
mod document;
mod markdown;
mod results;
mod table;

pub(crate) use document::{section, write};
pub(crate) use markdown::{number, whole};
pub(crate) use results::Results;
pub(crate) use table::{Figure, Ratio, Row, Table};
