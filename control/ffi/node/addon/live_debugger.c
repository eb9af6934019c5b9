/*
 * The sender of the Live Debugger as a Node-API addon of its own, beside that of the agent: a library
 * may be built without either. What the calls mean is written in `../index.d.ts`.
 *
 * - Every call returns at once but `close`, which waits in a thread of libuv and answers with a
 *   promise. Calls begin and end in the loop.
 * - A sender that is collected sends what is queued, and nobody waits for it.
 */

/* Each function of the library that is called. */
#define FUNCTIONS(X)                                                  \
    X(ddog_live_debugger_sender_config_new)                           \
    X(ddog_live_debugger_sender_config_drop)                          \
    X(ddog_live_debugger_sender_config_set_endpoint)                  \
    X(ddog_live_debugger_sender_config_set_symdb_endpoint)            \
    X(ddog_live_debugger_sender_config_add_additional_endpoint)       \
    X(ddog_live_debugger_sender_config_add_additional_symdb_endpoint) \
    X(ddog_endpoint_from_url)                                         \
    X(ddog_live_debugger_endpoint_from_site_and_api_key)              \
    X(ddog_live_debugger_endpoint_set_api_key)                        \
    X(ddog_endpoint_set_timeout)                                      \
    X(ddog_endpoint_set_test_token)                                   \
    X(ddog_endpoint_drop)                                             \
    X(ddog_Vec_Tag_new)                                               \
    X(ddog_Vec_Tag_push)                                              \
    X(ddog_Vec_Tag_drop)                                              \
    X(ddog_live_debugger_build_tags)                                  \
    X(ddog_live_debugger_spawn_sender_with_config)                    \
    X(corelane_live_debugger_send_copy)                               \
    X(corelane_live_debugger_send_symdb_copy)                         \
    X(corelane_live_debugger_counts)                                  \
    X(corelane_live_debugger_close)                                   \
    X(ddog_live_debugger_drop_sender)                                 \
    X(ddog_Error_drop)                                                \
    X(ddog_MaybeError_drop)

#include "addon.h"

/* Codes of the exceptions that `lib/live_debugger.js` turns into its own. */
static const char *const CONFIG_ERROR = "CONFIG_ERROR";
static const char *const NOT_AVAILABLE = "NOT_AVAILABLE";

typedef struct {
    /* NULL once it is closed. */
    ddog_SenderHandle *handle;
} Sender;

/* A close that waits in a thread of libuv. */
typedef struct {
    ddog_SenderHandle *handle;
    ddog_SenderCounts counts;
    napi_deferred deferred;
    napi_async_work work;
} Closing;

/* A copy on the heap of a text, nothing for null. To be freed by its pointer. */
static ddog_CharSlice slice_of(napi_env env, napi_value value) {
    ddog_CharSlice slice = {NULL, 0};
    slice.ptr = text_of(env, value, &slice.len);
    return slice;
}

static ddog_CharSlice text_at(napi_env env, napi_value list, uint32_t index) {
    napi_value value = NULL;
    ddog_CharSlice nothing = {NULL, 0};
    return napi_get_element(env, list, index, &value) == napi_ok ? slice_of(env, value) : nothing;
}

static int64_t number_at(napi_env env, napi_value list, uint32_t index) {
    napi_value value = NULL;
    int64_t number = 0;
    if (napi_get_element(env, list, index, &value) == napi_ok) {
        napi_get_value_int64(env, value, &number);
    }
    return number;
}

static void throw_error(napi_env env, const ddog_Error *error) {
    char *text = calloc(1, error->message.len + 1);
    if (text) {
        memcpy(text, error->message.ptr, error->message.len);
    }
    napi_throw_error(env, CONFIG_ERROR, text ? text : "no memory");
    free(text);
}

