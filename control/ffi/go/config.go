package corelane

// #include <stdlib.h>
// #include "datadog_agent_native.h"
import "C"

import (
	"fmt"
	"io/fs"
	"sort"
	"strconv"
	"strings"
	"unsafe"
)

// LogLevel is what the agent logs.
type LogLevel string

// The levels.
const (
	LogError LogLevel = "error"
	LogWarn  LogLevel = "warn"
	LogInfo  LogLevel = "info"
	LogDebug LogLevel = "debug"
	LogTrace LogLevel = "trace"
)

// Mode is how clients reach the agent.
type Mode string

// The modes.
const (
	// HTTPFixedPort takes the TCP ports that clients know: 8126 for traces, 8125 for DogStatsD.
	HTTPFixedPort Mode = "http_fixed_port"
	// HTTPEphemeralPort takes ports that the system chooses; ask the agent for them.
	HTTPEphemeralPort Mode = "http_ephemeral_port"
	// HTTPUDS takes Unix sockets; ask the agent for their paths.
	HTTPUDS Mode = "http_uds"
)

// Config is what an agent is started with. The zero value of a field leaves it to the environment,
// such as DD_API_KEY, and then to its default.
type Config struct {
	APIKey      string
	Site        string
	Service     string
	Environment string
	Version     string
	LogLevel    LogLevel
	// Mode is HTTPEphemeralPort by default, whatever the environment says.
	Mode Mode
	// TracePort counts in HTTPFixedPort alone; nil is 8126, Port(0) lets the system choose.
	TracePort *uint16
	// DogStatsD turns the DogStatsD listener on.
	DogStatsD bool
	// DogStatsDPort lets the system choose by default; Port(8125) is what clients expect.
	DogStatsDPort *uint16
	// SocketPermissions are the mode bits of the socket in HTTPUDS, 0o600 by default.
	SocketPermissions fs.FileMode
	// Settings takes every other setting by its dotted key or its DD_* name, with the value as in
	// an environment variable. It wins over everything else.
	Settings map[string]string
	// File is a datadog.yaml that is read first, below the environment.
	File string
}

// Port is a port for a Config.
func Port(port uint16) *uint16 {
	return &port
}

// apply loads the file and the environment, and sets what is given.
func (c Config) apply(settings *C.corelane_config) error {
	if c.File != "" {
		path, err := cText(c.File)
		if err != nil {
			return err
		}
		defer C.free(unsafe.Pointer(path))
		if err := errorOf(C.corelane_config_load_yaml(settings, path)); err != nil {
			return err
		}
	}
	if err := errorOf(C.corelane_config_load_env(settings)); err != nil {
		return err
	}
	for _, pair := range c.assignments() {
		name, err := cText(pair[0])
		if err != nil {
			return err
		}
		defer C.free(unsafe.Pointer(name))
		value, err := cText(pair[1])
		if err != nil {
			return err
		}
		defer C.free(unsafe.Pointer(value))
		if err := errorOf(C.corelane_config_set(settings, name, value)); err != nil {
			return err
		}
	}
	return nil
}

// assignments is the name and the text of each setting that is given, in the order they are set.
func (c Config) assignments() [][2]string {
	var pairs [][2]string
	set := func(name, value string) {
		if value != "" {
			pairs = append(pairs, [2]string{name, value})
		}
	}
	set("DD_API_KEY", c.APIKey)
	set("DD_SITE", c.Site)
	set("DD_SERVICE", c.Service)
	set("DD_ENV", c.Environment)
	set("DD_VERSION", c.Version)
	set("DD_LOG_LEVEL", string(c.LogLevel))
	mode := c.Mode
	if mode == "" {
		mode = HTTPEphemeralPort
	}
	set("DD_AGENT_MODE", string(mode))
	// Only this mode has a port to choose; in HTTPUDS naming a port is an error.
	if mode == HTTPFixedPort && c.TracePort != nil {
		set("DD_TRACE_AGENT_PORT", strconv.Itoa(int(*c.TracePort)))
	}
	if c.DogStatsD {
		set("DD_DOGSTATSD_ENABLED", "true")
		port := c.DogStatsDPort
		if port == nil {
			port = Port(0)
		}
		set("DD_DOGSTATSD_PORT", strconv.Itoa(int(*port)))
	}
	if c.SocketPermissions != 0 {
		set("DD_TRACE_AGENT_UDS_PERMISSIONS", fmt.Sprintf("%04o", c.SocketPermissions.Perm()))
	}
	names := make([]string, 0, len(c.Settings))
	for name := range c.Settings {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		pairs = append(pairs, [2]string{name, c.Settings[name]})
	}
	return pairs
}

// cText is a C string, which the caller frees.
func cText(text string) (*C.char, error) {
	if strings.IndexByte(text, 0) >= 0 {
		return nil, &Error{InvalidString, "a setting contains a NUL character"}
	}
	return C.CString(text), nil
}
