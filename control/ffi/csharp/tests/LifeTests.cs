using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Datadog.Trace.Agent;

/// <summary>Start, stop, misuse: nothing is left behind, and errors are exceptions.</summary>
internal sealed class LifeTests : AgentTests
{
    /// <summary>Starts and stops in which a leak must not show.</summary>
    private static readonly int Cycles =
        int.Parse(Environment.GetEnvironmentVariable("CORELANE_TEST_CYCLES") ?? "100");

    public void WhatRunsIsTold()
    {
        using (var agent = new NativeAgent(Config()))
        {
            Same(3, agent.Version.Split('.').Length);
            Same("http://127.0.0.1:" + agent.BoundPort, agent.TraceUrl);
            Same("udp://127.0.0.1:" + agent.DogStatsDPort, agent.DogStatsDUrl);
            Same(null, agent.UdsPath);
            Same(null, agent.LogsUrl);
            Same(null, agent.OtlpHttpUrl);
            Same(null, agent.OtlpGrpcUrl);
            Holds(agent.Counters().StartsWith("{"), "counters are JSON");
        }
    }

    public void ListenersOfLogsAndOtlpAreTold()
    {
        using (var agent = new NativeAgent(Config(TakeLogsAndOtlp)))
        {
            Same(agent.GetEndpoint(Endpoint.Logs), agent.LogsUrl);
            Same(agent.GetEndpoint(Endpoint.OtlpHttp), agent.OtlpHttpUrl);
            Same(agent.GetEndpoint(Endpoint.OtlpGrpc), agent.OtlpGrpcUrl);
            var ports = new HashSet<int>();
            foreach (string url in new[] { agent.LogsUrl, agent.OtlpHttpUrl, agent.OtlpGrpcUrl })
            {
                var address = new Uri(url);
                Same("http://127.0.0.1:" + address.Port, url);
                using (var client = new TcpClient(address.Host, address.Port))
                {
                    ports.Add(address.Port);
                }
            }
            Same(3, ports.Count);
        }
    }

    public void WhatCannotStartSaysWhy()
    {
        Fails<ArgumentNullException>(() => new NativeAgent(null));
        Fails(DatadogError.ConfigError, "api_key", () => Start(config => config.ApiKey = null));
        Fails(
            DatadogError.ConfigError,
            "no.such.key",
            () => Start(config => config.Settings["no.such.key"] = "1"));
        Fails(DatadogError.InvalidString, "NUL", () => Start(config => config.Service = "a\0b"));
        Fails(
            DatadogError.ConfigError,
            "absent.yaml",
            () => Start(config => config.ConfigFile = "/absent.yaml"));
        using (var agent = new NativeAgent(Config()))
        {
            Fails(DatadogError.StartupError, agent.BoundPort.ToString(), () => Start(config =>
            {
                config.OperationalMode = OperationalMode.HttpFixedPort;
                config.TraceAgentPort = agent.BoundPort;
            }));
        }
    }

    public void AfterAStopCallsAreRefused()
    {
        var agent = new NativeAgent(Config());
        agent.Dispose();
        agent.Dispose();
        agent.RequestStop();
        Fails<ObjectDisposedException>(() => agent.SubmitDogStatsD("a:1|c"));
        Fails<ObjectDisposedException>(() => agent.SubmitTraces(new byte[] { 0x90 }));
        Fails<ObjectDisposedException>(() => agent.SubmitLogs("[]"));
        Fails<ObjectDisposedException>(
            () => agent.SubmitOtlp(OtlpSignal.Metrics, new byte[] { 10, 0 }));
        Fails<ObjectDisposedException>(() => agent.Flush(WaitMax));
        Fails<ObjectDisposedException>(() => agent.Counters());
        Fails<ObjectDisposedException>(() => agent.WaitForShutdown());
        Fails<ObjectDisposedException>(() => Console.WriteLine(agent.BoundPort));
        Fails<ObjectDisposedException>(() => Console.WriteLine(agent.LogsUrl));
    }

    public void WhatTheLibraryDoesNotTakeIsRefused()
    {
        using (var agent = new NativeAgent(Config()))
        {
            Fails(DatadogError.InvalidDataFormat, "no data", () => agent.SubmitDogStatsD(""));
            var payload = new byte[] { 0x90 };
            Fails(
                DatadogError.InvalidDataFormat,
                string.Empty,
                () => agent.SubmitTraces(payload, TraceFormat.V1));
            Fails<ArgumentNullException>(() => agent.SubmitTraces(null));
        }
        using (var agent = new NativeAgent(Config(TakeLogsAndOtlp)))
        {
            const DatadogError Malformed = DatadogError.InvalidDataFormat;
            Fails(Malformed, string.Empty, () => agent.SubmitLogs("plain text"));
            byte[] text = Encoding.UTF8.GetBytes("no protobuf");
            foreach (OtlpSignal signal in Enum.GetValues(typeof(OtlpSignal)))
            {
                Fails(Malformed, string.Empty, () => agent.SubmitOtlp(signal, text));
            }
            Fails<ArgumentNullException>(() => agent.SubmitLogs((byte[])null));
            Fails<ArgumentNullException>(() => agent.SubmitOtlp(OtlpSignal.Logs, null));
        }
    }