/* Whether all is well; else an exception is pending. */
static bool is_good(napi_env env, ddog_MaybeError maybe) {
    if (maybe.tag == DDOG_MAYBE_ERROR_NONE_ERROR) {
        return true;
    }
    throw_error(env, &maybe.some_error);
    library.ddog_MaybeError_drop(maybe);
    return false;
}

/* open(path) */
static napi_value open_library(napi_env env, napi_callback_info info) {
    size_t count = 1;
    napi_value argument;
    TRY(napi_get_cb_info(env, info, &count, &argument, NULL, NULL));
    size_t length = 0;
    char *path = text_of(env, argument, &length);
    if (!path) {
        refuse(env, "a path is expected");
        return NULL;
    }
    char refusal[1024] = "";
    pthread_mutex_lock(&lock);
    if (!is_open) {
        resolve_functions(path, refusal, sizeof refusal);
        is_open = !*refusal;
    }
    pthread_mutex_unlock(&lock);
    free(path);
    if (*refusal) {
        napi_throw_error(env, NOT_AVAILABLE, refusal);
    }
    return NULL;
}

/* An endpoint of `[track, url, site, key, timeout, token]`; NULL with a pending exception. */
static ddog_Endpoint *endpoint_of(napi_env env, napi_value parts) {
    ddog_CharSlice url = text_at(env, parts, 1);
    ddog_CharSlice site = text_at(env, parts, 2);
    ddog_CharSlice key = text_at(env, parts, 3);
    ddog_CharSlice token = text_at(env, parts, 5);
    int64_t timeout_ms = number_at(env, parts, 4);
    ddog_Endpoint *endpoint = NULL;
    if (site.ptr) {
        is_good(env, library.ddog_live_debugger_endpoint_from_site_and_api_key(site, key,
                                                                                &endpoint));
    } else {
        endpoint = library.ddog_endpoint_from_url(url);
        if (!endpoint) {
            napi_throw_error(env, CONFIG_ERROR, "the URL of an endpoint is none");
        } else if (key.ptr) {
            library.ddog_live_debugger_endpoint_set_api_key(endpoint, key);
        }
    }
    if (endpoint) {
        library.ddog_endpoint_set_timeout(endpoint, timeout_ms < 0 ? 0 : (uint64_t)timeout_ms);
    }
    if (endpoint && token.ptr) {
        library.ddog_endpoint_set_test_token(endpoint, token);
    }
    free((void *)url.ptr);
    free((void *)site.ptr);
    free((void *)key.ptr);
    free((void *)token.ptr);
    return endpoint;
}

/* Adds one endpoint. False with a pending exception. */
static bool add(napi_env env, ddog_SenderConfig *config, napi_value parts) {
    ddog_Endpoint *endpoint = endpoint_of(env, parts);
    if (!endpoint) {
        return false;
    }
    __typeof__(&ddog_live_debugger_sender_config_set_endpoint) const adding[] = {
        library.ddog_live_debugger_sender_config_set_endpoint,
        library.ddog_live_debugger_sender_config_set_symdb_endpoint,
        library.ddog_live_debugger_sender_config_add_additional_endpoint,
        library.ddog_live_debugger_sender_config_add_additional_symdb_endpoint,
    };
    int64_t track = number_at(env, parts, 0);
    bool is_added = is_good(env, adding[track & 3](config, endpoint));
    library.ddog_endpoint_drop(endpoint);
    return is_added;
}

