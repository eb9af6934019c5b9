/* What an embedded agent costs its host: `cargo x bench embedded`, `cargo x bench embedded-metrics`.
 *
 * Prints the time of a start, what is resident before and while an agent is idle, the processor
 * time of ten idle seconds, and nanoseconds per metric handed over without a socket and sent over
 * the Unix datagram socket of the same agent, one metric a call. */
#define _GNU_SOURCE
#include "datadog_agent_native.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const char *lines[8];
enum { METRICS = 400000, PAUSE_EVERY = 4000 };

static void ok(corelane_error *error) {
    if (error == NULL) return;
    fprintf(stderr, "%s\n", corelane_error_message(error));
    exit(1);
}

static double now_ns(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static long resident_kib(void) {
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld %ld", &pages, &resident) != 2) exit(1);
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void submit(corelane_agent *agent, const char *line) {
    ok(corelane_agent_submit(agent, CORELANE_DATA_DOGSTATSD, (const uint8_t *)line, strlen(line), 0));
}

int main(void) {
    static char texts[8][128];
    for (int n = 0; n < 8; n++) {
        snprintf(texts[n], sizeof texts[n],
                 "shop.orders.done:%d|c|#env:prod,service:shop,region:eu-west-1,shard:%d", n, n);
        lines[n] = texts[n];
    }
    long before_kib = resident_kib();
    corelane_config *config = corelane_config_new();
    corelane_agent *agent = NULL;
    ok(corelane_config_load_env(config));
    ok(corelane_config_set(config, "agent_mode", "http_uds"));
    ok(corelane_config_set(config, "dogstatsd_enabled", "true"));
    ok(corelane_config_set(config, "dogstatsd_port", "0"));
    double from = now_ns(CLOCK_MONOTONIC);
    ok(corelane_agent_start(config, &agent));
    printf("start_us %.0f\n", (now_ns(CLOCK_MONOTONIC) - from) / 1000);

    sleep(2);
    double cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    sleep(10);
    printf("idle_cpu_ms_per_10s %.2f\n", (now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e6);
    printf("idle_added_kib %ld\n", resident_kib() - before_kib);

    /* Pauses let the lane keep up, and are not counted: calls are measured, not the ring. */
    double spent = 0;
    for (int n = 0; n < METRICS; n += PAUSE_EVERY) {
        from = now_ns(CLOCK_THREAD_CPUTIME_ID);
        for (int k = 0; k < PAUSE_EVERY; k++) submit(agent, lines[k % 8]);
        spent += now_ns(CLOCK_THREAD_CPUTIME_ID) - from;
        usleep(20000);
    }
    printf("submit_ns %.1f\n", spent / METRICS);

    char url[256];
    size_t length = sizeof url;
    ok(corelane_agent_endpoint(agent, CORELANE_ENDPOINT_DOGSTATSD, url, &length));
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%.100s", url + strlen("unix://"));
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) exit(1);
    from = now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (int n = 0; n < METRICS; n++)
        if (send(fd, lines[n % 8], strlen(lines[n % 8]), 0) < 0) exit(1);
    printf("uds_ns %.1f\n", (now_ns(CLOCK_THREAD_CPUTIME_ID) - from) / METRICS);

    ok(corelane_agent_stop(agent, 30000));
    corelane_agent_free(agent);
    corelane_config_free(config);
    return 0;
}
