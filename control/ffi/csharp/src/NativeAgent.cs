using System;
using System.Collections.Generic;
using System.Text;
using System.Threading;

namespace Datadog.Trace.Agent
{
    /// <summary>The corelane agent inside this process, running until it is disposed.</summary>
    /// <remarks>
    /// Usable from several threads. One that is collected, or left behind when the process ends, is
    /// stopped too.
    /// </remarks>
    public sealed class NativeAgent : IDisposable
    {
        private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(30);
        private static readonly TimeSpan ForgottenStopTimeout = TimeSpan.FromSeconds(5);

        /// <summary>One wait; between two of them other things are looked at.</summary>
        private static readonly TimeSpan WaitSlice = TimeSpan.FromMilliseconds(250);

        private static readonly object InstanceLock = new object();
        private static readonly List<WeakReference<NativeAgent>> Running =
            new List<WeakReference<NativeAgent>>();

        private static NativeAgent instance;

        /// <summary>
        /// What the library calls: one for good, since a thread may be in it when it is taken away.
        /// </summary>
        private static readonly NativeMethods.LogCallback LogLine = WriteLogLine;

        private static Action<LogLevel, string> logCallback;

        private readonly object stopLock = new object();
        private readonly AgentHandle handle;
        private bool isStopped;

        static NativeAgent()
        {
            AppDomain.CurrentDomain.ProcessExit += (sender, arguments) => StopForgotten();
        }

        /// <summary>Starts an agent. Its sockets are bound when this returns.</summary>
        /// <exception cref="ArgumentNullException">There is no configuration.</exception>
        /// <exception cref="DatadogAgentException">It could not start.</exception>
        public NativeAgent(DatadogAgentConfig config)
        {
            if (config == null)
            {
                throw new ArgumentNullException(nameof(config));
            }
            AssertVersion();
            using (ConfigHandle settings = NativeMethods.ConfigNew())
            {
                if (config.ConfigFile != null)
                {
                    byte[] path = NativeMethods.CText(config.ConfigFile);
                    NativeMethods.ConfigLoadYaml(settings, path).ThrowIfFailed();
                }
                NativeMethods.ConfigLoadEnv(settings).ThrowIfFailed();
                foreach (KeyValuePair<string, string> pair in config.Features())
                {
                    // A library without it refuses the setting: it is off there.
                    Set(settings, pair).Take();
                }
                foreach (KeyValuePair<string, string> pair in config.Assignments())
                {
                    Set(settings, pair).ThrowIfFailed();
                }
                NativeMethods.Start(settings, out handle).ThrowIfFailed();
            }
            lock (Running)
            {
                Running.RemoveAll(weak => !weak.TryGetTarget(out _));
                Running.Add(new WeakReference<NativeAgent>(this));
            }
        }

        /// <summary>The agent of <see cref="CreateInstance"/>.</summary>
        /// <exception cref="DatadogAgentException">There is none.</exception>
        public static NativeAgent Instance
        {
            get
            {
                lock (InstanceLock)
                {
                    return instance ?? throw new DatadogAgentException(
                        DatadogError.NotAvailable, "there is no instance: call CreateInstance");
                }
            }
        }

        /// <summary>Version of the native library.</summary>
        public string Version => NativeMethods.TextOf(NativeMethods.Version());

        /// <summary>TCP port of traces, null without one.</summary>
        public int? BoundPort => PortOf(TraceUrl);

        /// <summary>UDP port of DogStatsD, null without one.</summary>
        public int? DogStatsDPort => PortOf(DogStatsDUrl);

        /// <summary>Path of the Unix socket of traces, null without one.</summary>
        public string UdsPath
        {
            get
            {
                const string Scheme = "unix://";
                string url = TraceUrl;
                return url != null && url.StartsWith(Scheme, StringComparison.Ordinal)
                    ? url.Substring(Scheme.Length)
                    : null;
            }
        }

        /// <summary>Where tracers send to, as <c>DD_TRACE_AGENT_URL</c> takes it.</summary>
        public string TraceUrl => GetEndpoint(Endpoint.Trace);

        /// <summary>Where clients send to, as <c>DD_DOGSTATSD_URL</c> takes it.</summary>
        public string DogStatsDUrl => GetEndpoint(Endpoint.DogStatsD);

        /// <summary>
        /// Where logs are sent over HTTP, to <c>/v1/input</c> below it; null without a listener.
        /// </summary>
        public string LogsUrl => GetEndpoint(Endpoint.Logs);

        /// <summary>
        /// <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> for <c>http/protobuf</c>; null without a listener.
        /// </summary>
        public string OtlpHttpUrl => GetEndpoint(Endpoint.OtlpHttp);

        /// <summary>
        /// <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> for <c>grpc</c>; null without a listener.
        /// </summary>
        public string OtlpGrpcUrl => GetEndpoint(Endpoint.OtlpGrpc);

