//! Pictures of what was learned, and of how.

use std::path::Path;

use super::args::PictureArgs;
use super::learned::Learned;
use super::training::Job;
use crate::done::Output;
use crate::error::Failure;

/// Height and width of the tile of an example.
pub(super) fn patch(
    asked: Option<(usize, usize)>,
    columns: usize,
) -> Result<(usize, usize), Failure> {
    let side = columns.isqrt();
    match asked {
        Some((height, width)) if height.checked_mul(width) == Some(columns) => Ok((height, width)),
        Some((height, width)) => Err(Failure::Usage(format!(
            "--patch {height}x{width} does not hold the {columns} columns of the data"
        ))),
        None if side * side == columns => Ok((side, side)),
        None => Err(Failure::Usage(format!(
            "the {columns} columns of the data make no square picture: say --patch HxW"
        ))),
    }
}

/// The objective over the iterations.
pub(super) fn curve<J: Job>(path: &Path, job: &J, learned: &Learned) -> Result<Output, Failure> {
    let _ = (job, learned);
    Ok(Output {
        path: path.to_owned(),
        bytes: Vec::new(),
    })
}

/// The atoms, side by side.
pub(super) fn tiles(picture: &PictureArgs, learned: &Learned) -> Option<Result<Output, Failure>> {
    let _ = (picture, learned);
    None
}
