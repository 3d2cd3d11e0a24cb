using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>The base of all observers: modules that record what flows through them and choose a scale and a zero point from it.</summary>
/// <remarks>Threads: an observer records one call at a time, without a lock; <c>forward</c> and <c>Merge</c> of one observer from several threads at once are not allowed.
/// To calibrate on several threads give each a copy of the prepared model and merge the observers afterwards. Reading qparams while nothing is recorded is safe from any thread.</remarks>
public abstract class ObserverBase : nn.Module<Tensor, Tensor>
{
    /// <summary>Sets up the type to quantize to.</summary>
    /// <param name="name">The class's name.</param>
    /// <param name="dtype">The type to quantize to.</param>
    /// <param name="is_dynamic">Whether the quantized module finds the range of every input when it runs.</param>
    protected ObserverBase(string name, qdtype dtype, bool is_dynamic) : base(name)
    {
        this.dtype = dtype;
        this.is_dynamic = is_dynamic;
    }

    /// <summary>The type to quantize to.</summary>
    public qdtype dtype { get; }

    /// <summary>Whether the quantized module finds the range of every input when it runs (dynamic quantization).</summary>
    public bool is_dynamic { get; }

    /// <summary>Records <paramref name="input"/> and returns it unchanged: an alias, since TorchSharp's Sequential disposes what passes through it.</summary>
    /// <param name="input">Any float tensor; an empty one is not recorded.</param>
    public abstract override Tensor forward(Tensor input);

    /// <summary>The scale (float32) and the zero point (int64; float32 for float qparams) for what was observed, each [1] or [channels]; the caller disposes them.</summary>
    /// <exception cref="InvalidOperationException">Nothing was observed, or the observer only carries settings.</exception>
    public abstract (Tensor scale, Tensor zero_point) calculate_qparams();

    /// <summary>Replaces a buffer, which outlives the scope it was made in.</summary>
    private protected void Keep(string name, Tensor value)
    {
        get_buffer(name)?.Dispose();
        ConditionallyRegisterBuffer(name, value.DetachFromDisposeScope());
    }
}
