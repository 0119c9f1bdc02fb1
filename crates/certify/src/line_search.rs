//! Weak Wolfe line search: which step to try next (Lewis & Overton 2013, with cubic steps).

/// One point of the line: step, value, slope along the direction.
#[derive(Clone, Copy, Debug)]
struct Sample {
    step: f64,
    value: f64,
    slope: f64,
}

/// The state of a search for a step `t` with
/// `f(t) ≤ f(0) + c₁ t f′(0)` (sufficient decrease) and `f′(t) ≥ c₂ f′(0)` (curvature).
///
/// It keeps an interval whose lower end decreases sufficiently and is still too steep, and whose
/// upper end does not decrease sufficiently; a point that is not finite counts as such an end.
/// The weak curvature condition can be met at kinks as well, where the strong one cannot.
#[derive(Debug)]
pub(crate) struct LineSearch {
    start: Sample,
    low: Sample,
    high: Option<Sample>,
    next: Option<f64>,
    trials: usize,
}

/// `c₁`.
const SUFFICIENT: f64 = 1e-4;
/// `c₂`.
const CURVATURE: f64 = 0.9;
/// Interpolate in the first trials, bisect in the others.
const CUBIC_TRIALS: usize = 8;
/// Longest search.
const MAX_TRIALS: usize = 40;

impl LineSearch {
    /// A search that begins with step `first`; `slope` is negative.
    pub(crate) fn new(value: f64, slope: f64, first: f64) -> Self {
        let start = Sample {
            step: 0.0,
            value,
            slope,
        };
        Self {
            start,
            low: start,
            high: None,
            next: Some(first),
            trials: 0,
        }
    }

    /// The step to try now; `None` at the end of the search.
    pub(crate) fn step(&self) -> Option<f64> {
        self.next
    }

    /// Has any step decreased sufficiently?
    pub(crate) fn descended(&self) -> bool {
        self.low.step > 0.0
    }

    /// Takes in what the function is at the step asked for; says whether that step is now the best.
    pub(crate) fn judge(&mut self, value: f64, slope: f64) -> bool {
        let Some(step) = self.next else {
            return false;
        };
        self.trials += 1;
        let sample = Sample { step, value, slope };
        let descends = value.is_finite()
            && slope.is_finite()
            && value < self.start.value
            && value <= self.start.value + SUFFICIENT * step * self.start.slope;
        if descends {
            self.low = sample;
        } else {
            self.high = Some(sample);
        }
        let flat_enough = descends && slope >= CURVATURE * self.start.slope;
        self.next = (!flat_enough && self.trials < MAX_TRIALS)
            .then(|| self.propose())
            .filter(|&step| self.worth_trying(step));
        descends
    }

    fn propose(&self) -> f64 {
        let low = self.low;
        let Some(high) = self.high else {
            // Where the slope would vanish if it went on changing at the rate seen so far.
            let secant = low.step * self.start.slope / (self.start.slope - low.slope);
            return if secant.is_finite() {
                secant.clamp(2.0 * low.step, 10.0 * low.step)
            } else {
                10.0 * low.step
            };
        };
        let width = high.step - low.step;
        let cubic = cubic_minimiser(low, high);
        if self.trials <= CUBIC_TRIALS && cubic.is_finite() {
            cubic.clamp(low.step + 0.1 * width, high.step - 0.1 * width)
        } else if low.step > 0.0 {
            low.step + 0.5 * width
        } else {
            0.1 * width
        }
    }

    /// Is the step a new number, and could it still decrease the value by more than rounding?
    fn worth_trying(&self, step: f64) -> bool {
        let new = step.is_finite() && step > self.low.step;
        new && match self.high {
            None => true,
            Some(high) if self.descended() => step < high.step,
            Some(_) => -step * self.start.slope > 0.5 * f64::EPSILON * self.start.value.abs(),
        }
    }
}

/// Minimiser of the cubic through both values and slopes (Nocedal & Wright, eq. 3.59); not finite
/// if there is none or if an end is not.
fn cubic_minimiser(a: Sample, b: Sample) -> f64 {
    let d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.step - b.step);
    let d2 = (d1 * d1 - a.slope * b.slope).sqrt();
    b.step - (b.step - a.step) * (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2)
}
