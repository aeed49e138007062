//! Buckets alone and together, with a clock moved by hand.

#![allow(clippy::unwrap_used, reason = "a failed test panics")]

use super::*;

/// Twenty calls a second, two hundred at once.
const RATE: Rate = Rate::per_second(20, 200);
const STEP: Duration = Duration::from_millis(50);

fn node(rate: Rate) -> Buckets {
    Buckets::new(&Limits { public: rate, ..Limits::production() })
}

fn caller(caller: u128) -> Bucket {
    Bucket { limit: Limit::Public, caller }
}

/// How many calls in a row pass.
fn passing(node: &Buckets, bucket: Bucket, now: Instant) -> u32 {
    let mut passed = 0;
    while node.spend(bucket, now).is_ok() {
        passed += 1;
    }
    passed
}

/// What the nodes keep together: a moment for each bucket.
#[derive(Default)]
struct Together(HashMap<Bucket, Instant>);

impl Together {
    fn spend(&mut self, spendings: &[Spending], now: Instant) -> Vec<Duration> {
        let spend = |spending: &Spending| {
            let began = now - spending.ago;
            let full_at = self.0.entry(spending.bucket).or_insert(began);
            *full_at = (*full_at).max(began) + spending.cost;
            full_at.saturating_duration_since(now)
        };
        spendings.iter().map(spend).collect()
    }

    /// A node tells and hears at once.
    fn exchange(&mut self, node: &Buckets, now: Instant) {
        let told = node.tell(1_000, now);
        node.learn(now, &told, &self.spend(&told, now));
    }
}

#[test]
fn a_bucket_gives_its_burst_then_its_rate_and_says_when_to_come_back() {
    let (node, start) = (node(RATE), Instant::now());
    assert_eq!(passing(&node, caller(1), start), 200);
    assert_eq!(node.spend(caller(1), start), Err(STEP));
    let soon = start + STEP / 2;
    assert_eq!(node.spend(caller(1), soon), Err(STEP / 2), "the wait is exact, and asking costs nothing");
    assert_eq!(node.spend(caller(1), start + STEP), Ok(()));
    assert_eq!(passing(&node, caller(1), start + STEP * 11), 10);
    assert_eq!(passing(&node, caller(1), start + STEP * 1_000), 200, "never more than its burst");
}

#[test]
fn callers_and_limits_are_counted_apart() {
    let (node, start) = (node(Rate::per_second(1, 1)), Instant::now());
    assert_eq!(passing(&node, caller(1), start), 1);
    assert_eq!(passing(&node, caller(2), start), 1);
    assert!(node.spend(Bucket { limit: Limit::Agency, caller: 1 }, start).is_ok());
}

#[test]
fn a_rate_of_zeros_is_one_of_ones() {
    let (node, start) = (node(Rate::per_second(0, 0)), Instant::now());
    assert_eq!(passing(&node, caller(1), start), 1);
    assert_eq!(node.spend(caller(1), start), Err(Duration::from_secs(1)));
}

#[test]
fn what_was_spent_at_one_node_is_missing_at_the_other_once_both_told() {
    let (here, there, start) = (node(RATE), node(RATE), Instant::now());
    let mut together = Together::default();
    assert_eq!(passing(&here, caller(1), start), 200);
    assert!(there.spend(caller(1), start).is_ok(), "it has not heard");
    together.exchange(&here, start);
    together.exchange(&there, start);
    assert_eq!(there.spend(caller(1), start), Err(STEP * 2), "it has, and owes one call more");
    assert_eq!(here.spend(caller(1), start), Err(STEP), "it has nothing new to tell, so it hears nothing");
    assert_eq!(there.spend(caller(1), start + STEP * 2), Ok(()), "the wait was right");
}

#[test]
fn what_is_spent_while_the_answer_is_on_its_way_is_not_lost() {
    let (node, start) = (node(RATE), Instant::now());
    let told = {
        assert!(node.spend(caller(1), start).is_ok());
        node.tell(1_000, start)
    };
    assert!(node.spend(caller(1), start + STEP).is_ok());
    // The others spent all that there is.
    node.learn(start, &told, &[STEP * 200]);
    assert_eq!(node.spend(caller(1), start + STEP), Err(STEP));
    let later = node.tell(1_000, start + STEP * 2);
    assert_eq!(later, [Spending { bucket: caller(1), cost: STEP, ago: STEP }], "told with the next");
}

#[test]
fn a_node_alone_is_no_stricter_for_telling() {
    let rate = Rate::per_second(1, 1);
    let (alone, telling, start) = (node(rate), node(rate), Instant::now());
    let mut together = Together::default();
    for tick in 0..400 {
        let now = start + Duration::from_millis(30) * tick;
        assert_eq!(alone.spend(caller(1), now), telling.spend(caller(1), now), "after {tick} asked");
        if tick % 8 == 0 {
            // The answer comes from a moment that is later than the question.
            let told = telling.tell(1_000, now);
            let arrived = now + Duration::from_millis(20);
            telling.learn(now, &told, &together.spend(&told, arrived));
        }
    }
}

#[test]
fn a_caller_that_takes_all_it_gets_at_three_nodes_gets_the_rate_and_a_burst_at_each() {
    let nodes = [node(RATE), node(RATE), node(RATE)];
    let (mut together, start) = (Together::default(), Instant::now());
    let mut passed = 0;
    let (minute, tick) = (Duration::from_secs(60), Duration::from_millis(10));
    let mut now = start;
    for number in 0_usize.. {
        if now - start >= minute {
            break;
        }
        passed += nodes.iter().map(|node| passing(node, caller(1), now)).sum::<u32>();
        // Each node every 250 ms, one after the other.
        if let Some(node) = [0, 8, 16].iter().position(|turn| number % 25 == *turn) {
            together.exchange(&nodes[node], now);
        }
        now += tick;
    }
    let (least, most) = (200 + 20 * 60, 3 * 200 + 20 * 60);
    assert!((least..=most).contains(&passed), "{passed} of {least} to {most}");
}

#[test]
fn of_too_many_buckets_those_most_spent_from_are_told_first_and_the_others_next() {
    let (node, start) = (node(RATE), Instant::now());
    for number in 1..=6 {
        (0..number).for_each(|_| node.spend(caller(number), start).unwrap());
    }
    let tell = |now| {
        let mut told: Vec<_> = node.tell(4, now).iter().map(|told| (told.bucket.caller, told.cost)).collect();
        told.sort();
        told
    };
    assert_eq!(tell(start), [(3, STEP * 3), (4, STEP * 4), (5, STEP * 5), (6, STEP * 6)]);
    assert_eq!(tell(start), [(1, STEP), (2, STEP * 2)]);
    assert_eq!(tell(start), []);
}

#[test]
fn memory_follows_those_who_called_lately() {
    let (node, start) = (node(RATE), Instant::now());
    (0..1_000).for_each(|number| node.spend(caller(number), start).unwrap());
    node.forget_full(start);
    let count = || node.shards.iter().map(|shard| lock(shard).len()).sum::<usize>();
    assert_eq!(count(), 1_000);
    node.spend(caller(7), start).unwrap();
    node.forget_full(start + STEP);
    assert_eq!(count(), 1, "the others are full again");
}

#[test]
fn no_address_is_shown() {
    assert_eq!(format!("{:?}", caller(0x7f00_0001)), "Bucket(Public, …)");
}
