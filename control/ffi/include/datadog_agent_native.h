/*
 * The agent inside another program.
 *
 * Made from control/ffi by `cargo x header`: do not edit.
 *
 * What a function returns is freed by the library's function for it; what is passed in stays the
 * caller's and is copied before the function returns. A corelane_agent may be used by any number of
 * threads and is freed by one, when no other uses it. After fork, a child has no agent: every call
 * returns DATADOG_NOT_AVAILABLE, and it may start its own.
 */

#ifndef DATADOG_AGENT_NATIVE_H
#define DATADOG_AGENT_NATIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A running agent. */
typedef struct DatadogAgent DatadogAgent;
/* The same, by its other name. */
typedef DatadogAgent corelane_agent;


/**
 * What `corelane_agent_wait` returns while the agent runs.
 */
#define CORELANE_STILL_RUNNING 4

/**
 * Version of this interface: major in the upper 16 bits, minor in the lower.
 */
#define CORELANE_ABI_VERSION ((1 << 16) | 1)

/**
 * What went wrong. The numbers never change.
 */
typedef enum DatadogError {
  /**
   * Nothing.
   */
  DATADOG_OK = 0,
  /**
   * A pointer that must not be NULL is, or is not what it should be.
   */
  DATADOG_NULL_POINTER = 1,
  /**
   * A text is not UTF-8.
   */
  DATADOG_INVALID_STRING = 2,
  /**
   * The configuration cannot be used.
   */
  DATADOG_CONFIG_ERROR = 3,
  /**
   * Something that the agent is made of could not be made.
   */
  DATADOG_INIT_ERROR = 4,
  /**
   * The agent could not start: a port in use, a path that cannot be bound.
   */
  DATADOG_STARTUP_ERROR = 5,
  /**
   * The agent could not stop in time.
   */
  DATADOG_SHUTDOWN_ERROR = 6,
  /**
   * The system refused something, or a deadline passed.
   */
  DATADOG_RUNTIME_ERROR = 7,
  /**
   * What was submitted cannot be read.
   */
  DATADOG_INVALID_DATA_FORMAT = 8,
  /**
   * What was submitted was not taken: no room now, or too long.
   */
  DATADOG_SUBMISSION_ERROR = 9,
  /**
   * There is none: a pipeline that is not here, or an agent that has stopped or belongs to the
   * parent of this process.
   */
  DATADOG_NOT_AVAILABLE = 10,
  /**
   * Anything else.
   */
  DATADOG_UNKNOWN_ERROR = 99,
} DatadogError;

/**
 * Kinds of endpoints, for `corelane_agent_endpoint`.
 */
typedef enum corelane_endpoint {
  /**
   * Traces: `http://127.0.0.1:8126` or `unix:///path`.
   */
  CORELANE_ENDPOINT_TRACE = 0,
  /**
   * DogStatsD: `unix:///path` where there is a socket, else `udp://127.0.0.1:8125`.
   */
  CORELANE_ENDPOINT_DOGSTATSD = 1,
  /**
   * OTLP over gRPC: `http://127.0.0.1:4317`, where `otlp_config.receiver.protocols.grpc.endpoint`
   * is set.
   */
  CORELANE_ENDPOINT_OTLP_GRPC = 2,
  /**
   * OTLP over HTTP: `http://127.0.0.1:4318`, where `otlp_config.receiver.protocols.http.endpoint`
   * is set.
   */
  CORELANE_ENDPOINT_OTLP_HTTP = 3,
  /**
   * Logs over HTTP: `http://127.0.0.1:10517`, where `corelane.logs.listen` or `logs_agent_port`
   * is set; they are sent to `/v1/input`.
   */
  CORELANE_ENDPOINT_LOGS = 4,
} corelane_endpoint;

/**
 * Kinds of data, for `corelane_agent_submit`.
 */
typedef enum corelane_data {
  /**
   * DogStatsD text: metrics, events and service checks, with a newline between lines.
   */
  CORELANE_DATA_DOGSTATSD = 0,
  /**
   * Traces in MessagePack, v0.4.
   */
  CORELANE_DATA_TRACES_V04 = 1,
  /**
   * Traces in MessagePack, v0.5.
   */
  CORELANE_DATA_TRACES_V05 = 2,
  /**
   * Traces in MessagePack, v1.0.
   */
  CORELANE_DATA_TRACES_V1 = 3,
  /**
   * Logs, as a JSON list of entries with `message` and `timestamp` (milliseconds), or one entry.
   * Where `logs_enabled` is on.
   */
  CORELANE_DATA_LOGS_JSON = 4,
  /**
   * OTLP traces: a protobuf message `ExportTraceServiceRequest`.
   */
  CORELANE_DATA_OTLP_TRACES = 5,
  /**
   * OTLP metrics: a protobuf message `ExportMetricsServiceRequest`.
   */
  CORELANE_DATA_OTLP_METRICS = 6,
  /**
   * OTLP logs: a protobuf message `ExportLogsServiceRequest`. Where `logs_enabled` and
   * `otlp_config.logs.enabled` are on.
   */
  CORELANE_DATA_OTLP_LOGS = 7,
} corelane_data;

