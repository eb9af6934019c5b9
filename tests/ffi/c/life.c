/* One program, many lives: `life NAME`. Each prints what the test reads, and checks the rest. */
#define _GNU_SOURCE
#include "datadog_agent_native.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition)                                                        \
    do {                                                                        \
        if (!(condition)) {                                                     \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                            \
        }                                                                       \
    } while (0)

/* Ends the program unless the call succeeded. */
static void ok(corelane_error *error, int line) {
    if (error == NULL) return;
    fprintf(stderr, "%d: %d %s\n", line, corelane_error_code(error), corelane_error_message(error));
    exit(1);
}
#define OK(call) ok((call), __LINE__)

/* The code of a call that must fail. */
static DatadogError code(corelane_error *error) {
    DatadogError found = corelane_error_code(error);
    if (error != NULL) CHECK(strlen(corelane_error_message(error)) > 0);
    corelane_error_free(error);
    return found;
}

/* With settings: names and values in turn, and a NULL. */
static corelane_agent *start_with(const char *mode, const char *dogstatsd, const char **settings) {
    corelane_config *config = corelane_config_new();
    corelane_agent *agent = NULL;
    OK(corelane_config_load_env(config));
    OK(corelane_config_set(config, "agent_mode", mode));
    OK(corelane_config_set(config, "DD_DOGSTATSD_ENABLED", dogstatsd));
    for (; *settings != NULL; settings += 2)
        OK(corelane_config_set(config, settings[0], settings[1]));
    OK(corelane_agent_start(config, &agent));
    corelane_config_free(config);
    CHECK(agent != NULL);
    return agent;
}

static corelane_agent *start(const char *mode, const char *dogstatsd) {
    const char *none = NULL;
    return start_with(mode, dogstatsd, &none);
}

static corelane_error *submit_text(corelane_agent *agent, int kind, const char *text) {
    return corelane_agent_submit(agent, kind, (const uint8_t *)text, strlen(text), 0);
}

static void submit(corelane_agent *agent, const char *text) {
    OK(submit_text(agent, CORELANE_DATA_DOGSTATSD, text));
}

static void end(corelane_agent *agent) {
    OK(corelane_agent_stop(agent, 30000));
    corelane_agent_free(agent);
}

static void endpoint(corelane_agent *agent, int kind, char *url, size_t room) {
    size_t length = 0;
    OK(corelane_agent_endpoint(agent, kind, NULL, &length));
    CHECK(length > 1 && length <= room);
    size_t small = length - 1;
    CHECK(code(corelane_agent_endpoint(agent, kind, url, &small)) == DATADOG_RUNTIME_ERROR);
    CHECK(small == length);
    OK(corelane_agent_endpoint(agent, kind, url, &length));
    CHECK(strlen(url) + 1 == length);
}

static void send_udp(int port, const char *text) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, sizeof to) > 0);
    close(fd);
}

static void send_unix(const char *path, const char *text) {
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strncpy(to.sun_path, path, sizeof to.sun_path - 1);
    CHECK(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, sizeof to) > 0);
    close(fd);
}

static int count_of(const char *path) {
    DIR *directory = opendir(path);
    int count = 0;
    CHECK(directory != NULL);
    while (readdir(directory) != NULL) count++;
    closedir(directory);
    return count;
}

static long resident_kib(void) {
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL && fscanf(file, "%ld %ld", &pages, &resident) == 2);
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Start, send by a socket and without, flush, count, stop. */
static void life_send(void) {
    corelane_agent *agent = start("http_ephemeral_port", "true");
    char url[256];
    endpoint(agent, CORELANE_ENDPOINT_TRACE, url, sizeof url);
    CHECK(strncmp(url, "http://127.0.0.1:", 17) == 0 && atoi(url + 17) > 0);
    endpoint(agent, CORELANE_ENDPOINT_DOGSTATSD, url, sizeof url);
    CHECK(strncmp(url, "udp://127.0.0.1:", 16) == 0);
    send_udp(atoi(url + 16), "ffi.udp:3|c|#from:c");
    submit(agent, "ffi.inside:4|c|#from:c\nffi.wide:5|d\n");
    char *counters = NULL;
    for (int n = 0; n < 2000; n++) {
        OK(corelane_agent_counters(agent, &counters));
        int is_there = strstr(counters, "\"udp_packets\":1") != NULL;
        corelane_string_free(counters);
        if (is_there) break;
        usleep(10000);
    }
    OK(corelane_agent_flush(agent, 30000));
    printf("flushed\n");
    fflush(stdout);
    CHECK(getchar() != 'x');
    submit(agent, "ffi.last:6|c");
    OK(corelane_agent_stop(agent, 30000));
    OK(corelane_agent_counters(agent, &counters));
    CHECK(strstr(counters, "\"submitted_packets\":2") != NULL);
    corelane_string_free(counters);
    corelane_agent_free(agent);
}

