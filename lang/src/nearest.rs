//! "Did you mean …?": the name nearest to a misspelt one.
//!
//! In: a word and the words that would have been right. Out: the one fewest typing mistakes away,
//! if it is near enough to be worth saying. A typing mistake is a character too many, too few or
//! wrong, or two neighbours swapped (the restricted Damerau–Levenshtein distance).

/// The candidate nearest to `word`, the first of several. A third of the characters may differ, and
/// one always; capitals are no mistake.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word: Vec<char> = word.chars().collect();
    let folded: Vec<char> = word.iter().map(char::to_ascii_lowercase).collect();
    let mut limit = (word.len() / 3).max(1);
    let mut best = None;
    for candidate in candidates {
        let other: Vec<char> = candidate.chars().map(|c| c.to_ascii_lowercase()).collect();
        // As near as the best one is not nearer.
        if let Some(found) = distance(&folded, &other, limit) {
            if found == 0 {
                return Some(candidate);
            }
            limit = found - 1;
            best = Some(candidate);
        }
    }
    best
}

/// The number of typing mistakes between two words, if it is at most `limit`.
fn distance(a: &[char], b: &[char], limit: usize) -> Option<usize> {
    // Below this no work is spent on words whose lengths alone are too far apart.
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    let width = b.len() + 1;
    let mut before_last: Vec<usize> = vec![0; width];
    let mut last: Vec<usize> = (0..width).collect();
    let mut current = vec![0; width];
    for (row, &from) in a.iter().enumerate() {
        current[0] = row + 1;
        for (column, &to) in b.iter().enumerate() {
            let replaced = last[column] + usize::from(from != to);
            let mut cost = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            let swapped = row > 0 && column > 0 && from == b[column - 1] && a[row - 1] == to;
            if swapped {
                cost = cost.min(before_last[column - 1] + 1);
            }
            current[column + 1] = cost;
        }
        if current.iter().min().is_none_or(|&least| least > limit) {
            return None;
        }
        std::mem::swap(&mut before_last, &mut last);
        std::mem::swap(&mut last, &mut current);
    }
    Some(last[b.len()]).filter(|&found| found <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &[&str] = &["timeout", "retry", "rate-limit", "route", "routes", "use"];

    #[test]
    fn typing_mistakes_are_seen_through() {
        for (word, meant) in [
            ("tiemout", "timeout"),
            ("timout", "timeout"),
            ("ratelimit", "rate-limit"),
            ("rate_limit", "rate-limit"),
            ("Retry", "retry"),
            ("ues", "use"),
            ("route", "route"),
            ("rout", "route"),
        ] {
            assert_eq!(nearest(word, WORDS.iter().copied()), Some(meant), "{word}");
        }
    }

    #[test]
    fn what_is_too_far_off_is_not_suggested() {
        for word in ["", "x", "cors", "time", "retrieval", &"r".repeat(100_000)] {
            assert_eq!(nearest(word, WORDS.iter().copied()), None, "{word:.20}");
        }
    }

    #[test]
    fn the_first_of_equally_near_words_is_taken() {
        assert_eq!(nearest("rb", ["ra", "rc"]), Some("ra"));
    }
}