        /// <summary>Starts the agent of this process, or returns the one that runs.</summary>
        /// <remarks>
        /// Without a configuration AppSec and DogStatsD are on and the log level is debug.
        /// </remarks>
        /// <returns>Null when it does not start.</returns>
        public static NativeAgent CreateInstance(DatadogAgentConfig config = null)
        {
            lock (InstanceLock)
            {
                if (instance != null && !instance.isStopped)
                {
                    return instance;
                }
                instance = null;
                try
                {
                    instance = new NativeAgent(config ?? new DatadogAgentConfig
                    {
                        AppsecEnabled = true,
                        LogLevel = LogLevel.Debug,
                        DogStatsDEnabled = true,
                    });
                }
                catch (DatadogAgentException exception)
                {
                    System.Diagnostics.Trace.TraceWarning(
                        "the agent did not start: " + exception.Message);
                }
                return instance;
            }
        }

        /// <summary>Sends what all agents of this process log to a function; null ends that.</summary>
        /// <remarks>
        /// It is called from threads of the agents, must return soon, must not throw and must not
        /// call an agent.
        /// </remarks>
        public static void SetLogCallback(Action<LogLevel, string> callback)
        {
            Volatile.Write(ref logCallback, callback);
            NativeMethods.SetLogCallback(callback == null ? null : LogLine, IntPtr.Zero);
        }

        /// <summary>Address of a listener as a URL, null when the agent does not listen.</summary>
        public string GetEndpoint(Endpoint kind)
        {
            AssertRunning();
            UIntPtr length = UIntPtr.Zero;
            try
            {
                NativeMethods.Endpoint(handle, (int)kind, null, ref length).ThrowIfFailed();
                var url = new byte[length.ToUInt32()];
                NativeMethods.Endpoint(handle, (int)kind, url, ref length).ThrowIfFailed();
                // The last one is zero.
                return Encoding.UTF8.GetString(url, 0, url.Length - 1);
            }
            catch (DatadogAgentException exception)
                when (exception.Code == DatadogError.NotAvailable)
            {
                return null;
            }
        }

        /// <summary>Hands over DogStatsD lines, without a socket. They are copied.</summary>
        /// <exception cref="DatadogAgentException">
        /// <c>SubmissionError</c> when the queue is full and nothing was taken,
        /// <c>InvalidDataFormat</c>, or <c>NotAvailable</c>.
        /// </exception>
        public void SubmitDogStatsD(string lines)
        {
            Submit(Submission.DogStatsD, Encoding.UTF8.GetBytes(lines));
        }

        /// <summary>Hands over a payload of traces as a tracer would post it.</summary>
        public void SubmitTraces(byte[] payload, TraceFormat format = TraceFormat.V04)
        {
            Submit((Submission)format, payload);
        }

        /// <summary>Hands over logs: a JSON list of entries, or one entry. They are copied.</summary>
        /// <remarks>
        /// An entry has a <c>message</c> and a <c>timestamp</c> in milliseconds, and <c>hostname</c>,
        /// <c>service</c>, <c>ddsource</c>, <c>ddtags</c> and <c>status</c> where it knows them;
        /// further keys stay with it. One that turns out to be broken is counted.
        /// </remarks>
        /// <exception cref="DatadogAgentException">
        /// As above; <c>NotAvailable</c> unless <c>logs_enabled</c> is on.
        /// </exception>
        public void SubmitLogs(string entries)
        {
            Submit(Submission.LogsJson, Encoding.UTF8.GetBytes(entries));
        }

        /// <summary>The same for JSON in UTF-8.</summary>
        public void SubmitLogs(byte[] entries)
        {
            Submit(Submission.LogsJson, entries);
        }

        /// <summary>
        /// Hands over an OTLP export request in protobuf, as an exporter would post it.
        /// </summary>
        /// <exception cref="DatadogAgentException">
        /// As above; <c>NotAvailable</c> when that signal is off. Logs need <c>logs_enabled</c> and
        /// <c>otlp_config.logs.enabled</c>.
        /// </exception>
        public void SubmitOtlp(OtlpSignal signal, byte[] request)
        {
            Submit((Submission)signal, request);
        }

        /// <summary>Delivers what was handed over until now.</summary>
        /// <exception cref="DatadogAgentException">
        /// <c>RuntimeError</c>: not everything was delivered in time. What is left is still under way.
        /// </exception>
        public void Flush(TimeSpan timeout)
        {
            AssertRunning();
            NativeMethods.Flush(handle, Milliseconds(timeout)).ThrowIfFailed();
        }

