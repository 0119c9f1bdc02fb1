//! The table as comma-separated values.

use std::io;
use std::path::Path;

use crate::done::Output;
use crate::error::Failure;

use super::report::Report;

/// The rows as comma-separated values, with the columns of the JSON object.
pub(crate) fn csv(path: &Path, report: &Report) -> Result<Output, Failure> {
    let mut table = ::csv::Writer::from_writer(Vec::new());
    let bytes = write(&mut table, report)
        .map_err(io::Error::from)
        .and_then(|()| table.into_inner().map_err(|error| error.into_error()));
    let path = path.to_owned();
    match bytes {
        Ok(bytes) => Ok(Output { path, bytes }),
        Err(source) => Err(Failure::Output { path, source }),
    }
}

fn write(table: &mut ::csv::Writer<Vec<u8>>, report: &Report) -> ::csv::Result<()> {
    table.write_record([
        "method",
        "side",
        "value",
        "gap",
        "iterations",
        "elapsed_s",
        "stop",
        "note",
    ])?;
    let number = |x: Option<f64>| x.map_or_else(String::new, |x| x.to_string());
    for row in &report.rows {
        let stop = serde_json::to_value(row.stop).unwrap_or_default();
        table.write_record([
            row.method,
            &row.side.to_string(),
            &number(row.value.map(|value| value.ln())),
            &number(row.gap),
            &row.iterations.to_string(),
            &row.elapsed_s.to_string(),
            stop.as_str().unwrap_or_default(),
            &row.note,
        ])?;
    }
    Ok(())
}
