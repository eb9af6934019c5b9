package corelane_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corelane "github.com/corelane/corelane/control/ffi/go"
)

// Nothing takes this long unless it is broken or the machine is overloaded.
const waitMax = time.Minute

// configs counts, so that each agent has a name of its own: two of one name that send a metric of one
// bucket overwrite each other's point at the intake.
var configs atomic.Int64

// config is an agent on ports that the system chooses, which delivers to the intake.
func config(t *testing.T) corelane.Config {
	t.Helper()
	return corelane.Config{
		APIKey:    "0123456789abcdef0123456789abcdef",
		DogStatsD: true,
		Settings: map[string]string{
			"dd_url":   intakeURL(t),
			"hostname": fmt.Sprintf("bed-%d-%d", os.Getpid(), configs.Add(1)),
			"run_path": t.TempDir(),
		},
	}
}

// ingestConfig takes logs and OTLP too, in-process and on ports that the system chooses.
func ingestConfig(t *testing.T) corelane.Config {
	t.Helper()
	chosen := config(t)
	for name, value := range map[string]string{
		"logs_enabled":             "true",
		"otlp_config.logs.enabled": "true",
		"logs_agent_port":          "0",
		"otlp_config.receiver.protocols.http.endpoint": "127.0.0.1:0",
		"otlp_config.receiver.protocols.grpc.endpoint": "127.0.0.1:0",
	} {
		chosen.Settings[name] = value
	}
	return chosen
}

func start(t *testing.T, config corelane.Config) *corelane.Agent {
	t.Helper()
	agent, err := corelane.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := agent.Close(); err != nil {
			t.Error(err)
		}
	})
	return agent
}

func TestMetricsOverUDPAndInProcessArrive(t *testing.T) {
	agent := start(t, config(t))
	client, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", agent.DogStatsDPort()))
	check(t, err)
	_, err = client.Write([]byte("bindings.go.udp:3|c"))
	check(t, err)
	check(t, client.Close())
	check(t, agent.SubmitDogStatsD([]byte("bindings.go.process:4|c\nbindings.go.process:5|c")))
	check(t, agent.SubmitDogStatsD([]byte("bindings.go.process:1|c|#t:é")))
	flush(t, agent)
	if total := totalOf(t, "bindings.go.process"); total != 10 {
		t.Errorf("%v arrived in-process", total)
	}
	check(t, agent.Close())
	if total := totalOf(t, "bindings.go.udp"); total != 3 {
		t.Errorf("%v arrived over UDP", total)
	}
}

func TestTracesOverTCPAndInProcessArrive(t *testing.T) {
	agent := start(t, config(t))
	body := bytes.NewReader(tracePayload("bindings-go", "tcp"))
	request, err := http.NewRequest(http.MethodPost, agent.TraceURL()+"/v0.4/traces", body)
	check(t, err)
	request.Header.Set("Content-Type", "application/msgpack")
	request.Header.Set("X-Datadog-Trace-Count", "1")
	answer, err := http.DefaultClient.Do(request)
	check(t, err)
	check(t, answer.Body.Close())
	if answer.StatusCode != http.StatusOK {
		t.Error(answer.Status)
	}
	check(t, agent.SubmitTraces(corelane.TraceV04, tracePayload("bindings-go", "process")))
	flush(t, agent)
	var spans []struct{ Name string }
	ask(t, "spans?service=bindings-go", &spans)
	sort.Slice(spans, func(a, b int) bool { return spans[a].Name < spans[b].Name })
	if len(spans) != 2 || spans[0].Name != "process" || spans[1].Name != "tcp" {
		t.Error(spans)
	}
}

func TestLogsOverHTTPAndInProcessArrive(t *testing.T) {
	agent := start(t, ingestConfig(t))
	const service = "bindings-go"
	body := logEntries(t, service, "http")
	post(t, agent.LogsURL()+"/v1/input", "application/json", body)
	check(t, agent.SubmitLogs(logEntries(t, service, "process")))
	flush(t, agent)
	var logs []struct {
		Message, Status string
		Tags            []string
	}
	ask(t, "logs?service="+service, &logs)
	sort.Slice(logs, func(a, b int) bool { return logs[a].Message < logs[b].Message })
	if len(logs) != 2 || logs[0].Message != "http" || logs[1].Message != "process" {
		t.Fatal(logs)
	}
	for _, log := range logs {
		if log.Status != "warn" || len(log.Tags) != 1 || log.Tags[0] != "t:é" {
			t.Error(log)
		}
	}
}

