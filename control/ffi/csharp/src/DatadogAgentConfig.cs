using System;
using System.Collections.Generic;
using System.Globalization;

namespace Datadog.Trace.Agent
{
    /// <summary>Options of an agent.</summary>
    /// <remarks>Null leaves an option to the environment, and then to its default.</remarks>
    public sealed class DatadogAgentConfig
    {
        /// <summary><c>DD_API_KEY</c></summary>
        public string ApiKey { get; set; }

        /// <summary><c>DD_SITE</c>, then <c>datadoghq.com</c></summary>
        public string Site { get; set; }

        /// <summary><c>DD_SERVICE</c></summary>
        public string Service { get; set; }

        /// <summary><c>DD_ENV</c></summary>
        public string Environment { get; set; }

        /// <summary><c>DD_VERSION</c></summary>
        public string Version { get; set; }

        /// <summary>Off by default.</summary>
        public bool AppsecEnabled { get; set; }

        /// <summary>On by default.</summary>
        public bool RemoteConfigEnabled { get; set; } = true;

        /// <summary>What the agent logs.</summary>
        public LogLevel LogLevel { get; set; } = LogLevel.Info;

        /// <summary>How clients reach the agent.</summary>
        public OperationalMode OperationalMode { get; set; } = OperationalMode.HttpEphemeralPort;

        /// <summary>Null: 8126. 0: the system chooses. Counts in HttpFixedPort alone.</summary>
        public int? TraceAgentPort { get; set; } = 0;

        /// <summary>Off by default.</summary>
        public bool DogStatsDEnabled { get; set; }

        /// <summary>Null: 8125. 0: the system chooses.</summary>
        public int? DogStatsDPort { get; set; } = 0;

        /// <summary>Mode bits of the socket, 0600 (octal) by default.</summary>
        public int? TraceAgentUdsPermissions { get; set; }

        /// <summary>
        /// Every other setting by its dotted key or its <c>DD_*</c> name, with the value as in an
        /// environment variable. Wins over everything else.
        /// </summary>
        public IDictionary<string, string> Settings { get; } = new Dictionary<string, string>();

        /// <summary>A <c>datadog.yaml</c> that is read first, below the environment.</summary>
        public string ConfigFile { get; set; }

        /// <summary>Name and text of what a library may be built without.</summary>
        internal IEnumerable<KeyValuePair<string, string>> Features()
        {
            yield return Pair("DD_REMOTE_CONFIGURATION_ENABLED", TextOf(RemoteConfigEnabled));
            if (AppsecEnabled)
            {
                yield return Pair("DD_APPSEC_ENABLED", TextOf(true));
            }
        }

        /// <summary>Name and text of each setting that is given, in the order they are set.</summary>
        internal IEnumerable<KeyValuePair<string, string>> Assignments()
        {
            var texts = new[]
            {
                Pair("DD_API_KEY", ApiKey),
                Pair("DD_SITE", Site),
                Pair("DD_SERVICE", Service),
                Pair("DD_ENV", Environment),
                Pair("DD_VERSION", Version),
            };
            foreach (KeyValuePair<string, string> pair in texts)
            {
                // Empty means not given, as in the C options.
                if (!string.IsNullOrEmpty(pair.Value))
                {
                    yield return pair;
                }
            }
            yield return Pair("DD_LOG_LEVEL", LogLevel.ToString().ToLowerInvariant());
            yield return Pair("DD_AGENT_MODE", ModeName());
            // Only this mode has a port to choose; in HttpUds naming a port is an error.
            if (OperationalMode == OperationalMode.HttpFixedPort && TraceAgentPort.HasValue)
            {
                yield return Pair("DD_TRACE_AGENT_PORT", TextOf(TraceAgentPort.Value));
            }
            yield return Pair("DD_DOGSTATSD_ENABLED", TextOf(DogStatsDEnabled));
            if (DogStatsDPort.HasValue)
            {
                yield return Pair("DD_DOGSTATSD_PORT", TextOf(DogStatsDPort.Value));
            }
            if (TraceAgentUdsPermissions.HasValue)
            {
                string octal = "0" + Convert.ToString(TraceAgentUdsPermissions.Value, 8);
                yield return Pair("DD_TRACE_AGENT_UDS_PERMISSIONS", octal);
            }
            foreach (KeyValuePair<string, string> setting in Settings)
            {
                yield return setting;
            }
        }

        private static KeyValuePair<string, string> Pair(string name, string text)
        {
            return new KeyValuePair<string, string>(name, text);
        }

        private static string TextOf(bool value)
        {
            return value ? "true" : "false";
        }

        private static string TextOf(int value)
        {
            return value.ToString(CultureInfo.InvariantCulture);
        }

        private string ModeName()
        {
            switch (OperationalMode)
            {
                case OperationalMode.HttpFixedPort:
                    return "http_fixed_port";
                case OperationalMode.HttpUds:
                    return "http_uds";
                default:
                    return "http_ephemeral_port";
            }
        }
    }
}