/**
 * Kind of a payload.
 *
 */
typedef enum ddog_DebuggerType {
  /**
   * State of a probe.
   */
  DDOG_DEBUGGER_TYPE_DIAGNOSTICS = 0,
  /**
   * With captured values.
   */
  DDOG_DEBUGGER_TYPE_SNAPSHOTS = 1,
  /**
   * Without.
   */
  DDOG_DEBUGGER_TYPE_LOGS = 2,
} ddog_DebuggerType;

/**
 * A configuration that is being put together. Freed with `corelane_config_free`.
 */
typedef struct corelane_config corelane_config;

/**
 * An error: a code and a message. Freed with `corelane_error_free`.
 */
typedef struct corelane_error corelane_error;

/**
 * A payload as JSON, whose kind is known.
 */
typedef struct ddog_DebuggerPayload ddog_DebuggerPayload;

/**
 * One place to send to.
 */
typedef struct ddog_Endpoint ddog_Endpoint;

/**
 * Endpoints of all tracks.
 */
typedef struct ddog_SenderConfig ddog_SenderConfig;

/**
 * A running sender.
 */
typedef struct ddog_SenderHandle ddog_SenderHandle;

/**
 * One tag of a [`ddog_Vec_Tag`].
 */
typedef struct ddog_Tag ddog_Tag;

/**
 * Percent-encoded tags of a sender.
 */
typedef struct ddog_Tags ddog_Tags;

/**
 * What became of a start.
 */
typedef struct DatadogAgentStartResult {
  /**
   * The agent; NULL after an error.
   */
  DatadogAgent *agent;
  /**
   * What went wrong.
   */
  enum DatadogError error;
  /**
   * Version of the library: always there, never freed.
   */
  const char *version;
  /**
   * TCP port of traces; -1 if there is none.
   */
  int bound_port;
  /**
   * UDP port of DogStatsD; -1 if there is none.
   */
  int dogstatsd_port;
  /**
   * Path of the Unix socket of traces, to be freed with `datadog_free_string`; NULL if there is
   * none.
   */
  char *uds_path;
} DatadogAgentStartResult;

/**
 * How an agent is started. Texts end with a zero and are UTF-8; NULL or an empty one leaves the
 * value to the `DD_*` variable of the process, and everything that is not here is read from there
 * as well. Start from zeroed memory.
 */
typedef struct DatadogAgentOptions {
  /**
   * `DD_API_KEY`.
   */
  const char *api_key;
  /**
   * `DD_SITE`, or `datadoghq.com`.
   */
  const char *site;
  /**
   * `DD_SERVICE`.
   */
  const char *service;
  /**
   * `DD_ENV`.
   */
  const char *env;
  /**
   * `DD_VERSION`.
   */
  const char *version;
  /**
   * Other than 0: on. This library has no AppSec, and says so in its log.
   */
  int appsec_enabled;
  /**
   * Other than 0: on; 0: as `DD_REMOTE_CONFIGURATION_ENABLED` says, or off.
   */
  int remote_config_enabled;
  /**
   * 0, 1: error; 2: warn; 3 and anything else: info; 4: debug; 5: trace.
   */
  int log_level;
  /**
   * 0 and anything else: fixed ports; 1: ports that the system chooses; 2: Unix sockets.
   */
  int operational_mode;
  /**
   * Above 0: that port; 0: 8126; -1: one that the system chooses. For fixed ports alone.
   */
  int trace_agent_port;
  /**
   * Other than 0: on.
   */
  int dogstatsd_enabled;
  /**
   * Above 0: that port; -1: 8125; 0: one that the system chooses. The opposite of
   * `trace_agent_port`.
   */
  int dogstatsd_port;
  /**
   * -1: 0600; 0 and above: these mode bits.
   */
  int trace_agent_uds_permissions;
} DatadogAgentOptions;

/**
 * Bytes that belong to this library.
 */
typedef struct ddog_Vec_U8 {
  /**
   * First byte.
   */
  const uint8_t *ptr;
  /**
   * How many.
   */
  size_t len;
  /**
   * How many there is room for. 0 if they are not to be freed.
   */
  size_t capacity;
} ddog_Vec_U8;

/**
 * What went wrong.
 */
typedef struct ddog_Error {
  /**
   * UTF-8 without a NUL at its end.
   */
  struct ddog_Vec_U8 message;
} ddog_Error;

/**
 * An error or none.
 *
 */
typedef enum ddog_MaybeError_Tag {
  /**
   * Something went wrong. To be freed with `ddog_MaybeError_drop`.
   */
  DDOG_MAYBE_ERROR_SOME_ERROR,
  /**
   * All is well.
   */
  DDOG_MAYBE_ERROR_NONE_ERROR,
} ddog_MaybeError_Tag;

