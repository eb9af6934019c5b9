using System;
using System.Collections.Generic;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Datadog.Trace.Agent
{
    /// <summary>What a payload of the Live Debugger holds.</summary>
    public enum DebuggerType
    {
        /// <summary>State of a probe.</summary>
        Diagnostics = 0,

        /// <summary>With captured values.</summary>
        Snapshots = 1,

        /// <summary>Without.</summary>
        Logs = 2,
    }

    /// <summary>
    /// One place to send to: an agent's URL, or an intake's with a key, or a file of tests
    /// (<c>file:///path</c>).
    /// </summary>
    public sealed class DebuggerEndpoint
    {
        /// <summary>URL, as <c>http://127.0.0.1:8126</c> or <c>unix:///path</c>.</summary>
        public string Url { get; set; }

        /// <summary>Site of an intake, such as <c>datadoghq.com</c>, in place of a URL.</summary>
        public string Site { get; set; }

        /// <summary>Makes it an intake.</summary>
        public string ApiKey { get; set; }

        /// <summary>Length of each wait.</summary>
        public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(3);

        /// <summary>Session of a test agent.</summary>
        public string TestToken { get; set; }
    }

    /// <summary>Where a sender sends to, and what it tells along with each payload.</summary>
    public sealed class DebuggerConfig
    {
        /// <summary>Gets snapshots, logs and diagnostics.</summary>
        public DebuggerEndpoint Endpoint { get; set; }

        /// <summary>Gets symbol databases; without one they are refused.</summary>
        public DebuggerEndpoint SymdbEndpoint { get; set; }

        /// <summary>Get a copy of everything that <see cref="Endpoint"/> gets.</summary>
        public IList<DebuggerEndpoint> AdditionalEndpoints { get; } = new List<DebuggerEndpoint>();

        /// <summary>Get a copy of every symbol database.</summary>
        public IList<DebuggerEndpoint> AdditionalSymdbEndpoints { get; } =
            new List<DebuggerEndpoint>();

        /// <summary>Version of the debugger.</summary>
        public string DebuggerVersion { get; set; } = string.Empty;

        /// <summary>Environment.</summary>
        public string Env { get; set; } = string.Empty;

        /// <summary>Version of the service.</summary>
        public string Version { get; set; } = string.Empty;

        /// <summary>Id of the tracer's runtime.</summary>
        public string RuntimeId { get; set; } = string.Empty;

        /// <summary>Further tags.</summary>
        public IList<KeyValuePair<string, string>> Tags { get; } =
            new List<KeyValuePair<string, string>>();
    }

    /// <summary>What became of payloads: queued = sent + failed + those that wait.</summary>
    public struct SenderCounts
    {
        internal SenderCounts(DebuggerMethods.Counts counts)
        {
            Queued = counts.Queued;
            Sent = counts.Sent;
            Failed = counts.Failed;
            Refused = counts.Refused;
        }

        /// <summary>Taken into the queue.</summary>
        public ulong Queued { get; }

        /// <summary>Accepted by the primary endpoint.</summary>
        public ulong Sent { get; }

        /// <summary>Refused by it, or not answered in time.</summary>
        public ulong Failed { get; }

        /// <summary>Not taken into the queue.</summary>
        public ulong Refused { get; }
    }

    /// <summary>
    /// Sends payloads of the Live Debugger and symbol databases from a thread of its own. Usable from
    /// several threads. A call copies its payload into a bounded queue and never waits.
    /// </summary>
    public sealed class LiveDebuggerSender : IDisposable
    {
        private readonly object _lock = new object();
        private DebuggerHandle _handle;

        /// <summary>Starts a sender.</summary>
        /// <exception cref="DatadogAgentException">An endpoint or a tag is none.</exception>
        public LiveDebuggerSender(DebuggerConfig config)
        {
            if (config == null)
            {
                throw new ArgumentNullException(nameof(config));
            }
            IntPtr endpoints = DebuggerMethods.ConfigNew();
            IntPtr tags;
            try
            {
                Add(endpoints, config.Endpoint, DebuggerMethods.SetEndpoint);
                Add(endpoints, config.SymdbEndpoint, DebuggerMethods.SetSymdbEndpoint);
                foreach (DebuggerEndpoint endpoint in config.AdditionalEndpoints)
                {
                    Add(endpoints, endpoint, DebuggerMethods.AddEndpoint);
                }
                foreach (DebuggerEndpoint endpoint in config.AdditionalSymdbEndpoints)
                {
                    Add(endpoints, endpoint, DebuggerMethods.AddSymdbEndpoint);
                }
                tags = BuildTags(config);
            }
            catch
            {
                DebuggerMethods.ConfigDrop(endpoints);
                throw;
            }
            // Takes both, whatever comes of it.
            Check(DebuggerMethods.Spawn(endpoints, tags, out _handle));
        }

        /// <summary>What became of payloads so far.</summary>
        public SenderCounts Counts
        {
            get
            {
                lock (_lock)
                {
                    return new SenderCounts(DebuggerMethods.CountsOf(Open()));
                }
            }
        }

        /// <summary>Queues a JSON array of payloads, or one payload.</summary>
        /// <returns>Whether there was room.</returns>
        public bool Send(DebuggerType kind, byte[] payload)
        {
            using (var data = new Pinned(payload))
            {
                lock (_lock)
                {
                    return DebuggerMethods.Send(Open(), (int)kind, data.Slice);
                }
            }
        }

        /// <summary>Queues an upload of a symbol database.</summary>
        /// <returns>Whether there was room.</returns>
        public bool SendSymdb(string contentType, byte[] payload)
        {
            using (var kind = new Pinned(contentType))
            using (var data = new Pinned(payload))
            {
                lock (_lock)
                {
                    return DebuggerMethods.SendSymdb(Open(), kind.Slice, data.Slice);
                }
            }
        }

        /// <summary>Sends what is queued, waits for it, and ends. Nothing if it is closed already.</summary>
        public SenderCounts Close()
        {
            DebuggerHandle handle;
            lock (_lock)
            {
                handle = _handle;
                _handle = null;
            }
            if (handle == null)
            {
                return default(SenderCounts);
            }
            IntPtr sender = handle.DangerousGetHandle();
            handle.SetHandleAsInvalid();
            DebuggerMethods.Close(sender, out DebuggerMethods.Counts counts);
            return new SenderCounts(counts);
        }

        /// <summary>As <see cref="Close"/>.</summary>
        public void Dispose()
        {
            Close();
        }

        private DebuggerHandle Open()
        {
            return _handle ?? throw new ObjectDisposedException(nameof(LiveDebuggerSender));
        }

        private static void Add(
            IntPtr config,
            DebuggerEndpoint endpoint,
            Func<IntPtr, IntPtr, DebuggerMethods.MaybeError> adding)
        {
            if (endpoint == null)
            {
                return;
            }
            IntPtr made = Make(endpoint);
            try
            {
                Check(adding(config, made));
            }
            finally
            {
                DebuggerMethods.EndpointDrop(made);
            }
        }

        private static IntPtr Make(DebuggerEndpoint endpoint)
        {
            IntPtr made;
            using (var key = new Pinned(endpoint.ApiKey))
            using (var place = new Pinned(endpoint.Site ?? endpoint.Url))
            using (var token = new Pinned(endpoint.TestToken))
            {
                if (endpoint.Site != null)
                {
                    Check(DebuggerMethods.EndpointOfSite(place.Slice, key.Slice, out made));
                }
                else
                {
                    made = DebuggerMethods.EndpointOfUrl(place.Slice);
                    if (made == IntPtr.Zero)
                    {
                        throw new DatadogAgentException(
                            DatadogError.ConfigError, endpoint.Url + " is no endpoint");
                    }
                    if (endpoint.ApiKey != null)
                    {
                        DebuggerMethods.SetApiKey(made, key.Slice);
                    }
                }
                double wait = Math.Max(0, endpoint.Timeout.TotalMilliseconds);
                DebuggerMethods.SetTimeout(made, Convert.ToUInt64(wait, CultureInfo.InvariantCulture));
                if (endpoint.TestToken != null)
                {
                    DebuggerMethods.SetTestToken(made, token.Slice);
                }
            }
            return made;
        }

        private static IntPtr BuildTags(DebuggerConfig config)
        {
            DebuggerMethods.Vec collected = DebuggerMethods.TagsNew();
            foreach (KeyValuePair<string, string> tag in config.Tags)
            {
                using (var key = new Pinned(tag.Key))
                using (var value = new Pinned(tag.Value))
                {
                    DebuggerMethods.MaybeError pushed =
                        DebuggerMethods.TagsPush(ref collected, key.Slice, value.Slice);
                    if (pushed.Tag == 1)
                    {
                        string message = Text(pushed.Message);
                        DebuggerMethods.ErrorDrop(ref pushed.Message);
                        DebuggerMethods.TagsDrop(collected);
                        throw new DatadogAgentException(DatadogError.ConfigError, message);
                    }
                }
            }
            using (var debuggerVersion = new Pinned(config.DebuggerVersion))
            using (var env = new Pinned(config.Env))
            using (var version = new Pinned(config.Version))
            using (var runtimeId = new Pinned(config.RuntimeId))
            {
                return DebuggerMethods.BuildTags(
                    debuggerVersion.Slice, env.Slice, version.Slice, runtimeId.Slice, collected);
            }
        }

        private static void Check(DebuggerMethods.MaybeError maybe)
        {
            if (maybe.Tag == 0)
            {
                string message = Text(maybe.Message);
                DebuggerMethods.MaybeErrorDrop(maybe);
                throw new DatadogAgentException(DatadogError.ConfigError, message);
            }
        }

        private static string Text(DebuggerMethods.Vec message)
        {
            var bytes = new byte[checked((int)message.Length)];
            Marshal.Copy(message.Pointer, bytes, 0, bytes.Length);
            return Encoding.UTF8.GetString(bytes);
        }

        /// <summary>Bytes that do not move; nothing is an empty slice.</summary>
        private sealed class Pinned : IDisposable
        {
            private GCHandle _pin;

            internal Pinned(string text)
                : this(Encoding.UTF8.GetBytes(text ?? string.Empty))
            {
            }

            internal Pinned(byte[] bytes)
            {
                if (bytes == null)
                {
                    throw new ArgumentNullException(nameof(bytes));
                }
                _pin = GCHandle.Alloc(bytes, GCHandleType.Pinned);
                Slice = new DebuggerMethods.Slice
                {
                    Pointer = bytes.Length == 0 ? IntPtr.Zero : _pin.AddrOfPinnedObject(),
                    Length = (UIntPtr)bytes.Length,
                };
            }

            internal DebuggerMethods.Slice Slice { get; }

            public void Dispose()
            {
                _pin.Free();
            }
        }
    }
}
