//! Process, cgroup and container identity.
