using System;
using System.Diagnostics;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Text;
using Datadog.Trace.Agent;

/// <summary>What is handed over arrives: over sockets, in-process, at exit.</summary>
internal sealed class DeliveryTests : AgentTests
{
    public void MetricsOverUdpAndInProcessArrive()
    {
        using (var agent = new NativeAgent(Config()))
        {
            using (var client = new UdpClient())
            {
                byte[] line = Encoding.UTF8.GetBytes("bindings.csharp.udp:3|c");
                client.Send(line, line.Length, "127.0.0.1", agent.DogStatsDPort.Value);
            }
            agent.SubmitDogStatsD("bindings.csharp.process:4|c\nbindings.csharp.process:5|c");
            agent.SubmitDogStatsD("bindings.csharp.process:1|c|#t:é");
            agent.Flush(WaitMax);
            Same(10.0, TotalOf("bindings.csharp.process"));
        }
        Same(3.0, TotalOf("bindings.csharp.udp"));
    }

    public void TracesOverTcpAndInProcessArrive()
    {
        using (var agent = new NativeAgent(Config()))
        {
            using (var client = new WebClient())
            {
                client.Headers["Content-Type"] = "application/msgpack";
                client.Headers["X-Datadog-Trace-Count"] = "1";
                byte[] payload = TracePayload("bindings-csharp", "tcp");
                client.UploadData(agent.TraceUrl + "/v0.4/traces", payload);
            }
            agent.SubmitTraces(TracePayload("bindings-csharp", "process"));
            agent.Flush(WaitMax);
            string spans = Ask("spans?service=bindings-csharp");
            Holds(spans.Contains("\"name\":\"tcp\""), "tcp arrived");
            Holds(spans.Contains("\"name\":\"process\""), "process arrived");
        }
    }

    public void LogsOverHttpAndInProcessArrive()
    {
        const string Service = "bindings-csharp";
        using (var agent = new NativeAgent(Config(TakeLogsAndOtlp)))
        {
            byte[] body = Encoding.UTF8.GetBytes(LogEntries(Service, "http"));
            Post(agent.LogsUrl + "/v1/input", "application/json", body);
            agent.SubmitLogs(LogEntries(Service, "text"));
            agent.SubmitLogs(Encoding.UTF8.GetBytes(LogEntries(Service, "octets")));
            agent.Flush(WaitMax);
            string logs = Ask("logs?service=" + Service);
            foreach (string message in new[] { "http", "text", "octets" })
            {
                Holds(logs.Contains("\"message\":\"" + message + "\""), message + " arrived");
            }
            Same(3, CountOf("\"status\":\"warn\"", logs));
            Same(3, CountOf("\"tags\":[\"t:é\"]", logs));
        }
    }

    public void OtlpOverHttpAndInProcessArrives()
    {
        const string Service = "bindings-csharp-otlp";
        using (var agent = new NativeAgent(Config(TakeLogsAndOtlp)))
        {
            byte[] body = OtlpCount(Service, "bindings.csharp.otlp_http", 2);
            Post(agent.OtlpHttpUrl + "/v1/metrics", "application/x-protobuf", body);
            agent.SubmitOtlp(OtlpSignal.Traces, OtlpSpan(Service, "otlp"));
            body = OtlpCount(Service, "bindings.csharp.otlp", 4);
            agent.SubmitOtlp(OtlpSignal.Metrics, body);
            agent.SubmitOtlp(OtlpSignal.Logs, OtlpLog(Service, "otlp"));
            agent.Flush(WaitMax);
            Same(1, CountOf("\"resource\":\"otlp\"", Ask("spans?service=" + Service)));
            Same(2.0, TotalOf("bindings.csharp.otlp_http"));
            Same(4.0, TotalOf("bindings.csharp.otlp"));
            string logs = Ask("logs?service=" + Service);
            // A message of JSON is a text inside JSON.
            Same(1, CountOf("\\\"message\\\":\\\"otlp\\\"", logs));
            Same(1, CountOf("\"status\":\"error\"", logs));
            Same(1, CountOf("\"source\":\"otlp_log_ingestion\"", logs));
        }
    }

    public void UnixSocketsTakeThePlaceOfPorts()
    {
        string path;
        using (var agent = new NativeAgent(
            Config(config => config.OperationalMode = OperationalMode.HttpUds)))
        {
            Same(null, agent.BoundPort);
            path = agent.UdsPath;
            Same("unix://" + path, agent.TraceUrl);
            Holds(File.Exists(path), "the socket is there");
        }
        Holds(!File.Exists(path), "the socket is gone");
    }

    public void AStopDeliversWhatIsLeft()
    {
        var agent = new NativeAgent(Config());
        agent.SubmitDogStatsD("bindings.csharp.stop:7|c");
        agent.Stop(WaitMax);
        Same(7.0, TotalOf("bindings.csharp.stop"));
        agent.Dispose();
    }

    public void AProcessThatEndsWithoutAStopDelivers()
    {
        Process own = Process.GetCurrentProcess();
        var start = new ProcessStartInfo
        {
            FileName = own.MainModule.FileName,
            Arguments = "\"" + Assembly.GetExecutingAssembly().Location + "\" exit",
            UseShellExecute = false,
        };
        using (Process child = Process.Start(start))
        {
            child.WaitForExit();
            Same(0, child.ExitCode);
        }
        Same(5.0, TotalOf("bindings.csharp.exit"));
    }

    /// <summary>The program that the test above starts.</summary>
    internal static void EndWithoutStop()
    {
        using (var tests = new DeliveryTests())
        {
            var agent = new NativeAgent(tests.Config());
            agent.SubmitDogStatsD("bindings.csharp.exit:5|c");
            GC.KeepAlive(agent);
        }
    }

    /// <summary>Hands a body to a listener, which takes it.</summary>
    private static void Post(string url, string media, byte[] body)
    {
        using (var client = new WebClient())
        {
            client.Headers["Content-Type"] = media;
            client.UploadData(url, body);
        }
    }

    private static int CountOf(string part, string text)
    {
        return text.Split(new[] { part }, StringSplitOptions.None).Length - 1;
    }
}