/* Traces without a socket. */
static void life_traces(void) {
    /* [[{service, name, resource, trace_id, span_id, start, duration, metrics: {priority: 2}}]] */
    static const uint8_t v04[] =
        "\x91\x91\x88\xa7service\xa3""ffi\xa4name\xa6""c.span\xa8resource\xa3""get"
        "\xa8trace_id\x2a\xa7span_id\x2b\xa5start\xcf\x17\x9c\xfe\x36\x2a\x40\x00\x00"
        "\xa8""duration\xcd\x03\xe8\xa7metrics\x81\xb5_sampling_priority_v1\x02";
    corelane_agent *agent = start("http_ephemeral_port", "false");
    for (int n = 0; n < 40; n++)
        OK(corelane_agent_submit(agent, CORELANE_DATA_TRACES_V04, v04, sizeof v04 - 1, 0));
    CHECK(code(corelane_agent_submit(agent, CORELANE_DATA_TRACES_V1, v04, sizeof v04 - 1, 0)) ==
          DATADOG_INVALID_DATA_FORMAT);
    OK(corelane_agent_flush(agent, 30000));
    printf("flushed\n");
    fflush(stdout);
    CHECK(getchar() != 'x');
    /* One that is cut is taken, and counted; one before the stop is not lost. */
    OK(corelane_agent_submit(agent, CORELANE_DATA_TRACES_V04, v04, 20, 0));
    OK(corelane_agent_submit(agent, CORELANE_DATA_TRACES_V04, v04, sizeof v04 - 1, 0));
    OK(corelane_agent_stop(agent, 30000));
    char *counters = NULL;
    OK(corelane_agent_counters(agent, &counters));
    CHECK(strstr(counters, "\"payloads_malformed\":1") != NULL);
    CHECK(strstr(counters, "\"submitted_payloads\":42") != NULL);
    CHECK(strstr(counters, "\"payloads_decoded\":41") != NULL);
    corelane_string_free(counters);
    corelane_agent_free(agent);
}

/* A protobuf message, or any other body. */
typedef struct {
    uint8_t bytes[512];
    size_t length;
} Body;

static void put(Body *body, const void *bytes, size_t length) {
    CHECK(body->length + length <= sizeof body->bytes);
    memcpy(body->bytes + body->length, bytes, length);
    body->length += length;
}

static void put_varint(Body *body, size_t value) {
    uint8_t byte = (uint8_t)(value & 0x7f);
    if (value > 0x7f) byte |= 0x80;
    put(body, &byte, 1);
    if (value > 0x7f) put_varint(body, value >> 7);
}

static void put_field(Body *body, size_t number, const void *bytes, size_t length) {
    put_varint(body, number << 3 | 2);
    put_varint(body, length);
    put(body, bytes, length);
}

static void put_text(Body *body, size_t number, const char *text) {
    put_field(body, number, text, strlen(text));
}

static void put_number(Body *body, size_t number, size_t value) {
    put_varint(body, number << 3);
    put_varint(body, value);
}

/* 64 bits, on a little-endian machine. */
static void put_fixed(Body *body, size_t number, const void *bits) {
    put_varint(body, number << 3 | 1);
    put(body, bits, 8);
}

/* Puts what there is into a field of its own. */
static void wrap(Body *body, size_t number) {
    Body inner = *body;
    body->length = 0;
    put_field(body, number, inner.bytes, inner.length);
}

static uint64_t unix_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Makes a span, a point or a log an OTLP request. Those of all signals are alike down to it. */
static void make_request(Body *item) {
    Body value = {.length = 0}, resource = {.length = 0};
    put_text(&value, 1, "ffi-otlp");
    put_text(&resource, 1, "service.name");
    put_field(&resource, 2, value.bytes, value.length);
    wrap(&resource, 1);
    wrap(&resource, 1);
    wrap(item, 2);
    wrap(item, 2);
    put(&resource, item->bytes, item->length);
    *item = resource;
    wrap(item, 1);
}

