using TorchQuant.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>The base of the four observers that keep nothing but a smallest and a largest value: running or averaged, for the tensor or for each index of an axis.</summary>
/// <remarks>The first batch's extremes are kept as they are. Every later batch changes a kept value r, given its own extreme b: running r = min(r, b) or
/// max(r, b); averaged r = r + averaging_constant * (b - r).</remarks>
public abstract class RangeObserverBase : UniformQuantizationObserverBase
{
    private const string FirstMin = "first_min_val", FirstMax = "first_max_val";

    private readonly int? _channelAxis;
    private readonly float? _averagingConstant;
    private long _batches;

    /// <summary>Checks and keeps the settings.</summary>
    /// <param name="name">The class's name.</param>
    /// <param name="dtype">qint8, quint8, qint32 or quint4x2.</param>
    /// <param name="qscheme">A scheme per tensor, or, if there is an axis of channels, per channel.</param>
    /// <param name="reduce_range">Whether the range is halved.</param>
    /// <param name="quant_min">The smallest code; the type's if null.</param>
    /// <param name="quant_max">The largest code; the type's if null.</param>
    /// <param name="eps">The smallest scale; float32's epsilon if null.</param>
    /// <param name="channelAxis">The axis of the channels; null: one range for the tensor.</param>
    /// <param name="averagingConstant">The share of a new batch, in (0, 1]; null: running extremes.</param>
    /// <exception cref="ArgumentException">The settings contradict each other; the message says how.</exception>
    private protected RangeObserverBase(
        string name, qdtype dtype, qscheme qscheme, bool reduce_range, int? quant_min, int? quant_max, float? eps, int? channelAxis, float? averagingConstant)
        : base(name, dtype, qscheme, reduce_range, quant_min, quant_max, eps)
    {
        if (channelAxis is null)
            RequireScheme(qscheme.per_tensor_affine, qscheme.per_tensor_symmetric);
        else
            RequireScheme(qscheme.per_channel_affine, qscheme.per_channel_symmetric, qscheme.per_channel_affine_float_qparams);
        if (averagingConstant is not (null or (> 0 and <= 1)))
            throw new ArgumentException($"averaging_constant is the share of a new batch, more than 0 and at most 1; found {averagingConstant}.", nameof(averagingConstant));
        _channelAxis = channelAxis;
        _averagingConstant = averagingConstant;
        min_val = channelAxis is null ? tensor(float.PositiveInfinity) : empty(0);
        max_val = channelAxis is null ? tensor(float.NegativeInfinity) : empty(0);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The input holds NaN or infinite values or, per channel, has no axis of channels or another number of channels than before.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.numel() > 0)
            Record(input);
        return input.alias();
    }

    /// <inheritdoc/>
    /// <remarks>An observer per channel that has seen nothing takes the number of channels of <paramref name="source"/>. Inside a model use
    /// <see cref="quantization.load_observer_state_dict"/>: a model's own load_state_dict does not ask its modules.</remarks>
    public override (IList<string> missing_keys, IList<string> unexpected_keyes) load_state_dict(
        Dictionary<string, Tensor> source, bool strict = true, IList<string>? skip = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (_channelAxis is not null && source.TryGetValue(nameof(min_val), out var low) && source.TryGetValue(nameof(max_val), out var high)
            && skip?.Contains(nameof(min_val)) != true && skip?.Contains(nameof(max_val)) != true)
        {
            if (low.dim() != 1 || high.dim() != 1 || low.numel() != high.numel())
                throw new ArgumentException(
                    $"min_val and max_val of {GetName()} are vectors of one length, the channels; found [{string.Join(", ", low.shape)}] and [{string.Join(", ", high.shape)}].",
                    nameof(source));
            if (low.numel() != min_val.numel())
                (min_val, max_val) = (empty(low.numel()), empty(low.numel()));
        }
        _batches = 0;
        return base.load_state_dict(source, strict, skip);
    }

    /// <inheritdoc/>
    internal override int? ChannelAxis => _channelAxis;

    /// <inheritdoc/>
    internal override void Reserve(long channels)
    {
        if (_channelAxis is not null && !HasObserved)
            (min_val, max_val) = (full(channels, float.PositiveInfinity), full(channels, float.NegativeInfinity));
    }

    /// <inheritdoc/>
    protected override void MergeStatistics(UniformQuantizationObserverBase other)
    {
        var shard = (RangeObserverBase)other;
        if (min_val.numel() != shard.min_val.numel() && HasObserved)
            throw new ArgumentException($"{GetName()} has observed {min_val.numel()} channels and the other {shard.min_val.numel()}: merge observers of one tensor.", nameof(other));
        if (_averagingConstant is not float constant)
        {
            Keep(shard.min_val, shard.max_val, running: true);
            return;
        }
        if (shard._batches == 0)
            throw new ArgumentException($"The statistics of the other {GetName()} were loaded, so the weight of its batches is unknown: merge before saving.", nameof(other));
        if (!HasObserved)
        {
            Keep(shard.min_val, shard.max_val, running: false);
            KeepFirst(shard.Buffer(FirstMin), shard.Buffer(FirstMax));
        }
        else
        {
            // The other took its first batch whole where one observer of both shards would have mixed it into what this one kept: what is left of that difference.
            var left = (float)Math.Pow(1 - constant, shard._batches);
            Continue(min_val, shard.min_val, shard.Buffer(FirstMin), left);
            Continue(max_val, shard.max_val, shard.Buffer(FirstMax), left);
        }
        _batches += shard._batches;
    }

    /// <inheritdoc/>
    private protected override string OwnSettings =>
        (_channelAxis is int axis ? $", ch_axis={axis}" : "") + (_averagingConstant is float constant ? FormattableString.Invariant($", averaging_constant={constant}") : "");

    private void Record(Tensor input)
    {
        using var noGrad = no_grad();
        using var values = input.to(ScalarType.Float32);
        var (low, high) = Range(values);
        using var least = low;
        using var most = high;
        RequireFinite(low, high);
        if (_averagingConstant is not float constant)
        {
            Keep(low, high, running: true);
            return;
        }
        if (HasObserved)
        {
            Approach(min_val, low, constant);
            Approach(max_val, high, constant);
        }
        else
        {
            Keep(low, high, running: false);
            KeepFirst(low, high);
        }
        _batches++;
    }

    private (Tensor Low, Tensor High) Range(Tensor values)
    {
        if (_channelAxis is int axis)
        {
            using var rows = Rows(values, axis);
            return (rows.amin(1), rows.amax(1));
        }

        if (values.device_type != DeviceType.CPU || !values.is_contiguous() || values.numel() > int.MaxValue)
            return (values.min(), values.max());
        var (low, high) = MinMax.Of(values.Span<float>(), get_num_threads()); // one pass, where libtorch makes two
        return (tensor(low), tensor(high));
    }

    private Tensor Rows(Tensor input, int channelAxis)
    {
        var axis = channelAxis < 0 ? channelAxis + input.dim() : channelAxis;
        if (axis < 0 || axis >= input.dim())
            throw new ArgumentException($"{GetName()} has ch_axis {channelAxis}, and the input has the shape [{string.Join(", ", input.shape)}].", nameof(input));
        var channels = input.shape[axis];
        if (HasObserved && min_val.numel() != channels)
            throw new ArgumentException(
                $"{GetName()} has observed {min_val.numel()} channels on axis {channelAxis}, and the input has {channels}: one observer serves one tensor.", nameof(input));
        using var turned = input.transpose(0, axis);
        return turned.reshape(channels, -1);
    }

    private void Keep(Tensor low, Tensor high, bool running)
    {
        using var noGrad = no_grad();
        if (!running || !HasObserved)
        {
            (min_val, max_val) = (low.clone(), high.clone());
            return;
        }
        using var lowest = minimum(min_val, low);
        using var highest = maximum(max_val, high);
        min_val.copy_(lowest);
        max_val.copy_(highest);
    }

    private Tensor Buffer(string name) => get_buffer(name)!;

    private void KeepFirst(Tensor low, Tensor high)
    {
        foreach (var (name, value) in new[] { (FirstMin, low), (FirstMax, high) })
        {
            get_buffer(name)?.Dispose();
            // Not persistent: PyTorch's state dict has no such entries.
            ConditionallyRegisterBuffer(name, value.clone().DetachFromDisposeScope(), persistent: false);
        }
    }

    private static void Approach(Tensor kept, Tensor batch, float constant)
    {
        using var noGrad = no_grad();
        using var difference = batch - kept;
        // Held to the end of the call: TorchSharp does not keep an implicit Scalar alive, and a collection in between frees it.
        using var share = constant.ToScalar();
        using var step = difference.mul(share);
        kept.add_(step);
    }

    private static void Continue(Tensor kept, Tensor shard, Tensor shardFirst, float left)
    {
        using var noGrad = no_grad();
        using var difference = kept - shardFirst;
        using var share = left.ToScalar();
        using var rest = difference.mul(share);
        using var merged = shard + rest;
        kept.copy_(merged);
    }
}