/* Tags of texts and pairs. NULL with a pending exception. */
static ddog_Tags *tags_of(napi_env env, napi_value texts, napi_value pairs) {
    uint32_t count = 0;
    ddog_Vec_Tag collected = library.ddog_Vec_Tag_new();
    napi_get_array_length(env, pairs, &count);
    for (uint32_t index = 0; index < count; index++) {
        napi_value pair = NULL;
        napi_get_element(env, pairs, index, &pair);
        ddog_CharSlice key = text_at(env, pair, 0);
        ddog_CharSlice value = text_at(env, pair, 1);
        ddog_Vec_Tag_PushResult pushed = library.ddog_Vec_Tag_push(&collected, key, value);
        free((void *)key.ptr);
        free((void *)value.ptr);
        if (pushed.tag == DDOG_VEC_TAG_PUSH_RESULT_ERR) {
            throw_error(env, &pushed.err);
            library.ddog_Error_drop(&pushed.err);
            library.ddog_Vec_Tag_drop(collected);
            return NULL;
        }
    }
    ddog_CharSlice text[4];
    for (uint32_t index = 0; index < 4; index++) {
        text[index] = text_at(env, texts, index);
    }
    ddog_Tags *tags =
        library.ddog_live_debugger_build_tags(text[0], text[1], text[2], text[3], collected);
    for (uint32_t index = 0; index < 4; index++) {
        free((void *)text[index].ptr);
    }
    return tags;
}

static void finalize(napi_env env, void *data, void *hint) {
    (void)env;
    (void)hint;
    Sender *sender = data;
    library.ddog_live_debugger_drop_sender(sender->handle);
    free(sender);
}

/* spawn(endpoints, texts, pairs): a sender */
static napi_value spawn(napi_env env, napi_callback_info info) {
    size_t count = 3;
    uint32_t endpoints = 0;
    napi_value arguments[3];
    napi_value value = NULL;
    TRY(napi_get_cb_info(env, info, &count, arguments, NULL, NULL));
    TRY(napi_get_array_length(env, arguments[0], &endpoints));
    ddog_SenderConfig *config = library.ddog_live_debugger_sender_config_new();
    for (uint32_t index = 0; index < endpoints; index++) {
        napi_value parts = NULL;
        napi_get_element(env, arguments[0], index, &parts);
        if (!add(env, config, parts)) {
            library.ddog_live_debugger_sender_config_drop(config);
            return NULL;
        }
    }
    ddog_Tags *tags = tags_of(env, arguments[1], arguments[2]);
    if (!tags) {
        library.ddog_live_debugger_sender_config_drop(config);
        return NULL;
    }
    ddog_SenderHandle *handle = NULL;
    /* Takes both, whatever comes of it. */
    if (!is_good(env, library.ddog_live_debugger_spawn_sender_with_config(config, tags, &handle))) {
        return NULL;
    }
    Sender *sender = calloc(1, sizeof *sender);
    if (sender) {
        sender->handle = handle;
    }
    if (!sender || napi_create_external(env, sender, finalize, NULL, &value) != napi_ok) {
        free(sender);
        library.ddog_live_debugger_drop_sender(handle);
        refuse(env, "no memory for a sender");
        return NULL;
    }
    return value;
}

/* The sender in the first of so many arguments. */
static Sender *sender_argument(napi_env env, napi_callback_info info, size_t count,
                               napi_value *arguments) {
    size_t given = count;
    Sender *sender = NULL;
    if (napi_get_cb_info(env, info, &given, arguments, NULL, NULL) != napi_ok || given < count ||
        napi_get_value_external(env, arguments[0], (void **)&sender) != napi_ok) {
        refuse(env, "a sender is expected");
        return NULL;
    }
    return sender;
}

static bool octets_of(napi_env env, napi_value value, ddog_CharSlice *slice) {
    void *data = NULL;
    napi_typedarray_type type;
    if (napi_get_typedarray_info(env, value, &type, &slice->len, &data, NULL, NULL) != napi_ok ||
        type != napi_uint8_array) {
        refuse(env, "bytes are expected");
        return false;
    }
    slice->ptr = data;
    return true;
}

/* send(sender, kind, octets): whether there was room */
static napi_value send_payload(napi_env env, napi_callback_info info) {
    napi_value arguments[3];
    napi_value value;
    int32_t kind = 0;
    ddog_CharSlice data;
    Sender *sender = sender_argument(env, info, 3, arguments);
    if (!sender || !octets_of(env, arguments[2], &data)) {
        return NULL;
    }
    TRY(napi_get_value_int32(env, arguments[1], &kind));
    bool is_queued = library.corelane_live_debugger_send_copy(sender->handle, kind, data);
    TRY(napi_get_boolean(env, is_queued, &value));
    return value;
}

