using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Threading;
using Datadog.Trace.Agent;

/// <summary>Runs every test and says how many passed.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        if (arguments.Length == 1 && arguments[0] == "exit")
        {
            DeliveryTests.EndWithoutStop();
            return 0;
        }
        int passedCount = 0;
        int failedCount = 0;
        foreach (Type type in new[]
        {
            typeof(DeliveryTests), typeof(LifeTests), typeof(LiveDebuggerTests),
        })
        {
            const BindingFlags Tests =
                BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly;
            foreach (MethodInfo test in type.GetMethods(Tests))
            {
                string failure = Run(type, test);
                Console.WriteLine((failure == null ? "ok   " : "FAIL ") + test.Name);
                if (failure == null)
                {
                    passedCount++;
                }
                else
                {
                    failedCount++;
                    Console.WriteLine(failure);
                }
            }
        }
        Console.WriteLine(passedCount + " passed, " + failedCount + " failed");
        return failedCount == 0 ? 0 : 1;
    }

    private static string Run(Type type, MethodInfo test)
    {
        try
        {
            using (var instance = (AgentTests)Activator.CreateInstance(type))
            {
                test.Invoke(instance, null);
            }
            return null;
        }
        catch (TargetInvocationException exception)
        {
            return exception.InnerException.ToString();
        }
    }
}
