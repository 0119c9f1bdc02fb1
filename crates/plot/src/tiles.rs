//! A dictionary as a picture: one tile for each atom.

use ndarray::ArrayView2;

use crate::PlotError;

/// Pixels of a tile's longer side, at least.
const LEAST: usize = 48;

/// The grey of the lines between tiles.
const LINE: u8 = 255;

/// The atoms (one a row, row-major `(height, width)` patches) as tiles of one grey PNG, `columns` in a row.
///
/// Each atom is scaled by its largest entry: middle grey is 0, black and white are ∓ that entry.
/// Patches are enlarged by a whole factor, so that single pixels stay visible.
///
/// # Errors
/// [`PlotError::Shape`] if the entries are not `height · width` or there is nothing to show,
/// [`PlotError::NotFinite`] for an entry that is infinite or NaN.
pub fn tiles_png(
    atoms: ArrayView2<f64>,
    (height, width): (usize, usize),
    columns: usize,
) -> Result<Vec<u8>, PlotError> {
    let (count, entries) = atoms.dim();
    let fits = height.checked_mul(width) == Some(entries);
    if !fits || entries == 0 || count == 0 || columns == 0 {
        return Err(PlotError::Shape {
            atoms: count,
            entries,
            height,
            width,
            columns,
        });
    }
    let columns = columns.min(count);
    let scale = LEAST.div_ceil(height.max(width));
    let (tall, wide) = (height * scale + 2, width * scale + 2);
    let (rows, line) = (count.div_ceil(columns), columns * wide);
    let mut grey = vec![LINE; rows * tall * line];
    for (k, atom) in atoms.rows().into_iter().enumerate() {
        if !atom.iter().all(|v| v.is_finite()) {
            return Err(PlotError::NotFinite { atom: k });
        }
        let largest = atom.iter().fold(f64::MIN_POSITIVE, |m, v| m.max(v.abs()));
        let (top, left) = (k / columns * tall + 1, k % columns * wide + 1);
        for y in 0..height * scale {
            for x in 0..width * scale {
                let value = atom[y / scale * width + x / scale] / largest;
                grey[(top + y) * line + left + x] = (127.5 * (1.0 + value)).round() as u8;
            }
        }
    }
    encode(&grey, line, rows * tall).map_err(|e| PlotError::Draw(e.to_string()))
}

fn encode(grey: &[u8], width: usize, height: usize) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
    let mut encoder = png::Encoder::new(&mut bytes, side(width), side(height));
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(grey)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    fn decode(bytes: &[u8]) -> (usize, usize, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .expect("a PNG");
        let mut grey = vec![0; reader.output_buffer_size().expect("a small picture")];
        let info = reader.next_frame(&mut grey).expect("one frame");
        (info.width as usize, info.height as usize, grey)
    }

    #[test]
    fn tiles_stand_in_rows_and_are_scaled_alone() {
        let atoms = array![[1.0, -1.0], [100.0, 50.0], [0.0, 0.0]];
        let bytes = tiles_png(atoms.view(), (1, 2), 2).expect("three tiles");
        let (width, height, grey) = decode(&bytes);
        assert_eq!((width, height), (2 * (48 + 2), 2 * (24 + 2)));
        let at = |x: usize, y: usize| grey[y * width + x];
        assert_eq!((at(1, 1), at(48, 1)), (255, 0));
        assert_eq!((at(51, 1), at(98, 24)), (255, 191));
        assert_eq!(at(1, 27), 128);
        // Where no tile stands.
        assert_eq!(at(70, 30), LINE);
    }

    #[test]
    fn what_is_no_tile_is_refused() {
        let atoms = array![[1.0, f64::NAN]];
        let refused = tiles_png(atoms.view(), (1, 2), 1);
        assert!(matches!(refused, Err(PlotError::NotFinite { atom: 0 })));
        for (shape, columns) in [((1, 3), 1), ((1, 2), 0), ((usize::MAX, 2), 1)] {
            let refused = tiles_png(atoms.view(), shape, columns);
            assert!(matches!(refused, Err(PlotError::Shape { .. })));
        }
        let none = Array2::zeros((0, 4));
        assert!(tiles_png(none.view(), (2, 2), 3).is_err());
    }
}
