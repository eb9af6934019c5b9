using System;

namespace Datadog.Trace.Agent
{
    /// <summary>What the agent logs.</summary>
    public enum LogLevel
    {
        /// <summary>Errors alone.</summary>
        Error = 0,

        /// <summary>And warnings.</summary>
        Warn = 2,

        /// <summary>And what it does.</summary>
        Info = 3,

        /// <summary>And why.</summary>
        Debug = 4,

        /// <summary>And everything else.</summary>
        Trace = 5,
    }

    /// <summary>How clients reach the agent.</summary>
    public enum OperationalMode
    {
        /// <summary>TCP ports that clients know: 8126 for traces, 8125 for DogStatsD.</summary>
        HttpFixedPort = 0,

        /// <summary>Ports that the system chooses; ask the agent for them.</summary>
        HttpEphemeralPort = 1,

        /// <summary>Unix sockets; ask the agent for their paths.</summary>
        HttpUds = 2,
    }

    /// <summary>Why an agent ended.</summary>
    public enum ShutdownReason
    {
        /// <summary>The program asked for it.</summary>
        GracefulShutdown = 0,

        /// <summary>A person asked for it.</summary>
        UserInterrupt = 1,

        /// <summary>It failed.</summary>
        FatalError = 2,

        /// <summary>It took too long.</summary>
        Timeout = 3,
    }

    /// <summary>An address the agent listens on.</summary>
    /// <remarks>Those of OTLP and logs are there where the setting that they name is.</remarks>
    public enum Endpoint
    {
        /// <summary>Traces.</summary>
        Trace = 0,

        /// <summary>DogStatsD.</summary>
        DogStatsD = 1,

        /// <summary>OTLP over gRPC: otlp_config.receiver.protocols.grpc.endpoint.</summary>
        OtlpGrpc = 2,

        /// <summary>OTLP over HTTP: otlp_config.receiver.protocols.http.endpoint.</summary>
        OtlpHttp = 3,

        /// <summary>Logs over HTTP: logs_agent_port, corelane.logs.listen.</summary>
        Logs = 4,
    }

    /// <summary>The encoding of a payload of traces, as in the paths of the trace API.</summary>
    public enum TraceFormat
    {
        /// <summary>MessagePack, /v0.4/traces.</summary>
        V04 = 1,

        /// <summary>MessagePack with a table of strings, /v0.5/traces.</summary>
        V05 = 2,

        /// <summary>/v1.0/traces.</summary>
        V1 = 3,
    }

    /// <summary>What an OTLP export request holds.</summary>
    public enum OtlpSignal
    {
        /// <summary>An ExportTraceServiceRequest.</summary>
        Traces = 5,

        /// <summary>An ExportMetricsServiceRequest.</summary>
        Metrics = 6,

        /// <summary>An ExportLogsServiceRequest.</summary>
        Logs = 7,
    }

    /// <summary>What is handed over in-process.</summary>
    /// <remarks>The others are the formats of traces and the signals of OTLP.</remarks>
    internal enum Submission
    {
        /// <summary>DogStatsD lines.</summary>
        DogStatsD = 0,

        /// <summary>A list of logs, or one log.</summary>
        LogsJson = 4,
    }

    /// <summary>Why a call failed.</summary>
    public enum DatadogError
    {
        /// <summary>It did not.</summary>
        Ok = 0,

        /// <summary>A null pointer was given.</summary>
        NullPointer = 1,

        /// <summary>A string is not UTF-8, or contains a NUL character.</summary>
        InvalidString = 2,

        /// <summary>A setting is missing or wrong.</summary>
        ConfigError = 3,

        /// <summary>The agent could not be made.</summary>
        InitError = 4,

        /// <summary>The agent could not start, for example because a port is taken.</summary>
        StartupError = 5,

        /// <summary>The agent did not stop.</summary>
        ShutdownError = 6,

        /// <summary>Something else failed.</summary>
        RuntimeError = 7,

        /// <summary>What was handed over is not of the format.</summary>
        InvalidDataFormat = 8,

        /// <summary>What was handed over was not taken, or not delivered in time.</summary>
        SubmissionError = 9,

        /// <summary>This is off, or the agent does not run.</summary>
        NotAvailable = 10,

        /// <summary>A newer library may know more reasons.</summary>
        UnknownError = 99,
    }

    /// <summary>Numbers of the C header.</summary>
    internal static class DatadogErrors
    {
        /// <summary>The reason of a number.</summary>
        internal static DatadogError Known(int code)
        {
            return Enum.IsDefined(typeof(DatadogError), code)
                ? (DatadogError)code
                : DatadogError.UnknownError;
        }
    }
}
