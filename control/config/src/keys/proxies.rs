//! Requests of tracers that are passed on to other hosts. spec: proxies

use super::keys;

keys! { PROXIES;
    PROXY_BUFFER_BYTES: BytesKey = "corelane.proxy.buffer_bytes_max", "16Mb",
        "Bytes of bodies on their way between lanes and proxies, all connections together, beside \
         32 KiB for each; at the limit clients wait.",
        [.range(1 << 16, 1 << 32)];
}
