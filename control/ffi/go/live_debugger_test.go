package corelane_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	corelane "github.com/corelane/corelane/control/ffi/go"
)

const debuggerKey = "0123456789abcdef0123456789abcdef"

// debuggerIntake takes everything, and keeps what it got by body.
type debuggerIntake struct {
	*httptest.Server
	lock     sync.Mutex
	received map[string]*http.Request
}

func newDebuggerIntake(t *testing.T) *debuggerIntake {
	t.Helper()
	intake := &debuggerIntake{received: map[string]*http.Request{}}
	intake.Server = httptest.NewServer(http.HandlerFunc(
		func(answer http.ResponseWriter, request *http.Request) {
			body, err := io.ReadAll(request.Body)
			if err != nil {
				return
			}
			intake.lock.Lock()
			intake.received[string(body)] = request
			intake.lock.Unlock()
			answer.WriteHeader(http.StatusAccepted)
		},
	))
	t.Cleanup(intake.Close)
	return intake
}

func (i *debuggerIntake) of(t *testing.T, part string) *http.Request {
	t.Helper()
	i.lock.Lock()
	defer i.lock.Unlock()
	for body, request := range i.received {
		if strings.Contains(body, part) {
			return request
		}
	}
	t.Fatalf("%s has not arrived", part)
	return nil
}

func newSender(t *testing.T, config corelane.DebuggerConfig) *corelane.LiveDebuggerSender {
	t.Helper()
	sender, err := corelane.NewLiveDebuggerSender(config)
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

func TestEveryTrackOfTheDebuggerReachesItsPath(t *testing.T) {
	intake := newDebuggerIntake(t)
	endpoint := &corelane.DebuggerEndpoint{URL: intake.URL, APIKey: debuggerKey, Timeout: waitMax}
	sender := newSender(t, corelane.DebuggerConfig{
		Endpoint:        endpoint,
		SymDBEndpoint:   endpoint,
		DebuggerVersion: "1.0",
		Env:             "bed",
		Version:         "2",
		RuntimeID:       "rid",
		Tags:            [][2]string{{"team", "a b"}},
	})
	for kind, payload := range map[corelane.DebuggerType]string{
		corelane.Snapshots:   `[{"s":1}]`,
		corelane.Logs:        `{"l":1}`,
		corelane.Diagnostics: `[{"d":1}]`,
	} {
		if err := sender.Send(kind, []byte(payload)); err != nil {
			t.Error(err)
		}
	}
	if err := sender.SendSymDB("text/plain", []byte("symbols")); err != nil {
		t.Error(err)
	}
	want := corelane.SenderCounts{Queued: 4, Sent: 4}
	if counts := sender.Close(); counts != want {
		t.Errorf("counts are %+v", counts)
	}
	snapshot := intake.of(t, `[{"s":1}]`)
	if got := snapshot.Header.Get("DD-API-KEY"); got != debuggerKey {
		t.Errorf("the key is %q", got)
	}
	query := snapshot.URL.RawQuery
	if snapshot.URL.Path != "/api/v2/debugger" ||
		!strings.Contains(query, "debugger_version:1.0,env:bed,version:2,runtime_id:rid,") ||
		!strings.HasSuffix(query, ",team:a%20b") {
		t.Errorf("sent to %s", snapshot.URL)
	}
	if got := intake.of(t, "symbols").Header.Get("DD-EVP-ORIGIN"); got != "agent-symdb" {
		t.Errorf("the origin of symbols is %q", got)
	}
	intake.of(t, `[{"l":1}]`)
	intake.of(t, `event.json`)
}

func TestADebuggerWithoutAKeyTalksToAnAgentAndCopiesToAFile(t *testing.T) {
	intake := newDebuggerIntake(t)
	path := filepath.Join(t.TempDir(), "out")
	sender := newSender(t, corelane.DebuggerConfig{
		Endpoint: &corelane.DebuggerEndpoint{
			URL: intake.URL, Timeout: waitMax, TestToken: "t-1",
		},
		AdditionalEndpoints: []corelane.DebuggerEndpoint{{URL: "file://" + path}},
	})
	if err := sender.Send(corelane.Logs, []byte("[1]")); err != nil {
		t.Fatal(err)
	}
	if refused := sender.Counts().Refused; refused != 0 {
		t.Errorf("%d were refused", refused)
	}
	sender.Close()
	request := intake.of(t, "[1]")
	if request.URL.Path != "/debugger/v2/input" ||
		request.Header.Get("DD-EVP-ORIGIN") != "" ||
		request.Header.Get("X-Datadog-Test-Session-Token") != "t-1" {
		t.Errorf("sent to %s with %v", request.URL, request.Header)
	}
	if written, err := os.ReadFile(path); err != nil || string(written) != "[1]\n" {
		t.Errorf("the file has %q, %v", written, err)
	}
	sender.Close()
	if err := sender.Send(corelane.Logs, []byte("[1]")); !errors.Is(err, corelane.NotAvailable) {
		t.Errorf("a closed sender answers %v", err)
	}
}

func TestWhatIsNoEndpointOrTagIsAnError(t *testing.T) {
	for _, config := range []corelane.DebuggerConfig{
		{Endpoint: &corelane.DebuggerEndpoint{URL: "no url at all"}},
		{Tags: [][2]string{{"", "x"}}},
	} {
		if _, err := corelane.NewLiveDebuggerSender(config); !errors.Is(err, corelane.ConfigError) {
			t.Errorf("%+v: %v", config, err)
		}
	}
}
