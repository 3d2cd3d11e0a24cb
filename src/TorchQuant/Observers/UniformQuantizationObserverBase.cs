using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>The base of the observers that keep a smallest and a largest value, per tensor or per channel, in the buffers <c>min_val</c> and <c>max_val</c>.</summary>
/// <remarks>
/// With n = min(min_val, 0), p = max(max_val, 0), all in float32:
/// affine: scale = max((p - n) / (quant_max - quant_min), eps), zero_point = quant_min - round(n / scale) clamped to the range;
/// symmetric: scale = max(max(-n, p) / ((quant_max - quant_min) / 2), eps), zero_point = 0 for signed types, for quint8 128 or, if the range was given,
/// its middle; float qparams: scale = (max_val - min_val) / (quant_max - quant_min), or 1 if that is at most eps, zero_point = -min_val / scale as a float.
/// </remarks>
public abstract class UniformQuantizationObserverBase : ObserverBase
{
    /// <summary>Float32's machine epsilon, 2^-23: the smallest scale unless another is given.</summary>
    public const float DefaultEps = 1.1920929e-07f;

    private readonly bool _ownRange;

    /// <summary>Checks and keeps the settings.</summary>
    /// <param name="name">The class's name.</param>
    /// <param name="dtype">qint8, quint8, qint32 or quint4x2.</param>
    /// <param name="qscheme">How scale and zero point follow from the range.</param>
    /// <param name="reduce_range">Whether the range is halved: qint8 -64..63, quint8 0..127.</param>
    /// <param name="quant_min">The smallest code, given together with <paramref name="quant_max"/>; the type's if null.</param>
    /// <param name="quant_max">The largest code; the type's if null.</param>
    /// <param name="eps">The smallest scale; <see cref="DefaultEps"/> if null.</param>
    /// <exception cref="ArgumentException">The settings contradict each other; the message says how.</exception>
    protected UniformQuantizationObserverBase(
        string name, qdtype dtype, qscheme qscheme, bool reduce_range, int? quant_min, int? quant_max, float? eps)
        : base(name, dtype, is_dynamic: false)
    {
        this.qscheme = qscheme;
        this.reduce_range = reduce_range;
        this.eps = eps ?? DefaultEps;
        if (!(this.eps > 0 && float.IsFinite(this.eps)))
            throw new ArgumentException($"eps is the smallest scale, a positive number; found {eps}.", nameof(eps));
        (this.quant_min, this.quant_max) = RangeOf(name, dtype, reduce_range, quant_min, quant_max);
        _ownRange = quant_min is not null;
        if (Symmetric && reduce_range && dtype == qdtype.quint8)
            throw new ArgumentException($"reduce_range with {qscheme} is defined for qint8, not for quint8: use an affine scheme, or qint8.", nameof(reduce_range));
        if (Symmetric && dtype == qdtype.quint4x2)
            throw new ArgumentException($"{qscheme} is not defined for quint4x2: use {qscheme.per_channel_affine_float_qparams}.", nameof(qscheme));
    }

    /// <summary>How scale and zero point follow from the range.</summary>
    public qscheme qscheme { get; }

    /// <summary>Whether the range of the codes is halved.</summary>
    public bool reduce_range { get; }

    /// <summary>The smallest code.</summary>
    public int quant_min { get; }

    /// <summary>The largest code.</summary>
    public int quant_max { get; }

    /// <summary>The smallest scale.</summary>
    public float eps { get; }

    /// <summary>The smallest value observed: a scalar, or [channels]; +infinity, or empty, before anything was observed.</summary>
    public Tensor min_val
    {
        get => get_buffer(nameof(min_val))!;
        protected set => Keep(nameof(min_val), value);
    }

    /// <summary>The largest value observed: a scalar, or [channels]; -infinity, or empty, before anything was observed.</summary>
    public Tensor max_val
    {
        get => get_buffer(nameof(max_val))!;
        protected set => Keep(nameof(max_val), value);
    }

    private bool Symmetric => qscheme is qscheme.per_tensor_symmetric or qscheme.per_channel_symmetric;

    private int? SymmetricZeroPoint =>
        !Symmetric ? null : dtype != qdtype.quint8 ? 0 : _ownRange ? (int)Math.Floor((quant_min + (double)quant_max) / 2) : 128;

    /// <inheritdoc/>
    public override (Tensor scale, Tensor zero_point) calculate_qparams()
    {
        if (qscheme == qscheme.per_channel_affine_float_qparams)
        {
            var (floatScales, floatZeroPoints) = FloatQParams();
            return (tensor(floatScales), tensor(floatZeroPoints));
        }
        var (scales, zeroPoints) = QParams();
        return (tensor(scales), tensor(Array.ConvertAll(zeroPoints, z => (long)z)));
    }

    /// <summary>Scales and zero points, one or one for each channel.</summary>
    internal (float[] Scales, int[] ZeroPoints) QParams()
    {
        var (min, max) = ChosenRange();
        var scales = new float[min.Length];
        var zeroPoints = new int[min.Length];
        for (var i = 0; i < min.Length; i++)
        {
            var chosen = QParamsChooser.FromObserver(min[i], max[i], quant_min, quant_max, SymmetricZeroPoint, eps);
            (scales[i], zeroPoints[i]) = (chosen.Scale, chosen.ZeroPoint);
        }
        return (scales, zeroPoints);
    }

