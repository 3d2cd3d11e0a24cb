using System.Reflection;

namespace TorchQuant.Interactive;

/// <summary>What a notebook runs when it references the package (interactive-extensions/dotnet/extension.dib in it).</summary>
public static class NotebookExtension
{
    private static readonly Lock LoadLock = new();
    private static readonly HashSet<Assembly> Done = [];

    /// <summary>
    /// Makes torch ready, and teaches the host's formatters the types that are not ours to mark (torch.Tensor, nn.Module, those of TorchQuant). Our own visuals need none of it.
    /// Calling it again does nothing; without a host it only makes torch ready.
    /// </summary>
    /// <exception cref="TorchQuant.TorchNativeException">TorchSharp's native library cannot be loaded on this machine.</exception>
    public static void Load()
    {
        TorchNative.EnsureLoaded();
        lock (LoadLock)
        {
            foreach (var formatting in AppDomain.CurrentDomain.GetAssemblies().Where(assembly => assembly.GetName().Name == "Microsoft.DotNet.Interactive.Formatting"))
                if (Done.Add(formatting)) ForeignFormatters.Register(formatting);
        }
    }
}