typedef struct ddog_MaybeError {
  ddog_MaybeError_Tag tag;
  union {
    struct {
      struct ddog_Error some_error;
    };
  };
} ddog_MaybeError;

/**
 * Borrowed bytes without a NUL at their end. A null pointer with length 0 is empty.
 */
typedef struct ddog_CharSlice {
  /**
   * First byte.
   */
  const char *ptr;
  /**
   * How many.
   */
  size_t len;
} ddog_CharSlice;

/**
 * ddog_Tags that are being collected. `ddog_live_debugger_build_tags` consumes it.
 */
typedef struct ddog_Vec_Tag {
  /**
   * First tag.
   */
  const struct ddog_Tag *ptr;
  /**
   * How many.
   */
  size_t len;
  /**
   * How many there is room for.
   */
  size_t capacity;
} ddog_Vec_Tag;

/**
 * Whether a tag was taken.
 *
 */
typedef enum ddog_Vec_Tag_PushResult_Tag {
  /**
   * It was.
   */
  DDOG_VEC_TAG_PUSH_RESULT_OK,
  /**
   * It was not. Free the error with `ddog_Error_drop`.
   */
  DDOG_VEC_TAG_PUSH_RESULT_ERR,
} ddog_Vec_Tag_PushResult_Tag;

typedef struct ddog_Vec_Tag_PushResult {
  ddog_Vec_Tag_PushResult_Tag tag;
  union {
    struct {
      struct ddog_Error err;
    };
  };
} ddog_Vec_Tag_PushResult;

/**
 * Bytes that are handed over.
 */
typedef struct ddog_OwnedCharSlice {
  /**
   * The bytes.
   */
  struct ddog_CharSlice slice;
  /**
   * Called once with the slice when it is not needed any more, by any thread. NULL if nothing
   * has to be freed.
   */
  void (*free)(struct ddog_CharSlice);
} ddog_OwnedCharSlice;

/**
 * What became of payloads so far: queued = sent + failed + those that wait or are under way.
 */
typedef struct ddog_SenderCounts {
  /**
   * Taken into the queue.
   */
  uint64_t queued;
  /**
   * Accepted by the primary endpoint.
   */
  uint64_t sent;
  /**
   * Refused by it, or not answered in time.
   */
  uint64_t failed;
  /**
   * Not taken into the queue.
   */
  uint64_t refused;
} ddog_SenderCounts;

/**
 * Takes a message: a level (1 error, 2 warn, 3 info, 4 debug, 5 trace), a text that is there until
 * it returns, and what was registered with it. It is called from threads of the agent, also from
 * several at once, and must not call the agent.
 */
typedef void (*corelane_log_fn)(int level, const char *message, void *userdata);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The `CORELANE_ABI_VERSION` that the library was built with: the major is the one of the header,
 * the minor at least.
 */
uint32_t corelane_abi_version(void);

/**
 * Starts an agent and hands it out through `out`; its sockets are bound then. Several agents may
 * run in one process.
 *
 * `config` is NULL or a configuration of this library; `out` is NULL or may be written to.
 */

struct corelane_error *corelane_agent_start(const struct corelane_config *config,
                                            corelane_agent **out);

/**
 * Writes the URL of an endpoint, ending with a zero, to `buffer`. `length` says how long the
 * buffer is and is set to what is needed, the zero included. Call it with a NULL buffer to learn
 * that. `DATADOG_NOT_AVAILABLE` when the agent has no such endpoint.
 *
 * `agent` is a handle of this library or NULL; `length` is NULL or may be written to; `buffer` is
 * NULL or has room for as many bytes as `length` says.
 */

struct corelane_error *corelane_agent_endpoint(const corelane_agent *agent,
                                               int kind,
                                               char *buffer,
                                               size_t *length);

/**
 * Hands data over without a socket: all of it or nothing. It is copied before this returns, and
 * part of every flush that is asked for afterwards. `flags` must be 0.
 *
 * `DATADOG_SUBMISSION_ERROR` when there is no room now or the data is too long: it was counted,
 * and may be submitted again. `DATADOG_INVALID_DATA_FORMAT` when it cannot be what `kind` says;
 * single lines and spans that are no good are counted by reason, as those of sockets are.
 * `DATADOG_NOT_AVAILABLE` when the agent does not take such data: it is switched off, or was left
 * out of the build.
 *
 * `agent` is a handle of this library or NULL; `data` is NULL or points to `length` bytes.
 */

struct corelane_error *corelane_agent_submit(const corelane_agent *agent,
                                             int kind,
                                             const uint8_t *data,
                                             size_t length,
                                             unsigned int flags);

