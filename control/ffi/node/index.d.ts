/**
 * The corelane agent inside a Node.js process. It runs on threads of its own, in native code.
 *
 * Failures are a {@link DatadogAgentException}, thrown or as the rejection of a promise.
 */

/** What the agent logs. */
export declare const LogLevel: {
  readonly ERROR: 0;
  readonly WARN: 2;
  readonly INFO: 3;
  readonly DEBUG: 4;
  readonly TRACE: 5;
};
export type LogLevel = (typeof LogLevel)[keyof typeof LogLevel];

/** How clients reach the agent. */
export declare const OperationalMode: {
  /** TCP ports that clients know: 8126 for traces, 8125 for DogStatsD. */
  readonly HTTP_FIXED_PORT: 0;
  /** Ports that the system chooses; ask the agent for them. */
  readonly HTTP_EPHEMERAL_PORT: 1;
  /** Unix sockets; ask the agent for their paths. */
  readonly HTTP_UDS: 2;
};
export type OperationalMode = (typeof OperationalMode)[keyof typeof OperationalMode];

/** Why an agent ended. */
export declare const ShutdownReason: {
  readonly GRACEFUL_SHUTDOWN: 0;
  readonly USER_INTERRUPT: 1;
  readonly FATAL_ERROR: 2;
  readonly TIMEOUT: 3;
};
export type ShutdownReason = (typeof ShutdownReason)[keyof typeof ShutdownReason];

/** Why a call failed. */
export declare const DatadogError: {
  readonly OK: 0;
  readonly NULL_POINTER: 1;
  readonly INVALID_STRING: 2;
  readonly CONFIG_ERROR: 3;
  readonly INIT_ERROR: 4;
  readonly STARTUP_ERROR: 5;
  readonly SHUTDOWN_ERROR: 6;
  readonly RUNTIME_ERROR: 7;
  readonly INVALID_DATA_FORMAT: 8;
  readonly SUBMISSION_ERROR: 9;
  readonly NOT_AVAILABLE: 10;
  readonly UNKNOWN_ERROR: 99;
};
export type DatadogError = (typeof DatadogError)[keyof typeof DatadogError];

/**
 * An address the agent listens on. Those of OTLP and logs are there where their settings are:
 * `otlp_config.receiver.protocols.grpc.endpoint`, `.http.endpoint`, and `logs_agent_port` or
 * `corelane.logs.listen`.
 */
export declare const Endpoint: {
  readonly TRACE: 0;
  readonly DOGSTATSD: 1;
  readonly OTLP_GRPC: 2;
  readonly OTLP_HTTP: 3;
  readonly LOGS: 4;
};
export type Endpoint = (typeof Endpoint)[keyof typeof Endpoint];

/** The encoding of a payload of traces, as in the paths of the trace API. */
export declare const TraceFormat: {
  readonly V04: 1;
  readonly V05: 2;
  readonly V1: 3;
};
export type TraceFormat = (typeof TraceFormat)[keyof typeof TraceFormat];

/** What an OTLP export request holds. */
export declare const OtlpSignal: {
  readonly TRACES: 5;
  readonly METRICS: 6;
  readonly LOGS: 7;
};
export type OtlpSignal = (typeof OtlpSignal)[keyof typeof OtlpSignal];

/** A call that failed: `code` says why, the message says what to do. */
export declare class DatadogAgentException extends Error {
  constructor(message: string, code?: DatadogError);
  readonly code: DatadogError;
}

/** Options of an agent. `null` leaves an option to the environment, then to its default. */
export interface DatadogAgentOptions {
  /** `DD_API_KEY` */
  apiKey?: string | null;
  /** `DD_SITE`, then `datadoghq.com` */
  site?: string | null;
  /** `DD_SERVICE` */
  service?: string | null;
  /** `DD_ENV` */
  environment?: string | null;
  /** `DD_VERSION` */
  version?: string | null;
  /** Off by default. */
  appsecEnabled?: boolean;
  /** On by default. */
  remoteConfigEnabled?: boolean;
  /** `INFO` by default. */
  logLevel?: LogLevel;
  /** `HTTP_EPHEMERAL_PORT` by default. */
  operationalMode?: OperationalMode;
  /** `null`: 8126. 0: the system chooses, the default. Counts in `HTTP_FIXED_PORT` alone. */
  traceAgentPort?: number | null;
  /** Off by default. */
  dogstatsdEnabled?: boolean;
  /** `null`: 8125. 0: the system chooses, the default. */
  dogstatsdPort?: number | null;
  /** Mode bits of the socket, 0o600 by default. */
  traceAgentUdsPermissions?: number | null;
  /**
   * Every other setting by its dotted key or its `DD_*` name, with the value as in an environment
   * variable. Wins over everything else.
   */
  settings?: Record<string, string | number | boolean>;
  /** A `datadog.yaml` that is read first, below the environment. */
  configFile?: string | null;
}

