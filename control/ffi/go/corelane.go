// Package corelane runs the corelane agent, Datadog-compatible, inside a Go process.
//
//	agent, err := corelane.Start(corelane.Config{DogStatsD: true})
//	if err != nil {
//		return err
//	}
//	defer agent.Close()
//	err = agent.SubmitDogStatsD([]byte("page.views:1|c"))
//
// The agent runs on threads of its own, in native code, and installs no signal handlers. What is
// linked is libs/<os>_<arch>/libdatadog_agent_native.a of this module; with the build tag
// corelane_shared it is the shared library that the linker and the loader find.
package corelane

// #include <stdlib.h>
// #include "datadog_agent_native.h"
import "C"

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"
)

const (
	// Without a deadline in its context a flush or a stop takes at most this long.
	timeoutDefault = 30 * time.Second
	// An agent that nobody stopped is stopped within this time.
	forgottenStopTimeout = 5 * time.Second
	// One wait; between two of them the context is looked at.
	waitSlice = 250 * time.Millisecond
	// corelane_agent_wait: the agent still runs.
	stillRunning = 4
)

// Endpoint is an address the agent listens on. Those of OTLP and logs are there where their settings
// are: otlp_config.receiver.protocols.grpc.endpoint, .http.endpoint, and logs_agent_port or
// corelane.logs.listen.
type Endpoint int

// The endpoints.
const (
	EndpointTrace     Endpoint = C.CORELANE_ENDPOINT_TRACE
	EndpointDogStatsD Endpoint = C.CORELANE_ENDPOINT_DOGSTATSD
	EndpointOTLPGRPC  Endpoint = C.CORELANE_ENDPOINT_OTLP_GRPC
	EndpointOTLPHTTP  Endpoint = C.CORELANE_ENDPOINT_OTLP_HTTP
	EndpointLogs      Endpoint = C.CORELANE_ENDPOINT_LOGS
)

// TraceFormat is the encoding of a payload of traces, as in the paths of the trace API.
type TraceFormat int

// The encodings of traces.
const (
	TraceV04 TraceFormat = C.CORELANE_DATA_TRACES_V04
	TraceV05 TraceFormat = C.CORELANE_DATA_TRACES_V05
	TraceV1  TraceFormat = C.CORELANE_DATA_TRACES_V1
)

// OTLPSignal is what an OTLP export request holds.
type OTLPSignal int

// The signals.
const (
	OTLPTraces  OTLPSignal = C.CORELANE_DATA_OTLP_TRACES
	OTLPMetrics OTLPSignal = C.CORELANE_DATA_OTLP_METRICS
	OTLPLogs    OTLPSignal = C.CORELANE_DATA_OTLP_LOGS
)

// ShutdownReason says why an agent ended.
type ShutdownReason int

// The reasons.
const (
	GracefulShutdown ShutdownReason = 0
	UserInterrupt    ShutdownReason = 1
	FatalError       ShutdownReason = 2
	Timeout          ShutdownReason = 3
)

// Agent runs from Start until Stop or Close. It may be used by several goroutines at a time.
//
// An agent that is collected is stopped too, but one that runs when the process ends is not.
type Agent struct {
	handle *C.corelane_agent
	lock   sync.Mutex
	// Calls under way, in any goroutine. The last one after a stop frees the agent.
	callCount int
	isStopped bool
}

// Version is the version of the native library.
func Version() string {
	return C.GoString(C.datadog_agent_version())
}

// Start starts an agent. Its sockets are bound when Start returns.
func Start(config Config) (*Agent, error) {
	settings := C.corelane_config_new()
	defer C.corelane_config_free(settings)
	if err := config.apply(settings); err != nil {
		return nil, err
	}
	agent := &Agent{}
	if err := errorOf(C.corelane_agent_start(settings, &agent.handle)); err != nil {
		return nil, err
	}
	runtime.SetFinalizer(agent, (*Agent).release)
	return agent, nil
}

// release ends an agent that nothing refers to any more. Other finalizers do not wait for it.
func (a *Agent) release() {
	handle := a.handle
	go func() {
		_ = errorOf(C.corelane_agent_stop(handle, milliseconds(forgottenStopTimeout)))
		C.corelane_agent_free(handle)
	}()
}

