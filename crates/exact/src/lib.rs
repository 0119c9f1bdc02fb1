//! (in progress)

mod dispatch;
pub mod vmath;
