using System;
using System.Threading.Tasks;
using Datadog.Trace.Agent;

/// <summary>
/// Starts an agent, hands over a metric and a log, and waits until Ctrl+C or Enter.
/// </summary>
internal static class Basic
{
    private static void Main()
    {
        var config = new DatadogAgentConfig
        {
            ApiKey = "your-api-key",
            Site = "datadoghq.com",
            Service = "my-csharp-app",
            Environment = "production",
            Version = "1.0.0",
            LogLevel = LogLevel.Info,
            DogStatsDEnabled = true,
        };
        config.Settings["logs_enabled"] = "true";

        using (var agent = new NativeAgent(config))
        {
            Console.WriteLine("Agent version: " + agent.Version);
            Console.WriteLine("Trace port: " + agent.BoundPort);
            Console.WriteLine("DogStatsD port: " + agent.DogStatsDPort);

            // Your application code here...
            agent.SubmitDogStatsD("example.csharp.starts:1|c|#language:csharp");
            long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
            agent.SubmitLogs("{\"message\":\"started\",\"timestamp\":" + now + "}");

            // Wait for shutdown
            Task.Run(() =>
            {
                Console.ReadLine();
                agent.RequestStop();
            });
            agent.WaitForShutdown();
        }
    }
}
