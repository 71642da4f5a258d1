//! The servers do what tests of stores rely on.

use std::net::TcpStream;

use notify_test_servers::{AOF_ALWAYS, Cut, CuttingProxy, RedisCluster, RedisServer, SentinelSet, require};

#[test]
fn a_dropped_server_is_gone() {
    let Some(server) = require(RedisServer::start(&[])) else { return };
    let address = server.address();
    TcpStream::connect(&address).unwrap();
    drop(server);
    assert!(TcpStream::connect(&address).is_err());
}

#[test]
fn a_killed_server_with_an_append_only_file_comes_back_with_its_keys() {
    let Some(mut server) = require(RedisServer::start(AOF_ALWAYS)) else { return };
    let () = server.run(&["SET", "a", "1"]);
    let address = server.address();
    server.restart();
    assert_eq!((server.address(), server.run::<String>(&["GET", "a"])), (address, "1".to_owned()));
    assert_eq!(server.keys(), ["a"]);
    assert_eq!(server.calls("get"), 1);
}

#[test]
fn a_slot_of_the_cluster_moves_with_its_keys() {
    let Some(cluster) = require(RedisCluster::start(&[])) else { return };
    // The slot of `a` is 15495, on the last node.
    for key in ["{a}1", "{a}2", "{a}3", "{a}4"] {
        let () = cluster.nodes()[2].run(&["SET", key, "1"]);
    }
    let mut steps = 0;
    cluster.move_slot(15_495, 2, 0, || steps += 1);
    assert_eq!(steps, 3, "four keys move in two steps, and a third finds none");
    assert_eq!(cluster.slots_in_use().into_iter().collect::<Vec<_>>(), [(15_495, 0)]);
    cluster.wait_until_well();
}

#[test]
fn sentinels_promote_the_replica_of_a_killed_primary() {
    let Some(mut set) = require(SentinelSet::start(&[], 3)) else { return };
    let () = set.first_mut().run(&["SET", "a", "1"]);
    let () = set.first_mut().run(&["WAIT", "1", "5000"]);
    set.first_mut().kill();
    set.wait_for_failover();
    assert_eq!(set.second().run::<String>(&["GET", "a"]), "1");
}

#[test]
fn the_proxy_loses_the_command_or_the_reply_that_it_is_told_to_and_no_other() {
    let Some(server) = require(RedisServer::start(&[])) else { return };
    let proxy = CuttingProxy::start(&server.address());
    let client = redis::Client::open(proxy.url()).unwrap();
    // Three commands a round, beside those with which the client introduces itself before the cut is armed.
    let count = || {
        let mut connection = client.get_connection().unwrap();
        move |proxy: &CuttingProxy, cut| {
            proxy.arm(cut);
            (0..3).take_while(|_| redis::cmd("INCR").arg("a").query::<u64>(&mut connection).is_ok()).count()
        }
    };
    for (cut, answered, done) in [
        (Cut::Command(1), 0, 0),
        (Cut::Reply(1), 0, 1),
        (Cut::Command(3), 2, 2),
        (Cut::Reply(3), 2, 3),
        (Cut::Reply(4), 3, 3),
    ] {
        let () = server.run(&["DEL", "a"]);
        assert_eq!(count()(&proxy, cut), answered, "{cut:?}");
        let value: Option<u64> = server.run(&["GET", "a"]);
        assert_eq!(value.unwrap_or(0), done, "{cut:?}");
        assert_eq!(proxy.disarm(), answered == 3, "{cut:?}");
    }
}

#[test]
fn held_replies_come_once_they_are_let_go() {
    let Some(server) = require(RedisServer::start(&[])) else { return };
    let proxy = CuttingProxy::start(&server.address());
    let mut connection = redis::Client::open(proxy.url()).unwrap().get_connection().unwrap();
    proxy.hold();
    let asked = std::thread::spawn(move || redis::cmd("INCR").arg("a").query::<u64>(&mut connection));
    while server.run::<Option<u64>>(&["GET", "a"]).is_none() {
        std::thread::yield_now();
    }
    assert!(!asked.is_finished(), "it was answered while replies were held");
    proxy.release();
    assert_eq!(asked.join().unwrap().unwrap(), 1);
}
