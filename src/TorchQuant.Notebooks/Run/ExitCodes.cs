namespace TorchQuant.Notebooks.Run;

/// <summary>What the process says to the shell.</summary>
internal static class ExitCodes
{
    public const int Success = 0;

    /// <summary>A cell failed, or the time was up.</summary>
    public const int Failed = 1;

    /// <summary>The command line or the notebook file is wrong; nothing was run.</summary>
    public const int Usage = 2;

    /// <summary>Stopped by Ctrl+C or a signal, by the shells' convention.</summary>
    public const int Interrupted = 130;
}
