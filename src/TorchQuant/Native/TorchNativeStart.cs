using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace TorchQuant.Native;

/// <summary>Loads the native library when code touches TorchQuant before torch, so that the usual script needs no call of its own.</summary>
internal static class TorchNativeStart
{
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255:The 'ModuleInitializer' attribute should not be used in libraries",
        Justification = "It must run before the static constructor of torch, which no call of the user is certain to precede.")]
    internal static void Start()
    {
        try
        {
            TorchNative.EnsureLoaded();
        }
        catch (TorchNativeException)
        {
            // An initializer that throws hides its message in a TypeInitializationException. The first explicit EnsureLoaded() reports it.
        }
    }
}