static Body otlp_span(void) {
    Body span = {.length = 0};
    uint64_t end = unix_ns(), start = end - 1000000;
    put_field(&span, 1, "0123456789abcdef", 16);
    put_field(&span, 2, "01234567", 8);
    put_text(&span, 5, "GET /");
    put_number(&span, 6, 2);
    put_fixed(&span, 7, &start);
    put_fixed(&span, 8, &end);
    make_request(&span);
    return span;
}

/* A sum, counted up in the last second. */
static Body otlp_count(const char *name, double value) {
    Body count = {.length = 0}, sum = {.length = 0};
    uint64_t now = unix_ns(), before = now - 1000000000;
    put_fixed(&sum, 2, &before);
    put_fixed(&sum, 3, &now);
    put_fixed(&sum, 4, &value);
    wrap(&sum, 1);
    put_number(&sum, 2, 1 /* delta */);
    put_number(&sum, 3, 1 /* monotonic */);
    put_text(&count, 1, name);
    put_field(&count, 7, sum.bytes, sum.length);
    make_request(&count);
    return count;
}

static Body otlp_log(const char *text) {
    Body log = {.length = 0}, value = {.length = 0};
    uint64_t now = unix_ns();
    put_fixed(&log, 1, &now);
    put_number(&log, 2, 17 /* error */);
    put_text(&value, 1, text);
    put_field(&log, 5, value.bytes, value.length);
    make_request(&log);
    return log;
}

static Body log_entry(const char *message) {
    Body entry = {.length = 0};
    int length = snprintf((char *)entry.bytes, sizeof entry.bytes,
                          "[{\"message\":\"%s\",\"service\":\"ffi\",\"timestamp\":%llu}]", message,
                          (unsigned long long)(unix_ns() / 1000000));
    CHECK(length > 0 && (size_t)length < sizeof entry.bytes);
    entry.length = (size_t)length;
    return entry;
}

static void submit_body(corelane_agent *agent, int kind, Body body) {
    OK(corelane_agent_submit(agent, kind, body.bytes, body.length, 0));
}

static int connect_to(const char *url) {
    struct sockaddr_in to = {.sin_family = AF_INET};
    CHECK(strncmp(url, "http://127.0.0.1:", 17) == 0);
    to.sin_port = htons((uint16_t)atoi(url + 17));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    return fd;
}

/* Posts a body, which is taken. */
static void post(const char *url, const char *path, const char *media, Body body) {
    char head[256], answer[64] = "";
    int fd = connect_to(url);
    int length = snprintf(head, sizeof head,
                          "POST %s HTTP/1.1\r\nhost: agent\r\ncontent-type: %s\r\n"
                          "content-length: %zu\r\nconnection: close\r\n\r\n",
                          path, media, body.length);
    CHECK(length > 0 && (size_t)length < sizeof head);
    CHECK(write(fd, head, (size_t)length) == length);
    CHECK(write(fd, body.bytes, body.length) == (ssize_t)body.length);
    CHECK(recv(fd, answer, sizeof answer - 1, MSG_WAITALL) > 0);
    CHECK(strncmp(answer, "HTTP/1.1 200 ", 13) == 0);
    close(fd);
}

