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
