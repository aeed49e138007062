//! Many nodes on one database and one object store.

use std::process::Command;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::call::{AGENT, Call};
use crate::chance;
use crate::kill::cluster::{Ground, run};
use crate::kill::world::{Door, post};
use crate::records::{HUNAN, record};
use crate::servers::node::Node;
use crate::service::{order, until};

#[test]
fn nothing_acknowledged_is_lost_or_done_twice_while_nodes_and_the_database_die() {
    let tally = run(30, chance::seed());
    assert!(tally.kills > 5 && tally.database_restarts == 2 && tally.orders > 0, "{tally:?}");
}

#[test]
fn of_fifty_orders_at_once_through_three_nodes_three_are_accepted() {
    let ground = Ground::new();
    let mut key = None;
    let nodes: Vec<Node> = (0..3).map(|_| Node::start(ground.command("all"), &mut key)).collect();
    let doors: Vec<Door> = nodes.iter().map(Door::of).collect();
    let entering = format!("{}/api/v1/admin/certificates", doors[0].url);
    let (status, entered) = post(&entering, &doors[0].key, None, &record(1)).unwrap();
    assert_eq!(status, 201, "{entered}");
    let certificate = entered["certificate_id"].as_str().unwrap();

    let gate = Barrier::new(50);
    let ordered: Vec<u16> = std::thread::scope(|scope| {
        let one = |door: &Door| {
            gate.wait();
            let path = format!("{}/api/v1/admin/certificates/{certificate}/annotations", door.url);
            let form = json!({ "scenario": "self_use", "days": 90, "on_behalf_reason": "本人到柜台办理" });
            post(&path, &door.key, None, &form).unwrap().0
        };
        let threads: Vec<_> =
            doors.iter().cycle().take(50).map(|door| scope.spawn(move || one(door))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let count = |wanted: u16| ordered.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(202), count(409)), (3, 47), "{ordered:?}");

    // What one node took, every node knows.
    for door in &doors {
        let (_, annotations) = door.get(&format!("/api/v1/admin/annotations?certificate={certificate}"));
        assert_eq!(annotations["items"].as_array().unwrap().len(), 3);
    }
    nodes.into_iter().for_each(Node::stop);
}

#[test]
fn while_the_database_is_away_a_question_is_put_off_and_not_failed() {
    let ground = Ground::new();
    let node = Node::start(ground.command("all"), &mut None);
    let code = format!("{}/api/v1/verify/0AAAAAAAAAAAAAAAAAAAAAAAAA", node.url);
    let page = format!("{}/v/0AAAAAAAAAAAAAAAAAAAAAAAAA", node.url);
    let ask = |url: &str| {
        let answer = AGENT.get(url).call().unwrap();
        (answer.status().as_u16(), answer.headers().contains_key("retry-after"))
    };
    assert_eq!(ask(&code), (200, false));
    ground.postgres.kill();
    assert_eq!(ask(&code), (503, true));
    assert_eq!(ask(&page), (503, true));
    ground.postgres.resume();
    assert_eq!(ask(&code), (200, false), "it came back, and the node lived on");
    node.stop();
}

#[test]
fn an_order_repeated_at_another_node_is_one_order_with_one_answer() {
    let ground = Ground::new();
    let mut key = None;
    let nodes: Vec<Node> = (0..2).map(|_| Node::start(ground.command("api"), &mut key)).collect();
    let doors: Vec<Door> = nodes.iter().map(Door::of).collect();
    let entering = format!("{}/api/v1/admin/certificates", doors[0].url);
    let (_, entered) = post(&entering, &doors[0].key, None, &record(1)).unwrap();
    let path =
        format!("/api/v1/admin/certificates/{}/annotations", entered["certificate_id"].as_str().unwrap());
    let ask = |door: &Door, name: &str, days| {
        post(&format!("{}{path}", door.url), &door.key, Some(name), &order(days)).unwrap()
    };

    let first = ask(&doors[0], "k-1", 90);
    assert_eq!(first.0, 202, "{}", first.1);
    assert_eq!(ask(&doors[1], "k-1", 90), first);
    let (status, problem) = ask(&doors[1], "k-1", 89);
    assert_eq!(status, 422, "another order under the same key: {problem}");

    // Nobody waits for the first answer.
    let gate = Barrier::new(12);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let (gate, ask) = (&gate, &ask);
        let one = |door| {
            move || {
                gate.wait();
                ask(door, "k-2", 90)
            }
        };
        let threads: Vec<_> = doors.iter().cycle().take(12).map(|door| scope.spawn(one(door))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.0 == 202), "{answers:?}");
    let (_, annotations) = doors[1].get("/api/v1/admin/annotations");
    assert_eq!(annotations["items"].as_array().unwrap().len(), 2);
    nodes.into_iter().for_each(Node::stop);
}