    public void WhatIsOffIsNotAvailable()
    {
        using (var agent = new NativeAgent(Config(config =>
        {
            config.Settings["otlp_config.traces.enabled"] = "false";
            config.Settings["otlp_config.metrics.enabled"] = "false";
        })))
        {
            const DatadogError Off = DatadogError.NotAvailable;
            var request = new byte[] { 10, 0 };
            Fails(Off, "logs_enabled", () => agent.SubmitLogs("[]"));
            Fails(Off, "traces.enabled", () => agent.SubmitOtlp(OtlpSignal.Traces, request));
            Fails(Off, "metrics.enabled", () => agent.SubmitOtlp(OtlpSignal.Metrics, request));
            Fails(Off, "logs.enabled", () => agent.SubmitOtlp(OtlpSignal.Logs, request));
        }
    }

    public void AWaitEndsByRequestAndByCancellation()
    {
        using (var agent = new NativeAgent(Config()))
        using (var source = new CancellationTokenSource())
        {
            source.Cancel();
            Fails<OperationCanceledException>(() => agent.WaitForShutdown(source.Token));
            Task<ShutdownReason> waiting = Task.Run(() => agent.WaitForShutdown());
            agent.RequestStop();
            Holds(waiting.Wait(WaitMax), "the wait ended");
            Same(ShutdownReason.GracefulShutdown, waiting.Result);
        }
    }

    public void ManyStartsAndStopsLeaveNothing()
    {
        for (int cycle = 0; cycle < 5; cycle++)
        {
            Start(config => { });
        }
        int threads = AgentThreads();
        int descriptors = Directory.GetFileSystemEntries("/proc/self/fd").Length;
        for (int cycle = 0; cycle < Cycles; cycle++)
        {
            Start(config => { });
        }
        // The kernel lists a thread that was joined a little longer.
        Until(() => AgentThreads() <= threads, "the threads have ended");
        int left = Directory.GetFileSystemEntries("/proc/self/fd").Length;
        Holds(left <= descriptors, descriptors + " descriptors, then " + left);
    }

    public void AForgottenAgentIsStoppedWhenCollected()
    {
        // Those of the test before may still be listed, and end while this one counts.
        Until(() => AgentThreads() == 0, "the threads of others have ended");
        Holds(Forget() > 0, "there are threads");
        Until(
            () =>
            {
                // Mono looks for references on the stack, where old ones can lie a while.
                Overwrite(64);
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return AgentThreads() == 0;
            },
            "the threads have ended");
    }

    public void LogsReachACallback()
    {
        int lineCount = 0;
        NativeAgent.SetLogCallback((level, message) =>
        {
            if (message.Length > 0)
            {
                Interlocked.Increment(ref lineCount);
            }
        });
        Start(config => config.LogLevel = LogLevel.Debug);
        NativeAgent.SetLogCallback(null);
        Holds(lineCount > 0, "there are lines");
    }

    public void TheInstanceOfTheProcess()
    {
        Same(null, NativeAgent.CreateInstance(Config(config => config.ApiKey = null)));
        Fails(DatadogError.NotAvailable, "CreateInstance", () => NativeAgent.Instance.Dispose());
        using (NativeAgent agent = NativeAgent.CreateInstance(Config()))
        {
            Same(agent, NativeAgent.Instance);
            Same(agent, NativeAgent.CreateInstance(Config()));
        }
    }

    private static int Overwrite(int depth)
    {
        return depth == 0 ? 0 : 1 + Overwrite(depth - 1);
    }

    private void Start(Action<DatadogAgentConfig> change)
    {
        using (var agent = new NativeAgent(Config(change)))
        {
            agent.SubmitDogStatsD("bindings.csharp.cycles:1|c");
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int Forget()
    {
        int during = 0;
        // No stack is left that could hold a reference.
        var thread = new Thread(() =>
        {
            var agent = new NativeAgent(Config());
            during = AgentThreads();
            GC.KeepAlive(agent);
        });
        thread.Start();
        thread.Join();
        return during;
    }
}
