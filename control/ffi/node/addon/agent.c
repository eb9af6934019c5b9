/*
 * The agent of the C library as a Node-API addon. What the calls mean is written in `../index.d.ts`;
 * here they are only carried over.
 *
 * - The library is opened at run time by the path that `lib/native.js` chooses, so that the addon
 *   itself links nothing, and one library serves every binding.
 * - `stop` and `flush` wait in libuv's threads and answer with a promise; `stopNow` is the one call
 *   that blocks the loop, for the end of a process.
 * - Calls begin and end in the loop, also those that wait in another thread. The last one after a
 *   stop frees the agent, and after the JavaScript value is collected what is left of it.
 * - Log lines arrive from threads of the agent and wait in a bounded queue for the loop. The lines
 *   that do not fit are dropped.
 */

/* Version of the interface that this addon is compiled for. */
enum { ABI_MAJOR = 1 };
/* Log lines that wait for the loop. */
enum { LOG_LINES_MAX = 1024 };

/* Each function of the library that is called. */
#define FUNCTIONS(X)             \
    X(datadog_agent_version)     \
    X(corelane_abi_version)      \
    X(corelane_config_new)       \
    X(corelane_config_free)      \
    X(corelane_config_set)       \
    X(corelane_config_load_env)  \
    X(corelane_config_load_yaml) \
    X(corelane_agent_start)      \
    X(corelane_agent_endpoint)   \
    X(corelane_agent_counters)   \
    X(corelane_string_free)      \
    X(corelane_agent_submit)     \
    X(corelane_agent_flush)      \
    X(corelane_agent_wait)       \
    X(corelane_agent_request_stop) \
    X(corelane_agent_stop)       \
    X(corelane_agent_free)       \
    X(corelane_error_code)       \
    X(corelane_error_message)    \
    X(corelane_error_free)       \
    X(corelane_set_log_callback)

#include "addon.h"

/* Lines of the log wait here, guarded by `lock`. */
static napi_threadsafe_function log_queue;
static napi_env log_env;

typedef struct {
    /* NULL once it is stopped and freed. */
    corelane_agent *agent;
    /* In other threads. */
    unsigned calls;
    bool is_stopped;
    bool is_collected;
} Agent;

typedef enum { FLUSH, STOP } Verb;

/* A call that waits in a thread of libuv. */
typedef struct {
    Verb verb;
    Agent *agent;
    uint32_t timeout_ms;
    corelane_error *error;
    napi_deferred deferred;
    napi_async_work work;
} Waiting;

typedef struct {
    int level;
    char text[];
} LogLine;

/* A `DatadogAgentException`, whose class was given to `open`. */
static napi_value exception_of(napi_env env, int code, const char *message) {
    napi_ref class_ref = NULL;
    napi_value class = NULL;
    napi_value arguments[2];
    napi_value exception = NULL;
    napi_get_instance_data(env, (void **)&class_ref);
    napi_get_reference_value(env, class_ref, &class);
    napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &arguments[0]);
    napi_create_int32(env, code, &arguments[1]);
    napi_new_instance(env, class, 2, arguments, &exception);
    return exception;
}

static napi_value taken(napi_env env, corelane_error *error) {
    const char *message = library.corelane_error_message(error);
    napi_value exception =
        exception_of(env, library.corelane_error_code(error), message ? message : "");
    library.corelane_error_free(error);
    return exception;
}

static napi_value throw_taken(napi_env env, corelane_error *error) {
    napi_throw(env, taken(env, error));
    return NULL;
}

static napi_value throw_code(napi_env env, int code, const char *message) {
    napi_throw(env, exception_of(env, code, message));
    return NULL;
}

/* Frees what nobody needs any more. */
static void give_back(Agent *agent) {
    if (agent->calls) {
        return;
    }
    if (agent->is_stopped || agent->is_collected) {
        library.corelane_agent_free(agent->agent);
        agent->agent = NULL;
    }
    if (agent->is_collected) {
        free(agent);
    }
}