#[test]
fn of_two_nodes_that_remind_at_once_each_holder_hears_from_one() {
    const COPIES: u64 = 12;
    let ground = Ground::new();
    let mut key = None;
    let start = |role| {
        let mut command = ground.command(role);
        command.env("VERMILION_CLOCK", "2026-11-21T15:00:00+08:00");
        command
    };
    let nodes = [Node::start(start("all"), &mut key), Node::start(start("api"), &mut key)];
    let doors: Vec<Door> = nodes.iter().map(Door::of).collect();
    for number in 1..=COPIES {
        let record = record(u32::try_from(number).unwrap());
        let (_, entered) =
            post(&format!("{}/api/v1/admin/certificates", doors[0].url), &doors[0].key, None, &record)
                .unwrap();
        let holder = json!({
            "kind": "holder", "name": record["holder"]["name"], "id_number": record["holder"]["id_number"],
        });
        Call::post("/dev/accounts").json(&holder).try_send(&nodes[0].url).unwrap().expect(200);
        let path = format!(
            "{}/api/v1/admin/certificates/{}/annotations",
            doors[0].url,
            entered["certificate_id"].as_str().unwrap()
        );
        assert_eq!(post(&path, &doors[0].key, None, &order(90)).unwrap().0, 202);
    }
    let ready = || {
        let (_, list) = doors[0].get("/api/v1/admin/annotations?state=ready");
        (list["items"].as_array().unwrap().len() as u64 == COPIES).then_some(())
    };
    until(ready).expect("the copies are not made");
    for node in &nodes {
        let call = Call::post("/dev/clock").json(&json!({"set": "2027-02-03T09:00:00+08:00"}));
        call.try_send(&node.url).unwrap().expect(200);
    }
    let gate = Barrier::new(2);
    let rounds: Vec<_> = std::thread::scope(|scope| {
        let one = |node: &Node| {
            let (gate, url) = (&gate, node.url.clone());
            scope.spawn(move || {
                gate.wait();
                Call::post("/dev/reminders").try_send(&url).unwrap().expect(200)
            })
        };
        let threads: Vec<_> = nodes.iter().map(one).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let sent: u64 = rounds.iter().map(|round| round["sent"].as_u64().unwrap()).sum();
    assert_eq!(sent, COPIES, "{rounds:?}");
    let mut heard: Vec<String> = Vec::new();
    for node in &nodes {
        let outbox = Call::get("/dev/outbox").try_send(&node.url).unwrap().expect(200);
        let reminders = outbox["items"].as_array().unwrap().iter().filter(|one| one["kind"] == "reminder");
        heard.extend(reminders.map(|one| one["value"].to_string()));
    }
    assert_eq!(heard.len() as u64, COPIES);
    nodes.into_iter().for_each(Node::stop);
}

#[test]
fn a_key_made_at_one_node_opens_the_other_and_ended_there_opens_none() {
    let ground = Ground::new();
    let mut key = None;
    let nodes: Vec<Node> = (0..2).map(|_| Node::start(ground.command("api"), &mut key)).collect();
    let form = json!({ "scopes": ["certificates:read"], "issuer": HUNAN, "label": "查询" });
    let keys = |node: &Node| format!("{}/api/v1/admin/keys", node.url);
    let (status, made) = post(&keys(&nodes[0]), &nodes[0].key, None, &form).unwrap();
    assert_eq!(status, 201, "{made}");
    let status = |node: &Node| {
        let call = Call::get("/api/v1/admin/certificates").key(made["key"].as_str().unwrap());
        call.try_send(&node.url).unwrap().status
    };
    assert_eq!((status(&nodes[0]), status(&nodes[1])), (200, 200));
    let ending = format!("{}/{}/revocation", keys(&nodes[1]), made["id"].as_str().unwrap());
    assert_eq!(post(&ending, &nodes[1].key, None, &json!({})).unwrap().0, 200);
    assert_eq!((status(&nodes[0]), status(&nodes[1])), (401, 401));
    nodes.into_iter().for_each(Node::stop);
}

/// Calls at once.
const BURST: usize = 100;
/// Calls in a second.
const RATE: usize = 10;

/// A node that is strict with agencies and with the public.
fn strict(ground: &Ground) -> Command {
    let mut command = ground.command("api");
    for limit in ["AGENCY", "PUBLIC"] {
        command.env(format!("VERMILION_LIMITS__{limit}__BURST"), BURST.to_string());
        command.env(format!("VERMILION_LIMITS__{limit}__PER_SECOND"), RATE.to_string());
    }
    command
}

#[test]
fn what_a_caller_spent_at_one_node_is_missing_at_the_other_and_comes_back_as_it_was_told() {
    let ground = Ground::new();
    let mut key = None;
    let nodes: Vec<Node> = (0..2).map(|_| Node::start(strict(&ground), &mut key)).collect();
    let agency = Call::get("/api/v1/admin/keys").header("Authorization", &nodes[0].key);
    for call in [agency, Call::get("/openapi.json")] {
        let ask = |node: &Node| {
            let answer = call.try_send(&node.url).unwrap();
            assert!(matches!(answer.status, 200 | 429), "{answer}");
            answer
        };
        let here =
            std::iter::repeat_with(|| ask(&nodes[0])).take_while(|answer| answer.status == 200).count();
        assert!(here >= BURST, "{here}");

        // A node that has not heard of it gives some, but not a burst.
        let mut there = 0;
        let refused = until(|| {
            let answer = ask(&nodes[1]);
            there += usize::from(answer.status == 200);
            Some(answer).filter(|answer| answer.status == 429)
        });
        let refused = refused.expect("it never heard");
        assert!(there < BURST, "{there} passed at the other node");

        let wait = refused.header("retry-after").unwrap().parse().map(Duration::from_secs).unwrap();
        let begun = Instant::now();
        until(|| (ask(&nodes[1]).status == 200).then_some(())).expect("it never came back");
        let (waited, slack) = (begun.elapsed(), Duration::from_secs(1));
        assert!(waited <= wait + slack, "{waited:?} instead of {wait:?}");
    }
    nodes.into_iter().for_each(Node::stop);
}
