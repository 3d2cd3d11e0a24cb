using System.Diagnostics;
using System.Globalization;

namespace TorchQuant.Notebooks.Jupyter;

/// <summary>The program that started the kernel. When it dies without a word nobody can reach the kernel any more, so the kernel ends too.</summary>
internal sealed class ParentProcess : IDisposable
{
    private readonly Process? _process;

    /// <param name="onEnd">Called when the parent has ended.</param>
    public ParentProcess(Action onEnd)
    {
        // The variable that Jupyter's kernel managers set for their kernels.
        if (OperatingSystem.IsWindows()) return; // there it holds a handle, not an id
        if (!int.TryParse(Environment.GetEnvironmentVariable("JPY_PARENT_PID"), NumberStyles.None, CultureInfo.InvariantCulture, out var id) || id <= 1) return;
        try
        {
            _process = Process.GetProcessById(id);
            _process.EnableRaisingEvents = true;
            _process.Exited += (_, _) => onEnd();
        }
        catch (ArgumentException)
        {
            onEnd();
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            // Another user's process: it cannot be watched.
        }
    }

    public void Dispose() => _process?.Dispose();
}