static void finalize_agent(napi_env env, void *data, void *hint) {
    (void)env;
    (void)hint;
    Agent *agent = data;
    agent->is_collected = true;
    give_back(agent);
}

/* The agent in the first argument and, if wanted, a number in the last. */
static Agent *agent_argument(napi_env env, napi_callback_info info, size_t count,
                             napi_value *arguments) {
    size_t given = count;
    Agent *agent = NULL;
    if (napi_get_cb_info(env, info, &given, arguments, NULL, NULL) != napi_ok || given < count ||
        napi_get_value_external(env, arguments[0], (void **)&agent) != napi_ok) {
        refuse(env, "an agent is expected");
        return NULL;
    }
    return agent;
}

/* open(path, DatadogAgentException): the library's version */
static napi_value open_library(napi_env env, napi_callback_info info) {
    size_t count = 2;
    napi_value arguments[2];
    napi_value version;
    napi_ref class_ref = NULL;
    napi_ref known = NULL;
    TRY(napi_get_cb_info(env, info, &count, arguments, NULL, NULL));
    TRY(napi_get_instance_data(env, (void **)&known));
    if (!known) {
        TRY(napi_create_reference(env, arguments[1], 1, &class_ref));
        TRY(napi_set_instance_data(env, class_ref, NULL, NULL));
    }
    size_t length = 0;
    char *path = text_of(env, arguments[0], &length);
    if (!path) {
        refuse(env, "a path is expected");
        return NULL;
    }
    char refusal[1024] = "";
    pthread_mutex_lock(&lock);
    if (!is_open) {
        resolve_functions(path, refusal, sizeof refusal);
        if (!*refusal && library.corelane_abi_version() >> 16 != ABI_MAJOR) {
            snprintf(refusal, sizeof refusal, "%s: another version of the interface", path);
        }
        is_open = !*refusal;
    }
    pthread_mutex_unlock(&lock);
    free(path);
    if (*refusal) {
        return throw_code(env, DATADOG_NOT_AVAILABLE, refusal);
    }
    TRY(napi_create_string_utf8(env, library.datadog_agent_version(), NAPI_AUTO_LENGTH, &version));
    return version;
}

/* Sets one pair of `[name, text]`. */
static corelane_error *set_pair(napi_env env, corelane_config *config, napi_value pair) {
    napi_value parts[2];
    corelane_error *error = NULL;
    napi_get_element(env, pair, 0, &parts[0]);
    napi_get_element(env, pair, 1, &parts[1]);
    size_t length = 0;
    char *name = text_of(env, parts[0], &length);
    char *text = text_of(env, parts[1], &length);
    /* A NULL is refused by the library. */
    error = library.corelane_config_set(config, name, text);
    free(name);
    free(text);
    return error;
}

/* Sets pairs. Of what a library may be built without, a refusal means that it is off. */
static corelane_error *set_pairs(napi_env env, corelane_config *config, napi_value pairs,
                                 bool is_optional) {
    corelane_error *error = NULL;
    uint32_t count = 0;
    napi_get_array_length(env, pairs, &count);
    for (uint32_t index = 0; index < count && !error; index++) {
        napi_value pair;
        napi_get_element(env, pairs, index, &pair);
        error = set_pair(env, config, pair);
        if (error && is_optional) {
            library.corelane_error_free(error);
            error = NULL;
        }
    }
    return error;
}

