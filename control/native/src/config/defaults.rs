//! What is different for a guest. spec: config §4, §11.4, §11.5

/// Below every other layer. One lane that is not pinned, on the epoll driver; no listener that was
/// not asked for but that of traces; no API, no description of the host, no remote configuration,
/// nothing in the way of an agent that runs on the host as well. No setting of the system is
/// touched.
pub(super) const YAML: &str = "\
use_dogstatsd: false
dogstatsd_socket: ''
bind_host: 127.0.0.1
log_level: warn
enable_metadata_collection: false
remote_configuration:
  enabled: false
apm_config:
  receiver_socket: ''
corelane:
  lanes: 1
  driver: epoll
  unix_queue_packets: 0
  api_socket: ''
  logs:
    adds_tags: true
";
