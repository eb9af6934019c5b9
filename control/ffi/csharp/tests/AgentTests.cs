using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Text;
using System.Threading;
using Datadog.Trace.Agent;

/// <summary>A test with a directory for its agents, which deliver to the intake.</summary>
internal abstract class AgentTests : IDisposable
{
    /// <summary>Nothing takes this long unless it is broken or the machine is overloaded.</summary>
    protected static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(1);

    private static readonly string IntakeUrl =
        Environment.GetEnvironmentVariable("CORELANE_TEST_INTAKE");

    private readonly string directory =
        Path.Combine(Path.GetTempPath(), "agent-native-" + Guid.NewGuid());

    protected AgentTests()
    {
        Directory.CreateDirectory(directory);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Directory.Delete(directory, true);
    }

    /// <summary>An agent on ports that the system chooses.</summary>
    protected DatadogAgentConfig Config(Action<DatadogAgentConfig> change = null)
    {
        var config = new DatadogAgentConfig
        {
            ApiKey = "0123456789abcdef0123456789abcdef",
            DogStatsDEnabled = true,
            RemoteConfigEnabled = false,
        };
        config.Settings["dd_url"] = IntakeUrl;
        // Each agent has a name of its own: two of one name that send a metric of one bucket overwrite
        // each other's point at the intake.
        config.Settings["hostname"] = "bed-" + Guid.NewGuid();
        config.Settings["run_path"] = directory;
        change?.Invoke(config);
        return config;
    }

    /// <summary>Takes logs and OTLP too, in-process and on ports that the system chooses.</summary>
    protected static void TakeLogsAndOtlp(DatadogAgentConfig config)
    {
        config.Settings["logs_enabled"] = "true";
        config.Settings["otlp_config.logs.enabled"] = "true";
        config.Settings["logs_agent_port"] = "0";
        config.Settings["otlp_config.receiver.protocols.http.endpoint"] = "127.0.0.1:0";
        config.Settings["otlp_config.receiver.protocols.grpc.endpoint"] = "127.0.0.1:0";
    }

    /// <summary>The intake's answer to a question about what it received.</summary>
    protected static string Ask(string question)
    {
        using (var client = new WebClient { Encoding = Encoding.UTF8 })
        {
            return client.DownloadString(IntakeUrl + "/_corelane/" + question);
        }
    }

    /// <summary>Sum over all points of a count.</summary>
    protected static double TotalOf(string metric)
    {
        const string Key = "\"total\":";
        string text = Ask("metrics?name=" + metric);
        double total = 0;
        for (int at = text.IndexOf(Key); at >= 0; at = text.IndexOf(Key, at + 1))
        {
            int start = at + Key.Length;
            string number = text.Substring(start, text.IndexOfAny(new[] { ',', '}' }, start) - start);
            total += double.Parse(number, System.Globalization.CultureInfo.InvariantCulture);
        }
        return total;
    }