func TestOTLPOverHTTPAndInProcessArrives(t *testing.T) {
	agent := start(t, ingestConfig(t))
	const service = "bindings-go-otlp"
	body := otlpCount(service, "bindings.go.otlp_http", 2)
	post(t, agent.OTLPHTTPURL()+"/v1/metrics", "application/x-protobuf", body)
	check(t, agent.SubmitOTLP(corelane.OTLPTraces, otlpSpan(service, "otlp")))
	check(t, agent.SubmitOTLP(corelane.OTLPMetrics, otlpCount(service, "bindings.go.otlp", 4)))
	check(t, agent.SubmitOTLP(corelane.OTLPLogs, otlpLog(service, "otlp")))
	flush(t, agent)
	var spans []struct{ Resource string }
	ask(t, "spans?service="+service, &spans)
	if len(spans) != 1 || spans[0].Resource != "otlp" {
		t.Error(spans)
	}
	if total := totalOf(t, "bindings.go.otlp_http"); total != 2 {
		t.Errorf("%v arrived over HTTP", total)
	}
	if total := totalOf(t, "bindings.go.otlp"); total != 4 {
		t.Errorf("%v arrived in-process", total)
	}
	var logs []struct{ Message, Status, Source string }
	ask(t, "logs?service="+service, &logs)
	if len(logs) != 1 || logs[0].Status != "error" || logs[0].Source != "otlp_log_ingestion" {
		t.Fatal(logs)
	}
	var message struct{ Message string }
	check(t, json.Unmarshal([]byte(logs[0].Message), &message))
	if message.Message != "otlp" {
		t.Error(logs)
	}
}

func TestUnixSocketsTakeThePlaceOfPorts(t *testing.T) {
	chosen := config(t)
	chosen.Mode = corelane.HTTPUDS
	agent := start(t, chosen)
	if port := agent.BoundPort(); port != 0 {
		t.Error(port)
	}
	path := agent.SocketPath()
	about, err := os.Stat(path)
	check(t, err)
	if about.Mode().Perm() != 0o600 {
		t.Error(about.Mode())
	}
	dial := func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) }
	client := http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	answer, err := client.Get("http://agent/info")
	check(t, err)
	check(t, answer.Body.Close())
	if answer.StatusCode != http.StatusOK {
		t.Error(answer.Status)
	}
	check(t, agent.Close())
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestAStopDeliversWhatIsLeft(t *testing.T) {
	agent := start(t, config(t))
	check(t, agent.SubmitDogStatsD([]byte("bindings.go.stop:7|c")))
	check(t, agent.Close())
	if total := totalOf(t, "bindings.go.stop"); total != 7 {
		t.Errorf("%v arrived", total)
	}
}

func TestWhatRunsIsTold(t *testing.T) {
	agent := start(t, config(t))
	if version := corelane.Version(); strings.Count(version, ".") != 2 {
		t.Error(version)
	}
	if url := fmt.Sprintf("http://127.0.0.1:%d", agent.BoundPort()); agent.TraceURL() != url {
		t.Error(agent.TraceURL())
	}
	if url := fmt.Sprintf("udp://127.0.0.1:%d", agent.DogStatsDPort()); agent.DogStatsDURL() != url {
		t.Error(agent.DogStatsDURL())
	}
	if url, err := agent.Endpoint(corelane.EndpointOTLPGRPC); url != "" || err != nil {
		t.Error(url, err)
	}
	for _, url := range []string{agent.LogsURL(), agent.OTLPHTTPURL(), agent.OTLPGRPCURL()} {
		if url != "" {
			t.Error(url)
		}
	}
	if counters, err := agent.Counters(); len(counters) == 0 || err != nil {
		t.Error(counters, err)
	}
}