/* Logs and OTLP, over the ports that are told and without. */
static void life_ingest(void) {
    const char *settings[] = {
        "logs_enabled", "true", "otlp_config.logs.enabled", "true", "logs_agent_port", "0",
        "otlp_config.receiver.protocols.http.endpoint", "127.0.0.1:0",
        "otlp_config.receiver.protocols.grpc.endpoint", "127.0.0.1:0", NULL,
    };
    corelane_agent *agent = start_with("http_ephemeral_port", "false", settings);
    char url[256];
    endpoint(agent, CORELANE_ENDPOINT_LOGS, url, sizeof url);
    post(url, "/v1/input", "application/json", log_entry("http"));
    endpoint(agent, CORELANE_ENDPOINT_OTLP_HTTP, url, sizeof url);
    post(url, "/v1/metrics", "application/x-protobuf", otlp_count("ffi.otlp.http", 2));
    endpoint(agent, CORELANE_ENDPOINT_OTLP_GRPC, url, sizeof url);
    close(connect_to(url));
    submit_body(agent, CORELANE_DATA_LOGS_JSON, log_entry("inside"));
    submit_body(agent, CORELANE_DATA_OTLP_TRACES, otlp_span());
    submit_body(agent, CORELANE_DATA_OTLP_METRICS, otlp_count("ffi.otlp.inside", 4));
    submit_body(agent, CORELANE_DATA_OTLP_LOGS, otlp_log("inside"));
    for (int kind = CORELANE_DATA_LOGS_JSON; kind <= CORELANE_DATA_OTLP_LOGS; kind++)
        CHECK(code(submit_text(agent, kind, "plain text")) == DATADOG_INVALID_DATA_FORMAT);
    OK(corelane_agent_flush(agent, 30000));
    printf("flushed\n");
    fflush(stdout);
    CHECK(getchar() != 'x');
    /* One that is cut is taken, and counted; one before the stop is not lost. */
    OK(submit_text(agent, CORELANE_DATA_LOGS_JSON, "[{\"message\":\"cut\""));
    submit_body(agent, CORELANE_DATA_LOGS_JSON, log_entry("last"));
    OK(corelane_agent_stop(agent, 30000));
    char *counters = NULL;
    OK(corelane_agent_counters(agent, &counters));
    CHECK(strstr(counters, "\"logs_received\":4,") != NULL);
    CHECK(strstr(counters, "\"logs_sent\":4,") != NULL);
    CHECK(strstr(counters, "\"points_out\":2,") != NULL);
    CHECK(strstr(counters, "\"bodies_malformed\":1,") != NULL);
    corelane_string_free(counters);
    corelane_agent_free(agent);
}

/* Unix sockets: names, rights, removal. */
static void life_sockets(void) {
    DatadogAgentOptions options = {
        .operational_mode = 2, .dogstatsd_enabled = 1, .dogstatsd_port = 0,
        .trace_agent_uds_permissions = -1,
    };
    for (int turn = 0; turn < 2; turn++) {
        DatadogAgentStartResult result = datadog_agent_start(&options);
        CHECK(result.error == DATADOG_OK && result.bound_port == -1 && result.dogstatsd_port > 0);
        char expected[64], dogstatsd[128];
        int length = snprintf(expected, sizeof expected, "/tmp/dd-trace-%d-", getpid());
        CHECK(strncmp(result.uds_path, expected, (size_t)length) == 0);
        CHECK(strlen(result.uds_path) == (size_t)length + 6 + strlen(".sock"));
        struct stat found;
        CHECK(stat(result.uds_path, &found) == 0 && S_ISSOCK(found.st_mode));
        CHECK((found.st_mode & 0777) == (turn == 0 ? 0600 : 0660));
        endpoint(result.agent, CORELANE_ENDPOINT_DOGSTATSD, dogstatsd, sizeof dogstatsd);
        CHECK(strncmp(dogstatsd, "unix:///tmp/", 12) == 0);
        send_unix(dogstatsd + 7, "ffi.unix:1|c");
        CHECK(datadog_agent_stop(result.agent) == DATADOG_OK);
        CHECK(stat(result.uds_path, &found) != 0);
        datadog_free_string(result.uds_path);
        options.trace_agent_uds_permissions = 0660;
    }
}

/* Whether the counters hold a text. */
static int has_counter(const DatadogAgent *agent, const char *text) {
    char *counters = NULL;
    OK(corelane_agent_counters(agent, &counters));
    int is_there = strstr(counters, text) != NULL;
    corelane_string_free(counters);
    return is_there;
}

/* Modes and ports. */
static void life_modes(void) {
    DatadogAgentOptions options = {.trace_agent_port = -1, .dogstatsd_port = -1,
                                   .trace_agent_uds_permissions = -1};
    DatadogAgentStartResult first = datadog_agent_start(&options);
    CHECK(first.error == DATADOG_OK && first.bound_port > 0 && first.dogstatsd_port == -1);
    CHECK(first.uds_path == NULL && strcmp(first.version, datadog_agent_version()) == 0);

    /* A port in use is an error of the start. */
    options.trace_agent_port = first.bound_port;
    DatadogAgentStartResult second = datadog_agent_start(&options);
    CHECK(second.error == DATADOG_STARTUP_ERROR && second.agent == NULL);
    CHECK(second.bound_port == -1 && second.dogstatsd_port == -1 && second.version != NULL);
    CHECK(datadog_agent_stop(first.agent) == DATADOG_OK);

    /* It is free now; an unknown mode is the first one. */
    options.operational_mode = 99;
    second = datadog_agent_start(&options);
    CHECK(second.error == DATADOG_OK && second.bound_port == first.bound_port);
    CHECK(datadog_agent_stop(second.agent) == DATADOG_OK);

    options.operational_mode = 1;
    options.dogstatsd_enabled = 1;
    second = datadog_agent_start(&options);
    CHECK(second.error == DATADOG_OK && second.bound_port > 0 && second.dogstatsd_port > 0);
    CHECK(has_counter(second.agent, "`remote_configuration.enabled` is false"));
    CHECK(datadog_agent_stop(second.agent) == DATADOG_OK);

    /* Remote configuration is on when asked for. */
    setenv("DD_REMOTE_CONFIGURATION_RC_DD_URL", "http://127.0.0.1:9", 1);
    setenv("DD_REMOTE_CONFIGURATION_NO_TLS", "true", 1);
    options.remote_config_enabled = 1;
    second = datadog_agent_start(&options);
    CHECK(second.error == DATADOG_OK);
    CHECK(has_counter(second.agent, "\"disabled_reason\":\"\""));
    CHECK(datadog_agent_stop(second.agent) == DATADOG_OK);
}