/**
 * Flushes everything, the open bucket included, and waits until the intakes have it.
 * `DATADOG_RUNTIME_ERROR` when not everything had left after `timeout_ms`; it is still under way.
 *
 * A bucket that ends early is shorter than others: metrics of type distribution and counts are
 * added up at the intake, whatever the number of flushes.
 *
 * `agent` is a handle of this library or NULL.
 */
 struct corelane_error *corelane_agent_flush(const corelane_agent *agent, uint32_t timeout_ms);

/**
 * Hands out all counters and the state of the agent as a JSON object, the one of
 * `corelane status --json`, through `out`. Free it with `corelane_string_free`.
 *
 * `agent` is a handle of this library or NULL; `out` is NULL or may be written to.
 */
 struct corelane_error *corelane_agent_counters(const corelane_agent *agent, char **out);

/**
 * Waits until the end of the agent is asked for, at most `timeout_ms`. Returns 0 for a request, 2
 * when the agent cannot go on, `CORELANE_STILL_RUNNING` after the timeout, and -1 when there is no
 * such agent. Signals are not looked at.
 *
 * `agent` is a handle of this library or NULL.
 */
int corelane_agent_wait(const corelane_agent *agent, uint32_t timeout_ms);

/**
 * Asks for the end of an agent: whoever waits for it goes on. It does not stop by that. May be
 * called from any thread and from a signal handler; a handle that is none is left alone.
 *
 * `agent` is a handle of this library or NULL.
 */
void corelane_agent_request_stop(const corelane_agent *agent);

/**
 * Stops an agent: takes what was sent so far, flushes, delivers within the budgets of its
 * configuration, joins all threads. `DATADOG_SHUTDOWN_ERROR` when that takes longer than
 * `timeout_ms`: it goes on, and can be waited for by another call. `DATADOG_NOT_AVAILABLE` when it
 * has stopped already.
 *
 * `agent` is a handle of this library or NULL.
 */
 struct corelane_error *corelane_agent_stop(const corelane_agent *agent, uint32_t timeout_ms);

/**
 * Frees an agent, and stops it before if it runs. NULL and a handle that was freed are fine.
 *
 * `agent` is a handle of this library or NULL, and no other thread uses it.
 */
void corelane_agent_free(corelane_agent *agent);

/**
 * Frees a text of this library; NULL is fine.
 *
 * `text` is NULL or a text that this library handed out to be freed, and was not freed.
 */
void corelane_string_free(char *text);

/**
 * A configuration with the defaults of an embedded agent: no DogStatsD, traces on 127.0.0.1:8126.
 * Values that are set win over the environment, that over files, whatever the order of calls.
 * NULL only when memory is gone.
 */
struct corelane_config *corelane_config_new(void);

/**
 * Frees a configuration; NULL is fine. Agents that were started with it keep what they need.
 *
 * `config` is NULL or a configuration of this library that was not freed.
 */
void corelane_config_free(struct corelane_config *config);

/**
 * Sets a key by its dotted path (`dogstatsd_port`) or its variable (`DD_DOGSTATSD_PORT`), with a
 * value in the form of a variable's. Keys are listed in docs/configuration.md.
 *
 * `config` is NULL or a configuration of this library; the texts are NULL or end with a zero.
 */

struct corelane_error *corelane_config_set(struct corelane_config *config,
                                           const char *key,
                                           const char *value);

/**
 * Reads a YAML file, over those read before. It is read at the start of an agent, which fails when
 * the file cannot be read.
 *
 * `config` is NULL or a configuration of this library; `path` is NULL or ends with a zero.
 */
 struct corelane_error *corelane_config_load_yaml(struct corelane_config *config, const char *path);

/**
 * Reads the `DD_*` variables of the process as they are now.
 *
 * `config` is NULL or a configuration of this library. No other thread changes the environment
 * meanwhile.
 */
 struct corelane_error *corelane_config_load_env(struct corelane_config *config);

/**
 * The code of an error; `DATADOG_OK` for NULL.
 *
 * `error` is NULL or an error of this library that was not freed.
 */
enum DatadogError corelane_error_code(const struct corelane_error *error);

/**
 * The message of an error, which is there until the error is freed; an empty one for NULL.
 *
 * `error` is NULL or an error of this library that was not freed.
 */
const char *corelane_error_message(const struct corelane_error *error);

/**
 * Frees an error; NULL is fine.
 *
 * `error` is NULL or an error of this library that was not freed.
 */
void corelane_error_free(struct corelane_error *error);

/**
 * Starts an agent; when this returns, its sockets are bound.
 *
 * `options` is NULL or points to options whose texts are NULL or end with a zero.
 */
struct DatadogAgentStartResult datadog_agent_start(const struct DatadogAgentOptions *options);

/**
 * Waits until SIGINT (1) or SIGTERM (0) comes, the end is asked for (0), or the agent cannot go on
 * (2); -1 when there is no such agent. While this waits the two signals do nothing else, and
 * afterwards what they did before. The agent does not stop by itself.
 *
 * `agent` is a handle of this library or NULL.
 */
