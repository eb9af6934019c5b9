//! Metrics of hosts and containers under the names of our checks. spec: otlp §6.2.

use super::{Mapping, is};

const MEBI: f64 = 1_048_576.0;
const PERCENT: f64 = 0.01;

pub(super) const MAPPINGS: &[Mapping] = &[
    Mapping::host("system.cpu.load_average.1m", "system.load.1"),
    Mapping::host("system.cpu.load_average.5m", "system.load.5"),
    Mapping::host("system.cpu.load_average.15m", "system.load.15"),
    Mapping::host("system.cpu.utilization", "system.cpu.idle")
        .only(&[is("state", &["idle"])])
        .by(PERCENT),
    Mapping::host("system.cpu.utilization", "system.cpu.user")
        .only(&[is("state", &["user"])])
        .by(PERCENT),
    Mapping::host("system.cpu.utilization", "system.cpu.system")
        .only(&[is("state", &["system"])])
        .by(PERCENT),
    Mapping::host("system.cpu.utilization", "system.cpu.iowait")
        .only(&[is("state", &["wait"])])
        .by(PERCENT),
    Mapping::host("system.cpu.utilization", "system.cpu.stolen")
        .only(&[is("state", &["steal"])])
        .by(PERCENT),
    Mapping::host("system.memory.usage", "system.mem.total").by(MEBI),
    Mapping::host("system.memory.usage", "system.mem.usable")
        .only(&[is("state", &["free", "cached", "buffered"])])
        .by(MEBI),
    Mapping::host("system.network.io", "system.net.bytes_rcvd")
        .only(&[is("direction", &["receive"])]),
    Mapping::host("system.network.io", "system.net.bytes_sent")
        .only(&[is("direction", &["transmit"])]),
    Mapping::host("system.paging.usage", "system.swap.free")
        .only(&[is("state", &["free"])])
        .by(MEBI),
    Mapping::host("system.paging.usage", "system.swap.used")
        .only(&[is("state", &["used"])])
        .by(MEBI),
    Mapping::host("system.filesystem.utilization", "system.disk.in_use"),
    Mapping::host("container.cpu.usage.total", "container.cpu.usage").in_unit("nanocore"),
    Mapping::host("container.cpu.usage.usermode", "container.cpu.user").in_unit("nanocore"),
    Mapping::host("container.cpu.usage.system", "container.cpu.system").in_unit("nanocore"),
    Mapping::host("container.cpu.throttling_data.throttled_time", "container.cpu.throttled"),
    Mapping::host(
        "container.cpu.throttling_data.throttled_periods",
        "container.cpu.throttled.periods",
    ),
    Mapping::host("container.memory.usage.total", "container.memory.usage"),
    Mapping::host("container.memory.active_anon", "container.memory.kernel"),
    Mapping::host("container.memory.hierarchical_memory_limit", "container.memory.limit"),
    Mapping::host("container.memory.usage.limit", "container.memory.soft_limit"),
    Mapping::host("container.memory.total_cache", "container.memory.cache"),
    Mapping::host("container.memory.total_swap", "container.memory.swap"),
    Mapping::host("container.blockio.io_service_bytes_recursive", "container.io.write")
        .only(&[is("operation", &["write"])]),
    Mapping::host("container.blockio.io_service_bytes_recursive", "container.io.read")
        .only(&[is("operation", &["read"])]),
    Mapping::host("container.blockio.io_serviced_recursive", "container.io.write.operations")
        .only(&[is("operation", &["write"])]),
    Mapping::host("container.blockio.io_serviced_recursive", "container.io.read.operations")
        .only(&[is("operation", &["read"])]),
    Mapping::host("container.network.io.usage.tx_bytes", "container.net.sent"),
    Mapping::host("container.network.io.usage.tx_packets", "container.net.sent.packets"),
    Mapping::host("container.network.io.usage.rx_bytes", "container.net.rcvd"),
    Mapping::host("container.network.io.usage.rx_packets", "container.net.rcvd.packets"),
];
