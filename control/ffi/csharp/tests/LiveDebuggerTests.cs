using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Text;
using System.Threading;
using Datadog.Trace.Agent;

/// <summary>The sender of the Live Debugger: into a file, and to a server.</summary>
internal sealed class LiveDebuggerTests : AgentTests
{
    private const string Key = "0123456789abcdef0123456789abcdef";

    public void EveryTrackReachesItsPathWithTagsAndKey()
    {
        using (var intake = new Intake())
        {
            var endpoint = new DebuggerEndpoint { Url = intake.Url, ApiKey = Key, Timeout = WaitMax };
            var config = new DebuggerConfig
            {
                Endpoint = endpoint,
                SymdbEndpoint = endpoint,
                DebuggerVersion = "1.0",
                Env = "bed",
                Version = "2",
                RuntimeId = "rid",
            };
            config.Tags.Add(new KeyValuePair<string, string>("team", "a b"));
            var sender = new LiveDebuggerSender(config);
            Holds(sender.Send(DebuggerType.Snapshots, Octets("[{\"s\":1}]")), "a snapshot");
            Holds(sender.Send(DebuggerType.Logs, Octets("{\"l\":1}")), "a log");
            Holds(sender.Send(DebuggerType.Diagnostics, Octets("[{\"d\":1}]")), "a diagnosis");
            Holds(sender.SendSymdb("text/plain", Octets("symbols")), "symbols");
            SenderCounts counts = sender.Close();
            Same(4UL, counts.Queued);
            Same(4UL, counts.Sent);
            Received snapshot = intake.Of("[{\"s\":1}]");
            Holds(snapshot.Target.StartsWith("/api/v2/debugger?", StringComparison.Ordinal), snapshot.Target);
            Holds(snapshot.Target.Contains("debugger_version:1.0,env:bed,version:2,"), snapshot.Target);
            Holds(snapshot.Target.EndsWith(",team:a%20b", StringComparison.Ordinal), snapshot.Target);
            Same(Key, snapshot.Headers["DD-API-KEY"]);
            Same("agent-debugger", snapshot.Headers["DD-EVP-ORIGIN"]);
            Same("agent-symdb", intake.Of("symbols").Headers["DD-EVP-ORIGIN"]);
            Holds(intake.Of("[{\"l\":1}]") != null, "the log arrived");
            Holds(intake.Of("event.json") != null, "the diagnosis arrived");
        }
    }

    public void WithoutAKeyItIsAnAgentAndACopyGoesToAFile()
    {
        string path = Path.GetTempFileName();
        File.Delete(path);
        using (var intake = new Intake())
        {
            var config = new DebuggerConfig
            {
                Endpoint = new DebuggerEndpoint
                {
                    Url = intake.Url, Timeout = WaitMax, TestToken = "t-1",
                },
            };
            config.AdditionalEndpoints.Add(new DebuggerEndpoint { Url = "file://" + path });
            using (var sender = new LiveDebuggerSender(config))
            {
                Holds(sender.Send(DebuggerType.Logs, Octets("[1]")), "a log");
                Same(0UL, sender.Counts.Refused);
            }
            Received log = intake.Of("[1]");
            Holds(log.Target.StartsWith("/debugger/v2/input?", StringComparison.Ordinal), log.Target);
            Same(null, log.Headers["DD-EVP-ORIGIN"]);
            Same("t-1", log.Headers["X-Datadog-Test-Session-Token"]);
        }
        Same("[1]\n", File.ReadAllText(path));
        File.Delete(path);
    }

    public void WhatIsNoEndpointOrTagIsAnException()
    {
        var noUrl = new DebuggerConfig { Endpoint = new DebuggerEndpoint { Url = "no url at all" } };
        var noTag = new DebuggerConfig();
        noTag.Tags.Add(new KeyValuePair<string, string>(string.Empty, "x"));
        foreach (DebuggerConfig config in new[] { noUrl, noTag })
        {
            Same(DatadogError.ConfigError, Failure(() => new LiveDebuggerSender(config)));
        }
        var closed = new LiveDebuggerSender(new DebuggerConfig());
        closed.Close();
        Same(0UL, closed.Close().Queued);
        bool isRefused = false;
        try
        {
            closed.Send(DebuggerType.Logs, Octets("[]"));
        }
        catch (ObjectDisposedException)
        {
            isRefused = true;
        }
        Holds(isRefused, "a closed sender takes nothing");
    }

    private static DatadogError Failure(Action action)
    {
        try
        {
            action();
        }
        catch (DatadogAgentException exception)
        {
            return exception.Code;
        }
        return DatadogError.Ok;
    }

    private static byte[] Octets(string text)
    {
        return Encoding.UTF8.GetBytes(text);
    }

    private sealed class Received
    {
        internal string Target { get; set; }

        internal WebHeaderCollection Headers { get; set; }

        internal string Body { get; set; }
    }

    /// <summary>Takes everything, and keeps it.</summary>
    private sealed class Intake : IDisposable
    {
        private readonly HttpListener _listener = new HttpListener();
        private readonly List<Received> _received = new List<Received>();

        internal Intake()
        {
            // The listener takes no port of the system's choice, so that another may be quicker.
            var random = new Random();
            for (int attempt = 0; ; attempt++)
            {
                Url = "http://127.0.0.1:" + random.Next(20000, 60000);
                _listener.Prefixes.Clear();
                _listener.Prefixes.Add(Url + "/");
                try
                {
                    _listener.Start();
                    break;
                }
                catch (Exception exception) when (attempt < 100
                    && (exception is HttpListenerException
                        || exception is System.Net.Sockets.SocketException))
                {
                    continue;
                }
            }
            new Thread(Serve) { IsBackground = true }.Start();
        }

        internal string Url { get; }

        public void Dispose()
        {
            _listener.Close();
        }

        internal Received Of(string part)
        {
            lock (_received)
            {
                return _received.First(one => one.Body.Contains(part));
            }
        }

        private void Serve()
        {
            while (true)
            {
                HttpListenerContext context;
                try
                {
                    context = _listener.GetContext();
                }
                catch (Exception exception) when (exception is HttpListenerException
                    || exception is ObjectDisposedException
                    || exception is InvalidOperationException)
                {
                    return;
                }
                using (var reader = new StreamReader(context.Request.InputStream, Encoding.UTF8))
                {
                    var received = new Received
                    {
                        Target = context.Request.RawUrl,
                        Headers = (WebHeaderCollection)context.Request.Headers,
                        Body = reader.ReadToEnd(),
                    };
                    lock (_received)
                    {
                        _received.Add(received);
                    }
                }
                context.Response.StatusCode = 202;
                context.Response.Close();
            }
        }
    }
}
