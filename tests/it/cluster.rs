//! Many nodes on one database and one object store.

use std::sync::Barrier;

use serde_json::json;

use crate::call::AGENT;
use crate::chance;
use crate::kill::cluster::{Ground, run};
use crate::kill::world::{Door, post};
use crate::records::record;
use crate::servers::node::Node;

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