/* start(pairs, features, configFile or null): an agent. Features are pairs that may be refused. */
static napi_value start(napi_env env, napi_callback_info info) {
    size_t count = 3;
    napi_value arguments[3];
    napi_value value = NULL;
    TRY(napi_get_cb_info(env, info, &count, arguments, NULL, NULL));

    corelane_config *config = library.corelane_config_new();
    corelane_error *error = NULL;
    size_t length = 0;
    char *file = text_of(env, arguments[2], &length);
    if (file) {
        error = library.corelane_config_load_yaml(config, file);
        free(file);
    }
    if (!error) {
        error = library.corelane_config_load_env(config);
    }
    if (!error) {
        error = set_pairs(env, config, arguments[1], true);
    }
    if (!error) {
        error = set_pairs(env, config, arguments[0], false);
    }
    corelane_agent *started = NULL;
    if (!error) {
        error = library.corelane_agent_start(config, &started);
    }
    library.corelane_config_free(config);
    if (error) {
        return throw_taken(env, error);
    }
    Agent *agent = calloc(1, sizeof *agent);
    if (agent) {
        agent->agent = started;
    }
    if (!agent || napi_create_external(env, agent, finalize_agent, NULL, &value) != napi_ok) {
        free(agent);
        library.corelane_agent_free(started);
        return throw_code(env, DATADOG_RUNTIME_ERROR, "no memory for an agent");
    }
    return value;
}

/* endpoint(agent, kind): a URL or null */
static napi_value endpoint(napi_env env, napi_callback_info info) {
    napi_value arguments[2];
    napi_value value = NULL;
    int32_t kind = 0;
    size_t length = 0;
    Agent *agent = agent_argument(env, info, 2, arguments);
    if (!agent) {
        return NULL;
    }
    TRY(napi_get_value_int32(env, arguments[1], &kind));
    corelane_error *error = library.corelane_agent_endpoint(agent->agent, kind, NULL, &length);
    char *url = error ? NULL : malloc(length);
    if (url) {
        error = library.corelane_agent_endpoint(agent->agent, kind, url, &length);
    } else if (!error) {
        return throw_code(env, DATADOG_RUNTIME_ERROR, "no memory for a URL");
    }
    if (!error) {
        napi_create_string_utf8(env, url, NAPI_AUTO_LENGTH, &value);
    } else if (library.corelane_error_code(error) == DATADOG_NOT_AVAILABLE) {
        library.corelane_error_free(error);
        napi_get_null(env, &value);
    } else {
        throw_taken(env, error);
    }
    free(url);
    return value;
}

/* counters(agent): JSON */
static napi_value counters(napi_env env, napi_callback_info info) {
    napi_value arguments[1];
    napi_value value = NULL;
    char *text = NULL;
    Agent *agent = agent_argument(env, info, 1, arguments);
    if (!agent) {
        return NULL;
    }
    corelane_error *error = library.corelane_agent_counters(agent->agent, &text);
    if (error) {
        return throw_taken(env, error);
    }
    napi_create_string_utf8(env, text ? text : "", NAPI_AUTO_LENGTH, &value);
    library.corelane_string_free(text);
    return value;
}

/* submit(agent, kind, Buffer) */
static napi_value submit(napi_env env, napi_callback_info info) {
    napi_value arguments[3];
    int32_t kind = 0;
    void *data = NULL;
    size_t length = 0;
    Agent *agent = agent_argument(env, info, 3, arguments);
    if (!agent) {
        return NULL;
    }
    TRY(napi_get_value_int32(env, arguments[1], &kind));
    TRY(napi_get_buffer_info(env, arguments[2], &data, &length));
    /* An empty buffer may have no address, which the library would take for a mistake. */
    const uint8_t *octets = length ? data : (const uint8_t *)"";
    corelane_error *error = library.corelane_agent_submit(agent->agent, kind, octets, length, 0);
    return error ? throw_taken(env, error) : NULL;
}

/* wait(agent): why it ended, or 4 while it runs; does not wait */
static napi_value wait_now(napi_env env, napi_callback_info info) {
    napi_value arguments[1];
    napi_value value;
    Agent *agent = agent_argument(env, info, 1, arguments);
    if (!agent) {
        return NULL;
    }
    /* One that is freed was stopped. */
    int reason = agent->agent ? library.corelane_agent_wait(agent->agent, 0) : 0;
    TRY(napi_create_int32(env, reason, &value));
    return value;
}

