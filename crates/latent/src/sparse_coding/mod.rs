//! MAP inference and sparse coding.

mod codes;
mod coordinate_descent;
mod dense;
mod factor;
mod feature_sign;
mod fista;
mod inference;
mod lars;
mod lasso;

pub use codes::Codes;
pub use inference::{Encoder, Encoding, Inference, Solver};
pub use lars::{Knot, lasso_path};
pub use lasso::Sign;