/** Options with their defaults. */
export declare class DatadogAgentConfig implements Required<DatadogAgentOptions> {
  /** @throws TypeError for an option that is not known */
  constructor(options?: DatadogAgentOptions);
  apiKey: string | null;
  site: string | null;
  service: string | null;
  environment: string | null;
  version: string | null;
  appsecEnabled: boolean;
  remoteConfigEnabled: boolean;
  logLevel: LogLevel;
  operationalMode: OperationalMode;
  traceAgentPort: number | null;
  dogstatsdEnabled: boolean;
  dogstatsdPort: number | null;
  traceAgentUdsPermissions: number | null;
  settings: Record<string, string | number | boolean>;
  configFile: string | null;
}

/**
 * An agent, running from construction until it is stopped. One that is collected or left behind at
 * the end of the process is stopped too.
 */
export declare class NativeAgent {
  /** Starts the agent; its sockets are bound when this returns. */
  constructor(config: DatadogAgentConfig);
  /** Version of the native library. */
  readonly version: string;
  /** TCP port of traces, `null` without one. */
  readonly boundPort: number | null;
  /** UDP port of DogStatsD, `null` without one. */
  readonly dogstatsdPort: number | null;
  /** Path of the Unix socket of traces, `null` without one. */
  readonly udsPath: string | null;
  /** Where tracers send to, as `DD_TRACE_AGENT_URL` takes it. */
  readonly traceUrl: string | null;
  /** Where DogStatsD clients send to, as `DD_DOGSTATSD_URL` takes it. */
  readonly dogstatsdUrl: string | null;
  /** Where logs are sent over HTTP, to `/v1/input` below it; `null` without a listener. */
  readonly logsUrl: string | null;
  /** `OTEL_EXPORTER_OTLP_ENDPOINT` for `http/protobuf`; `null` without a listener. */
  readonly otlpHttpUrl: string | null;
  /** `OTEL_EXPORTER_OTLP_ENDPOINT` for `grpc`; `null` without a listener. */
  readonly otlpGrpcUrl: string | null;
  /** Address of a listener as a URL, `null` when the agent does not listen there. */
  endpoint(kind: Endpoint): string | null;
  /**
   * Hands over DogStatsD lines, without a socket; they are copied. Throws `SUBMISSION_ERROR` when
   * the queue is full and nothing was taken.
   */
  submitDogstatsd(lines: string | ArrayBufferView): void;
  /** Hands over a payload of traces as a tracer would post it; `V04` unless told otherwise. */
  submitTraces(payload: ArrayBufferView, format?: TraceFormat): void;
  /**
   * Hands over logs: a JSON list of entries, or one entry. An entry has a `message` and a `timestamp`
   * in milliseconds, and `hostname`, `service`, `ddsource`, `ddtags` and `status` where it knows
   * them; further keys stay with it. One that turns out to be broken is counted. Throws
   * `NOT_AVAILABLE` unless `logs_enabled` is on.
   */
  submitLogs(entries: string | ArrayBufferView): void;
  /**
   * Hands over an OTLP export request in protobuf, as an exporter would post it. Throws
   * `NOT_AVAILABLE` when that signal is off: logs need `logs_enabled` and `otlp_config.logs.enabled`.
   */
  submitOtlp(signal: OtlpSignal, request: ArrayBufferView): void;
  /**
   * Resolves once everything handed over until now is delivered, for example before a Lambda
   * freezes. Rejects with `RUNTIME_ERROR` after the timeout, 5 s by default; what is left is still
   * under way.
   */
  flush(timeoutMs?: number): Promise<void>;
  /** What was received, sent and dropped so far: the snapshot of `corelane status`. */
  counters(): Record<string, unknown>;
  /**
   * Resolves when the agent ends, or when SIGINT or SIGTERM arrives that the program does not
   * listen to itself. The agent still has to be stopped then. The loop is never blocked.
   */
  waitForShutdown(): Promise<ShutdownReason>;
  /** Asks the agent to end, which ends `waitForShutdown`. Does not wait. */
  requestStop(): void;
  /**
   * Delivers what is left and ends the agent. Blocks the loop, for the end of a process; twice is
   * no error. 30 s by default.
   */
  stop(timeoutMs?: number): void;
  /** The same without blocking the loop. */
  close(timeoutMs?: number): Promise<void>;
}

