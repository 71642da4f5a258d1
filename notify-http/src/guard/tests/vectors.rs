//! The last stage of `ssrf.json`: whatever came before, the connected peer is judged.

use serde_json::Value;

use super::super::{Destination, Reach};
use super::*;

const VECTORS: &str = include_str!("../../../tests/vectors/ssrf.json");

fn addresses(list: &str) -> Vec<IpAddr> {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let list = vectors[list].as_array().unwrap();
    list.iter().filter_map(|vector| vector["address"].as_str()).map(ip).collect()
}

#[test]
fn no_refused_address_may_be_a_peer_even_if_it_was_asked_for() {
    let addresses = addresses("refused");
    assert!(addresses.len() >= 400);
    for address in addresses {
        assert!(shut().admit_peer(address, &[address], Reach::Public).is_err(), "{address}");
    }
}

#[test]
fn every_accepted_address_may_be_a_peer_if_it_was_asked_for_and_not_otherwise() {
    let addresses = addresses("accepted");
    assert!(addresses.len() >= 60);
    for address in addresses {
        assert_eq!(shut().admit_peer(address, &[address], Reach::Public), Ok(()), "{address}");
        assert!(shut().admit_peer(address, &[ip("93.184.215.15")], Reach::Public).is_err(), "{address}");
        let literal = Destination::Ip(address);
        assert_eq!(shut().reach(&literal, &Scheme::HTTPS), Reach::Public);
    }
}
