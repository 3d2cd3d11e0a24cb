using System.Globalization;
using TorchQuant.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// <see cref="Upsample"/> of quint8 tensors. Pictures with the channels last are interpolated by kernels of ours, which give libtorch's codes (nearest and bilinear); in another order of memory, and volumes, by libtorch's own.
/// The other modes, which it refuses, are dequantized, interpolated in float and quantized. The output has the scale and the zero point of the input, whose range interpolating never leaves; bicubic does, and is refused.
/// </summary>
public sealed class QuantizedUpsample : KeptQParamsModule
{
    private const string SizeOption = "size";
    private const string ScaleOption = "scale_factor";
    private const string ModeOption = "mode";
    private const string CornersOption = "align_corners";
    private const string RecomputeOption = "recompute_scale_factor";

    private readonly Settings _settings;

    private QuantizedUpsample(Settings settings, string path) : base(nameof(QuantizedUpsample), path) => _settings = settings;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Options => new Dictionary<string, string>
    {
        [SizeOption] = Join(_settings.Size),
        [ScaleOption] = Join(_settings.ScaleFactor),
        [ModeOption] = _settings.Mode.ToString(),
        [CornersOption] = _settings.AlignCorners switch { true => "true", false => "false", null => "" },
        [RecomputeOption] = _settings.Recompute ? "true" : "false",
    };

    /// <summary>Converts an Upsample.</summary>
    /// <param name="module">The float module; it is read, not changed.</param>
    /// <param name="conversion">Holds the path; the observer is not needed.</param>
    /// <exception cref="ArgumentException">Its mode is bicubic.</exception>
    public static QuantizedUpsample from_float(Upsample module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(conversion);
        var settings = new Settings(module.size.ToArray(), module.scale_factor.ToArray(), module.mode, module.align_corners, module.recompute_scale_factor ?? false);
        return new(settings.Checked(conversion.Path), conversion.Path);
    }

    /// <summary>As PyTorch prints it: <c>QuantizedUpsample(scale_factor=(2, 2), mode=nearest)</c>.</summary>
    public override string ToString() => _settings.Size.Length > 0
        ? $"{Kind}(size=({Join(_settings.Size).Replace(" ", ", ", StringComparison.Ordinal)}), mode={_settings.ModeName})"
        : $"{Kind}(scale_factor=({Join(_settings.ScaleFactor).Replace(" ", ", ", StringComparison.Ordinal)}), mode={_settings.ModeName})";

    internal static QuantizedUpsample FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path)
    {
        var mode = StateOptions.Text(options, ModeOption, path);
        if (!Enum.TryParse<UpsampleMode>(mode, out var known) || !Enum.IsDefined(known))
            throw new ArgumentException($"{path}: the option {ModeOption} is '{mode}'; expected {string.Join(", ", Enum.GetNames<UpsampleMode>())}.");
        var corners = StateOptions.Text(options, CornersOption, path);
        var settings = new Settings(
            StateOptions.Text(options, SizeOption, path).Length == 0 ? [] : StateOptions.Sizes(options, SizeOption, path),
            StateOptions.Text(options, ScaleOption, path).Length == 0 ? [] : StateOptions.Doubles(options, ScaleOption, path),
            known, corners.Length == 0 ? null : StateOptions.Bool(options, CornersOption, path), StateOptions.Bool(options, RecomputeOption, path));
        return new(settings.Checked(path), path);
    }

    /// <inheritdoc/>
    private protected override Tensor Compute(Tensor input)
    {
        var qparams = QuantizedInput.Read(this, input);
        var dimensions = input.dim();
        if (!_settings.Takes(dimensions))
            throw QuantizedInput.WrongShape(this, input, $"[batch, channels, spatial...] with {_settings.Expected} spatial dimensions");
        if (_settings.IsNative(dimensions))
            return dimensions == 4 && CodeOrder.LiesChannelsLast(input, 4) ? OfPictures(input, qparams) : _settings.Run(input);
        using var output = new QuantizedOutput(qparams);
        return FloatRoute.Run(input, _settings.Run, output);
    }

    private Tensor OfPictures(Tensor input, QParams qparams)
    {
        using var source = ChannelsLast.ViewOf(input);
        var shape = source.shape;
        UpsampleDimension vertical = _settings.Dimension(0, shape[1]), horizontal = _settings.Dimension(1, shape[2]);
        if (vertical.Output < 1 || horizontal.Output < 1)
            throw QuantizedInput.WrongShape(this, input, "of which the interpolated size is at least 1 in each dimension");
        (shape[1], shape[2]) = (vertical.Output, horizontal.Output);
        using var codes = QuantizedOutput.EmptyLike(input, shape);
        var (batch, channels, threads) = (checked((int)shape[0]), checked((int)shape[3]), get_num_threads());
        if (_settings.Mode == UpsampleMode.Nearest)
            Int8Upsample.Nearest(source.Span<byte>(), batch, vertical, horizontal, channels, codes.Span<byte>(), threads);
        else
            Int8Upsample.Bilinear(source.Span<byte>(), batch, vertical, horizontal, channels, qparams.ZeroPoint, codes.Span<byte>(), threads);
        return ChannelsLast.ToSecond(codes);
    }

    private static string Join<T>(T[] values) where T : IFormattable => string.Join(' ', values.Select(value => value.ToString(null, CultureInfo.InvariantCulture)));

    /// <summary>The options of the float module; an empty size or scale factor is not given.</summary>
    private sealed record Settings(long[] Size, double[] ScaleFactor, UpsampleMode Mode, bool? AlignCorners, bool Recompute)
    {
        public string ModeName => Mode switch
        {
            UpsampleMode.Nearest => "nearest",
            UpsampleMode.Linear => "linear",
            UpsampleMode.Bilinear => "bilinear",
            _ => "trilinear",
        };

        public string Expected => Mode switch { UpsampleMode.Nearest => "1 to 3", UpsampleMode.Linear => "1", UpsampleMode.Trilinear => "3", _ => "2" };

        public Settings Checked(string path) => Mode != UpsampleMode.Bicubic ? this : throw new ArgumentException(
            $"{path}: bicubic interpolation overshoots the range of its input, so the result does not fit the input's codes; put a DeQuantStub before it and a QuantStub after it and set its qconfig to null, or use another mode.");

        public bool Takes(long dimensions) => Mode switch
        {
            UpsampleMode.Nearest => dimensions is >= 3 and <= 5,
            UpsampleMode.Linear => dimensions == 3,
            UpsampleMode.Trilinear => dimensions == 5,
            _ => dimensions == 4,
        };

        /// <summary>Whether libtorch interpolates codes itself.</summary>
        public bool IsNative(long dimensions) => Mode == UpsampleMode.Bilinear || (Mode == UpsampleMode.Nearest && dimensions > 3);

        /// <summary>One of the two dimensions of pictures. A scale factor counts itself, unless it is to be worked out from the sizes.</summary>
        public UpsampleDimension Dimension(int index, long size)
        {
            if (Size.Length > 0)
                return new(checked((int)size), checked((int)Size[Size.Length == 1 ? 0 : index]), 0, AlignCorners ?? false);
            var factor = ScaleFactor[ScaleFactor.Length == 1 ? 0 : index];
            return new(checked((int)size), checked((int)Math.Floor(size * factor)), Recompute ? 0 : factor, AlignCorners ?? false);
        }

        public Tensor Run(Tensor x) => nn.functional.interpolate(
            x, Size.Length == 0 ? null : Size, ScaleFactor.Length == 0 ? null : ScaleFactor, (InterpolationMode)Mode, AlignCorners, Recompute);
    }
}
