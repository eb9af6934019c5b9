package corelane

// #include <stdlib.h>
// #include "datadog_agent_native.h"
import "C"

import (
	"runtime"
	"sync"
	"time"
	"unsafe"
)

// DebuggerType says what a payload of the Live Debugger holds.
type DebuggerType int

// The kinds of payloads.
const (
	// Diagnostics is the state of a probe.
	Diagnostics DebuggerType = C.DDOG_DEBUGGER_TYPE_DIAGNOSTICS
	// Snapshots are with captured values.
	Snapshots DebuggerType = C.DDOG_DEBUGGER_TYPE_SNAPSHOTS
	// Logs are without.
	Logs DebuggerType = C.DDOG_DEBUGGER_TYPE_LOGS
)

// DebuggerEndpoint is one place to send to: an agent's URL, or an intake's with a key, or a file of
// tests (file:///path).
type DebuggerEndpoint struct {
	// URL, as http://127.0.0.1:8126 or unix:///path.
	URL string
	// Site of an intake, such as datadoghq.com, in place of a URL.
	Site string
	// APIKey makes it an intake.
	APIKey string
	// Timeout of each wait; 0 takes 3 seconds.
	Timeout time.Duration
	// TestToken names a session of a test agent.
	TestToken string
}

// DebuggerConfig says where a sender sends to and what it tells along with each payload.
type DebuggerConfig struct {
	// Endpoint gets snapshots, logs and diagnostics.
	Endpoint *DebuggerEndpoint
	// SymDBEndpoint gets symbol databases; without one they are refused.
	SymDBEndpoint *DebuggerEndpoint
	// AdditionalEndpoints get a copy of everything that Endpoint gets.
	AdditionalEndpoints []DebuggerEndpoint
	// AdditionalSymDBEndpoints get a copy of every symbol database.
	AdditionalSymDBEndpoints []DebuggerEndpoint

	DebuggerVersion, Env, Version, RuntimeID string
	// Tags, each a key and a value.
	Tags [][2]string
}

// SenderCounts says what became of payloads: Queued = Sent + Failed + those that wait or are under
// way.
type SenderCounts struct {
	// Queued were taken into the queue.
	Queued uint64
	// Sent were accepted by the primary endpoint.
	Sent uint64
	// Failed were refused by it, or not answered in time.
	Failed uint64
	// Refused were not taken into the queue.
	Refused uint64
}

// LiveDebuggerSender sends payloads of the Live Debugger and symbol databases from a thread of its
// own. It may be used by several goroutines at a time. One that is collected sends what is queued,
// and nobody waits for it.
type LiveDebuggerSender struct {
	lock   sync.RWMutex
	handle *C.ddog_SenderHandle
}

// NewLiveDebuggerSender starts a sender.
func NewLiveDebuggerSender(config DebuggerConfig) (*LiveDebuggerSender, error) {
	endpoints := C.ddog_live_debugger_sender_config_new()
	tags, err := config.apply(endpoints)
	if err != nil {
		C.ddog_live_debugger_sender_config_drop(endpoints)
		return nil, err
	}
	sender := &LiveDebuggerSender{}
	// Takes both, whatever comes of it.
	spawned := C.ddog_live_debugger_spawn_sender_with_config(endpoints, tags, &sender.handle)
	if err := maybeError(spawned); err != nil {
		return nil, err
	}
	runtime.SetFinalizer(sender, func(left *LiveDebuggerSender) {
		C.ddog_live_debugger_drop_sender(left.handle)
	})
	return sender, nil
}

// Send queues a JSON array of payloads, or one payload, which is copied. It never waits: without
// room the error is a SubmissionError.
func (s *LiveDebuggerSender) Send(kind DebuggerType, payload []byte) error {
	s.lock.RLock()
	defer s.lock.RUnlock()
	if s.handle == nil {
		return errClosedSender
	}
	data, free := sliceOf(string(payload))
	defer free()
	return queued(C.corelane_live_debugger_send_copy(s.handle, C.int32_t(kind), data))
}

// SendSymDB queues an upload of a symbol database. As Send.
func (s *LiveDebuggerSender) SendSymDB(contentType string, payload []byte) error {
	s.lock.RLock()
	defer s.lock.RUnlock()
	if s.handle == nil {
		return errClosedSender
	}
	kind, freeKind := sliceOf(contentType)
	defer freeKind()
	data, free := sliceOf(string(payload))
	defer free()
	return queued(C.corelane_live_debugger_send_symdb_copy(s.handle, kind, data))
}

// Counts says what became of payloads so far; nothing after Close.
func (s *LiveDebuggerSender) Counts() SenderCounts {
	s.lock.RLock()
	defer s.lock.RUnlock()
	return countsOf(C.corelane_live_debugger_counts(s.handle))
}

// Close sends what is queued, waits for it, and ends the sender. A second call does nothing.
func (s *LiveDebuggerSender) Close() SenderCounts {
	s.lock.Lock()
	handle := s.handle
	s.handle = nil
	s.lock.Unlock()
	runtime.SetFinalizer(s, nil)
	var counts C.ddog_SenderCounts
	C.corelane_live_debugger_close(handle, &counts)
	return countsOf(counts)
}

var errClosedSender = &Error{Code: NotAvailable, Message: "the sender is closed"}

