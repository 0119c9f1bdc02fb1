//! Ctrl-C: the first asks to stop, the second stops.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{INTERRUPTED, complain};

/// Installs the handler and returns the flag that it raises.
///
/// A request to terminate counts like Ctrl-C, so that a run that its batch system ends still prints
/// what it has proved.
pub(crate) fn flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&flag);
    let handler = move || {
        if raised.swap(true, Ordering::Relaxed) {
            process::exit(INTERRUPTED.into());
        }
    };
    // Without a handler Ctrl-C still ends the program, only less politely.
    if ctrlc::set_handler(handler).is_err() {
        complain("warning: Ctrl-C will end the program without a result");
    }
    flag
}
