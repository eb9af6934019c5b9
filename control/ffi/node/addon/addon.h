/*
 * What both addons are made of: the functions of the library, opened at run time, and the passage of
 * values. Define `FUNCTIONS(X)`, each function that is called, before this is included.
 */

#define NAPI_VERSION 8
#include <node_api.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datadog_agent_native.h"

#define MEMBER(name) __typeof__(&name) name;
static struct {
    FUNCTIONS(MEMBER)
} library;

/* Guards `library` while it is opened: workers are threads of one process. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_open;

/* Finds each function in the library at `path`. What is wrong is written to `refusal`. */
static void resolve_functions(const char *path, char *refusal, size_t size) {
    void *opened = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!opened) {
        snprintf(refusal, size, "%s", dlerror());
    }
#define RESOLVE(name)                                                                  \
    if (!*refusal) {                                                                   \
        *(void **)&library.name = dlsym(opened, #name);                                \
        if (!library.name) {                                                           \
            snprintf(refusal, size, "%s: %s is missing", path, #name);                 \
        }                                                                              \
    }
    FUNCTIONS(RESOLVE)
}

/* Leaves the function when Node-API refuses; an exception is then pending. */
#define TRY(call)                                                                      \
    do {                                                                               \
        if ((call) != napi_ok) {                                                       \
            refuse(env, #call);                                                        \
            return NULL;                                                               \
        }                                                                              \
    } while (0)

static void refuse(napi_env env, const char *call) {
    bool is_pending = false;
    napi_is_exception_pending(env, &is_pending);
    if (!is_pending) {
        napi_throw_type_error(env, NULL, call);
    }
}

/* A copy on the heap of a string and its length, NULL for anything else. */
static char *text_of(napi_env env, napi_value value, size_t *length) {
    if (napi_get_value_string_utf8(env, value, NULL, 0, length) != napi_ok) {
        return NULL;
    }
    char *text = malloc(*length + 1);
    if (text && napi_get_value_string_utf8(env, value, text, *length + 1, length) != napi_ok) {
        free(text);
        return NULL;
    }
    return text;
}