int datadog_agent_wait_for_shutdown(DatadogAgent *agent);

/**
 * Stops an agent and frees it: the handle is dead afterwards, whatever is returned. NULL is
 * `DATADOG_NULL_POINTER`, a handle that is dead already `DATADOG_NOT_AVAILABLE`.
 *
 * `agent` is a handle of this library or NULL, and no other thread uses it.
 */
enum DatadogError datadog_agent_stop(DatadogAgent *agent);

/**
 * Frees a text of this library; NULL is fine.
 *
 * `text` is NULL or a text that this library handed out to be freed, and was not freed.
 */
void datadog_free_string(char *text);

/**
 * Version of the library: a text that is always there and never freed.
 */
const char *datadog_agent_version(void);

/**
 * As `ddog_Error_drop`.
 *
 * As there.
 */
void corelane_Error_drop(struct ddog_Error *error);

/**
 * As `ddog_MaybeError_drop`.
 *
 * As there.
 */
void corelane_MaybeError_drop(struct ddog_MaybeError error);

/**
 * As `ddog_endpoint_from_url`.
 *
 * As there.
 */
struct ddog_Endpoint *corelane_endpoint_from_url(struct ddog_CharSlice url);

/**
 * As `ddog_endpoint_from_filename`.
 *
 * As there.
 */
struct ddog_Endpoint *corelane_endpoint_from_filename(struct ddog_CharSlice filename);

/**
 * As `ddog_live_debugger_endpoint_from_site_and_api_key`.
 *
 * As there.
 */
struct ddog_MaybeError corelane_live_debugger_endpoint_from_site_and_api_key(struct ddog_CharSlice site,
                                                                             struct ddog_CharSlice api_key,
                                                                             struct ddog_Endpoint **endpoint);

/**
 * As `ddog_endpoint_set_timeout`.
 *
 * As there.
 */
void corelane_endpoint_set_timeout(struct ddog_Endpoint *endpoint, uint64_t timeout_ms);

/**
 * As `ddog_endpoint_set_test_token`.
 *
 * As there.
 */
void corelane_endpoint_set_test_token(struct ddog_Endpoint *endpoint, struct ddog_CharSlice token);

/**
 * As `ddog_live_debugger_endpoint_set_api_key`.
 *
 * As there.
 */
void corelane_live_debugger_endpoint_set_api_key(struct ddog_Endpoint *endpoint,
                                                 struct ddog_CharSlice api_key);

/**
 * As `ddog_endpoint_drop`.
 *
 * As there.
 */
void corelane_endpoint_drop(struct ddog_Endpoint *endpoint);

/**
 * As `ddog_Vec_Tag_new`.
 */
struct ddog_Vec_Tag corelane_Vec_Tag_new(void);

/**
 * As `ddog_Vec_Tag_push`.
 *
 * As there.
 */
struct ddog_Vec_Tag_PushResult corelane_Vec_Tag_push(struct ddog_Vec_Tag *tags,
                                                     struct ddog_CharSlice key,
                                                     struct ddog_CharSlice value);

/**
 * As `ddog_Vec_Tag_drop`.
 *
 * As there.
 */
void corelane_Vec_Tag_drop(struct ddog_Vec_Tag tags);

/**
 * As `ddog_live_debugger_build_tags`.
 *
 * As there.
 */
struct ddog_Tags *corelane_live_debugger_build_tags(struct ddog_CharSlice debugger_version,
                                                    struct ddog_CharSlice env,
                                                    struct ddog_CharSlice version,
                                                    struct ddog_CharSlice runtime_id,
                                                    struct ddog_Vec_Tag global_tags);

/**
 * As `ddog_live_debugger_tags_from_raw`.
 *
 * As there.
 */
struct ddog_Tags *corelane_live_debugger_tags_from_raw(struct ddog_CharSlice tags);

/**
 * As `ddog_live_debugger_tags_drop`.
 *
 * As there.
 */
void corelane_live_debugger_tags_drop(struct ddog_Tags *tags);

/**
 * As `ddog_live_debugger_sender_config_new`.
 */
struct ddog_SenderConfig *corelane_live_debugger_sender_config_new(void);

/**
 * As `ddog_live_debugger_sender_config_set_endpoint`.
 *
 * As there.
 */
struct ddog_MaybeError corelane_live_debugger_sender_config_set_endpoint(struct ddog_SenderConfig *config,
                                                                         const struct ddog_Endpoint *endpoint);

/**
 * As `ddog_live_debugger_sender_config_set_symdb_endpoint`.
 *
 * As there.
 */
struct ddog_MaybeError corelane_live_debugger_sender_config_set_symdb_endpoint(struct ddog_SenderConfig *config,
                                                                               const struct ddog_Endpoint *endpoint);

