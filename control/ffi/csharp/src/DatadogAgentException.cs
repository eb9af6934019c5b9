using System;

namespace Datadog.Trace.Agent
{
    /// <summary>A call that failed: the code says why, the message says what to do.</summary>
    public sealed class DatadogAgentException : Exception
    {
        /// <summary>A failure.</summary>
        public DatadogAgentException(DatadogError code, string message)
            : base(message)
        {
            Code = code;
        }

        /// <summary>Why the call failed.</summary>
        public DatadogError Code { get; }
    }
}