/* What callers do wrong is an error. */
static void life_misuse(void) {
    CHECK(datadog_agent_start(NULL).error == DATADOG_NULL_POINTER);
    CHECK(datadog_agent_stop(NULL) == DATADOG_NULL_POINTER);
    CHECK(datadog_agent_wait_for_shutdown(NULL) == -1);
    datadog_free_string(NULL);
    corelane_string_free(NULL);
    corelane_error_free(NULL);
    corelane_config_free(NULL);
    corelane_agent_free(NULL);
    corelane_agent_request_stop(NULL);
    CHECK(corelane_error_code(NULL) == DATADOG_OK && *corelane_error_message(NULL) == 0);
    CHECK(corelane_abi_version() >> 16 == CORELANE_ABI_VERSION >> 16);

    DatadogAgentOptions options = {.trace_agent_port = -1};
    unsetenv("DD_API_KEY");
    CHECK(datadog_agent_start(&options).error == DATADOG_CONFIG_ERROR);
    options.api_key = "";
    CHECK(datadog_agent_start(&options).error == DATADOG_CONFIG_ERROR);
    options.api_key = "\xff\xfe";
    CHECK(datadog_agent_start(&options).error == DATADOG_INVALID_STRING);
    setenv("DD_API_KEY", "0123456789abcdef0123456789abcdef", 1);
    options.api_key = NULL;
    options.trace_agent_port = 70000;
    CHECK(datadog_agent_start(&options).error == DATADOG_CONFIG_ERROR);

    corelane_config *config = corelane_config_new();
    corelane_agent *agent = NULL;
    CHECK(code(corelane_config_set(NULL, "a", "b")) == DATADOG_NULL_POINTER);
    CHECK(code(corelane_config_set(config, NULL, "b")) == DATADOG_NULL_POINTER);
    CHECK(code(corelane_config_set(config, "site", "\xff")) == DATADOG_INVALID_STRING);
    CHECK(code(corelane_config_set(config, "no_such_key", "1")) == DATADOG_CONFIG_ERROR);
    CHECK(code(corelane_config_load_yaml(config, NULL)) == DATADOG_NULL_POINTER);
    CHECK(code(corelane_agent_start(NULL, &agent)) == DATADOG_NULL_POINTER);
    CHECK(code(corelane_agent_start(config, NULL)) == DATADOG_NULL_POINTER);
    CHECK(code(corelane_agent_start(config, &agent)) == DATADOG_CONFIG_ERROR && agent == NULL);
    OK(corelane_config_load_yaml(config, "/nonexistent/datadog.yaml"));
    CHECK(code(corelane_agent_start(config, &agent)) == DATADOG_CONFIG_ERROR);
    corelane_config_free(config);

    agent = start("http_ephemeral_port", "false");
    const uint8_t data[4] = "a:1|";
    size_t length = 0;
    char *text = NULL;
    CHECK(code(corelane_agent_submit(agent, 0, NULL, 1, 0)) == DATADOG_NULL_POINTER);
    CHECK(code(corelane_agent_submit(agent, 0, data, 0, 0)) == DATADOG_INVALID_DATA_FORMAT);
    CHECK(code(corelane_agent_submit(agent, 0, data, 4, 1)) == DATADOG_INVALID_DATA_FORMAT);
    CHECK(code(corelane_agent_submit(agent, 77, data, 4, 0)) == DATADOG_INVALID_DATA_FORMAT);
    CHECK(code(corelane_agent_submit(agent, CORELANE_DATA_LOGS_JSON, data, 4, 0)) ==
          DATADOG_NOT_AVAILABLE);
    CHECK(code(corelane_agent_submit(agent, CORELANE_DATA_OTLP_LOGS, data, 4, 0)) ==
          DATADOG_NOT_AVAILABLE);
    uint8_t *long_line = calloc(1, 1 << 21);
    memset(long_line, 'x', 1 << 21);
    CHECK(code(corelane_agent_submit(agent, 0, long_line, 1 << 21, 0)) == DATADOG_SUBMISSION_ERROR);
    free(long_line);
    CHECK(code(corelane_agent_endpoint(agent, 0, NULL, NULL)) == DATADOG_NULL_POINTER);
    CHECK(code(corelane_agent_endpoint(agent, 1, NULL, &length)) == DATADOG_NOT_AVAILABLE);
    for (int kind = CORELANE_ENDPOINT_OTLP_GRPC; kind <= CORELANE_ENDPOINT_LOGS; kind++)
        CHECK(code(corelane_agent_endpoint(agent, kind, NULL, &length)) == DATADOG_NOT_AVAILABLE);
    CHECK(code(corelane_agent_endpoint(agent, 5, NULL, &length)) == DATADOG_INVALID_DATA_FORMAT);
    CHECK(code(corelane_agent_endpoint(agent, -5, NULL, &length)) == DATADOG_INVALID_DATA_FORMAT);
    CHECK(code(corelane_agent_counters(agent, NULL)) == DATADOG_NULL_POINTER);
    CHECK(corelane_agent_wait(agent, 1) == CORELANE_STILL_RUNNING);
    corelane_agent_request_stop(agent);
    CHECK(corelane_agent_wait(agent, 60000) == 0);

    OK(corelane_agent_stop(agent, 30000));
    CHECK(code(corelane_agent_stop(agent, 30000)) == DATADOG_NOT_AVAILABLE);
    CHECK(code(corelane_agent_submit(agent, 0, data, 4, 0)) == DATADOG_NOT_AVAILABLE);
    CHECK(code(corelane_agent_flush(agent, 1)) == DATADOG_NOT_AVAILABLE);
    OK(corelane_agent_counters(agent, &text));
    corelane_string_free(text);
    corelane_agent_free(agent);
    corelane_agent_free(agent);
    CHECK(code(corelane_agent_flush(agent, 1)) == DATADOG_NOT_AVAILABLE);
    CHECK(corelane_agent_wait(agent, 1) == -1);
    CHECK(datadog_agent_stop((DatadogAgent *)agent) == DATADOG_NOT_AVAILABLE);
    CHECK(datadog_agent_stop((DatadogAgent *)&length) == DATADOG_NOT_AVAILABLE);
}