/**
 * As `ddog_live_debugger_sender_config_add_additional_endpoint`.
 *
 * As there.
 */
struct ddog_MaybeError corelane_live_debugger_sender_config_add_additional_endpoint(struct ddog_SenderConfig *config,
                                                                                    const struct ddog_Endpoint *endpoint);

/**
 * As `ddog_live_debugger_sender_config_add_additional_symdb_endpoint`.
 *
 * As there.
 */
struct ddog_MaybeError corelane_live_debugger_sender_config_add_additional_symdb_endpoint(struct ddog_SenderConfig *config,
                                                                                          const struct ddog_Endpoint *endpoint);

/**
 * As `ddog_live_debugger_sender_config_drop`.
 *
 * As there.
 */
void corelane_live_debugger_sender_config_drop(struct ddog_SenderConfig *config);

/**
 * As `ddog_live_debugger_spawn_sender`.
 *
 * As there.
 */
struct ddog_MaybeError corelane_live_debugger_spawn_sender(const struct ddog_Endpoint *endpoint,
                                                           struct ddog_Tags *tags,
                                                           struct ddog_SenderHandle **handle);

/**
 * As `ddog_live_debugger_spawn_sender_with_config`.
 *
 * As there.
 */
struct ddog_MaybeError corelane_live_debugger_spawn_sender_with_config(struct ddog_SenderConfig *config,
                                                                       struct ddog_Tags *tags,
                                                                       struct ddog_SenderHandle **handle);

/**
 * As `ddog_live_debugger_send_raw_data`.
 *
 * As there.
 */
bool corelane_live_debugger_send_raw_data(const struct ddog_SenderHandle *handle,
                                          int32_t debugger_type,
                                          struct ddog_OwnedCharSlice data);

/**
 * As `ddog_live_debugger_send_symdb_data`.
 *
 * As there.
 */
bool corelane_live_debugger_send_symdb_data(const struct ddog_SenderHandle *handle,
                                            struct ddog_CharSlice content_type,
                                            struct ddog_OwnedCharSlice data);

/**
 * As `ddog_live_debugger_payload_from_json`.
 *
 * As there.
 */
struct ddog_MaybeError corelane_live_debugger_payload_from_json(struct ddog_CharSlice json,
                                                                struct ddog_DebuggerPayload **payload);

/**
 * As `ddog_live_debugger_send_payload`.
 *
 * As there.
 */
bool corelane_live_debugger_send_payload(const struct ddog_SenderHandle *handle,
                                         const struct ddog_DebuggerPayload *payload);

/**
 * As `ddog_live_debugger_payload_drop`.
 *
 * As there.
 */
void corelane_live_debugger_payload_drop(struct ddog_DebuggerPayload *payload);

/**
 * As `ddog_live_debugger_drop_sender`.
 *
 * As there.
 */
void corelane_live_debugger_drop_sender(struct ddog_SenderHandle *handle);

/**
 * As `ddog_live_debugger_join_sender`.
 *
 * As there.
 */
void corelane_live_debugger_join_sender(struct ddog_SenderHandle *handle);

/**
 * A configuration without endpoints. Free it with `ddog_live_debugger_sender_config_drop` unless
 * a sender was spawned with it.
 */
struct ddog_SenderConfig *ddog_live_debugger_sender_config_new(void);

/**
 * Sets the endpoint of snapshots, logs and diagnostics. `endpoint` is copied.
 *
 * Both are NULL or came from this library; nobody else uses `config`.
 */
struct ddog_MaybeError ddog_live_debugger_sender_config_set_endpoint(struct ddog_SenderConfig *config,
                                                                     const struct ddog_Endpoint *endpoint);

/**
 * Sets the endpoint of symbol databases. `endpoint` is copied.
 *
 * Both are NULL or came from this library; nobody else uses `config`.
 */
struct ddog_MaybeError ddog_live_debugger_sender_config_set_symdb_endpoint(struct ddog_SenderConfig *config,
                                                                           const struct ddog_Endpoint *endpoint);

/**
 * Adds an endpoint that gets copies of snapshots, logs and diagnostics. `endpoint` is copied.
 *
 * Both are NULL or came from this library; nobody else uses `config`.
 */
struct ddog_MaybeError ddog_live_debugger_sender_config_add_additional_endpoint(struct ddog_SenderConfig *config,
                                                                                const struct ddog_Endpoint *endpoint);

/**
 * Adds an endpoint that gets copies of symbol databases. `endpoint` is copied.
 *
 * Both are NULL or came from this library; nobody else uses `config`.
 */
struct ddog_MaybeError ddog_live_debugger_sender_config_add_additional_symdb_endpoint(struct ddog_SenderConfig *config,
                                                                                      const struct ddog_Endpoint *endpoint);

/**
 * Frees a configuration. NULL is allowed.
 *
 * `config` is NULL or came from this library, was not freed, and no sender was spawned with it.
 */