func queued(isQueued C.bool) error {
	if isQueued {
		return nil
	}
	return &Error{Code: SubmissionError, Message: "the payload was not taken: the queue is full"}
}

func countsOf(counts C.ddog_SenderCounts) SenderCounts {
	return SenderCounts{
		Queued:  uint64(counts.queued),
		Sent:    uint64(counts.sent),
		Failed:  uint64(counts.failed),
		Refused: uint64(counts.refused),
	}
}

// apply adds all endpoints and makes the tags.
func (c *DebuggerConfig) apply(config *C.ddog_SenderConfig) (*C.ddog_Tags, error) {
	add := func(
		endpoint *DebuggerEndpoint,
		adding func(*C.ddog_Endpoint) C.ddog_MaybeError,
	) error {
		if endpoint == nil {
			return nil
		}
		made, err := endpoint.make()
		if err != nil {
			return err
		}
		defer C.ddog_endpoint_drop(made)
		return maybeError(adding(made))
	}
	if err := add(c.Endpoint, func(made *C.ddog_Endpoint) C.ddog_MaybeError {
		return C.ddog_live_debugger_sender_config_set_endpoint(config, made)
	}); err != nil {
		return nil, err
	}
	if err := add(c.SymDBEndpoint, func(made *C.ddog_Endpoint) C.ddog_MaybeError {
		return C.ddog_live_debugger_sender_config_set_symdb_endpoint(config, made)
	}); err != nil {
		return nil, err
	}
	for index := range c.AdditionalEndpoints {
		if err := add(&c.AdditionalEndpoints[index], func(made *C.ddog_Endpoint) C.ddog_MaybeError {
			return C.ddog_live_debugger_sender_config_add_additional_endpoint(config, made)
		}); err != nil {
			return nil, err
		}
	}
	for index := range c.AdditionalSymDBEndpoints {
		if err := add(&c.AdditionalSymDBEndpoints[index], func(made *C.ddog_Endpoint) C.ddog_MaybeError {
			return C.ddog_live_debugger_sender_config_add_additional_symdb_endpoint(config, made)
		}); err != nil {
			return nil, err
		}
	}
	return c.tags()
}

func (c *DebuggerConfig) tags() (*C.ddog_Tags, error) {
	collected := C.ddog_Vec_Tag_new()
	for _, tag := range c.Tags {
		key, freeKey := sliceOf(tag[0])
		value, freeValue := sliceOf(tag[1])
		pushed := C.ddog_Vec_Tag_push(&collected, key, value)
		freeKey()
		freeValue()
		if pushed.tag == C.DDOG_VEC_TAG_PUSH_RESULT_ERR {
			// Go sees a union as bytes.
			message := (*C.ddog_Error)(unsafe.Pointer(&pushed.anon0[0]))
			err := &Error{Code: ConfigError, Message: textOf(message)}
			C.ddog_Error_drop(message)
			C.ddog_Vec_Tag_drop(collected)
			return nil, err
		}
	}
	var texts [4]C.ddog_CharSlice
	for index, text := range []string{c.DebuggerVersion, c.Env, c.Version, c.RuntimeID} {
		slice, free := sliceOf(text)
		defer free()
		texts[index] = slice
	}
	return C.ddog_live_debugger_build_tags(texts[0], texts[1], texts[2], texts[3], collected), nil
}

func (e *DebuggerEndpoint) make() (*C.ddog_Endpoint, error) {
	key, freeKey := sliceOf(e.APIKey)
	defer freeKey()
	var made *C.ddog_Endpoint
	if e.Site != "" {
		site, free := sliceOf(e.Site)
		defer free()
		found := C.ddog_live_debugger_endpoint_from_site_and_api_key(site, key, &made)
		if err := maybeError(found); err != nil {
			return nil, err
		}
	} else {
		url, free := sliceOf(e.URL)
		defer free()
		made = C.ddog_endpoint_from_url(url)
		if made == nil {
			return nil, &Error{Code: ConfigError, Message: "not an endpoint: " + e.URL}
		}
		if e.APIKey != "" {
			C.ddog_live_debugger_endpoint_set_api_key(made, key)
		}
	}
	if e.Timeout > 0 {
		C.ddog_endpoint_set_timeout(made, C.uint64_t(e.Timeout.Milliseconds()))
	}
	if e.TestToken != "" {
		token, free := sliceOf(e.TestToken)
		defer free()
		C.ddog_endpoint_set_test_token(made, token)
	}
	return made, nil
}

// sliceOf copies a text, and says how to free it.
func sliceOf(text string) (C.ddog_CharSlice, func()) {
	copied := C.CString(text)
	return C.ddog_CharSlice{ptr: copied, len: C.size_t(len(text))}, func() {
		C.free(unsafe.Pointer(copied))
	}
}

func maybeError(maybe C.ddog_MaybeError) error {
	if maybe.tag != C.DDOG_MAYBE_ERROR_SOME_ERROR {
		return nil
	}
	message := textOf((*C.ddog_Error)(unsafe.Pointer(&maybe.anon0[0])))
	C.ddog_MaybeError_drop(maybe)
	return &Error{Code: ConfigError, Message: message}
}

func textOf(message *C.ddog_Error) string {
	return C.GoStringN((*C.char)(unsafe.Pointer(message.message.ptr)), C.int(message.message.len))
}