/* Many starts and stops leave nothing behind. */
static void life_cycles(int cycles) {
    int threads = 0, files = 0;
    long resident = 0;
    for (int n = 0; n < cycles; n++) {
        corelane_agent *agent = start("http_ephemeral_port", "true");
        submit(agent, "ffi.cycles:1|c");
        end(agent);
        if (n == cycles / 5) {
            threads = count_of("/proc/self/task");
            files = count_of("/proc/self/fd");
            resident = resident_kib();
        }
    }
    /* The kernel lists a thread that was joined a little longer. */
    for (int n = 0; n < 1000 && count_of("/proc/self/task") > threads; n++) usleep(10000);
    printf("threads %d files %d kib %ld\n", count_of("/proc/self/task") - threads,
           count_of("/proc/self/fd") - files, resident_kib() - resident);
}

/* A child has no agent and starts its own, also one that was forked while threads were at work. */
static void life_fork(void) {
    corelane_agent *agent = start("http_ephemeral_port", "false");
    for (int n = 0; n < 20; n++) {
        submit(agent, "ffi.parent:1|c");
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            alarm(60);
            const uint8_t data[5] = "a:1|c";
            CHECK(code(corelane_agent_submit(agent, 0, data, 5, 0)) == DATADOG_NOT_AVAILABLE);
            CHECK(code(corelane_agent_flush(agent, 1000)) == DATADOG_NOT_AVAILABLE);
            CHECK(code(corelane_agent_stop(agent, 1000)) == DATADOG_NOT_AVAILABLE);
            CHECK(corelane_agent_wait(agent, 10) == -1);
            corelane_agent_free(agent);
            if (n % 5 == 0) {
                corelane_agent *own = start("http_ephemeral_port", "false");
                submit(own, "ffi.child:1|c");
                OK(corelane_agent_flush(own, 30000));
                end(own);
            }
            _exit(0);
        }
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    end(agent);
}

