//! Between ndarray, which holds data and parameters, and nalgebra, which factorises small matrices.

use nalgebra::{Cholesky, DMatrix, Dyn};
use ndarray::{Array2, ArrayView2};

/// A matrix for nalgebra.
pub(crate) fn matrix(a: ArrayView2<'_, f64>) -> DMatrix<f64> {
    DMatrix::from_fn(a.nrows(), a.ncols(), |i, j| a[[i, j]])
}

/// A matrix for ndarray.
pub(crate) fn array(a: &DMatrix<f64>) -> Array2<f64> {
    Array2::from_shape_fn(a.shape(), |(i, j)| a[(i, j)])
}

/// The Cholesky factor of a symmetric matrix with finite entries; `None` if it is not positive definite.
pub(crate) fn cholesky(a: DMatrix<f64>) -> Option<Cholesky<f64, Dyn>> {
    a.iter().all(|x| x.is_finite()).then_some(())?;
    a.cholesky()
}

/// `ln |A|` of a factorised matrix.
pub(crate) fn ln_det(cholesky: &Cholesky<f64, Dyn>) -> f64 {
    2.0 * cholesky
        .l_dirty()
        .diagonal()
        .iter()
        .map(|x| x.ln())
        .sum::<f64>()
}
