// Sends with the C interface to the server whose URL is the first argument; the second one is the
// path of a file. Exits with 0 if everything it can see is as it should be.

#define _GNU_SOURCE

#include "datadog_agent_native.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static atomic_int freed;

static ddog_CharSlice text(const char *text) {
    return (ddog_CharSlice){.ptr = text, .len = strlen(text)};
}

static void free_slice(ddog_CharSlice slice) {
    free((void *)slice.ptr);
    atomic_fetch_add(&freed, 1);
}

// A copy on the heap, which the library frees.
static ddog_OwnedCharSlice owned(const char *text) {
    return (ddog_OwnedCharSlice){.slice = {.ptr = strdup(text), .len = strlen(text)},
                                 .free = free_slice};
}

static bool is_ok(ddog_MaybeError error) {
    bool ok = error.tag == DDOG_MAYBE_ERROR_NONE_ERROR;
    if (!ok) {
        CHECK(error.some_error.message.len > 0);
    }
    ddog_MaybeError_drop(error);
    return ok;
}

static ddog_Endpoint *endpoint(const char *url) {
    ddog_Endpoint *endpoint = ddog_endpoint_from_url(text(url));
    CHECK(endpoint != NULL);
    ddog_endpoint_set_timeout(endpoint, 60000);
    return endpoint;
}

static ddog_Tags *tags(void) {
    ddog_Vec_Tag list = ddog_Vec_Tag_new();
    CHECK(ddog_Vec_Tag_push(&list, text("team"), text("a b")).tag == DDOG_VEC_TAG_PUSH_RESULT_OK);
    ddog_Vec_Tag_PushResult refused = ddog_Vec_Tag_push(&list, text(""), text("x"));
    CHECK(refused.tag == DDOG_VEC_TAG_PUSH_RESULT_ERR);
    ddog_Error_drop(&refused.err);
    ddog_Tags *tags = ddog_live_debugger_build_tags(text("1.0"), text("bed"), text("2"),
                                                    text("rid"), list);
    CHECK(tags != NULL);
    return tags;
}

static void everything_arrives(const char *url) {
    ddog_SenderConfig *config = ddog_live_debugger_sender_config_new();
    ddog_Endpoint *to = endpoint(url);
    CHECK(is_ok(ddog_live_debugger_sender_config_set_endpoint(config, to)));
    CHECK(is_ok(ddog_live_debugger_sender_config_set_symdb_endpoint(config, to)));
    // The setters copied it.
    ddog_endpoint_drop(to);
    ddog_SenderHandle *sender = NULL;
    CHECK(is_ok(ddog_live_debugger_spawn_sender_with_config(config, tags(), &sender)));
    CHECK(sender != NULL);
    atomic_store(&freed, 0);
    CHECK(ddog_live_debugger_send_raw_data(sender, DDOG_DEBUGGER_TYPE_DIAGNOSTICS,
                                           owned("[{\"d\":1}]")));
    CHECK(ddog_live_debugger_send_raw_data(sender, DDOG_DEBUGGER_TYPE_SNAPSHOTS,
                                           owned("[{\"s\":1}]")));
    CHECK(ddog_live_debugger_send_raw_data(sender, DDOG_DEBUGGER_TYPE_LOGS, owned("{\"l\":1}")));
    CHECK(ddog_live_debugger_send_symdb_data(sender, text("text/plain"), owned("symbols")));
    ddog_DebuggerPayload *payload = NULL;
    CHECK(is_ok(ddog_live_debugger_payload_from_json(
        text("{\"debugger\":{\"snapshot\":{\"captures\":{}}},\"extra\":1}"), &payload)));
    CHECK(ddog_live_debugger_send_payload(sender, payload));
    ddog_live_debugger_payload_drop(payload);
    // What is refused is freed at once.
    CHECK(!ddog_live_debugger_send_raw_data(sender, 7, owned("[]")));
    CHECK(!ddog_live_debugger_send_raw_data(NULL, 0, owned("[]")));
    CHECK(!ddog_live_debugger_send_symdb_data(NULL, text("text/plain"), owned("x")));
    CHECK(atomic_load(&freed) >= 3);
    CHECK(!corelane_live_debugger_send_copy(sender, 0, (ddog_CharSlice){.ptr = NULL, .len = 1}));
    CHECK(!corelane_live_debugger_send_symdb_copy(NULL, text("text/plain"), text("x")));
    ddog_SenderCounts counts = corelane_live_debugger_counts(sender);
    CHECK(counts.queued == 5 && counts.sent + counts.failed <= 5);
    CHECK(corelane_live_debugger_counts(NULL).queued == 0);
    corelane_live_debugger_close(sender, &counts);
    CHECK(counts.queued == 5 && counts.sent == 5 && counts.failed == 0);
    corelane_live_debugger_close(NULL, &counts);
    CHECK(atomic_load(&freed) == 7);
}

