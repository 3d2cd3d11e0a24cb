using System.Runtime.CompilerServices;

namespace TorchQuant.Testing;

/// <summary>Makes torch usable in this test assembly before any test touches it.</summary>
file static class TorchStart
{
    [ModuleInitializer]
    internal static void Load() => TorchNative.EnsureLoaded();
}