    /// <summary>Asserts that two values are the same.</summary>
    protected static void Same<T>(T expected, T actual)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
        {
            throw new InvalidOperationException("expected " + expected + ", not " + actual);
        }
    }

    /// <summary>Asserts a claim.</summary>
    protected static void Holds(bool claim, string what)
    {
        Same(what + ": True", what + ": " + claim);
    }

    /// <summary>Asserts that a call fails.</summary>
    protected static T Fails<T>(Action call)
        where T : Exception
    {
        try
        {
            call();
        }
        catch (T exception)
        {
            return exception;
        }
        throw new InvalidOperationException("a call did not fail with " + typeof(T).Name);
    }

    /// <summary>Asserts that a call fails with a code, and that its message contains a text.</summary>
    protected static void Fails(DatadogError code, string message, Action call)
    {
        var exception = Fails<DatadogAgentException>(call);
        Same(code, exception.Code);
        Holds(exception.Message.Contains(message), exception.Message);
    }

    /// <summary>Looks again and again until a condition holds.</summary>
    protected static void Until(Func<bool> isSo, string what)
    {
        DateTime end = DateTime.UtcNow + WaitMax;
        while (!isSo())
        {
            Holds(DateTime.UtcNow < end, what);
            Thread.Sleep(5);
        }
    }

    /// <summary>Threads of agents. The runtime starts others as it likes.</summary>
    protected static int AgentThreads()
    {
        return Directory.GetDirectories("/proc/self/task").Select(ThreadName).Count(name =>
            name.StartsWith("corelane", StringComparison.Ordinal));
    }

    /// <summary>One trace of one span, as a tracer posts it to /v0.4/traces.</summary>
    protected static byte[] TracePayload(string service, string name)
    {
        var packed = new List<byte> { 0x91, 0x91, 0x8c };
        Action<string> addText = value =>
        {
            byte[] octets = Encoding.UTF8.GetBytes(value);
            packed.Add(0xd9);
            packed.Add((byte)octets.Length);
            packed.AddRange(octets);
        };
        Action<string, ulong> addNumber = (key, value) =>
        {
            addText(key);
            packed.Add(0xcf);
            packed.AddRange(BitConverter.GetBytes(value).Reverse());
        };
        foreach (string text in new[]
        {
            "service", service, "name", name, "resource", "GET /", "type", "web",
        })
        {
            addText(text);
        }
        addNumber("trace_id", 7);
        addNumber("span_id", 9);
        addNumber("parent_id", 0);
        addNumber("start", 1700000000000000000);
        addNumber("duration", 1000000);
        addNumber("error", 0);
        addText("meta");
        packed.Add(0x80);
        addText("metrics");
        packed.Add(0x81);
        addNumber("_sampling_priority_v1", 2);
        return packed.ToArray();
    }

    /// <summary>A list of one log of now.</summary>
    protected static string LogEntries(string service, string message)
    {
        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        return "[{\"message\":\"" + message + "\",\"service\":\"" + service
            + "\",\"status\":\"warn\",\"ddtags\":\"t:é\",\"timestamp\":" + now + "}]";
    }

    /// <summary>An OTLP request of one span of now.</summary>
    protected static byte[] OtlpSpan(string service, string name)
    {
        ulong now = NowNs();
        byte[] trace = Enumerable.Repeat((byte)7, 16).ToArray();
        byte[] span = Enumerable.Repeat((byte)9, 8).ToArray();
        return OtlpRequest(
            service,
            Field(1, trace),
            Field(2, span),
            Field(5, Encoding.UTF8.GetBytes(name)),
            Number(6, 2),
            Fixed(7, now - 1000000),
            Fixed(8, now));
    }

    /// <summary>An OTLP request of a sum, counted up in the last second.</summary>
    protected static byte[] OtlpCount(string service, string name, double value)
    {
        ulong now = NowNs();
        var bits = (ulong)BitConverter.DoubleToInt64Bits(value);
        byte[] point = Field(1, Fixed(2, now - 1000000000), Fixed(3, now), Fixed(4, bits));
        // Delta, monotonic.
        byte[] sum = Field(7, point, Number(2, 1), Number(3, 1));
        return OtlpRequest(service, Field(1, Encoding.UTF8.GetBytes(name)), sum);
    }

    /// <summary>An OTLP request of one log of now, an error.</summary>
    protected static byte[] OtlpLog(string service, string message)
    {
        byte[] body = Field(5, Field(1, Encoding.UTF8.GetBytes(message)));
        return OtlpRequest(service, Fixed(1, NowNs()), Number(2, 17), body);
    }

    private static ulong NowNs()
    {
        return (ulong)DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000000;
    }

    /// <summary>Requests of all signals have the same fields down to the item.</summary>
    private static byte[] OtlpRequest(string service, params byte[][] item)
    {
        byte[] key = Field(1, Encoding.UTF8.GetBytes("service.name"));
        byte[] value = Field(2, Field(1, Encoding.UTF8.GetBytes(service)));
        return Field(1, Field(1, Field(1, key, value)), Field(2, Field(2, item)));
    }

    /// <summary>A protobuf field of octets, such as those of a message.</summary>
    private static byte[] Field(int number, params byte[][] parts)
    {
        byte[] octets = parts.SelectMany(part => part).ToArray();
        return Number(number, octets.Length, 2).Concat(octets).ToArray();
    }

    /// <summary>A protobuf field of 64 bits.</summary>
    private static byte[] Fixed(int number, ulong bits)
    {
        var field = new List<byte> { (byte)(number << 3 | 1) };
        for (int at = 0; at < 64; at += 8)
        {
            field.Add((byte)(bits >> at));
        }
        return field.ToArray();
    }

    /// <summary>A protobuf field of a small number, or the head of one with a length.</summary>
    private static byte[] Number(int number, int value, int wireType = 0)
    {
        var field = new List<byte> { (byte)(number << 3 | wireType) };
        for (; value > 0x7f; value >>= 7)
        {
            field.Add((byte)(value & 0x7f | 0x80));
        }
        field.Add((byte)value);
        return field.ToArray();
    }

    private static string ThreadName(string task)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm")).Trim();
        }
        catch (IOException)
        {
            // It has ended meanwhile.
            return string.Empty;
        }
    }
}
