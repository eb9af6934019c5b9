using System;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Datadog.Trace.Agent
{
    /// <summary>The C functions, as <c>datadog_agent_native.h</c> declares them.</summary>
    /// <remarks>
    /// Strings cross as UTF-8 in byte arrays, which every runtime passes alike. A safe handle that is
    /// an argument stays referenced for the call, so that memory is given back after the last one.
    /// </remarks>
    internal static class NativeMethods
    {
        /// <summary>Version of the interface that this was written for.</summary>
        internal const uint AbiMajor = 1;

        /// <summary><c>corelane_agent_wait</c>: the agent still runs.</summary>
        internal const int StillRunning = 4;

        private const string Library = "datadog_agent_native";
        private const CallingConvention C = CallingConvention.Cdecl;

        [UnmanagedFunctionPointer(C)]
        internal delegate void LogCallback(int level, IntPtr message, IntPtr userdata);

        [DllImport(Library, CallingConvention = C, EntryPoint = "datadog_agent_version")]
        internal static extern IntPtr Version();

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_abi_version")]
        internal static extern uint AbiVersion();

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_config_new")]
        internal static extern ConfigHandle ConfigNew();

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_config_free")]
        internal static extern void ConfigFree(IntPtr config);

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_config_set")]
        internal static extern ErrorHandle ConfigSet(ConfigHandle config, byte[] key, byte[] value);

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_config_load_env")]
        internal static extern ErrorHandle ConfigLoadEnv(ConfigHandle config);

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_config_load_yaml")]
        internal static extern ErrorHandle ConfigLoadYaml(ConfigHandle config, byte[] path);

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_agent_start")]
        internal static extern ErrorHandle Start(ConfigHandle config, out AgentHandle agent);

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_agent_endpoint")]
        internal static extern ErrorHandle Endpoint(
            AgentHandle agent, int kind, byte[] buffer, ref UIntPtr length);

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_agent_counters")]
        internal static extern ErrorHandle Counters(AgentHandle agent, out IntPtr text);

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_string_free")]
        internal static extern void StringFree(IntPtr text);

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_agent_submit")]
        internal static extern ErrorHandle Submit(
            AgentHandle agent, int kind, byte[] data, UIntPtr length, uint flags);

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_agent_flush")]
        internal static extern ErrorHandle Flush(AgentHandle agent, uint timeoutMs);

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_agent_wait")]
        internal static extern int Wait(AgentHandle agent, uint timeoutMs);

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_agent_request_stop")]
        internal static extern void RequestStop(AgentHandle agent);

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_agent_stop")]
        internal static extern ErrorHandle Stop(AgentHandle agent, uint timeoutMs);

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_agent_stop")]
        internal static extern IntPtr StopReleased(IntPtr agent, uint timeoutMs);

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_agent_free")]
        internal static extern void AgentFree(IntPtr agent);

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_error_code")]
        internal static extern int ErrorCode(ErrorHandle error);

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_error_message")]
        internal static extern IntPtr ErrorMessage(ErrorHandle error);

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_error_free")]
        internal static extern void ErrorFree(IntPtr error);

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_set_log_callback")]
        internal static extern void SetLogCallback(LogCallback callback, IntPtr userdata);

        /// <summary>A copy of a C string.</summary>
        internal static string TextOf(IntPtr text)
        {
            if (text == IntPtr.Zero)
            {
                return string.Empty;
            }
            int length = 0;
            while (Marshal.ReadByte(text, length) != 0)
            {
                length++;
            }
            var octets = new byte[length];
            Marshal.Copy(text, octets, 0, length);
            return Encoding.UTF8.GetString(octets);
        }

        /// <summary>A C string.</summary>
        /// <exception cref="DatadogAgentException">It contains a NUL character.</exception>
        internal static byte[] CText(string text)
        {
            if (text.IndexOf('\0') >= 0)
            {
                throw new DatadogAgentException(
                    DatadogError.InvalidString, "a setting contains a NUL character");
            }
            return Encoding.UTF8.GetBytes(text + '\0');
        }
    }

    /// <summary>A configuration under construction.</summary>
    internal sealed class ConfigHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        private ConfigHandle()
            : base(true)
        {
        }

        /// <inheritdoc/>
        protected override bool ReleaseHandle()
        {
            NativeMethods.ConfigFree(handle);
            return true;
        }
    }

    /// <summary>An agent. One that nobody stopped is stopped when it is released.</summary>
    internal sealed class AgentHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        private const uint ForgottenStopMs = 5000;

        private AgentHandle()
            : base(true)
        {
        }

        /// <inheritdoc/>
        protected override bool ReleaseHandle()
        {
            IntPtr error = NativeMethods.StopReleased(handle, ForgottenStopMs);
            if (error != IntPtr.Zero)
            {
                NativeMethods.ErrorFree(error);
            }
            NativeMethods.AgentFree(handle);
            return true;
        }
    }

    /// <summary>A failure of a call; invalid when it succeeded.</summary>
    internal sealed class ErrorHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        private ErrorHandle()
            : base(true)
        {
        }

        /// <summary>The failure, or null.</summary>
        internal DatadogAgentException Take()
        {
            using (this)
            {
                return IsInvalid
                    ? null
                    : new DatadogAgentException(
                        DatadogErrors.Known(NativeMethods.ErrorCode(this)),
                        NativeMethods.TextOf(NativeMethods.ErrorMessage(this)));
            }
        }

        /// <summary>Throws the failure, if there is one.</summary>
        internal void ThrowIfFailed()
        {
            DatadogAgentException exception = Take();
            if (exception != null)
            {
                throw exception;
            }
        }

        /// <inheritdoc/>
        protected override bool ReleaseHandle()
        {
            NativeMethods.ErrorFree(handle);
            return true;
        }
    }
}
