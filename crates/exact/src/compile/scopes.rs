//! Scopes as ascending places in the elimination order.

/// A place in the elimination order.
pub(super) type Place = u32;

/// The union of two scopes, ascending.
pub(super) fn merged<'s>(
    mut a: &'s [Place],
    mut b: &'s [Place],
) -> impl Iterator<Item = Place> + 's {
    std::iter::from_fn(move || {
        let next = match (a.first(), b.first()) {
            (Some(&x), Some(&y)) => x.min(y),
            (Some(&x), None) | (None, Some(&x)) => x,
            (None, None) => return None,
        };
        for side in [&mut a, &mut b] {
            if side.first() == Some(&next) {
                *side = &side[1..];
            }
        }
        Some(next)
    })
}

/// The union of many scopes, ascending.
pub(super) fn union<'s>(scopes: impl Iterator<Item = &'s [Place]>) -> Vec<Place> {
    let mut union = Vec::new();
    scopes.for_each(|scope| union.extend_from_slice(scope));
    union.sort_unstable();
    union.dedup();
    union
}

/// What two scopes share, ascending.
pub(super) fn intersection(a: &[Place], b: &[Place]) -> Vec<Place> {
    let shared = a.iter().filter(|p| b.binary_search(p).is_ok());
    shared.copied().collect()
}

/// Does the second scope hold all of the first?
pub(super) fn is_subset(a: &[Place], b: &[Place]) -> bool {
    a.len() <= b.len() && a.iter().all(|p| b.binary_search(p).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unions_are_ascending_and_hold_everything_once() {
        let scopes: [&[Place]; 5] = [&[], &[1, 4, 9], &[4], &[0, 5, 9, 12], &[2, 3]];
        for a in scopes {
            for b in scopes {
                let both: Vec<Place> = merged(a, b).collect();
                assert_eq!(both, union([a, b].into_iter()));
                assert!(is_subset(a, &both) && is_subset(b, &both));
                let shared = intersection(a, b);
                assert_eq!(both.len() + shared.len(), a.len() + b.len());
                assert_eq!(is_subset(a, b), shared == a);
            }
        }
    }
}