void ddog_live_debugger_sender_config_drop(struct ddog_SenderConfig *config);

/**
 * An endpoint of an agent, such as `http://localhost:8126` or `unix:///var/run/datadog/apm.socket`,
 * or of an intake if it gets a key. NULL if the URL is none. Free it with `ddog_endpoint_drop`.
 *
 * `url` is readable.
 */
struct ddog_Endpoint *ddog_endpoint_from_url(struct ddog_CharSlice url);

/**
 * An endpoint of tests: what would be sent is appended to the file with this absolute path. NULL
 * if the path is relative. Free it with `ddog_endpoint_drop`.
 *
 * `filename` is readable.
 */
struct ddog_Endpoint *ddog_endpoint_from_filename(struct ddog_CharSlice filename);

/**
 * The intake of a site, such as `datadoghq.com`. Free `*endpoint` with `ddog_endpoint_drop`; it
 * is NULL after an error.
 *
 * `site` and `api_key` are readable; `endpoint` is NULL or can be written.
 */
struct ddog_MaybeError ddog_live_debugger_endpoint_from_site_and_api_key(struct ddog_CharSlice site,
                                                                         struct ddog_CharSlice api_key,
                                                                         struct ddog_Endpoint **endpoint);

/**
 * Sets how long each wait for the endpoint may take. 3000 ms by default.
 *
 * `endpoint` is NULL or came from this library and is not in use.
 */
void ddog_endpoint_set_timeout(struct ddog_Endpoint *endpoint, uint64_t timeout_ms);

/**
 * Names the session of a test agent.
 *
 * `endpoint` is NULL or came from this library and is not in use; `token` is readable.
 */
void ddog_endpoint_set_test_token(struct ddog_Endpoint *endpoint, struct ddog_CharSlice token);

/**
 * Gives an endpoint made of a URL a key, which makes it one of an intake. An empty key takes it
 * away.
 *
 * `endpoint` is NULL or came from this library and is not in use; `api_key` is readable.
 */
void ddog_live_debugger_endpoint_set_api_key(struct ddog_Endpoint *endpoint,
                                             struct ddog_CharSlice api_key);

/**
 * Frees an endpoint. NULL is allowed.
 *
 * `endpoint` is NULL or came from this library and was not freed.
 */
void ddog_endpoint_drop(struct ddog_Endpoint *endpoint);

/**
 * Frees an error. It says nothing afterwards. NULL is allowed.
 *
 * `error` is NULL or points to an error of this library.
 */
void ddog_Error_drop(struct ddog_Error *error);

/**
 * Frees the error, if there is one.
 *
 * `error` came from this library and was not freed.
 */
void ddog_MaybeError_drop(struct ddog_MaybeError error);

/**
 * Starts a sender of snapshots, logs and diagnostics to one endpoint, which is copied. Consumes
 * `tags`. `*handle` is NULL after an error.
 *
 * The pointers are NULL or came from this library; `tags` was not consumed; `handle` can be
 * written.
 */
struct ddog_MaybeError ddog_live_debugger_spawn_sender(const struct ddog_Endpoint *endpoint,
                                                       struct ddog_Tags *tags,
                                                       struct ddog_SenderHandle **handle);

/**
 * Starts a sender. Consumes `config` and `tags`. `*handle` is NULL after an error.
 *
 * The pointers are NULL or came from this library; neither `config` nor `tags` was consumed;
 * `handle` can be written.
 */
struct ddog_MaybeError ddog_live_debugger_spawn_sender_with_config(struct ddog_SenderConfig *config,
                                                                   struct ddog_Tags *tags,
                                                                   struct ddog_SenderHandle **handle);

/**
 * Queues a JSON array, or one JSON object, of the kind 0 (diagnostics), 1 (snapshots) or 2
 * (logs). Consumes `data`: it is freed after it was sent, or before this returns false. False if
 * 5000 payloads wait, or if anything is wrong with an argument. Never waits.
 *
 * `handle` is NULL or a sender that was neither dropped nor joined; the bytes of `data` stay as
 * they are until it is freed, which any thread may do.
 */
bool ddog_live_debugger_send_raw_data(const struct ddog_SenderHandle *handle,
                                      int32_t debugger_type,
                                      struct ddog_OwnedCharSlice data);

/**
 * Queues an upload of a symbol database. As `ddog_live_debugger_send_raw_data`.
 *
 * As `ddog_live_debugger_send_raw_data`; `content_type` is readable.
 */
bool ddog_live_debugger_send_symdb_data(const struct ddog_SenderHandle *handle,
                                        struct ddog_CharSlice content_type,
                                        struct ddog_OwnedCharSlice data);

/**
 * As `ddog_live_debugger_send_raw_data`, for bytes that are copied before this returns.
 *
 * `handle` is NULL or a sender that was neither dropped nor joined; `data` is readable.
 */