static void files_and_the_old_entry_work(const char *path) {
    ddog_Endpoint *file = ddog_endpoint_from_filename(text(path));
    CHECK(file != NULL);
    ddog_SenderHandle *sender = NULL;
    ddog_Tags *raw = corelane_live_debugger_tags_from_raw(text("a:b c"));
    CHECK(is_ok(corelane_live_debugger_spawn_sender(file, raw, &sender)));
    corelane_endpoint_drop(file);
    CHECK(corelane_live_debugger_send_copy(sender, DDOG_DEBUGGER_TYPE_LOGS, text("[1]")));
    corelane_live_debugger_join_sender(sender);
}

static void null_pointers_are_errors(void) {
    ddog_CharSlice bad = {.ptr = NULL, .len = 5};
    ddog_SenderHandle *sender = (ddog_SenderHandle *)&bad;
    CHECK(!is_ok(ddog_live_debugger_spawn_sender_with_config(NULL, NULL, &sender)));
    CHECK(sender == NULL);
    CHECK(!is_ok(ddog_live_debugger_spawn_sender(NULL, tags(), &sender)));
    ddog_SenderConfig *config = ddog_live_debugger_sender_config_new();
    CHECK(!is_ok(ddog_live_debugger_sender_config_set_endpoint(config, NULL)));
    CHECK(!is_ok(ddog_live_debugger_sender_config_set_endpoint(NULL, NULL)));
    // It consumes what it was given although it fails.
    CHECK(!is_ok(ddog_live_debugger_spawn_sender_with_config(config, tags(), NULL)));
    CHECK(ddog_endpoint_from_url(bad) == NULL);
    CHECK(ddog_endpoint_from_url(text("no url")) == NULL);
    CHECK(ddog_endpoint_from_filename(text("relative")) == NULL);
    ddog_Endpoint *made = NULL;
    CHECK(!is_ok(ddog_live_debugger_endpoint_from_site_and_api_key(text("datadoghq.com"), bad,
                                                                   &made)));
    CHECK(!is_ok(ddog_live_debugger_endpoint_from_site_and_api_key(text("a b"), text("k"), &made)));
    CHECK(made == NULL);
    CHECK(is_ok(ddog_live_debugger_endpoint_from_site_and_api_key(text("datadoghq.com"),
                                                                  text("k"), &made)));
    ddog_endpoint_set_test_token(made, text("session"));
    ddog_live_debugger_endpoint_set_api_key(made, text("other"));
    ddog_endpoint_drop(made);
    CHECK(ddog_live_debugger_tags_from_raw(bad) == NULL);
    CHECK(!is_ok(ddog_live_debugger_payload_from_json(text("{}"), NULL)));
    ddog_DebuggerPayload *payload = NULL;
    CHECK(!is_ok(ddog_live_debugger_payload_from_json(text("{}"), &payload)));
    CHECK(payload == NULL);
    CHECK(!ddog_live_debugger_send_payload(NULL, NULL));
    ddog_Vec_Tag_drop(ddog_Vec_Tag_new());
    ddog_live_debugger_tags_drop(tags());
    ddog_live_debugger_tags_drop(NULL);
    ddog_live_debugger_payload_drop(NULL);
    ddog_live_debugger_sender_config_drop(NULL);
    ddog_live_debugger_sender_config_drop(ddog_live_debugger_sender_config_new());
    ddog_live_debugger_drop_sender(NULL);
    ddog_live_debugger_join_sender(NULL);
    ddog_endpoint_drop(NULL);
    ddog_Error_drop(NULL);
}

static void a_child_refuses_and_does_not_wait(const char *url) {
    ddog_Endpoint *to = endpoint(url);
    ddog_SenderHandle *sender = NULL;
    CHECK(is_ok(ddog_live_debugger_spawn_sender(to, tags(), &sender)));
    ddog_endpoint_drop(to);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        bool is_queued = ddog_live_debugger_send_raw_data(sender, DDOG_DEBUGGER_TYPE_LOGS,
                                                          owned("[\"child\"]"));
        ddog_live_debugger_join_sender(sender);
        _exit(is_queued ? 1 : 0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(ddog_live_debugger_send_raw_data(sender, DDOG_DEBUGGER_TYPE_LOGS, owned("[\"parent\"]")));
    ddog_live_debugger_join_sender(sender);
}

int main(int count, char **arguments) {
    CHECK(count == 3);
    null_pointers_are_errors();
    everything_arrives(arguments[1]);
    files_and_the_old_entry_work(arguments[2]);
    a_child_refuses_and_does_not_wait(arguments[1]);
    return 0;
}
