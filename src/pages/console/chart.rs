//! Charts of bars, drawn on the server: attributes and classes only, so that the policy against inline styles holds. What
//! a chart shows stands beneath it as a table too.

/// Units of a chart's own grid.
const WIDTH: u64 = 960;
const HEIGHT: u64 = 160;
/// Between the bars of two rows.
const GAP: u64 = 8;

/// What is drawn for one row of the table.
pub(super) struct Row {
    pub(super) label: String,
    /// Short, beneath the bars; nothing where there is no room for one.
    pub(super) tick: Option<String>,
    /// Each with the class of its colour.
    pub(super) values: Vec<(u64, &'static str)>,
}

pub(super) struct Bar {
    pub(super) x: u64,
    pub(super) y: u64,
    pub(super) width: u64,
    pub(super) height: u64,
    pub(super) tone: &'static str,
}

pub(super) struct Tick {
    pub(super) x: u64,
    pub(super) text: String,
}

pub(super) struct Chart {
    pub(super) id: &'static str,
    pub(super) title: String,
    /// The same in a sentence.
    pub(super) summary: String,
    /// Colours and what they stand for.
    pub(super) key: Vec<(&'static str, &'static str)>,
    pub(super) heads: Vec<&'static str>,
    pub(super) rows: Vec<Row>,
    pub(super) bars: Vec<Bar>,
    pub(super) ticks: Vec<Tick>,
    /// The tallest bar's value.
    pub(super) most: u64,
}

impl Chart {
    pub(super) fn new(
        id: &'static str,
        [title, summary]: [String; 2],
        key: Vec<(&'static str, &'static str)>,
        heads: Vec<&'static str>,
        rows: Vec<Row>,
    ) -> Self {
        let most = rows.iter().flat_map(|row| &row.values).map(|(value, _)| *value).max().unwrap_or(0);
        let slot = WIDTH / (rows.len().max(1) as u64);
        let (mut bars, mut ticks) = (Vec::new(), Vec::new());
        for (at, row) in (0..).zip(&rows) {
            let left = at * slot + GAP / 2;
            let width = (slot - GAP) / (row.values.len().max(1) as u64);
            for (place, (value, tone)) in (0..).zip(&row.values) {
                // What is there is seen, however small beside the rest.
                let height = if *value == 0 { 0 } else { (value * HEIGHT / most.max(1)).max(2) };
                bars.push(Bar { x: left + place * width, y: HEIGHT - height, width, height, tone });
            }
            ticks.extend(row.tick.clone().map(|text| Tick { x: at * slot + slot / 2, text }));
        }
        bars.retain(|bar| bar.height > 0);
        Self { id, title, summary, key, heads, rows, bars, ticks, most }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_tall_as_their_values_and_the_least_is_still_seen() {
        let row = |value| Row { label: String::new(), tick: None, values: vec![(value, "jade")] };
        let chart = Chart::new(
            "c",
            [String::new(), String::new()],
            Vec::new(),
            Vec::new(),
            vec![row(0), row(1), row(1_000), row(500)],
        );
        let tall: Vec<u64> = chart.bars.iter().map(|bar| bar.height).collect();
        assert_eq!((tall, chart.most), (vec![2, HEIGHT, HEIGHT / 2], 1_000));
        assert!(chart.bars.iter().all(|bar| bar.x + bar.width <= WIDTH && bar.y + bar.height == HEIGHT));
    }
}