/* The kernel refuses io_uring, as in a container. */
static void life_seccomp(void) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 425 /* io_uring_setup */, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = 4, .filter = filter};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
    CHECK(syscall(425, 1, NULL) == -1 && errno == EPERM);
    setenv("DD_CORELANE_DRIVER", "auto", 1);
    corelane_agent *agent = start("http_ephemeral_port", "false");
    submit(agent, "ffi.seccomp:1|c");
    OK(corelane_agent_flush(agent, 30000));
    char *counters = NULL;
    OK(corelane_agent_counters(agent, &counters));
    CHECK(strstr(counters, "\"name\":\"epoll\"") != NULL);
    corelane_string_free(counters);
    end(agent);
}

/* Two at a time, and threads that share one. */
static void *submit_many(void *agent) {
    for (int n = 0; n < 1000; n++) submit(agent, "ffi.threads:1|c");
    return NULL;
}

static void life_two(void) {
    corelane_agent *first = start("http_ephemeral_port", "true");
    corelane_agent *second = start("http_ephemeral_port", "true");
    pthread_t threads[4];
    for (int n = 0; n < 4; n++)
        CHECK(pthread_create(&threads[n], NULL, submit_many, n % 2 == 0 ? first : second) == 0);
    for (int n = 0; n < 4; n++) pthread_join(threads[n], NULL);
    end(first);
    submit(second, "ffi.second:1|c");
    end(second);
}

/* Signals do what they did before, outside the wait. */
static volatile sig_atomic_t handled = 0;
static void handle(int signal) { handled += signal == SIGINT; }

static void *interrupt_soon(void *pid) {
    (void)pid;
    /* Until the agent has the signal, the handler of the host takes it. */
    for (int n = 0; n < 3000; n++) {
        struct sigaction now;
        sigaction(SIGINT, NULL, &now);
        if (now.sa_handler != handle) break;
        usleep(10000);
    }
    kill(getpid(), SIGINT);
    return NULL;
}

static void life_signals(void) {
    struct sigaction before[65], mine = {.sa_handler = handle};
    CHECK(sigaction(SIGINT, &mine, NULL) == 0);
    for (int n = 1; n <= 64; n++) sigaction(n, NULL, &before[n]);
    DatadogAgentOptions options = {.operational_mode = 1, .trace_agent_uds_permissions = -1};
    DatadogAgentStartResult result = datadog_agent_start(&options);
    CHECK(result.error == DATADOG_OK);
    for (int n = 1; n <= 64; n++) {
        struct sigaction now;
        if (sigaction(n, NULL, &now) == 0) CHECK(now.sa_handler == before[n].sa_handler);
    }
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, interrupt_soon, NULL) == 0);
    CHECK(datadog_agent_wait_for_shutdown(result.agent) == 1);
    pthread_join(thread, NULL);
    CHECK(handled == 0);
    kill(getpid(), SIGINT);
    CHECK(handled == 1);
    CHECK(datadog_agent_stop(result.agent) == DATADOG_OK);
}

/* The host ends without a word, in the middle of a flush. */
static void *flush_forever(void *agent) {
    for (;;) corelane_error_free(corelane_agent_flush(agent, 1000));
    return NULL;
}

static void life_killed(void) {
    corelane_agent *agent = start("http_ephemeral_port", "false");
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, flush_forever, agent) == 0);
    for (int n = 0; n < 2000; n++) submit(agent, "ffi.killed:1|c");
    printf("flushing\n");
    fflush(stdout);
    exit(0);
}

/* Messages go to the host that asked for them, and nowhere else. */
static int messages = 0;
static void count_message(int level, const char *message, void *userdata) {
    CHECK(level >= 1 && level <= 5 && message != NULL && userdata == &messages);
    __atomic_fetch_add(&messages, 1, __ATOMIC_RELAXED);
}

static void life_log(void) {
    setenv("DD_LOG_LEVEL", "info", 1);
    end(start("http_ephemeral_port", "false"));
    corelane_set_log_callback(count_message, &messages);
    end(start("http_ephemeral_port", "false"));
    CHECK(messages > 0);
    corelane_set_log_callback(NULL, NULL);
    messages = 0;
    end(start("http_ephemeral_port", "false"));
    CHECK(messages == 0);
}

