//! Interfaces and their addresses, from files alone. spec: cloud §16.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::Roots;
use crate::roots::read_text;

/// Interfaces that are listed.
const INTERFACES_MAX: usize = 256;

/// The network of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkFacts {
    /// Interfaces other than the loopback, by name.
    pub interfaces: Vec<Interface>,
}

/// One interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Name: `eth0`.
    pub name: String,
    /// Hardware address: `02:42:ac:11:00:02`; empty when it has none.
    pub mac: String,
    /// Addresses.
    pub ipv4: Vec<Ipv4Addr>,
    /// Network of the first address and its prefix length.
    pub ipv4_network: Option<(Ipv4Addr, u32)>,
    /// Addresses.
    pub ipv6: Vec<Ipv6Addr>,
    /// Network of the first address and its prefix length.
    pub ipv6_network: Option<(Ipv6Addr, u32)>,
}

impl NetworkFacts {
    /// Reads `/sys/class/net` and `/proc/net`. An IPv4 address whose network has no route of its
    /// own cannot be given to an interface and is left out.
    #[must_use]
    pub fn read(roots: &Roots) -> Self {
        let mut names: Vec<String> = fs::read_dir(roots.sys.join("class/net"))
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name != "lo")
            .take(INTERFACES_MAX)
            .collect();
        names.sort_unstable();
        let routes: Vec<Route> =
            read_text(&roots.proc.join("net/route")).lines().filter_map(Route::parse).collect();
        let ipv4 = local_ipv4(&read_text(&roots.proc.join("net/fib_trie")));
        let ipv6 = read_text(&roots.proc.join("net/if_inet6"));
        let interfaces = names
            .into_iter()
            .map(|name| {
                let address = roots.sys.join("class/net").join(&name).join("address");
                let mut interface = Interface {
                    mac: known_mac(read_text(&address).trim()),
                    name,
                    ..Interface::default()
                };
                interface.add_ipv4(&ipv4, &routes);
                interface.add_ipv6(&ipv6);
                interface
            })
            .collect();
        Self { interfaces }
    }

    /// The interface that stands for the host: the first with an IPv4 address, else the first.
    #[must_use]
    pub fn main(&self) -> Option<&Interface> {
        let addressed = self.interfaces.iter().find(|interface| !interface.ipv4.is_empty());
        addressed.or_else(|| self.interfaces.first())
    }
}

impl Interface {
    fn add_ipv4(&mut self, addresses: &[Ipv4Addr], routes: &[Route]) {
        for &address in addresses {
            // The most specific connected network says where the address is.
            let network = routes
                .iter()
                .filter(|route| route.holds(address))
                .max_by_key(|route| route.mask.count_ones());
            if let Some(route) = network.filter(|route| route.interface == self.name) {
                self.ipv4.push(address);
                self.ipv4_network.get_or_insert_with(|| route.network());
            }
        }
    }

    fn add_ipv6(&mut self, if_inet6: &str) {
        for line in if_inet6.lines() {
            let mut words = line.split_whitespace();
            let (Some(address), Some(prefix)) = (words.next(), words.nth(1)) else { continue };
            if words.nth(2) != Some(&self.name) {
                continue;
            }
            let (Ok(bits), Ok(prefix)) =
                (u128::from_str_radix(address, 16), u32::from_str_radix(prefix, 16))
            else {
                continue;
            };
            if prefix > 128 {
                continue;
            }
            let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
            self.ipv6.push(Ipv6Addr::from_bits(bits));
            let network = || (Ipv6Addr::from_bits(bits & mask), prefix);
            self.ipv6_network.get_or_insert_with(network);
        }
    }
}

/// A connected network.
struct Route {
    interface: String,
    destination: u32,
    mask: u32,
}

impl Route {
    /// A line of `/proc/net/route`; nothing for routes over a gateway and for the default.
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().take(8).collect();
        let [interface, destination, gateway, _, _, _, _, mask] = words[..] else { return None };
        let (destination, gateway, mask) = (bits(destination)?, bits(gateway)?, bits(mask)?);
        let is_connected = gateway == 0 && mask != 0;
        is_connected.then(|| Self { interface: interface.to_owned(), destination, mask })
    }

    fn holds(&self, address: Ipv4Addr) -> bool {
        address.to_bits() & self.mask == self.destination
    }

    const fn network(&self) -> (Ipv4Addr, u32) {
        (Ipv4Addr::from_bits(self.destination), self.mask.count_ones())
    }
}

/// The kernel prints an address in network order as one number in the order of the processor.
fn bits(hex: &str) -> Option<u32> {
    u32::from_str_radix(hex, 16).ok().map(u32::to_be)
}

/// Our own addresses in `/proc/net/fib_trie`: leaves with `/32 host LOCAL`.
fn local_ipv4(fib_trie: &str) -> Vec<Ipv4Addr> {
    let mut found = Vec::new();
    let mut leaf = None;
    for line in fib_trie.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            leaf = address.parse::<Ipv4Addr>().ok();
        } else if line == "/32 host LOCAL"
            && let Some(address) = leaf.filter(|address| !address.is_loopback())
        {
            found.push(address);
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Interfaces without hardware report zeros.
fn known_mac(mac: &str) -> String {
    let is_known = mac.bytes().any(|byte| !matches!(byte, b'0' | b':'));
    if is_known { mac.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> (tempfile::TempDir, Roots) {
        let dir = tempfile::tempdir().expect("directory");
        let roots = Roots::under(dir.path());
        let write = |path: std::path::PathBuf, text: &str| {
            fs::create_dir_all(path.parent().expect("a parent")).expect("directory");
            fs::write(path, text).expect("file");
        };
        let net = roots.sys.join("class/net");
        write(net.join("lo/address"), "00:00:00:00:00:00\n");
        write(net.join("eth0/address"), "fe:00:00:00:00:01\n");
        write(net.join("tun0/address"), "\n");
        write(
            roots.proc.join("net/route"),
            "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\n\
             eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\n\
             eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\n",
        );
        write(
            roots.proc.join("net/fib_trie"),
            "Main:\n  |-- 127.0.0.1\n    /32 host LOCAL\n  |-- 192.0.2.0\n    /24 link UNICAST\n  \
             |-- 192.0.2.2\n    /32 host LOCAL\n  |-- 203.0.113.9\n    /32 host LOCAL\n",
        );
        write(
            roots.proc.join("net/if_inet6"),
            "00000000000000000000000000000001 01 80 10 80       lo\n\
             fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n\
             zz 04 40 20 80     eth0\n",
        );
        (dir, roots)
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn addresses_are_given_to_their_interfaces() {
        let (_dir, roots) = host();
        let network = NetworkFacts::read(&roots);
        let expected = Interface {
            name: "eth0".into(),
            mac: "fe:00:00:00:00:01".into(),
            ipv4: vec![Ipv4Addr::new(192, 0, 2, 2)],
            ipv4_network: Some((Ipv4Addr::new(192, 0, 2, 0), 24)),
            ipv6: vec!["fe80::fc:ff:fe00:1".parse().expect("an address")],
            ipv6_network: Some(("fe80::".parse().expect("an address"), 64)),
        };
        assert_eq!(network.main(), Some(&expected));
        assert_eq!(network.interfaces.len(), 2);
        assert_eq!(network.interfaces[1], Interface { name: "tun0".into(), ..Default::default() });
    }
}