// enter begins a call, which leave ends.
func (a *Agent) enter() error {
	a.lock.Lock()
	defer a.lock.Unlock()
	if a.isStopped {
		return &Error{NotAvailable, "the agent is stopped"}
	}
	a.callCount++
	return nil
}

func (a *Agent) leave() {
	a.lock.Lock()
	defer a.lock.Unlock()
	a.callCount--
	if a.isStopped && a.callCount == 0 {
		runtime.SetFinalizer(a, nil)
		C.corelane_agent_free(a.handle)
	}
}

// Endpoint is the address of a listener as a URL, empty when the agent does not listen there.
func (a *Agent) Endpoint(kind Endpoint) (string, error) {
	if err := a.enter(); err != nil {
		return "", err
	}
	defer a.leave()
	var size C.size_t
	err := errorOf(C.corelane_agent_endpoint(a.handle, C.int(kind), nil, &size))
	if errors.Is(err, NotAvailable) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	url := (*C.char)(C.malloc(size))
	defer C.free(unsafe.Pointer(url))
	if err := errorOf(C.corelane_agent_endpoint(a.handle, C.int(kind), url, &size)); err != nil {
		return "", err
	}
	return C.GoString(url), nil
}

// TraceURL is where tracers send to, as DD_TRACE_AGENT_URL takes it; empty when they cannot.
func (a *Agent) TraceURL() string {
	text, _ := a.Endpoint(EndpointTrace)
	return text
}

// DogStatsDURL is where DogStatsD clients send to, as DD_DOGSTATSD_URL takes it; empty when they
// cannot.
func (a *Agent) DogStatsDURL() string {
	text, _ := a.Endpoint(EndpointDogStatsD)
	return text
}

// LogsURL is where logs are sent over HTTP, to /v1/input below it; empty without a listener.
func (a *Agent) LogsURL() string {
	text, _ := a.Endpoint(EndpointLogs)
	return text
}

// OTLPHTTPURL is OTEL_EXPORTER_OTLP_ENDPOINT for http/protobuf; empty without a listener.
func (a *Agent) OTLPHTTPURL() string {
	text, _ := a.Endpoint(EndpointOTLPHTTP)
	return text
}

// OTLPGRPCURL is OTEL_EXPORTER_OTLP_ENDPOINT for grpc; empty without a listener.
func (a *Agent) OTLPGRPCURL() string {
	text, _ := a.Endpoint(EndpointOTLPGRPC)
	return text
}

// BoundPort is the TCP port of traces, 0 without one.
func (a *Agent) BoundPort() int {
	return portOf(a.TraceURL())
}

// DogStatsDPort is the UDP port of DogStatsD, 0 without one.
func (a *Agent) DogStatsDPort() int {
	return portOf(a.DogStatsDURL())
}

// SocketPath is the path of the Unix socket of traces, empty without one.
func (a *Agent) SocketPath() string {
	const scheme = "unix://"
	address := a.TraceURL()
	if !strings.HasPrefix(address, scheme) {
		return ""
	}
	return address[len(scheme):]
}

// SubmitDogStatsD hands over DogStatsD lines, without a socket. They are copied.
//
// The error is SubmissionError when the queue is full and nothing was taken, InvalidDataFormat, or
// NotAvailable.
func (a *Agent) SubmitDogStatsD(lines []byte) error {
	return a.submit(C.CORELANE_DATA_DOGSTATSD, lines)
}

// SubmitTraces hands over a payload of traces as a tracer would post it. Errors as above.
func (a *Agent) SubmitTraces(format TraceFormat, payload []byte) error {
	return a.submit(C.int(format), payload)
}

// SubmitLogs hands over logs: a JSON list of entries, or one entry. An entry has a message and a
// timestamp in milliseconds, and hostname, service, ddsource, ddtags and status where it knows them;
// further keys stay with it. One that turns out to be broken is counted.
//
// Errors as above; NotAvailable unless logs_enabled is on.
func (a *Agent) SubmitLogs(entries []byte) error {
	return a.submit(C.CORELANE_DATA_LOGS_JSON, entries)
}

// SubmitOTLP hands over an OTLP export request in protobuf, as an exporter would post it.
//
// Errors as above; NotAvailable when that signal is off. Logs need logs_enabled and
// otlp_config.logs.enabled.
func (a *Agent) SubmitOTLP(signal OTLPSignal, request []byte) error {
	return a.submit(C.int(signal), request)
}

