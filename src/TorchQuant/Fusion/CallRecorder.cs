using static TorchSharp.torch;

namespace TorchQuant.Fusion;

/// <summary>What is known of one module's calls.</summary>
/// <param name="path">The module's dotted path.</param>
/// <param name="module">The module.</param>
internal sealed class CallRecorder(string path, nn.Module<Tensor, Tensor> module)
{
    public string Path { get; } = path;

    public nn.Module<Tensor, Tensor> Module { get; } = module;

    /// <summary>Sum and sum of absolute values of the input of each call in the run that was watched.</summary>
    public List<(double Sum, double Magnitude)> Inputs { get; } = [];

    /// <summary>The number of axes of the last output.</summary>
    public long Axes { get; set; }

    /// <summary>Calls in the run that is under way.</summary>
    public int Calls { get; set; }

    /// <summary>The module that alone is to see this one's output in the run that is under way, or null: everybody sees it.</summary>
    public CallRecorder? OnlyFor { get; set; }

    /// <summary>The module whose hidden output is this one's input in the run that is under way, or null.</summary>
    public CallRecorder? TakesFrom { get; set; }

    /// <summary>The output that is hidden until <see cref="OnlyFor"/> takes it.</summary>
    public Tensor? Hidden { get; set; }

    /// <summary>The path, the way messages name a module.</summary>
    public override string ToString() => Path;

    /// <summary>Forgets the run that is over.</summary>
    public void Reset()
    {
        Hidden?.Dispose();
        (Calls, OnlyFor, TakesFrom, Hidden) = (0, null, null, null);
    }
}
