//! A cluster of three primaries.

use std::collections::BTreeSet;

use super::{RedisServer, wait_until};
use crate::StartError;
use crate::port;

const SLOTS: u16 = 16_384;
const NODES: u16 = 3;

/// Three primaries, a third of the slots each, and no replica.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts the nodes with these settings, and returns once each of them says that the cluster is well.
    ///
    /// # Errors
    /// [`StartError`].
    ///
    /// # Panics
    /// If the nodes do not find each other.
    pub fn start(settings: &[(&str, &str)]) -> Result<Self, StartError> {
        let nodes = (0..NODES).map(|_| start_node(settings)).collect::<Result<Vec<_>, _>>()?;
        for (index, node) in (0..NODES).zip(&nodes) {
            let (first, last) =
                (index * (SLOTS / NODES), if index == NODES - 1 { SLOTS } else { (index + 1) * (SLOTS / NODES) } - 1);
            let () = node.run(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()]);
            // Nodes that all begin with the same epoch quarrel about it first.
            let () = node.run(&["CLUSTER", "SET-CONFIG-EPOCH", &(index + 1).to_string()]);
        }
        let cluster = Self { nodes };
        for node in &cluster.nodes[1..] {
            let bus: String = node.run::<Vec<String>>(&["CONFIG", "GET", "cluster-port"]).swap_remove(1);
            let () = cluster.nodes[0].run(&["CLUSTER", "MEET", "127.0.0.1", &node.port().to_string(), &bus]);
        }
        cluster.wait_until_well();
        Ok(cluster)
    }

    /// `redis-cluster://` and the addresses of all nodes.
    #[must_use]
    pub fn url(&self) -> String {
        let addresses: Vec<String> = self.nodes.iter().map(RedisServer::address).collect();
        format!("redis-cluster://{}", addresses.join(","))
    }

    /// Its nodes.
    #[must_use]
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// One of its nodes, to kill and restart.
    pub fn node_mut(&mut self, index: usize) -> &mut RedisServer {
        &mut self.nodes[index]
    }

    /// Returns once each node says that all slots are served.
    ///
    /// # Panics
    /// If they do not.
    pub fn wait_until_well(&self) {
        let well = |node: &RedisServer| {
            let info: String = node.try_run(&["CLUSTER", "INFO"]).unwrap_or_default();
            ["cluster_state:ok", "cluster_slots_ok:16384", "cluster_known_nodes:3", "cluster_size:3"]
                .iter()
                .all(|line| info.lines().any(|other| other == *line))
        };
        wait_until(|| self.nodes.iter().all(well)).expect("the nodes agree");
    }

    /// The slots that hold keys now, with the index of the node that owns each.
    #[must_use]
    pub fn slots_in_use(&self) -> BTreeSet<(u16, usize)> {
        let mut slots = BTreeSet::new();
        for (index, node) in self.nodes.iter().enumerate() {
            for key in node.keys() {
                slots.insert((node.run(&["CLUSTER", "KEYSLOT", &key]), index));
            }
        }
        slots
    }

    /// Moves `slot` from one node to another as `redis-cli --cluster reshard` does, a few keys at a time, and calls
    /// `between` before each few: then part of the slot is here and part there.
    ///
    /// # Panics
    /// If `from` does not own it, or a node refuses.
    pub fn move_slot(&self, slot: u16, from: usize, to: usize, mut between: impl FnMut()) {
        let (source, target, number) = (&self.nodes[from], &self.nodes[to], slot.to_string());
        let id = |node: &RedisServer| node.run::<String>(&["CLUSTER", "MYID"]);
        let (source_id, target_id) = (id(source), id(target));
        let () = target.run(&["CLUSTER", "SETSLOT", &number, "IMPORTING", &source_id]);
        let () = source.run(&["CLUSTER", "SETSLOT", &number, "MIGRATING", &target_id]);
        loop {
            between();
            let keys: Vec<String> = source.run(&["CLUSTER", "GETKEYSINSLOT", &number, "3"]);
            if keys.is_empty() {
                break;
            }
            let port = target.port().to_string();
            let mut migrate = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
            migrate.extend(keys.iter().map(String::as_str));
            let () = source.run(&migrate);
        }
        for node in [target, source].into_iter().chain(&self.nodes) {
            let () = node.run(&["CLUSTER", "SETSLOT", &number, "NODE", &target_id]);
        }
    }
}

fn start_node(settings: &[(&str, &str)]) -> Result<RedisServer, StartError> {
    let bus = port::free().to_string();
    let ours = [
        ("cluster-enabled", "yes"),
        ("cluster-port", &*bus),
        ("cluster-announce-ip", "127.0.0.1"),
        ("cluster-node-timeout", "2000"),
        // A shard that is down must not take the others with it.
        ("cluster-require-full-coverage", "no"),
    ];
    RedisServer::start(&[&ours, settings].concat())
}