func (a *Agent) submit(kind C.int, data []byte) error {
	if err := a.enter(); err != nil {
		return err
	}
	defer a.leave()
	if len(data) == 0 {
		return &Error{InvalidDataFormat, "there is no data"}
	}
	octets := (*C.uint8_t)(unsafe.Pointer(&data[0]))
	return errorOf(C.corelane_agent_submit(a.handle, kind, octets, C.size_t(len(data)), 0))
}

// Flush returns once everything handed over until now is delivered, for example before a Lambda
// freezes. What is left at the deadline of ctx, or after 30 s, is still under way.
func (a *Agent) Flush(ctx context.Context) error {
	return a.within(ctx, func(timeoutMs C.uint32_t) error {
		return errorOf(C.corelane_agent_flush(a.handle, timeoutMs))
	})
}

// Counters is what was received, sent and dropped so far: the snapshot of `corelane status`.
func (a *Agent) Counters() (map[string]any, error) {
	if err := a.enter(); err != nil {
		return nil, err
	}
	defer a.leave()
	var text *C.char
	if err := errorOf(C.corelane_agent_counters(a.handle, &text)); err != nil {
		return nil, err
	}
	defer C.corelane_string_free(text)
	var counters map[string]any
	err := json.Unmarshal([]byte(C.GoString(text)), &counters)
	return counters, err
}

// Wait returns when the agent ends, with the reason, or when ctx is done, with its error.
func (a *Agent) Wait(ctx context.Context) (ShutdownReason, error) {
	if err := a.enter(); err != nil {
		return 0, err
	}
	defer a.leave()
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		slice := waitSlice
		if left := left(ctx); left < slice {
			slice = left
		}
		reason := C.corelane_agent_wait(a.handle, milliseconds(slice))
		if reason < 0 {
			return 0, &Error{NotAvailable, "the agent belongs to another process"}
		}
		if reason != stillRunning {
			return ShutdownReason(reason), nil
		}
	}
}

// RequestStop asks the agent to end, which ends Wait. It does not wait itself.
func (a *Agent) RequestStop() {
	if a.enter() == nil {
		defer a.leave()
		C.corelane_agent_request_stop(a.handle)
	}
}

// Stop delivers what is left and ends the agent, until the deadline of ctx or for 30 s. After an
// error it may be repeated; a second stop is none.
func (a *Agent) Stop(ctx context.Context) error {
	err := a.within(ctx, func(timeoutMs C.uint32_t) error {
		err := errorOf(C.corelane_agent_stop(a.handle, timeoutMs))
		// It is so too when another goroutine was faster.
		if err == nil || errors.Is(err, NotAvailable) {
			a.lock.Lock()
			a.isStopped = true
			a.lock.Unlock()
		}
		return err
	})
	if errors.Is(err, NotAvailable) {
		return nil
	}
	return err
}

// Close is Stop with a time limit of 30 s.
func (a *Agent) Close() error {
	return a.Stop(context.Background())
}

// within makes a call that waits, and leaves it behind when ctx is done first.
func (a *Agent) within(ctx context.Context, call func(C.uint32_t) error) error {
	if err := a.enter(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		a.leave()
		return err
	}
	timeoutMs := milliseconds(left(ctx))
	done := make(chan error, 1)
	go func() {
		err := call(timeoutMs)
		a.leave()
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		// Both may be ready; what the library says is worth more.
		select {
		case err := <-done:
			return err
		default:
			return ctx.Err()
		}
	}
}

// left is the time until the deadline of ctx.
func left(ctx context.Context) time.Duration {
	deadline, hasDeadline := ctx.Deadline()
	if !hasDeadline {
		return timeoutDefault
	}
	return time.Until(deadline)
}

func milliseconds(duration time.Duration) C.uint32_t {
	switch number := duration.Milliseconds(); {
	case number < 0:
		return 0
	case number > math.MaxUint32:
		return math.MaxUint32
	default:
		return C.uint32_t(number)
	}
}

func portOf(address string) int {
	parsed, err := url.Parse(address)
	if err != nil {
		return 0
	}
	port, _ := strconv.Atoi(parsed.Port())
	return port
}