/* sendSymdb(sender, contentType, octets): whether there was room */
static napi_value send_symdb(napi_env env, napi_callback_info info) {
    napi_value arguments[3];
    napi_value value;
    ddog_CharSlice data;
    Sender *sender = sender_argument(env, info, 3, arguments);
    if (!sender || !octets_of(env, arguments[2], &data)) {
        return NULL;
    }
    ddog_CharSlice type = slice_of(env, arguments[1]);
    bool is_queued =
        library.corelane_live_debugger_send_symdb_copy(sender->handle, type, data);
    free((void *)type.ptr);
    TRY(napi_get_boolean(env, is_queued, &value));
    return value;
}

static napi_value named(napi_env env, ddog_SenderCounts counts) {
    const struct {
        const char *name;
        uint64_t count;
    } members[] = {
        {"queued", counts.queued},
        {"sent", counts.sent},
        {"failed", counts.failed},
        {"refused", counts.refused},
    };
    napi_value object;
    TRY(napi_create_object(env, &object));
    for (size_t index = 0; index < sizeof members / sizeof *members; index++) {
        napi_value number;
        TRY(napi_create_double(env, (double)members[index].count, &number));
        TRY(napi_set_named_property(env, object, members[index].name, number));
    }
    return object;
}

/* counts(sender) */
static napi_value counts(napi_env env, napi_callback_info info) {
    napi_value argument;
    Sender *sender = sender_argument(env, info, 1, &argument);
    return sender ? named(env, library.corelane_live_debugger_counts(sender->handle)) : NULL;
}

static void execute(napi_env env, void *data) {
    (void)env;
    Closing *closing = data;
    library.corelane_live_debugger_close(closing->handle, &closing->counts);
}

static void complete(napi_env env, napi_status status, void *data) {
    (void)status;
    Closing *closing = data;
    napi_resolve_deferred(env, closing->deferred, named(env, closing->counts));
    napi_delete_async_work(env, closing->work);
    free(closing);
}

/* close(sender): a promise of its counts. Nothing else may be asked of it afterwards. */
static napi_value close_sender(napi_env env, napi_callback_info info) {
    napi_value argument;
    napi_value name;
    napi_value promise = NULL;
    Sender *sender = sender_argument(env, info, 1, &argument);
    if (!sender) {
        return NULL;
    }
    TRY(napi_create_string_utf8(env, "datadog_live_debugger", NAPI_AUTO_LENGTH, &name));
    Closing *closing = calloc(1, sizeof *closing);
    if (closing) {
        closing->handle = sender->handle;
    }
    if (!closing || napi_create_promise(env, &closing->deferred, &promise) != napi_ok ||
        napi_create_async_work(env, NULL, name, execute, complete, closing, &closing->work) !=
            napi_ok ||
        napi_queue_async_work(env, closing->work) != napi_ok) {
        free(closing);
        refuse(env, "no memory for a promise");
        return NULL;
    }
    sender->handle = NULL;
    return promise;
}

NAPI_MODULE_INIT() {
    static const struct {
        const char *name;
        napi_callback function;
    } functions[] = {
        {"open", open_library},    {"spawn", spawn},   {"send", send_payload},
        {"sendSymdb", send_symdb}, {"counts", counts}, {"close", close_sender},
    };
    for (size_t index = 0; index < sizeof functions / sizeof *functions; index++) {
        napi_value function;
        TRY(napi_create_function(env, functions[index].name, NAPI_AUTO_LENGTH,
                                 functions[index].function, NULL, &function));
        TRY(napi_set_named_property(env, exports, functions[index].name, function));
    }
    return exports;
}