/**
 * Starts the agent of this process, or returns the one that runs. Without a configuration AppSec
 * and DogStatsD are on and the log level is debug. `null` when it does not start; a warning of the
 * process says why.
 */
export declare function createInstance(config?: DatadogAgentConfig | null): NativeAgent | null;

/** The agent of `createInstance`; throws when there is none. */
export declare function getInstance(): NativeAgent;

/**
 * Sends what all agents of this process log to a function; `null` ends that. Lines wait for the
 * loop, at most 1024; more are dropped.
 */
export declare function setLogCallback(
  callback: ((level: LogLevel, message: string) => void) | null,
): void;

/** What a payload of the Live Debugger holds. */
export declare const DebuggerType: {
  /** State of a probe. */
  readonly DIAGNOSTICS: 0;
  /** With captured values. */
  readonly SNAPSHOTS: 1;
  /** Without. */
  readonly LOGS: 2;
};
export type DebuggerType = (typeof DebuggerType)[keyof typeof DebuggerType];

/**
 * One place to send to: an agent's URL, or an intake's with a key, or a file of tests
 * (`file:///path`).
 */
export interface DebuggerEndpoint {
  /** As `http://127.0.0.1:8126` or `unix:///path`. */
  url?: string;
  /** Site of an intake, such as `datadoghq.com`, in place of a URL. */
  site?: string;
  /** Makes it an intake. */
  apiKey?: string;
  /** Length of each wait; 3000 by default. */
  timeoutMs?: number;
  /** Session of a test agent. */
  testToken?: string;
}

export interface LiveDebuggerOptions {
  /** Gets snapshots, logs and diagnostics. */
  endpoint?: DebuggerEndpoint | null;
  /** Gets symbol databases; without one they are refused. */
  symdbEndpoint?: DebuggerEndpoint | null;
  /** Get a copy of everything that `endpoint` gets. */
  additionalEndpoints?: DebuggerEndpoint[];
  /** Get a copy of every symbol database. */
  additionalSymdbEndpoints?: DebuggerEndpoint[];
  debuggerVersion?: string;
  env?: string;
  version?: string;
  runtimeId?: string;
  tags?: Record<string, string>;
}

/** queued = sent + failed + those that wait or are under way. */
export interface SenderCounts {
  /** Taken into the queue. */
  readonly queued: number;
  /** Accepted by the primary endpoint. */
  readonly sent: number;
  /** Refused by it, or not answered in time. */
  readonly failed: number;
  /** Not taken into the queue. */
  readonly refused: number;
}

/**
 * Sends payloads of the Live Debugger and symbol databases from a thread of its own. A call copies
 * its payload into a bounded queue and never waits. A sender that is collected sends what is queued,
 * and nobody waits for it.
 */
export declare class LiveDebuggerSender {
  constructor(options?: LiveDebuggerOptions);
  /** What became of payloads so far. */
  get counts(): SenderCounts;
  /** Queues a JSON array of payloads, or one payload. False if there is no room. */
  send(kind: DebuggerType, payload: string | Uint8Array): boolean;
  /** Queues an upload of a symbol database. False if there is no room. */
  sendSymdb(contentType: string, payload: string | Uint8Array): boolean;
  /** Sends what is queued, waits for it, and ends. A second call answers the same. */
  close(): Promise<SenderCounts>;
}
