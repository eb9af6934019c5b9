//! Names of runtime metrics, by their OpenTelemetry names. spec: otlp §6.1.
//!
//! Those of the JVM are there twice: as conventions have them now, and as they had them before.

use super::{Mapping, is};

pub(super) const MAPPINGS: &[Mapping] = &[
    Mapping::runtime("process.runtime.go.goroutines", "runtime.go.num_goroutine", &[]),
    Mapping::runtime("process.runtime.go.cgo.calls", "runtime.go.num_cgo_call", &[]),
    Mapping::runtime("process.runtime.go.lookups", "runtime.go.mem_stats.lookups", &[]),
    Mapping::runtime("process.runtime.go.mem.heap_alloc", "runtime.go.mem_stats.heap_alloc", &[]),
    Mapping::runtime("process.runtime.go.mem.heap_sys", "runtime.go.mem_stats.heap_sys", &[]),
    Mapping::runtime("process.runtime.go.mem.heap_idle", "runtime.go.mem_stats.heap_idle", &[]),
    Mapping::runtime("process.runtime.go.mem.heap_inuse", "runtime.go.mem_stats.heap_inuse", &[]),
    Mapping::runtime(
        "process.runtime.go.mem.heap_released",
        "runtime.go.mem_stats.heap_released",
        &[],
    ),
    Mapping::runtime(
        "process.runtime.go.mem.heap_objects",
        "runtime.go.mem_stats.heap_objects",
        &[],
    ),
    Mapping::runtime(
        "process.runtime.go.gc.pause_total_ns",
        "runtime.go.mem_stats.pause_total_ns",
        &[],
    ),
    Mapping::runtime("process.runtime.go.gc.count", "runtime.go.mem_stats.num_gc", &[]),
    Mapping::runtime(
        "process.runtime.dotnet.monitor.lock_contention.count",
        "runtime.dotnet.threads.contention_count",
        &[],
    ),
    Mapping::runtime(
        "process.runtime.dotnet.exceptions.count",
        "runtime.dotnet.exceptions.count",
        &[],
    ),
    Mapping::runtime(
        "process.runtime.dotnet.gc.heap.size",
        "runtime.dotnet.gc.size.gen0",
        &[is("generation", &["gen0"])],
    ),
    Mapping::runtime(
        "process.runtime.dotnet.gc.heap.size",
        "runtime.dotnet.gc.size.gen1",
        &[is("generation", &["gen1"])],
    ),
    Mapping::runtime(
        "process.runtime.dotnet.gc.heap.size",
        "runtime.dotnet.gc.size.gen2",
        &[is("generation", &["gen2"])],
    ),
    Mapping::runtime(
        "process.runtime.dotnet.gc.heap.size",
        "runtime.dotnet.gc.size.loh",
        &[is("generation", &["loh"])],
    ),
    Mapping::runtime(
        "process.runtime.dotnet.gc.collections.count",
        "runtime.dotnet.gc.count.gen0",
        &[is("generation", &["gen0"])],
    ),
    Mapping::runtime(
        "process.runtime.dotnet.gc.collections.count",
        "runtime.dotnet.gc.count.gen1",
        &[is("generation", &["gen1"])],
    ),
    Mapping::runtime(
        "process.runtime.dotnet.gc.collections.count",
        "runtime.dotnet.gc.count.gen2",
        &[is("generation", &["gen2"])],
    ),
    Mapping::runtime("jvm.thread.count", "jvm.thread_count", &[]),
    Mapping::runtime("jvm.class.count", "jvm.loaded_classes", &[]),
    Mapping::runtime("jvm.system.cpu.utilization", "jvm.cpu_load.system", &[]),
    Mapping::runtime("jvm.cpu.recent_utilization", "jvm.cpu_load.process", &[]),
    Mapping::runtime("jvm.memory.used", "jvm.heap_memory", &[is("jvm.memory.type", &["heap"])]),
    Mapping::runtime(
        "jvm.memory.used",
        "jvm.non_heap_memory",
        &[is("jvm.memory.type", &["non_heap"])],
    ),
    Mapping::runtime(
        "jvm.memory.used",
        "jvm.gc.old_gen_size",
        &[
            is("jvm.memory.type", &["heap"]),
            is("jvm.memory.pool.name", &["G1 Old Gen", "Tenured Gen", "PS Old Gen"]),
        ],
    ),
    Mapping::runtime(
        "jvm.memory.used",
        "jvm.gc.eden_size",
        &[
            is("jvm.memory.type", &["heap"]),
            is(
                "jvm.memory.pool.name",
                &["G1 Eden Space", "Eden Space", "Par Eden Space", "PS Eden Space"],
            ),
        ],
    ),
    Mapping::runtime(
        "jvm.memory.used",
        "jvm.gc.survivor_size",
        &[
            is("jvm.memory.type", &["heap"]),
            is(
                "jvm.memory.pool.name",
                &["G1 Survivor Space", "Survivor Space", "Par Survivor Space", "PS Survivor Space"],
            ),
        ],
    ),
    Mapping::runtime(
        "jvm.memory.used",
        "jvm.gc.metaspace_size",
        &[is("jvm.memory.type", &["non_heap"]), is("jvm.memory.pool.name", &["Metaspace"])],
    ),
    Mapping::runtime(
        "jvm.memory.committed",
        "jvm.heap_memory_committed",
        &[is("jvm.memory.type", &["heap"])],
    ),
    Mapping::runtime(
        "jvm.memory.committed",
        "jvm.non_heap_memory_committed",
        &[is("jvm.memory.type", &["non_heap"])],
    ),
    Mapping::runtime(
        "jvm.memory.init",
        "jvm.heap_memory_init",
        &[is("jvm.memory.type", &["heap"])],
    ),
    Mapping::runtime(
        "jvm.memory.init",
        "jvm.non_heap_memory_init",
        &[is("jvm.memory.type", &["non_heap"])],
    ),
    Mapping::runtime(
        "jvm.memory.limit",
        "jvm.heap_memory_max",
        &[is("jvm.memory.type", &["heap"])],
    ),
    Mapping::runtime(
        "jvm.memory.limit",
        "jvm.non_heap_memory_max",
        &[is("jvm.memory.type", &["non_heap"])],
    ),
    Mapping::runtime(
        "jvm.buffer.memory.usage",
        "jvm.buffer_pool.direct.used",
        &[is("jvm.buffer.pool.name", &["direct"])],
    ),
    Mapping::runtime(
        "jvm.buffer.memory.usage",
        "jvm.buffer_pool.mapped.used",
        &[is("jvm.buffer.pool.name", &["mapped"])],
    ),
    Mapping::runtime(
        "jvm.buffer.count",
        "jvm.buffer_pool.direct.count",
        &[is("jvm.buffer.pool.name", &["direct"])],
    ),
    Mapping::runtime(
        "jvm.buffer.count",
        "jvm.buffer_pool.mapped.count",
        &[is("jvm.buffer.pool.name", &["mapped"])],
    ),
    Mapping::runtime(
        "jvm.buffer.memory.limit",
        "jvm.buffer_pool.direct.limit",
        &[is("jvm.buffer.pool.name", &["direct"])],
    ),
    Mapping::runtime(
        "jvm.buffer.memory.limit",
        "jvm.buffer_pool.mapped.limit",
        &[is("jvm.buffer.pool.name", &["mapped"])],
    ),
    Mapping::runtime("process.runtime.jvm.threads.count", "jvm.thread_count", &[]),
    Mapping::runtime("process.runtime.jvm.classes.current_loaded", "jvm.loaded_classes", &[]),
    Mapping::runtime("process.runtime.jvm.system.cpu.utilization", "jvm.cpu_load.system", &[]),
    Mapping::runtime("process.runtime.jvm.cpu.utilization", "jvm.cpu_load.process", &[]),
    Mapping::runtime(
        "process.runtime.jvm.memory.usage",
        "jvm.heap_memory",
        &[is("type", &["heap"])],
    ),
    Mapping::runtime(
        "process.runtime.jvm.memory.usage",
        "jvm.non_heap_memory",
        &[is("type", &["non_heap"])],
    ),
    Mapping::runtime(
        "process.runtime.jvm.memory.usage",
        "jvm.gc.old_gen_size",
        &[is("type", &["heap"]), is("pool", &["G1 Old Gen", "Tenured Gen", "PS Old Gen"])],
    ),
    Mapping::runtime(
        "process.runtime.jvm.memory.usage",
        "jvm.gc.eden_size",
        &[
            is("type", &["heap"]),
            is("pool", &["G1 Eden Space", "Eden Space", "Par Eden Space", "PS Eden Space"]),
        ],
    ),
    Mapping::runtime(
        "process.runtime.jvm.memory.usage",
        "jvm.gc.survivor_size",
        &[
            is("type", &["heap"]),
            is(
                "pool",
                &["G1 Survivor Space", "Survivor Space", "Par Survivor Space", "PS Survivor Space"],
            ),
        ],
    ),
    Mapping::runtime(
        "process.runtime.jvm.memory.usage",
        "jvm.gc.metaspace_size",
        &[is("type", &["non_heap"]), is("pool", &["Metaspace"])],
    ),
    Mapping::runtime(
        "process.runtime.jvm.memory.committed",
        "jvm.heap_memory_committed",
        &[is("type", &["heap"])],
    ),
    Mapping::runtime(
        "process.runtime.jvm.memory.committed",
        "jvm.non_heap_memory_committed",
        &[is("type", &["non_heap"])],
    ),
    Mapping::runtime(
        "process.runtime.jvm.memory.init",
        "jvm.heap_memory_init",
        &[is("type", &["heap"])],
    ),
    Mapping::runtime(
        "process.runtime.jvm.memory.init",
        "jvm.non_heap_memory_init",
        &[is("type", &["non_heap"])],
    ),
    Mapping::runtime(
        "process.runtime.jvm.memory.limit",
        "jvm.heap_memory_max",
        &[is("type", &["heap"])],
    ),
    Mapping::runtime(
        "process.runtime.jvm.memory.limit",
        "jvm.non_heap_memory_max",
        &[is("type", &["non_heap"])],
    ),
    Mapping::runtime(
        "process.runtime.jvm.buffer.usage",
        "jvm.buffer_pool.direct.used",
        &[is("pool", &["direct"])],
    ),
    Mapping::runtime(
        "process.runtime.jvm.buffer.usage",
        "jvm.buffer_pool.mapped.used",
        &[is("pool", &["mapped"])],
    ),
    Mapping::runtime(
        "process.runtime.jvm.buffer.count",
        "jvm.buffer_pool.direct.count",
        &[is("pool", &["direct"])],
    ),
    Mapping::runtime(
        "process.runtime.jvm.buffer.count",
        "jvm.buffer_pool.mapped.count",
        &[is("pool", &["mapped"])],
    ),
    Mapping::runtime(
        "process.runtime.jvm.buffer.limit",
        "jvm.buffer_pool.direct.limit",
        &[is("pool", &["direct"])],
    ),
    Mapping::runtime(
        "process.runtime.jvm.buffer.limit",
        "jvm.buffer_pool.mapped.limit",
        &[is("pool", &["mapped"])],
    ),
];
