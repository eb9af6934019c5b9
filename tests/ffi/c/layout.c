/* The layouts of spec config §11.2, on 64-bit little-endian machines. Compiling is the test. */
#include "datadog_agent_native.h"
#include <assert.h>

#define AT(type, field, offset) \
    _Static_assert(offsetof(type, field) == (offset), #type "." #field " is elsewhere")
#define SIZE(type, bytes, align)                                    \
    _Static_assert(sizeof(type) == (bytes), #type " has another size"); \
    _Static_assert(_Alignof(type) == (align), #type " is aligned otherwise")
#define IS(name, value) _Static_assert((int)(name) == (value), #name " has another value")

SIZE(DatadogAgentOptions, 72, 8);
AT(DatadogAgentOptions, api_key, 0);
AT(DatadogAgentOptions, site, 8);
AT(DatadogAgentOptions, service, 16);
AT(DatadogAgentOptions, env, 24);
AT(DatadogAgentOptions, version, 32);
AT(DatadogAgentOptions, appsec_enabled, 40);
AT(DatadogAgentOptions, remote_config_enabled, 44);
AT(DatadogAgentOptions, log_level, 48);
AT(DatadogAgentOptions, operational_mode, 52);
AT(DatadogAgentOptions, trace_agent_port, 56);
AT(DatadogAgentOptions, dogstatsd_enabled, 60);
AT(DatadogAgentOptions, dogstatsd_port, 64);
AT(DatadogAgentOptions, trace_agent_uds_permissions, 68);

SIZE(DatadogAgentStartResult, 40, 8);
AT(DatadogAgentStartResult, agent, 0);
AT(DatadogAgentStartResult, error, 8);
AT(DatadogAgentStartResult, version, 16);
AT(DatadogAgentStartResult, bound_port, 24);
AT(DatadogAgentStartResult, dogstatsd_port, 28);
AT(DatadogAgentStartResult, uds_path, 32);

SIZE(DatadogError, 4, 4);
IS(DATADOG_OK, 0);
IS(DATADOG_NULL_POINTER, 1);
IS(DATADOG_INVALID_STRING, 2);
IS(DATADOG_CONFIG_ERROR, 3);
IS(DATADOG_INIT_ERROR, 4);
IS(DATADOG_STARTUP_ERROR, 5);
IS(DATADOG_SHUTDOWN_ERROR, 6);
IS(DATADOG_RUNTIME_ERROR, 7);
IS(DATADOG_INVALID_DATA_FORMAT, 8);
IS(DATADOG_SUBMISSION_ERROR, 9);
IS(DATADOG_NOT_AVAILABLE, 10);
IS(DATADOG_UNKNOWN_ERROR, 99);
IS(CORELANE_ENDPOINT_TRACE, 0);
IS(CORELANE_ENDPOINT_DOGSTATSD, 1);
IS(CORELANE_ENDPOINT_OTLP_GRPC, 2);
IS(CORELANE_ENDPOINT_OTLP_HTTP, 3);
IS(CORELANE_ENDPOINT_LOGS, 4);
IS(CORELANE_DATA_DOGSTATSD, 0);
IS(CORELANE_DATA_TRACES_V04, 1);
IS(CORELANE_DATA_TRACES_V05, 2);
IS(CORELANE_DATA_TRACES_V1, 3);
IS(CORELANE_DATA_LOGS_JSON, 4);
IS(CORELANE_DATA_OTLP_TRACES, 5);
IS(CORELANE_DATA_OTLP_METRICS, 6);
IS(CORELANE_DATA_OTLP_LOGS, 7);

/* The functions have the types of the specification. */
DatadogAgentStartResult (*const start)(const DatadogAgentOptions *) = datadog_agent_start;
DatadogError (*const stop)(DatadogAgent *) = datadog_agent_stop;
int (*const wait_for_shutdown)(DatadogAgent *) = datadog_agent_wait_for_shutdown;
void (*const free_string)(char *) = datadog_free_string;
const char *(*const version)(void) = datadog_agent_version;

int main(void) { return 0; }
