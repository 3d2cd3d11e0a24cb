using System.Runtime.InteropServices;

namespace TorchQuant.Notebooks.Packages;

/// <summary>The portable runtime identifier of this process, for example linux-x64: what packages name their native folders by.</summary>
internal static class Platform
{
    public static string Rid { get; } = $"{System}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";

    private static string System =>
        OperatingSystem.IsWindows() ? "win"
        : OperatingSystem.IsMacOS() ? "osx"
        : RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal) ? "linux-musl"
        : "linux";
}