        /// <summary>What was received, sent and dropped so far, as JSON.</summary>
        public string Counters()
        {
            AssertRunning();
            NativeMethods.Counters(handle, out IntPtr text).ThrowIfFailed();
            try
            {
                return NativeMethods.TextOf(text);
            }
            finally
            {
                NativeMethods.StringFree(text);
            }
        }

        /// <summary>Waits until the agent ends, or until a person presses Ctrl+C.</summary>
        /// <param name="cancellation">Ends the wait.</param>
        /// <exception cref="OperationCanceledException">The wait was ended.</exception>
        public ShutdownReason WaitForShutdown(
            CancellationToken cancellation = default(CancellationToken))
        {
            AssertRunning();
            bool isInterrupted = false;
            ConsoleCancelEventHandler interrupt = (sender, arguments) =>
            {
                arguments.Cancel = true;
                Volatile.Write(ref isInterrupted, true);
            };
            Console.CancelKeyPress += interrupt;
            try
            {
                while (!Volatile.Read(ref isInterrupted))
                {
                    cancellation.ThrowIfCancellationRequested();
                    int reason = NativeMethods.Wait(handle, Milliseconds(WaitSlice));
                    if (reason < 0)
                    {
                        throw new DatadogAgentException(
                            DatadogError.NotAvailable, "the agent belongs to another process");
                    }
                    if (reason != NativeMethods.StillRunning)
                    {
                        return (ShutdownReason)reason;
                    }
                }
                return ShutdownReason.UserInterrupt;
            }
            finally
            {
                Console.CancelKeyPress -= interrupt;
            }
        }

        /// <summary>Asks the agent to end, which ends a wait in another thread.</summary>
        public void RequestStop()
        {
            if (!isStopped)
            {
                NativeMethods.RequestStop(handle);
            }
        }

        /// <summary>Delivers what is left and ends the agent. Twice is no error.</summary>
        /// <exception cref="DatadogAgentException">
        /// It did not end in time; may be repeated.
        /// </exception>
        public void Stop(TimeSpan timeout)
        {
            lock (stopLock)
            {
                if (!isStopped)
                {
                    NativeMethods.Stop(handle, Milliseconds(timeout)).ThrowIfFailed();
                    isStopped = true;
                }
            }
        }

        /// <summary>Stops within 30 s and gives everything back.</summary>
        public void Dispose()
        {
            Stop(StopTimeout);
            // Calls that are under way in other threads keep it until they are over.
            handle.Dispose();
        }

        private static void WriteLogLine(int level, IntPtr message, IntPtr userdata)
        {
            LogLevel known = level == 1 ? LogLevel.Error : (LogLevel)level;
            Volatile.Read(ref logCallback)?.Invoke(known, NativeMethods.TextOf(message));
        }

        private static void AssertVersion()
        {
            if (NativeMethods.AbiVersion() >> 16 != NativeMethods.AbiMajor)
            {
                throw new DatadogAgentException(
                    DatadogError.NotAvailable, "the library has another version of the interface");
            }
        }

        private static ErrorHandle Set(ConfigHandle settings, KeyValuePair<string, string> pair)
        {
            byte[] name = NativeMethods.CText(pair.Key);
            return NativeMethods.ConfigSet(settings, name, NativeMethods.CText(pair.Value));
        }

        private static void StopForgotten()
        {
            List<WeakReference<NativeAgent>> running;
            lock (Running)
            {
                running = new List<WeakReference<NativeAgent>>(Running);
            }
            // A thread that logs would call into a runtime that is gone.
            if (logCallback != null)
            {
                SetLogCallback(null);
            }
            foreach (WeakReference<NativeAgent> weak in running)
            {
                if (weak.TryGetTarget(out NativeAgent agent) && !agent.handle.IsClosed)
                {
                    try
                    {
                        agent.Stop(ForgottenStopTimeout);
                    }
                    catch (DatadogAgentException exception)
                    {
                        System.Diagnostics.Trace.TraceWarning(
                            "an agent did not stop: " + exception.Message);
                    }
                }
            }
        }

        private static int? PortOf(string url)
        {
            if (url == null || url.StartsWith("unix:", StringComparison.Ordinal))
            {
                return null;
            }
            return new Uri(url).Port;
        }

        private static uint Milliseconds(TimeSpan duration)
        {
            return (uint)Math.Max(0, Math.Min(duration.TotalMilliseconds, uint.MaxValue));
        }

        private void Submit(Submission kind, byte[] data)
        {
            if (data == null)
            {
                throw new ArgumentNullException(nameof(data));
            }
            AssertRunning();
            var length = new UIntPtr((uint)data.Length);
            NativeMethods.Submit(handle, (int)kind, data, length, 0).ThrowIfFailed();
        }

        private void AssertRunning()
        {
            if (isStopped)
            {
                throw new ObjectDisposedException(nameof(NativeAgent));
            }
        }
    }
}
