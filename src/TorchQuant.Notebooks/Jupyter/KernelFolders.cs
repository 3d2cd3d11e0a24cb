namespace TorchQuant.Notebooks.Jupyter;

/// <summary>Where Jupyter looks for kernel specs, as its own documentation has it.</summary>
internal static class KernelFolders
{
    /// <summary>The user's own.</summary>
    public static string User => Path.Combine(UserData, "kernels");

    /// <summary>Those of an installation, for example <c>/usr/local</c> or a Python environment.</summary>
    public static string Of(string prefix) => Path.Combine(Path.GetFullPath(prefix), "share", "jupyter", "kernels");

    private static string UserData
    {
        get
        {
            var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            if (Environment.GetEnvironmentVariable("JUPYTER_DATA_DIR") is { Length: > 0 } chosen) return chosen;
            if (OperatingSystem.IsWindows()) return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData), "jupyter");
            if (OperatingSystem.IsMacOS()) return Path.Combine(home, "Library", "Jupyter");
            return Path.Combine(Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } data ? data : Path.Combine(home, ".local", "share"), "jupyter");
        }
    }
}