func TestListenersOfLogsAndOTLPAreTold(t *testing.T) {
	agent := start(t, ingestConfig(t))
	told := map[string]bool{}
	for kind, url := range map[corelane.Endpoint]string{
		corelane.EndpointLogs:     agent.LogsURL(),
		corelane.EndpointOTLPHTTP: agent.OTLPHTTPURL(),
		corelane.EndpointOTLPGRPC: agent.OTLPGRPCURL(),
	} {
		if same, err := agent.Endpoint(kind); same != url || err != nil {
			t.Error(kind, same, url, err)
		}
		const scheme = "http://"
		if !strings.HasPrefix(url, scheme+"127.0.0.1:") {
			t.Fatal(kind, url)
		}
		connection, err := net.Dial("tcp", strings.TrimPrefix(url, scheme))
		check(t, err)
		check(t, connection.Close())
		told[url] = true
	}
	if len(told) != 3 {
		t.Error(told)
	}
}

func TestWhatCannotStartSaysWhy(t *testing.T) {
	running := start(t, config(t))
	for _, one := range []struct {
		change  func(*corelane.Config)
		code    corelane.Code
		message string
	}{
		{func(c *corelane.Config) { c.APIKey = "" }, corelane.ConfigError, "api_key"},
		{func(c *corelane.Config) { c.Settings["no.such.key"] = "1" }, corelane.ConfigError,
			"no.such.key"},
		{func(c *corelane.Config) { c.Service = "a\x00b" }, corelane.InvalidString, "NUL"},
		{func(c *corelane.Config) { c.File = "/absent.yaml" }, corelane.ConfigError, "absent.yaml"},
		{func(c *corelane.Config) {
			c.Mode = corelane.HTTPFixedPort
			c.TracePort = corelane.Port(uint16(running.BoundPort()))
		}, corelane.StartupError, strconv.Itoa(running.BoundPort())},
	} {
		chosen := config(t)
		one.change(&chosen)
		_, err := corelane.Start(chosen)
		if !errors.Is(err, one.code) || !strings.Contains(err.Error(), one.message) {
			t.Errorf("%v, expected %v with %s", err, one.code, one.message)
		}
	}
}

func TestAfterAStopCallsAreRefused(t *testing.T) {
	agent := start(t, config(t))
	check(t, agent.Close())
	check(t, agent.Close())
	agent.RequestStop()
	_, errCounters := agent.Counters()
	_, errWait := agent.Wait(context.Background())
	_, errEndpoint := agent.Endpoint(corelane.EndpointTrace)
	for index, err := range []error{
		agent.SubmitDogStatsD([]byte("a:1|c")),
		agent.SubmitTraces(corelane.TraceV04, []byte{0x90}),
		agent.SubmitLogs([]byte("[]")),
		agent.SubmitOTLP(corelane.OTLPMetrics, []byte{10, 0}),
		agent.Flush(context.Background()),
		errCounters, errWait, errEndpoint,
	} {
		if !errors.Is(err, corelane.NotAvailable) {
			t.Error(index, err)
		}
	}
	if agent.BoundPort() != 0 {
		t.Error("a port of an agent that is stopped")
	}
}

func TestWhatTheLibraryDoesNotTakeIsRefused(t *testing.T) {
	agent := start(t, config(t))
	if err := agent.SubmitDogStatsD([]byte{}); !errors.Is(err, corelane.InvalidDataFormat) {
		t.Error(err)
	}
	if err := agent.SubmitTraces(corelane.TraceV1, []byte{0x90}); !errors.Is(err, corelane.InvalidDataFormat) {
		t.Error(err)
	}
	agent = start(t, ingestConfig(t))
	text := []byte("plain text")
	for index, err := range []error{
		agent.SubmitLogs(text),
		agent.SubmitOTLP(corelane.OTLPTraces, text),
		agent.SubmitOTLP(corelane.OTLPMetrics, text),
		agent.SubmitOTLP(corelane.OTLPLogs, text),
	} {
		if !errors.Is(err, corelane.InvalidDataFormat) {
			t.Error(index, err)
		}
	}
}

func TestWhatIsOffIsNotAvailable(t *testing.T) {
	chosen := config(t)
	chosen.Settings["otlp_config.traces.enabled"] = "false"
	chosen.Settings["otlp_config.metrics.enabled"] = "false"
	agent := start(t, chosen)
	request := []byte{10, 0}
	for key, err := range map[string]error{
		"logs_enabled":    agent.SubmitLogs([]byte("[]")),
		"traces.enabled":  agent.SubmitOTLP(corelane.OTLPTraces, request),
		"metrics.enabled": agent.SubmitOTLP(corelane.OTLPMetrics, request),
		"logs.enabled":    agent.SubmitOTLP(corelane.OTLPLogs, request),
	} {
		if !errors.Is(err, corelane.NotAvailable) || !strings.Contains(err.Error(), key) {
			t.Error(key, err)
		}
	}
}

