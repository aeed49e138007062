//! The power goes at a random moment under load, again and again, and the index comes to harm: what was answered with
//! success is there, nothing is sealed twice, no quota is broken, and every accepted order ends ready.

use crate::chance;
use crate::kill;
use crate::records::record;
use crate::service::Service;

#[test]
fn nothing_acknowledged_is_lost_or_done_twice_in_twenty_power_cuts() {
    let tally = kill::rounds(20, chance::seed());
    assert!(tally.kills == 20 && tally.orders > 0, "the load never got through: {tally:?}");
}

#[test]
fn an_index_that_is_damaged_is_built_anew_and_nothing_is_lost() {
    let service = Service::start();
    let copies: Vec<_> = (0..5).map(|number| service.copy(&service.enter(&record(number)), 90)).collect();
    let folder = service.kill9();
    let mut damaged = 0;
    for entry in std::fs::read_dir(folder.path().join("data/index")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let mut bytes = std::fs::read(&path).unwrap();
            bytes.iter_mut().step_by(97).for_each(|byte| *byte ^= 0xff);
            std::fs::write(&path, bytes).unwrap();
            damaged += 1;
        }
    }
    assert!(damaged > 0, "there is no index to damage");
    let service = Service::start_on(folder);
    for copy in copies {
        assert_eq!(service.verdict(copy["code"].as_str().unwrap()), "genuine");
        service.document(copy["id"].as_str().unwrap());
    }
}