/* requestStop(agent) */
static napi_value request_stop(napi_env env, napi_callback_info info) {
    napi_value arguments[1];
    Agent *agent = agent_argument(env, info, 1, arguments);
    if (agent) {
        library.corelane_agent_request_stop(agent->agent);
    }
    return NULL;
}

/* stopNow(agent, milliseconds) */
static napi_value stop_now(napi_env env, napi_callback_info info) {
    napi_value arguments[2];
    uint32_t timeout_ms = 0;
    Agent *agent = agent_argument(env, info, 2, arguments);
    if (!agent) {
        return NULL;
    }
    TRY(napi_get_value_uint32(env, arguments[1], &timeout_ms));
    corelane_error *error = library.corelane_agent_stop(agent->agent, timeout_ms);
    if (error) {
        return throw_taken(env, error);
    }
    agent->is_stopped = true;
    give_back(agent);
    return NULL;
}

static void execute(napi_env env, void *data) {
    (void)env;
    Waiting *waiting = data;
    corelane_agent *agent = waiting->agent->agent;
    waiting->error = waiting->verb == FLUSH
                         ? library.corelane_agent_flush(agent, waiting->timeout_ms)
                         : library.corelane_agent_stop(agent, waiting->timeout_ms);
}

static void complete(napi_env env, napi_status status, void *data) {
    Waiting *waiting = data;
    napi_value value;
    if (status == napi_cancelled) {
        value = exception_of(env, DATADOG_RUNTIME_ERROR, "the process ends");
        napi_reject_deferred(env, waiting->deferred, value);
    } else if (waiting->error) {
        napi_reject_deferred(env, waiting->deferred, taken(env, waiting->error));
    } else {
        waiting->agent->is_stopped |= waiting->verb == STOP;
        napi_get_undefined(env, &value);
        napi_resolve_deferred(env, waiting->deferred, value);
    }
    napi_delete_async_work(env, waiting->work);
    waiting->agent->calls--;
    give_back(waiting->agent);
    free(waiting);
}

static napi_value wait_for(napi_env env, napi_callback_info info, Verb verb) {
    napi_value arguments[2];
    napi_value promise;
    napi_value name;
    uint32_t timeout_ms = 0;
    Agent *agent = agent_argument(env, info, 2, arguments);
    if (!agent) {
        return NULL;
    }
    TRY(napi_get_value_uint32(env, arguments[1], &timeout_ms));
    TRY(napi_create_string_utf8(env, "datadog_agent_native", NAPI_AUTO_LENGTH, &name));
    Waiting *waiting = calloc(1, sizeof *waiting);
    if (!waiting) {
        return throw_code(env, DATADOG_RUNTIME_ERROR, "no memory for a call");
    }
    waiting->verb = verb;
    waiting->agent = agent;
    waiting->timeout_ms = timeout_ms;
    if (napi_create_promise(env, &waiting->deferred, &promise) != napi_ok ||
        napi_create_async_work(env, NULL, name, execute, complete, waiting, &waiting->work) !=
            napi_ok) {
        free(waiting);
        refuse(env, "a promise cannot be made");
        return NULL;
    }
    agent->calls++;
    if (napi_queue_async_work(env, waiting->work) != napi_ok) {
        napi_delete_async_work(env, waiting->work);
        agent->calls--;
        free(waiting);
        refuse(env, "a thread cannot be asked");
        return NULL;
    }
    return promise;
}

/* flush(agent, milliseconds): a promise */
static napi_value flush(napi_env env, napi_callback_info info) {
    return wait_for(env, info, FLUSH);
}

/* stop(agent, milliseconds): a promise */
static napi_value stop(napi_env env, napi_callback_info info) {
    return wait_for(env, info, STOP);
}

