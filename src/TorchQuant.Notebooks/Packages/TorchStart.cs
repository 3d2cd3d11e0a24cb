using System.Reflection;

namespace TorchQuant.Notebooks.Packages;

/// <summary>
/// Runs TorchQuant's own loader of the native library as soon as a notebook has the package, before a cell can touch <c>torch</c>: on systems
/// with GCC 12's libstdc++ TorchSharp alone fails to start, for good. The package's extension script does the same where TorchQuant.Interactive is
/// referenced; a notebook that references TorchQuant only must work too, so the host does not wait for it. Loading twice does nothing.
/// </summary>
internal static class TorchStart
{
    public static void TryLoad(IReadOnlyCollection<string> assemblies)
    {
        var path = assemblies.FirstOrDefault(a => Path.GetFileName(a).Equals("TorchQuant.dll", StringComparison.OrdinalIgnoreCase));
        if (path is null) return;
        try
        {
            var loader = Assembly.Load(AssemblyName.GetAssemblyName(path)).GetType("TorchQuant.TorchNative", throwOnError: true)!;
            loader.GetMethod("EnsureLoaded", BindingFlags.Public | BindingFlags.Static, [])!.Invoke(null, null);
        }
        catch (TargetInvocationException e) when (e.InnerException is not null)
        {
            // Not the end: a notebook may bring libtorch in a later cell, or never touch torch. Said where the reader will look.
            Console.Error.WriteLine($"TorchSharp's native library is not loaded: {e.InnerException.Message}");
        }
    }
}