bool corelane_live_debugger_send_copy(const struct ddog_SenderHandle *handle,
                                      int32_t debugger_type,
                                      struct ddog_CharSlice data);

/**
 * As `ddog_live_debugger_send_symdb_data`, for bytes that are copied before this returns.
 *
 * `handle` is NULL or a sender that was neither dropped nor joined; the slices are readable.
 */
bool corelane_live_debugger_send_symdb_copy(const struct ddog_SenderHandle *handle,
                                            struct ddog_CharSlice content_type,
                                            struct ddog_CharSlice data);

/**
 * What became of payloads so far. All 0 for NULL.
 *
 * `handle` is NULL or a sender that was neither dropped nor joined.
 */
struct ddog_SenderCounts corelane_live_debugger_counts(const struct ddog_SenderHandle *handle);

/**
 * A payload of one JSON object, `{"service": ..., "debugger": {...}, ...}`. Its kind follows from
 * its content. `*payload` is NULL after an error; free it with `ddog_live_debugger_payload_drop`.
 *
 * `json` is readable; `payload` is NULL or can be written.
 */
struct ddog_MaybeError ddog_live_debugger_payload_from_json(struct ddog_CharSlice json,
                                                            struct ddog_DebuggerPayload **payload);

/**
 * Queues a payload, as an array of one. `payload` is borrowed. True if it was queued.
 *
 * Both are NULL or came from this library; `handle` was neither dropped nor joined.
 */
bool ddog_live_debugger_send_payload(const struct ddog_SenderHandle *handle,
                                     const struct ddog_DebuggerPayload *payload);

/**
 * Frees a payload. NULL is allowed.
 *
 * `payload` is NULL or came from this library and was not freed.
 */
void ddog_live_debugger_payload_drop(struct ddog_DebuggerPayload *payload);

/**
 * Closes the queue and frees the handle without waiting. The thread sends what is queued and ends
 * by itself. NULL is allowed.
 *
 * `handle` is NULL or a sender that was neither dropped nor joined and is not in use.
 */
void ddog_live_debugger_drop_sender(struct ddog_SenderHandle *handle);

/**
 * Closes the queue, waits until everything in it is sent or has failed, and frees the handle.
 * NULL is allowed.
 *
 * `handle` is NULL or a sender that was neither dropped nor joined and is not in use.
 */
void ddog_live_debugger_join_sender(struct ddog_SenderHandle *handle);

/**
 * As `ddog_live_debugger_join_sender`, and says what became of everything. `counts` may be NULL.
 *
 * As there; `counts` is NULL or can be written.
 */
void corelane_live_debugger_close(struct ddog_SenderHandle *handle,
                                  struct ddog_SenderCounts *counts);

/**
 * No tags yet.
 */
struct ddog_Vec_Tag ddog_Vec_Tag_new(void);

/**
 * Adds `key:value`. An empty key is refused.
 *
 * `tags` is NULL or came from `ddog_Vec_Tag_new`; `key` and `value` are readable.
 */
struct ddog_Vec_Tag_PushResult ddog_Vec_Tag_push(struct ddog_Vec_Tag *tags,
                                                 struct ddog_CharSlice key,
                                                 struct ddog_CharSlice value);

/**
 * Frees tags that were not used.
 *
 * `tags` came from `ddog_Vec_Tag_new` and was not consumed.
 */
void ddog_Vec_Tag_drop(struct ddog_Vec_Tag tags);

/**
 * Tags of a process and its host, percent-encoded. Consumes `global_tags`. NULL if a slice is a
 * null pointer with a length. Spawning a sender consumes the result; free it with
 * `ddog_live_debugger_tags_drop` otherwise.
 *
 * The slices are readable; `global_tags` came from `ddog_Vec_Tag_new` and was not consumed.
 */
struct ddog_Tags *ddog_live_debugger_build_tags(struct ddog_CharSlice debugger_version,
                                                struct ddog_CharSlice env,
                                                struct ddog_CharSlice version,
                                                struct ddog_CharSlice runtime_id,
                                                struct ddog_Vec_Tag global_tags);

/**
 * Percent-encodes tags that the caller joined by commas. As `ddog_live_debugger_build_tags`.
 *
 * `tags` is readable.
 */
struct ddog_Tags *ddog_live_debugger_tags_from_raw(struct ddog_CharSlice tags);

/**
 * Frees tags that no sender was spawned with. NULL is allowed.
 *
 * `tags` is NULL or came from this library and was not consumed.
 */
void ddog_live_debugger_tags_drop(struct ddog_Tags *tags);

/**
 * Sends the messages of all agents of this process to a function; NULL sends them nowhere, as at
 * the beginning. How many there are is decided by `log_level` when an agent starts.
 *
 * `function` may be called from any thread, with this `userdata`, until the process ends or
 * another one is set.
 */
void corelane_set_log_callback(corelane_log_fn function, void *userdata);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* DATADOG_AGENT_NATIVE_H */