/* In a thread of an agent. */
static void log_from_agent(int level, const char *message, void *userdata) {
    (void)userdata;
    size_t length = strlen(message);
    LogLine *line = malloc(sizeof *line + length + 1);
    if (!line) {
        return;
    }
    line->level = level;
    memcpy(line->text, message, length + 1);
    pthread_mutex_lock(&lock);
    napi_status status = napi_closing;
    if (log_queue) {
        status = napi_call_threadsafe_function(log_queue, line, napi_tsfn_nonblocking);
    }
    pthread_mutex_unlock(&lock);
    if (status != napi_ok) {
        free(line);
    }
}

/* In the loop. */
static void log_to_callback(napi_env env, napi_value callback, void *context, void *data) {
    (void)context;
    LogLine *line = data;
    if (env && callback) {
        napi_value arguments[2];
        napi_value receiver;
        napi_create_int32(env, line->level, &arguments[0]);
        napi_create_string_utf8(env, line->text, NAPI_AUTO_LENGTH, &arguments[1]);
        napi_get_undefined(env, &receiver);
        if (napi_call_function(env, receiver, callback, 2, arguments, NULL) ==
            napi_pending_exception) {
            napi_value exception;
            napi_get_and_clear_last_exception(env, &exception);
            napi_fatal_exception(env, exception);
        }
    }
    free(line);
}

/* Ends the queue if `env` is the one it belongs to; NULL stands for any. */
static void end_log_queue(void *env) {
    pthread_mutex_lock(&lock);
    if (log_queue && (!env || env == log_env)) {
        napi_release_threadsafe_function(log_queue, napi_tsfn_abort);
        log_queue = NULL;
        log_env = NULL;
    }
    pthread_mutex_unlock(&lock);
}

/* setLogCallback(function or null) */
static napi_value set_log_callback(napi_env env, napi_callback_info info) {
    size_t count = 1;
    napi_value arguments[1];
    napi_value name;
    napi_valuetype type = napi_undefined;
    napi_threadsafe_function queue = NULL;
    TRY(napi_get_cb_info(env, info, &count, arguments, NULL, NULL));
    TRY(napi_typeof(env, arguments[0], &type));
    library.corelane_set_log_callback(NULL, NULL);
    end_log_queue(NULL);
    if (type != napi_function) {
        return NULL;
    }
    TRY(napi_create_string_utf8(env, "datadog_agent_native_log", NAPI_AUTO_LENGTH, &name));
    TRY(napi_create_threadsafe_function(env, arguments[0], NULL, name, LOG_LINES_MAX, 1, NULL, NULL,
                                        NULL, log_to_callback, &queue));
    /* Log lines alone do not keep a process alive. */
    TRY(napi_unref_threadsafe_function(env, queue));
    pthread_mutex_lock(&lock);
    log_queue = queue;
    log_env = env;
    pthread_mutex_unlock(&lock);
    library.corelane_set_log_callback(log_from_agent, NULL);
    return NULL;
}

NAPI_MODULE_INIT() {
    static const struct {
        const char *name;
        napi_callback function;
    } functions[] = {
        {"open", open_library},   {"start", start},
        {"endpoint", endpoint},   {"counters", counters},
        {"submit", submit},       {"wait", wait_now},
        {"flush", flush},         {"stop", stop},
        {"stopNow", stop_now},    {"requestStop", request_stop},
        {"setLogCallback", set_log_callback},
    };
    for (size_t index = 0; index < sizeof functions / sizeof *functions; index++) {
        napi_value function;
        TRY(napi_create_function(env, functions[index].name, NAPI_AUTO_LENGTH,
                                 functions[index].function, NULL, &function));
        TRY(napi_set_named_property(env, exports, functions[index].name, function));
    }
    TRY(napi_add_env_cleanup_hook(env, end_log_queue, env));
    return exports;
}