/* How long a start takes, in microseconds: the best of several. */
static void life_quick(void) {
    long best = 1L << 40;
    for (int n = 0; n < 20; n++) {
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        corelane_agent *agent = start("http_ephemeral_port", "true");
        clock_gettime(CLOCK_MONOTONIC, &to);
        long us = (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
        if (us < best) best = us;
        end(agent);
    }
    printf("%ld\n", best);
}

/* Counts the messages that name the feature of the local API. */
static void count_api(int level, const char *message, void *userdata) {
    CHECK(level >= 1 && level <= 5 && message != NULL && userdata == &messages);
    int is_port = strstr(message, "`health_port`") || strstr(message, "`apm_config.debug.port`");
    if (is_port && strstr(message, "feature `local-api`") != NULL)
        __atomic_fetch_add(&messages, 1, __ATOMIC_RELAXED);
}

/* A library that was built without everything but metrics. */
static void life_metrics(void) {
    static const uint8_t traces[] = {0x90};
    corelane_agent *agent = start("http_ephemeral_port", "true");
    char url[64];
    size_t room = sizeof url;
    CHECK(code(corelane_agent_endpoint(agent, CORELANE_ENDPOINT_TRACE, url, &room)) ==
          DATADOG_NOT_AVAILABLE);
    endpoint(agent, CORELANE_ENDPOINT_DOGSTATSD, url, sizeof url);
    send_udp(atoi(strrchr(url, ':') + 1), "ffi.alone.udp:1|c");
    submit(agent, "ffi.alone.inside:2|c");
    corelane_error *error = NULL;
    for (int kind = CORELANE_DATA_TRACES_V04; kind <= CORELANE_DATA_OTLP_LOGS; kind++) {
        const char *feature = kind < CORELANE_DATA_LOGS_JSON   ? "feature `traces`"
                              : kind == CORELANE_DATA_LOGS_JSON ? "feature `logs`"
                                                                : "feature `otlp`";
        error = corelane_agent_submit(agent, kind, traces, sizeof traces, 0);
        CHECK(corelane_error_code(error) == DATADOG_NOT_AVAILABLE);
        CHECK(strstr(corelane_error_message(error), feature) != NULL);
        corelane_error_free(error);
    }
    OK(corelane_agent_stop(agent, 30000));
    CHECK(has_counter(agent, "\"metric_lines\":2"));
    CHECK(has_counter(agent, "feature `remote-config`"));
    corelane_agent_free(agent);

    setenv("DD_HEALTH_PORT", "5555", 1);
    setenv("DD_APM_DEBUG_PORT", "5556", 1);
    corelane_set_log_callback(count_api, &messages);
    end(start("http_ephemeral_port", "false"));
    corelane_set_log_callback(NULL, NULL);
    CHECK(messages == 2);

    corelane_config *config = corelane_config_new();
    OK(corelane_config_load_env(config));
    OK(corelane_config_set(config, "apm_config.enabled", "true"));
    error = corelane_agent_start(config, &agent);
    CHECK(corelane_error_code(error) == DATADOG_CONFIG_ERROR);
    CHECK(strstr(corelane_error_message(error), "feature `traces`") != NULL);
    corelane_error_free(error);
    corelane_config_free(config);
}

int main(int count, char **words) {
    CHECK(count >= 2);
    const char *name = words[1];
    if (strcmp(name, "send") == 0) life_send();
    else if (strcmp(name, "traces") == 0) life_traces();
    else if (strcmp(name, "ingest") == 0) life_ingest();
    else if (strcmp(name, "sockets") == 0) life_sockets();
    else if (strcmp(name, "modes") == 0) life_modes();
    else if (strcmp(name, "misuse") == 0) life_misuse();
    else if (strcmp(name, "cycles") == 0) life_cycles(count > 2 ? atoi(words[2]) : 1000);
    else if (strcmp(name, "fork") == 0) life_fork();
    else if (strcmp(name, "seccomp") == 0) life_seccomp();
    else if (strcmp(name, "two") == 0) life_two();
    else if (strcmp(name, "signals") == 0) life_signals();
    else if (strcmp(name, "killed") == 0) life_killed();
    else if (strcmp(name, "log") == 0) life_log();
    else if (strcmp(name, "quick") == 0) life_quick();
    else if (strcmp(name, "metrics") == 0) life_metrics();
    else CHECK(!"a known name");
    return 0;
}
