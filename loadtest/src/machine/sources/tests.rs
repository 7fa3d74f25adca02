use super::*;
use tokio::net::TcpListener;

fn net() -> SourceNet {
    "127.16.0.0/12".parse().unwrap()
}

fn to(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn a_net_has_its_addresses_and_nothing_else() {
    assert_eq!(net().hosts(), (1 << 20) - 2);
    assert_eq!(net().host(0).unwrap().to_string(), "127.16.0.1");
    assert_eq!(net().host(255).unwrap().to_string(), "127.16.1.0");
    let one: SourceNet = "10.0.0.7".parse().unwrap();
    assert_eq!((one.hosts(), one.host(0).unwrap().to_string(), one.host(1)), (1, "10.0.0.7".into(), None));
    assert_eq!("10.9.8.7/24".parse::<SourceNet>().unwrap().to_string(), "10.9.8.0/24");
    for wrong in ["", "127.0.0.0/33", "127.0.0.0/x", "::1/64", "10.0.0.0/2"] {
        assert!(wrong.parse::<SourceNet>().is_err(), "{wrong}");
    }
}

#[test]
fn ports_are_counted_per_source_and_destination_and_the_next_source_comes_when_one_is_full() {
    let sources = Sources::new(Some("127.16.0.0/30".parse().unwrap()), Slice::WHOLE, 40_000..=40_002);
    let (first, second) = (to("127.0.0.1:9000"), to("127.0.0.1:9001"));
    let mut leases: Vec<Lease> = (0..6).map(|_| sources.lease(first).unwrap()).collect();
    let bound: Vec<String> = leases.iter().map(|lease| lease.bind().unwrap().to_string()).collect();
    assert_eq!(bound[..4], ["127.16.0.1:40000", "127.16.0.1:40001", "127.16.0.1:40002", "127.16.0.2:40000"]);
    assert!(matches!(sources.lease(first), Err(Limit::Ports { sources: 2, .. })), "two hosts in a /30, three ports each");
    assert_eq!(sources.lease(second).unwrap().bind(), Some(to("127.16.0.1:40000")), "another destination has ports of its own");
    leases.remove(1);
    assert_eq!(sources.in_use(first).iter().map(|(_, in_use)| *in_use).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(sources.lease(first).unwrap().bind(), Some(to("127.16.0.1:40001")), "what came back is used again");
}

#[test]
fn a_port_that_came_back_is_used_last() {
    let sources = Sources::new("127.16.0.1".parse().ok(), Slice::WHOLE, 40_000..=40_002);
    drop(sources.lease(to("127.0.0.1:9000")).unwrap());
    let ports: Vec<u16> = (0..3)
        .map(|_| sources.lease(to("127.0.0.1:9000")).unwrap())
        .collect::<Vec<_>>()
        .iter()
        .map(|lease| lease.bind().unwrap().port())
        .collect();
    assert_eq!(ports, [40_001, 40_002, 40_000]);
}

#[test]
fn more_than_one_source_has_ports_for_fits() {
    let sources = Sources::new(Some(net()), Slice { index: 1, of: 3 }, 32_768..=60_999);
    let server = to("127.0.0.1:9000");
    let leases: Vec<Lease> = (0..100_000).map(|_| sources.lease(server).unwrap()).collect();
    let in_use = sources.in_use(server);
    assert_eq!(in_use.iter().map(|(_, in_use)| *in_use).collect::<Vec<_>>(), [28_232, 28_232, 28_232, 15_304]);
    let second = in_use[1].0.unwrap().to_string();
    assert_eq!(second, "127.16.0.5", "every third address from the second on");
    let distinct: std::collections::HashSet<_> = leases.iter().map(|lease| lease.bind()).collect();
    assert_eq!(distinct.len(), 100_000);
}

#[test]
fn without_a_net_connections_are_counted_only() {
    let sources = Sources::new(None, Slice::WHOLE, 40_000..=40_001);
    let server = to("10.0.0.1:80");
    let held = [sources.lease(server).unwrap(), sources.lease(server).unwrap()];
    assert_eq!(held[0].bind(), None);
    assert!(matches!(sources.lease(server), Err(Limit::Ports { .. })));
    drop(held);
    assert_eq!(sources.in_use(server), [(None, 0)]);
}

#[tokio::test]
async fn real_connections_come_from_different_addresses() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    // One port a source, so that the second connection has to come from the next address.
    let sources = Sources::new(Some("127.29.0.0/16".parse().unwrap()), Slice::WHOLE, 47_123..=47_123);
    let mut held = Vec::new();
    for expected in ["127.29.0.1:47123", "127.29.0.2:47123"] {
        held.push(sources.connect(server).await.unwrap());
        assert_eq!(listener.accept().await.unwrap().1, to(expected));
    }
}

#[tokio::test]
async fn many_real_connections_fill_one_source_after_the_other() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    let sources = Sources::new("127.28.0.0/16".parse().ok(), Slice::WHOLE, 46_000..=46_399);
    let (mut held, mut accepted, mut seen) = (Vec::new(), Vec::new(), std::collections::HashSet::new());
    for _ in 0..1000 {
        held.push(sources.connect(server).await.unwrap());
        let (stream, from) = listener.accept().await.unwrap();
        assert!(seen.insert(from), "{from} twice");
        accepted.push(stream);
    }
    let from = |address: &str| seen.iter().filter(|seen| seen.ip().to_string() == address).count();
    assert_eq!([from("127.28.0.1"), from("127.28.0.2"), from("127.28.0.3")], [400, 400, 200]);
}

