//! A factor as constant, fields and coupling.

use forney_model::{FactorId, Table};

use crate::error::PlanarError;

/// A factor of one or two spins.
pub(crate) struct Terms {
    pub(crate) constant: f64,
    pub(crate) fields: [f64; 2],
    pub(crate) coupling: f64,
    /// Are the spins of it one, or opposite?
    pub(crate) tied: Option<bool>,
}

impl Terms {
    /// Reads a factor whose variables of two states are these.
    ///
    /// # Errors
    /// What cannot be read as spins.
    pub(crate) fn of(factor: &Table, scope: &[u32], id: FactorId) -> Result<Self, PlanarError> {
        let ln = |at: usize| factor.relative()[at];
        let none = Self {
            constant: 0.0,
            fields: [0.0; 2],
            coupling: 0.0,
            tied: None,
        };
        let [infinite, finite] = [f64::NEG_INFINITY, 0.0];
        match *scope {
            [] => Ok(Self {
                constant: ln(0),
                ..none
            }),
            [_] => {
                let [up, down] = [ln(0), ln(1)];
                if up > infinite && down > infinite {
                    return Ok(Self {
                        constant: (up + down) / 2.0,
                        fields: [(up - down) / 2.0, finite],
                        ..none
                    });
                }
                // A spin that is fixed is tied to the ghost.
                Ok(Self {
                    constant: up.max(down),
                    tied: Some(up < down),
                    ..none
                })
            }
            [_, _] => {
                let a = [ln(0), ln(1), ln(2), ln(3)];
                let possible = a.map(|x| x > infinite);
                match possible {
                    [true, true, true, true] => Ok(Self {
                        constant: (a[0] + a[3] + (a[1] + a[2])) / 4.0,
                        fields: [
                            ((a[0] - a[3]) + (a[1] - a[2])) / 4.0,
                            ((a[0] - a[3]) - (a[1] - a[2])) / 4.0,
                        ],
                        coupling: ((a[0] + a[3]) - (a[1] + a[2])) / 4.0,
                        tied: None,
                    }),
                    [true, false, false, true] => Ok(Self {
                        constant: (a[0] + a[3]) / 2.0,
                        fields: [(a[0] - a[3]) / 2.0, 0.0],
                        tied: Some(false),
                        ..none
                    }),
                    [false, true, true, false] => Ok(Self {
                        constant: (a[1] + a[2]) / 2.0,
                        fields: [(a[1] - a[2]) / 2.0, 0.0],
                        tied: Some(true),
                        ..none
                    }),
                    _ => Err(PlanarError::Zeros { factor: id }),
                }
            }
            _ => Err(PlanarError::Scope {
                factor: id,
                variables: scope.len(),
            }),
        }
    }
}
