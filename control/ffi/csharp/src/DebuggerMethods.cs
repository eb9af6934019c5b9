using System;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Datadog.Trace.Agent
{
    /// <summary>The C functions of the Live Debugger's sender.</summary>
    internal static class DebuggerMethods
    {
        private const string Library = "datadog_agent_native";
        private const CallingConvention C = CallingConvention.Cdecl;

        /// <summary><c>ddog_CharSlice</c>: bytes that stay where they are during the call.</summary>
        [StructLayout(LayoutKind.Sequential)]
        internal struct Slice
        {
            internal IntPtr Pointer;
            internal UIntPtr Length;
        }

        /// <summary><c>ddog_Vec_Tag</c> and the message of an error.</summary>
        [StructLayout(LayoutKind.Sequential)]
        internal struct Vec
        {
            internal IntPtr Pointer;
            internal UIntPtr Length;
            internal UIntPtr Capacity;
        }

        /// <summary><c>ddog_MaybeError</c>: the error is there if the tag is 0.</summary>
        [StructLayout(LayoutKind.Sequential)]
        internal struct MaybeError
        {
            internal int Tag;
            internal Vec Message;
        }

        /// <summary><c>ddog_SenderCounts</c>.</summary>
        [StructLayout(LayoutKind.Sequential)]
        internal struct Counts
        {
            internal ulong Queued;
            internal ulong Sent;
            internal ulong Failed;
            internal ulong Refused;
        }

        [DllImport(Library, CallingConvention = C, EntryPoint = "ddog_live_debugger_sender_config_new")]
        internal static extern IntPtr ConfigNew();

        [DllImport(Library, CallingConvention = C, EntryPoint = "ddog_live_debugger_sender_config_drop")]
        internal static extern void ConfigDrop(IntPtr config);

        [DllImport(
            Library,
            CallingConvention = C,
            EntryPoint = "ddog_live_debugger_sender_config_set_endpoint")]
        internal static extern MaybeError SetEndpoint(IntPtr config, IntPtr endpoint);

        [DllImport(
            Library,
            CallingConvention = C,
            EntryPoint = "ddog_live_debugger_sender_config_set_symdb_endpoint")]
        internal static extern MaybeError SetSymdbEndpoint(IntPtr config, IntPtr endpoint);

        [DllImport(
            Library,
            CallingConvention = C,
            EntryPoint = "ddog_live_debugger_sender_config_add_additional_endpoint")]
        internal static extern MaybeError AddEndpoint(IntPtr config, IntPtr endpoint);

        [DllImport(
            Library,
            CallingConvention = C,
            EntryPoint = "ddog_live_debugger_sender_config_add_additional_symdb_endpoint")]
        internal static extern MaybeError AddSymdbEndpoint(IntPtr config, IntPtr endpoint);

        [DllImport(Library, CallingConvention = C, EntryPoint = "ddog_endpoint_from_url")]
        internal static extern IntPtr EndpointOfUrl(Slice url);

        [DllImport(
            Library,
            CallingConvention = C,
            EntryPoint = "ddog_live_debugger_endpoint_from_site_and_api_key")]
        internal static extern MaybeError EndpointOfSite(Slice site, Slice key, out IntPtr endpoint);

        [DllImport(
            Library,
            CallingConvention = C,
            EntryPoint = "ddog_live_debugger_endpoint_set_api_key")]
        internal static extern void SetApiKey(IntPtr endpoint, Slice key);

        [DllImport(Library, CallingConvention = C, EntryPoint = "ddog_endpoint_set_timeout")]
        internal static extern void SetTimeout(IntPtr endpoint, ulong timeoutMs);

        [DllImport(Library, CallingConvention = C, EntryPoint = "ddog_endpoint_set_test_token")]
        internal static extern void SetTestToken(IntPtr endpoint, Slice token);

        [DllImport(Library, CallingConvention = C, EntryPoint = "ddog_endpoint_drop")]
        internal static extern void EndpointDrop(IntPtr endpoint);

        [DllImport(Library, CallingConvention = C, EntryPoint = "ddog_Vec_Tag_new")]
        internal static extern Vec TagsNew();

        /// <summary>As <c>ddog_MaybeError</c>, but the error is there if the tag is 1.</summary>
        [DllImport(Library, CallingConvention = C, EntryPoint = "ddog_Vec_Tag_push")]
        internal static extern MaybeError TagsPush(ref Vec tags, Slice key, Slice value);

        [DllImport(Library, CallingConvention = C, EntryPoint = "ddog_Vec_Tag_drop")]
        internal static extern void TagsDrop(Vec tags);

        [DllImport(Library, CallingConvention = C, EntryPoint = "ddog_live_debugger_build_tags")]
        internal static extern IntPtr BuildTags(
            Slice debuggerVersion, Slice env, Slice version, Slice runtimeId, Vec tags);

        [DllImport(
            Library,
            CallingConvention = C,
            EntryPoint = "ddog_live_debugger_spawn_sender_with_config")]
        internal static extern MaybeError Spawn(IntPtr config, IntPtr tags, out DebuggerHandle handle);

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_live_debugger_send_copy")]
        [return: MarshalAs(UnmanagedType.I1)]
        internal static extern bool Send(DebuggerHandle handle, int kind, Slice data);

        [DllImport(
            Library,
            CallingConvention = C,
            EntryPoint = "corelane_live_debugger_send_symdb_copy")]
        [return: MarshalAs(UnmanagedType.I1)]
        internal static extern bool SendSymdb(DebuggerHandle handle, Slice contentType, Slice data);

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_live_debugger_counts")]
        internal static extern Counts CountsOf(DebuggerHandle handle);

        [DllImport(Library, CallingConvention = C, EntryPoint = "corelane_live_debugger_close")]
        internal static extern void Close(IntPtr handle, out Counts counts);

        [DllImport(Library, CallingConvention = C, EntryPoint = "ddog_live_debugger_drop_sender")]
        internal static extern void Drop(IntPtr handle);

        [DllImport(Library, CallingConvention = C, EntryPoint = "ddog_Error_drop")]
        internal static extern void ErrorDrop(ref Vec error);

        [DllImport(Library, CallingConvention = C, EntryPoint = "ddog_MaybeError_drop")]
        internal static extern void MaybeErrorDrop(MaybeError error);
    }

    /// <summary>A sender that nobody closed sends what is queued, and is not waited for.</summary>
    internal sealed class DebuggerHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        private DebuggerHandle()
            : base(true)
        {
        }

        protected override bool ReleaseHandle()
        {
            DebuggerMethods.Drop(handle);
            return true;
        }
    }
}