func TestContextsEndAWaitAndAFlush(t *testing.T) {
	agent := start(t, config(t))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		_, err := agent.Wait(ctx)
		ended <- err
	}()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := agent.Flush(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	go agent.RequestStop()
	if reason, err := agent.Wait(context.Background()); reason != corelane.GracefulShutdown {
		t.Error(reason, err)
	}
}

func TestManyStartsAndStopsLeaveNothing(t *testing.T) {
	cycles := 100
	if text, isSet := os.LookupEnv("CORELANE_TEST_CYCLES"); isSet {
		number, err := strconv.Atoi(text)
		check(t, err)
		cycles = number
	}
	http.DefaultClient.CloseIdleConnections()
	cycle := func() {
		agent, err := corelane.Start(config(t))
		check(t, err)
		check(t, agent.SubmitDogStatsD([]byte("bindings.go.cycles:1|c")))
		check(t, agent.Close())
	}
	for range [5]int{} {
		cycle()
	}
	before := agentThreads(t)
	descriptors := countIn(t, "/proc/self/fd")
	for ; cycles > 0; cycles-- {
		cycle()
	}
	// The kernel lists a thread that was joined a little longer.
	for end := time.Now().Add(waitMax); len(agentThreads(t)) > len(before); {
		if time.Now().After(end) {
			t.Fatalf("threads: %v, then %v", before, agentThreads(t))
		}
		time.Sleep(5 * time.Millisecond)
	}
	if after := countIn(t, "/proc/self/fd"); after > descriptors {
		t.Errorf("descriptors: %d, then %d", descriptors, after)
	}
}

func TestAForgottenAgentIsStoppedWhenCollected(t *testing.T) {
	before := len(agentThreads(t))
	func() {
		agent, err := corelane.Start(config(t))
		check(t, err)
		check(t, agent.SubmitDogStatsD([]byte("bindings.go.forgotten:2|c")))
	}()
	for end := time.Now().Add(waitMax); len(agentThreads(t)) > before; {
		if time.Now().After(end) {
			t.Fatal(agentThreads(t))
		}
		runtime.GC()
		time.Sleep(5 * time.Millisecond)
	}
	if total := totalOf(t, "bindings.go.forgotten"); total != 2 {
		t.Errorf("%v arrived", total)
	}
}

func TestLogsReachAFunction(t *testing.T) {
	var lines atomic.Int64
	corelane.SetLogFunction(func(_ corelane.LogLevel, message string) {
		if message != "" {
			lines.Add(1)
		}
	})
	chosen := config(t)
	chosen.LogLevel = corelane.LogDebug
	agent := start(t, chosen)
	check(t, agent.Close())
	corelane.SetLogFunction(nil)
	if lines.Load() == 0 {
		t.Error("no line")
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func flush(t *testing.T, agent *corelane.Agent) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), waitMax)
	defer cancel()
	check(t, agent.Flush(ctx))
}

func intakeURL(t *testing.T) string {
	t.Helper()
	url, isSet := os.LookupEnv("CORELANE_TEST_INTAKE")
	if !isSet {
		t.Fatal("CORELANE_TEST_INTAKE is not set: the tests need the local intake")
	}
	return url
}

// ask is the intake's answer to a question about what it received.
func ask(t *testing.T, question string, answer any) {
	t.Helper()
	response, err := http.Get(intakeURL(t) + "/_corelane/" + question)
	check(t, err)
	body, err := io.ReadAll(response.Body)
	check(t, err)
	check(t, response.Body.Close())
	check(t, json.Unmarshal(body, answer))
}

// totalOf is the sum over all points of a count.
func totalOf(t *testing.T, metric string) float64 {
	t.Helper()
	var series []struct{ Total float64 }
	ask(t, "metrics?name="+metric, &series)
	total := 0.0
	for _, one := range series {
		total += one.Total
	}
	return total
}

