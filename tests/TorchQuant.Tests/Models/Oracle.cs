using System.Runtime.CompilerServices;

namespace TorchQuant.Tests.Models;

/// <summary>Files of the folder Oracles.</summary>
internal static class Oracle
{
    public static string PathOf(string name, [CallerFilePath] string source = "") => Path.Combine(Path.GetDirectoryName(source)!, "..", "Oracles", name);
}
