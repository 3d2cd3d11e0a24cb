using System.Runtime.InteropServices;
using System.Security.Cryptography;
using TorchQuant.Native;
using TorchSharp;

namespace TorchQuant;

/// <summary>
/// Makes TorchSharp's native library load where it does not by itself: libLibTorchSharp.so of 0.107 names the symbol version GLIBCXX_3.4.32
/// for a start-up marker that it never calls, and systems with GCC 12's libstdc++ (Debian 12, Ubuntu 22.04) refuse the file for it.
/// Projects that reference the TorchQuant package get a mended copy at build time; scripts and notebooks call
/// <see cref="EnsureLoaded"/> before they touch <c>torch</c>.
/// </summary>
public static class TorchNative
{
    private const string Shim = "libLibTorchSharp.so";
    private const string MissingVersion = "GLIBCXX_3.4.32";

    private static readonly Lock s_gate = new();
    private static bool s_done;

    /// <summary>
    /// Loads libtorch and TorchSharp's native library. Does nothing on other systems than Linux x64, when it was called before, or when
    /// the library loads as it is. Call it before the first use of <c>TorchSharp.torch</c>: a failed start of that class is final for the process.
    /// Takes about 0.2 s the first time. Safe to call from any thread.
    /// </summary>
    /// <exception cref="TorchNativeException">A native library is missing or cannot be loaded.</exception>
    public static void EnsureLoaded()
    {
        lock (s_gate)
        {
            if (s_done) return;
            if (OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64) Load();
            s_done = true;
        }
    }

    private static void Load()
    {
        // typeof(...).Assembly does not run the static constructor of torch.
        var locations = new NativeLocations(typeof(torch).Assembly);
        var shim = locations.Find(Shim) ?? throw Missing(Shim, "the package TorchSharp 0.107.x", locations);
        var libtorch = locations.Find("libtorch_cpu.so")
            ?? throw Missing("libtorch_cpu.so", "the package libtorch-cpu-linux-x64 2.10.0 (or TorchSharp-cpu 0.107.x, which brings it)", locations);

        // By full path first: what the shim needs is then matched by SONAME among the libraries already loaded.
        foreach (var name in (ReadOnlySpan<string>)["libc10.so", "libtorch_cpu.so", "libtorch.so"])
            LoadFrom(Path.Combine(Path.GetDirectoryName(libtorch)!, name));
        if (NativeLibrary.TryLoad(shim, out _)) return;
        LoadFrom(MendedCopy(shim));
    }

    private static void LoadFrom(string path)
    {
        try
        {
            NativeLibrary.Load(path);
        }
        catch (DllNotFoundException e)
        {
            throw new TorchNativeException(
                $"{path} was found but does not load: {e.Message.Trim()} Install the system library that the message names, or restore the package again.", e);
        }
    }

    private static string MendedCopy(string shim)
    {
        var image = File.ReadAllBytes(shim);
        var name = $"libLibTorchSharp-{Convert.ToHexString(SHA256.HashData(image))[..16]}.so";
        if (ElfVersionNeeds.MarkWeak(image, "libstdc++.so.6", MissingVersion) == 0) return shim; // another reason: LoadFrom reports it
        var folder = CacheFolder();
        var copy = Path.Combine(folder, name);
        if (File.Exists(copy) && new FileInfo(copy).Length == image.Length) return copy;
        Directory.CreateDirectory(folder);
        var draft = $"{copy}.{Environment.ProcessId}";
        File.WriteAllBytes(draft, image);
        File.Move(draft, copy, overwrite: true);
        return copy;
    }

    private static string CacheFolder()
    {
        var local = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        var parent = local.Length > 0 && CanWrite(local) ? local : Path.GetTempPath();
        return Path.Combine(parent, "torchquant", "native");
    }

    private static bool CanWrite(string folder)
    {
        try
        {
            Directory.CreateDirectory(Path.Combine(folder, "torchquant", "native"));
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static TorchNativeException Missing(string file, string mend, NativeLocations locations) => new(
        $"{file} was not found. Add {mend} to the project or script, or point TORCHQUANT_NATIVE at the folder that holds it. " +
        $"Looked in: {string.Join(", ", locations.Folders)}.");
}