// agentThreads is the names of the threads that an agent has started. Go starts others as it likes.
func agentThreads(t *testing.T) []string {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	check(t, err)
	var names []string
	own, err := os.ReadFile("/proc/self/comm")
	check(t, err)
	for _, task := range tasks {
		name, err := os.ReadFile("/proc/self/task/" + task.Name() + "/comm")
		if err == nil && !bytes.Equal(name, own) {
			names = append(names, strings.TrimSpace(string(name)))
		}
	}
	return names
}

func countIn(t *testing.T, directory string) int {
	t.Helper()
	entries, err := os.ReadDir(directory)
	check(t, err)
	return len(entries)
}

// post hands a body to a listener, which takes it.
func post(t *testing.T, url, media string, body []byte) {
	t.Helper()
	answer, err := http.Post(url, media, bytes.NewReader(body))
	check(t, err)
	check(t, answer.Body.Close())
	if answer.StatusCode != http.StatusOK {
		t.Error(answer.Status)
	}
}

// logEntries is a list of one log of now.
func logEntries(t *testing.T, service, message string) []byte {
	t.Helper()
	body, err := json.Marshal([]any{map[string]any{
		"message": message, "timestamp": time.Now().UnixMilli(), "service": service,
		"status": "warn", "ddtags": "t:é",
	}})
	check(t, err)
	return body
}

// otlpSpan is an OTLP request of one span of now.
func otlpSpan(service, name string) []byte {
	now := uint64(time.Now().UnixNano())
	return otlpRequest(service, field(1, bytes.Repeat([]byte{7}, 16)),
		field(2, bytes.Repeat([]byte{9}, 8)), field(5, []byte(name)), number(6, 2),
		fixed(7, now-1_000_000), fixed(8, now))
}

// otlpCount is an OTLP request of a sum, counted up in the last second.
func otlpCount(service, name string, value float64) []byte {
	now := uint64(time.Now().UnixNano())
	point := field(1, fixed(2, now-1_000_000_000), fixed(3, now), fixed(4, math.Float64bits(value)))
	// Delta, monotonic.
	return otlpRequest(service, field(1, []byte(name)), field(7, point, number(2, 1), number(3, 1)))
}

// otlpLog is an OTLP request of one log of now, an error.
func otlpLog(service, message string) []byte {
	now := uint64(time.Now().UnixNano())
	return otlpRequest(service, fixed(1, now), number(2, 17), field(5, field(1, []byte(message))))
}

// otlpRequest is alike for all signals down to the item.
func otlpRequest(service string, item ...[]byte) []byte {
	attribute := field(1, field(1, []byte("service.name")), field(2, field(1, []byte(service))))
	return field(1, field(1, attribute), field(2, field(2, item...)))
}

// field is a protobuf field of octets, such as those of a message.
func field(index uint64, parts ...[]byte) []byte {
	octets := bytes.Join(parts, nil)
	head := binary.AppendUvarint(binary.AppendUvarint(nil, index<<3|2), uint64(len(octets)))
	return append(head, octets...)
}

// number is a protobuf field of a small number.
func number(index, value uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(nil, index<<3), value)
}

// fixed is a protobuf field of 64 bits.
func fixed(index, bits uint64) []byte {
	return binary.LittleEndian.AppendUint64(binary.AppendUvarint(nil, index<<3|1), bits)
}

// tracePayload is one trace of one span, as a tracer posts it to /v0.4/traces.
func tracePayload(service, name string) []byte {
	packed := []byte{0x91, 0x91, 0x8c}
	text := func(value string) {
		packed = append(packed, 0xd9, byte(len(value)))
		packed = append(packed, value...)
	}
	number := func(key string, value uint64) {
		text(key)
		packed = append(packed, 0xcf)
		packed = binary.BigEndian.AppendUint64(packed, value)
	}
	for _, pair := range [][2]string{
		{"service", service}, {"name", name}, {"resource", "GET /"}, {"type", "web"},
	} {
		text(pair[0])
		text(pair[1])
	}
	number("trace_id", 7)
	number("span_id", 9)
	number("parent_id", 0)
	number("start", 1_700_000_000_000_000_000)
	number("duration", 1_000_000)
	number("error", 0)
	text("meta")
	packed = append(packed, 0x80)
	text("metrics")
	packed = append(packed, 0x81)
	number("_sampling_priority_v1", 2)
	return packed
}