#[tokio::test]
async fn the_same_port_reaches_two_destinations() {
    let listeners = [TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap()];
    let sources = Sources::new(Some("127.30.0.0/32".parse().unwrap()), Slice::WHOLE, 47_124..=47_124);
    let mut held = Vec::new();
    for listener in &listeners {
        held.push(sources.connect(listener.local_addr().unwrap()).await.unwrap());
        assert_eq!(listener.accept().await.unwrap().1, to("127.30.0.0:47124"));
    }
}

#[tokio::test]
async fn a_port_of_another_process_is_passed_over_and_none_left_is_our_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    let other = TcpListener::bind("127.31.0.1:47125").await.unwrap();
    let two = Sources::new(Some("127.31.0.0/30".parse().unwrap()), Slice::WHOLE, 47_125..=47_126);
    let (_stream, lease) = two.connect(server).await.unwrap();
    assert_eq!(lease.bind(), Some(to("127.31.0.1:47126")));
    let only = Sources::new(Some("127.31.0.1".parse().unwrap()), Slice::WHOLE, 47_125..=47_125);
    let error = only.connect(server).await.unwrap_err();
    assert!(matches!(error, ConnectError::Generator(Limit::Taken { .. })), "{error}");
    drop(other);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_the_servers_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    drop(listener);
    for sources in [Sources::new(None, Slice::WHOLE, 1..=9), Sources::new(Some(net()), Slice::WHOLE, 47_127..=47_130)] {
        let error = sources.connect(server).await.unwrap_err();
        assert!(!error.is_generator(), "{error}");
    }
}

#[test]
fn a_full_table_of_files_is_our_limit() {
    for code in [EMFILE, ENFILE] {
        assert!(told_apart(std::io::Error::from_raw_os_error(code), to("127.0.0.1:1")).is_generator());
    }
    let refused = std::io::Error::from(ErrorKind::ConnectionReset);
    assert!(!told_apart(refused, to("127.0.0.1:1")).is_generator());
}

#[tokio::test]
async fn loopback_sources_do_not_reach_other_machines() {
    let sources = Sources::new(Some(net()), Slice::WHOLE, 40_000..=40_001);
    let error = sources.connect(to("192.0.2.1:80")).await.unwrap_err();
    assert!(matches!(error, ConnectError::Generator(Limit::Unreachable { .. })), "{error}");
}
