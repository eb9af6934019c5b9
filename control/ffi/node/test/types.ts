// Compiled, not run: the declarations fit what programs write.

import {
  DatadogAgentConfig,
  DatadogAgentException,
  DatadogError,
  DebuggerType,
  Endpoint,
  LiveDebuggerSender,
  LogLevel,
  NativeAgent,
  OperationalMode,
  OtlpSignal,
  ShutdownReason,
  TraceFormat,
  createInstance,
  getInstance,
  setLogCallback,
} from '..';

async function program(): Promise<ShutdownReason> {
  const config = new DatadogAgentConfig({
    apiKey: 'your-api-key',
    logLevel: LogLevel.INFO,
    operationalMode: OperationalMode.HTTP_UDS,
    traceAgentPort: null,
    settings: { 'dogstatsd_tags': 'a:b', DD_FLUSH_TIMEOUT: 5, log_payloads: false },
  });
  const agent: NativeAgent | null = createInstance(config);
  const port: number | null = getInstance().boundPort;
  const url: string | null = agent?.endpoint(Endpoint.TRACE) ?? null;
  agent?.submitTraces(new Uint8Array(1), TraceFormat.V05);
  agent?.submitDogstatsd(`${port}${url}:1|c`);
  const urls: (string | null)[] = agent ? [agent.logsUrl, agent.otlpHttpUrl, agent.otlpGrpcUrl] : [];
  agent?.submitLogs(JSON.stringify({ message: 'up', timestamp: Date.now(), urls }));
  agent?.submitOtlp(OtlpSignal.METRICS, new Uint8Array(2));
  setLogCallback((level, message) => void (level === LogLevel.ERROR && message.length));
  try {
    await agent?.flush(1_000);
  } catch (error) {
    if (error instanceof DatadogAgentException && error.code === DatadogError.SUBMISSION_ERROR) {
      await agent?.close();
    }
  }
  // @ts-expect-error an option that is not known
  new DatadogAgentConfig({ apikey: 'x' });
  // @ts-expect-error not a level
  new DatadogAgentConfig({ logLevel: 1 });
  // @ts-expect-error not a signal
  agent?.submitOtlp(TraceFormat.V04, new Uint8Array(2));
  return new NativeAgent(config).waitForShutdown();
}

async function debuggerProgram(): Promise<number> {
  const sender = new LiveDebuggerSender({ endpoint: { site: 'datadoghq.com', apiKey: 'x' } });
  const isQueued: boolean = sender.send(DebuggerType.LOGS, '[]');
  // @ts-expect-error not a kind
  sender.send(7, '[]');
  return isQueued ? (await sender.close()).sent : sender.counts.refused;
}

void program;
void debuggerProgram;