    /// <summary>Scales and float zero points for each channel.</summary>
    internal (float[] Scales, float[] ZeroPoints) FloatQParams()
    {
        var (min, max) = ChosenRange();
        var zeroPoints = new float[min.Length];
        var scales = new float[min.Length];
        for (var i = 0; i < min.Length; i++)
        {
            var scale = (max[i] - min[i]) / (quant_max - quant_min);
            scales[i] = scale > eps ? scale : 1f;
            zeroPoints[i] = -min[i] / scales[i];
        }
        return (scales, zeroPoints);
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{GetName()}(dtype={dtype}, qscheme={qscheme}, reduce_range={reduce_range}, quant_min={quant_min}, quant_max={quant_max}{OwnSettings})";

    /// <summary>Takes over what another observer has seen, as if this one had seen it too, after what it saw itself: so calibration can be split over shards of the data.</summary>
    /// <remarks>Running extremes come out exactly, moving averages to rounding. In a histogram no value moves farther than one of its old bins and one bin of the united range.</remarks>
    /// <param name="other">An observer of the same class and settings; it is left as it is. One that has seen nothing changes nothing.</param>
    /// <exception cref="ArgumentException">The other is of another class, has other settings or another number of channels, or is this observer.</exception>
    public void Merge(UniformQuantizationObserverBase other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (ReferenceEquals(this, other))
            throw new ArgumentException("An observer cannot be merged with itself: its values would count twice.", nameof(other));
        if (GetType() != other.GetType() || ToString() != other.ToString() || eps != other.eps)
            throw new ArgumentException($"Only observers with the same settings merge; found {this}, eps={eps}, and {other}, eps={other.eps}.", nameof(other));
        if (other.HasObserved)
            MergeStatistics(other);
    }

    /// <summary>Adds the statistics of an observer with the same settings that has seen something.</summary>
    /// <param name="other">The other observer, of this class.</param>
    protected abstract void MergeStatistics(UniformQuantizationObserverBase other);

    /// <summary>Settings that a class adds to the printed ones, each with a leading comma and space.</summary>
    private protected virtual string OwnSettings => "";

    /// <summary>The axis of the channels; null: one scale and zero point for the tensor.</summary>
    internal virtual int? ChannelAxis => null;

    /// <summary>Makes room for that many channels while nothing was observed, so that a checkpoint can be loaded.</summary>
    internal virtual void Reserve(long channels)
    {
    }

    /// <summary>Whether anything was recorded, or loaded.</summary>
    internal bool HasObserved
    {
        get
        {
            if (min_val.numel() == 0)
                return false;
            using var unseen = min_val.isposinf();
            using var any = unseen.any();
            return !any.item<bool>();
        }
    }

    /// <summary>Refuses the schemes that are not of the observer's kind (per tensor, per channel).</summary>
    /// <param name="allowed">The schemes of the observer's kind.</param>
    /// <exception cref="ArgumentException">The scheme is another.</exception>
    private protected void RequireScheme(params ReadOnlySpan<qscheme> allowed)
    {
        if (!allowed.Contains(qscheme))
            throw new ArgumentException($"{GetName()} does not know the scheme {qscheme}; it knows {string.Join(", ", allowed.ToArray())}.");
    }

    /// <summary>Refuses NaN and infinite values, from which no scale follows.</summary>
    private protected void RequireFinite(Tensor smallest, Tensor largest)
    {
        using var lowFinite = smallest.isfinite();
        using var highFinite = largest.isfinite();
        using var lowAll = lowFinite.all();
        using var highAll = highFinite.all();
        if (!lowAll.item<bool>() || !highAll.item<bool>())
            throw new ArgumentException($"{GetName()} was given NaN or infinite values, from which no scale follows: look for the module that makes them.");
    }

    /// <summary>The range that scale and zero point follow from: what was observed, unless a class clips it.</summary>
    /// <exception cref="InvalidOperationException">Nothing was observed.</exception>
    private protected virtual (float[] Min, float[] Max) ChosenRange()
    {
        if (!HasObserved)
            throw new InvalidOperationException(
                $"{GetName()} has observed nothing, so it has no scale and zero point: run the model on data before converting it.");
        using var min = min_val.to(ScalarType.Float32);
        using var max = max_val.to(ScalarType.Float32);
        return (min.data<float>().ToArray(), max.data<float>().ToArray());
    }

    /// <summary>The checked range of codes.</summary>
    internal static (int, int) RangeOf(string name, qdtype dtype, bool reduceRange, int? quantMin, int? quantMax)
    {
        if (!dtype.IsQuantized)
            throw new ArgumentException($"{name} chooses codes, and {dtype} has none: use qint8, quint8, qint32 or quint4x2, or a PlaceholderObserver.", nameof(dtype));
        if (quantMin is null != quantMax is null)
            throw new ArgumentException($"quant_min and quant_max are given together, found quant_min {quantMin?.ToString() ?? "none"}, quant_max {quantMax?.ToString() ?? "none"}.");
        var (lowest, highest) = dtype.Range;
        var (low, high) = (quantMin ?? lowest, quantMax ?? highest);
        if (low > 0 || high < 0 || low >= high || low < lowest || high > highest)
            throw new ArgumentException(
                $"quant_min {low} and quant_max {high} are no range of {dtype}: it must hold 0, quant_min must be less than quant_max, and both lie in {lowest}..{highest}.");
        if (!reduceRange)
            return (low, high);
        if (quantMin is null && dtype != qdtype.qint8 && dtype != qdtype.quint8)
            throw new ArgumentException($"reduce_range is defined for qint8 and quint8, not for {dtype}.");
        return (low >> 1, high >> 1);
    }
}
