//! The inventory that travels as JSON inside the JSON. spec: cloud §16.

use serde_json::{Map, Value, json};

use crate::{CpuFacts, HostFacts, Interface, KernelFacts, MemoryFacts, NetworkFacts};

/// The inventory as JSON. Every scalar is a string, numbers too; unknown fields are absent.
#[must_use]
pub fn gohai(facts: &HostFacts) -> Value {
    let file_systems: Vec<Value> = facts
        .file_systems
        .iter()
        .map(|fs| {
            json!({
                "name": fs.name,
                "kb_size": fs.size_kib.to_string(),
                "mounted_on": fs.mounted_on,
            })
        })
        .collect();
    json!({
        "cpu": cpu(&facts.cpu),
        "filesystem": file_systems,
        "memory": memory(facts.memory),
        "network": network(&facts.network),
        "platform": platform(&facts.kernel),
    })
}

/// Name of the processor architecture as the intake knows it.
pub(crate) fn go_arch(machine: &str) -> &str {
    match machine {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn cpu(cpu: &CpuFacts) -> Value {
    object([
        ("vendor_id", cpu.vendor_id.clone()),
        ("model_name", cpu.model_name.clone()),
        ("cpu_cores", number(u64::from(cpu.cores) * u64::from(cpu.packages))),
        ("cpu_logical_processors", number(u64::from(cpu.logical))),
        ("mhz", if cpu.mhz > 0.0 { cpu.mhz.to_string() } else { String::new() }),
        ("cache_size", cpu.cache_size.clone()),
        ("family", cpu.family.clone()),
        ("model", cpu.model.clone()),
        ("stepping", cpu.stepping.clone()),
    ])
}

fn memory(memory: MemoryFacts) -> Value {
    let swap =
        if memory.total_kib == 0 { String::new() } else { format!("{}kB", memory.swap_total_kib) };
    object([("total", number(memory.total_kib.saturating_mul(1024))), ("swap_total", swap)])
}

fn platform(kernel: &KernelFacts) -> Value {
    object([
        ("kernel_name", kernel.name.clone()),
        ("kernel_release", kernel.release.clone()),
        ("kernel_version", kernel.version.clone()),
        ("hostname", kernel.hostname.clone()),
        ("machine", kernel.machine.clone()),
        ("processor", kernel.machine.clone()),
        ("hardware_platform", kernel.machine.clone()),
        ("os", "GNU/Linux".to_owned()),
        ("GOOS", "linux".to_owned()),
        ("GOOARCH", go_arch(&kernel.machine).to_owned()),
    ])
}

fn network(network: &NetworkFacts) -> Value {
    let main = network.main();
    let mut value = object([
        ("macaddress", main.map(|main| main.mac.clone()).unwrap_or_default()),
        ("ipaddress", first(main.map(|main| &*main.ipv4))),
        ("ipaddressv6", first(main.map(|main| &*main.ipv6))),
    ]);
    value["interfaces"] = network.interfaces.iter().map(interface).collect();
    value
}

fn interface(interface: &Interface) -> Value {
    let text = |network: String, prefix: u32| format!("{network}/{prefix}");
    let mut value = object([
        ("name", interface.name.clone()),
        ("macaddress", interface.mac.clone()),
        (
            "ipv4-network",
            interface.ipv4_network.map(|(net, len)| text(net.to_string(), len)).unwrap_or_default(),
        ),
        (
            "ipv6-network",
            interface.ipv6_network.map(|(net, len)| text(net.to_string(), len)).unwrap_or_default(),
        ),
    ]);
    value["ipv4"] = interface.ipv4.iter().map(ToString::to_string).collect();
    value["ipv6"] = interface.ipv6.iter().map(ToString::to_string).collect();
    value
}

fn first<A: ToString>(addresses: Option<&[A]>) -> String {
    addresses.and_then(<[A]>::first).map(A::to_string).unwrap_or_default()
}

/// A number as text; nothing for zero, which stands for "unknown".
fn number(value: u64) -> String {
    if value == 0 { String::new() } else { value.to_string() }
}

/// An object of the fields that are known.
fn object<const N: usize>(fields: [(&str, String); N]) -> Value {
    let known = fields.into_iter().filter(|(_, value)| !value.is_empty());
    Value::Object(known.map(|(key, value)| (key.to_owned(), value.into())).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::{FileSystem, OsFacts};

    #[test]
    fn the_inventory_holds_strings_only() {
        let facts = HostFacts {
            cpu: CpuFacts {
                vendor_id: "GenuineIntel".into(),
                cores: 2,
                packages: 2,
                logical: 8,
                mhz: 2400.0,
                ..CpuFacts::default()
            },
            memory: MemoryFacts { total_kib: 16_303_428, swap_total_kib: 4_194_304 },
            kernel: KernelFacts {
                name: "Linux".into(),
                machine: "x86_64".into(),
                ..KernelFacts::default()
            },
            os: OsFacts::default(),
            network: NetworkFacts {
                interfaces: vec![Interface {
                    name: "eth0".into(),
                    mac: "fe:00:00:00:00:01".into(),
                    ipv4: vec![[192, 0, 2, 2].into()],
                    ipv4_network: Some(([192, 0, 2, 0].into(), 24)),
                    ..Interface::default()
                }],
            },
            file_systems: vec![FileSystem {
                name: "/dev/sda1".into(),
                size_kib: 102_400,
                mounted_on: "/".into(),
            }],
            ..HostFacts::default()
        };
        expect![[r#"
            {
              "cpu": {
                "cpu_cores": "4",
                "cpu_logical_processors": "8",
                "mhz": "2400",
                "vendor_id": "GenuineIntel"
              },
              "filesystem": [
                {
                  "kb_size": "102400",
                  "mounted_on": "/",
                  "name": "/dev/sda1"
                }
              ],
              "memory": {
                "swap_total": "4194304kB",
                "total": "16694710272"
              },
              "network": {
                "interfaces": [
                  {
                    "ipv4": [
                      "192.0.2.2"
                    ],
                    "ipv4-network": "192.0.2.0/24",
                    "ipv6": [],
                    "macaddress": "fe:00:00:00:00:01",
                    "name": "eth0"
                  }
                ],
                "ipaddress": "192.0.2.2",
                "macaddress": "fe:00:00:00:00:01"
              },
              "platform": {
                "GOOARCH": "amd64",
                "GOOS": "linux",
                "hardware_platform": "x86_64",
                "kernel_name": "Linux",
                "machine": "x86_64",
                "os": "GNU/Linux",
                "processor": "x86_64"
              }
            }"#]]
        .assert_eq(&format!("{:#}", gohai(&facts)));
    }
}
