using System.Globalization;
using TorchQuant.Kernels;
using TorchSharp;
using TorchSharp.Modules;

namespace TorchQuant.Modules;

/// <summary>What a convolution, transposed or not, is told besides its weight: one number for each spatial dimension, and the groups. It comes from a float module or from the options of a file.</summary>
internal sealed record ConvolutionOptions
{
    private const string StrideName = "stride";
    private const string PaddingName = "padding";
    private const string PaddingEndName = "padding_end";
    private const string OutputPaddingName = "output_padding";
    private const string DilationName = "dilation";
    private const string GroupsName = "groups";
    private const string PaddingModeName = "padding_mode";

    private ConvolutionOptions()
    {
    }

    public required bool Transposed { get; init; }

    public required int[] Stride { get; init; }

    /// <summary>Before the input.</summary>
    public required int[] Padding { get; init; }

    /// <summary>After the input.</summary>
    public required int[] PaddingEnd { get; init; }

    /// <summary>Zeros where the convolution is not transposed.</summary>
    public required int[] OutputPadding { get; init; }

    public required int[] Dilation { get; init; }

    public required int Groups { get; init; }

    public required PaddingMode PaddingMode { get; init; }

    public int Dimensions => Stride.Length;

    /// <summary>The options with which a float module computes.</summary>
    /// <exception cref="ArgumentException">A number is beyond int32.</exception>
    public static ConvolutionOptions Of(Convolution module, string path)
    {
        var (begin, end) = FloatPadding(module);
        return new()
        {
            Transposed = module.transposed,
            Stride = Ints(module.stride, StrideName, path),
            Padding = Ints(begin, PaddingName, path),
            PaddingEnd = Ints(end, PaddingName, path),
            // TorchSharp's forward takes the first number for all dimensions.
            OutputPadding = Ints([.. module.stride.Select(_ => module.transposed ? module.output_padding[0] : 0)], OutputPaddingName, path),
            Dilation = Ints(module.dilation, DilationName, path),
            Groups = Ints([module.groups], GroupsName, path)[0],
            PaddingMode = ModeOf(module.padding_mode),
        };
    }

    /// <summary>The options of a file.</summary>
    /// <exception cref="ArgumentException">An option is missing or another than expected; the message names it.</exception>
    public static ConvolutionOptions Read(IReadOnlyDictionary<string, string> options, int dimensions, bool transposed, string path)
    {
        var padding = StateOptions.Ints(options, PaddingName, path, dimensions);
        return new()
        {
            Transposed = transposed,
            Stride = StateOptions.Ints(options, StrideName, path, dimensions, least: 1),
            Padding = padding,
            PaddingEnd = transposed ? padding : StateOptions.Ints(options, PaddingEndName, path, dimensions),
            OutputPadding = transposed ? StateOptions.Ints(options, OutputPaddingName, path, dimensions) : new int[dimensions],
            Dilation = StateOptions.Ints(options, DilationName, path, dimensions, least: 1),
            Groups = StateOptions.Int(options, GroupsName, path, least: 1),
            PaddingMode = transposed ? PaddingMode.Zeros : ParseMode(options, path),
        };
    }

    /// <summary>The inverse of <see cref="Read"/>.</summary>
    public IReadOnlyDictionary<string, string> AddTo(IReadOnlyDictionary<string, string> others)
    {
        var options = new Dictionary<string, string>(others)
        {
            [StrideName] = StateOptions.Of(Stride),
            [PaddingName] = StateOptions.Of(Padding),
            [DilationName] = StateOptions.Of(Dilation),
            [GroupsName] = StateOptions.Of([Groups]),
        };
        if (Transposed)
        {
            options[OutputPaddingName] = StateOptions.Of(OutputPadding);
            return options;
        }
        options[PaddingEndName] = StateOptions.Of(PaddingEnd);
        options[PaddingModeName] = NameOf(PaddingMode);
        return options;
    }

    /// <summary>The kernel's geometry for a weight [out, in / groups, k...].</summary>
    public ConvolutionShape ShapeOf(long[] weight) => new(
        checked((int)weight[1] * Groups), (int)weight[0], KernelOf(weight), Stride, Padding, PaddingEnd, Dilation, Groups, PaddingMode);

    /// <summary>The kernel's geometry for a weight [in, out / groups, k...].</summary>
    public ConvTransposeShape TransposedShapeOf(long[] weight) => new(
        (int)weight[0], checked((int)weight[1] * Groups), KernelOf(weight), Stride, Padding, OutputPadding, Dilation, Groups);

    /// <summary>What PyTorch prints after scale and zero point, of what is not the default: <c>, padding=(1, 1), groups=4</c>.</summary>
    public string Describe(bool bias)
    {
        var text = "";
        if (!Padding.AsSpan().SequenceEqual(PaddingEnd))
            text += $", padding=({string.Join(", ", Padding.Zip(PaddingEnd, (begin, end) => Tuple([begin, end])))})";
        else if (Padding.Any(p => p != 0))
            text += $", padding={Tuple(Padding)}";
        if (Dilation.Any(d => d != 1))
            text += $", dilation={Tuple(Dilation)}";
        if (OutputPadding.Any(p => p != 0))
            text += $", output_padding={Tuple(OutputPadding)}";
        if (Groups != 1)
            text += $", groups={Groups.ToString(CultureInfo.InvariantCulture)}";
        if (!bias)
            text += ", bias=False";
        return PaddingMode == PaddingMode.Zeros ? text : $"{text}, padding_mode={NameOf(PaddingMode)}";
    }

    /// <summary>Numbers as Python prints them: <c>(3, 3)</c>, <c>(3,)</c>.</summary>
    public static string Tuple(IReadOnlyCollection<int> numbers) =>
        $"({string.Join(", ", numbers.Select(n => n.ToString(CultureInfo.InvariantCulture)))}{(numbers.Count == 1 ? "," : "")})";

    /// <summary>PyTorch's name: <c>zeros</c>.</summary>
    private static string NameOf(PaddingMode mode) => mode.ToString().ToLowerInvariant();

    private static PaddingMode ModeOf(PaddingModes mode) => mode switch
    {
        PaddingModes.Reflect => PaddingMode.Reflect,
        PaddingModes.Replicate => PaddingMode.Replicate,
        PaddingModes.Circular => PaddingMode.Circular,
        // TorchSharp pads with the constant 0.
        _ => PaddingMode.Zeros,
    };

    private static PaddingMode ParseMode(IReadOnlyDictionary<string, string> options, string path)
    {
        var name = StateOptions.Text(options, PaddingModeName, path);
        var modes = Enum.GetValues<PaddingMode>();
        var at = Array.FindIndex(modes, mode => NameOf(mode) == name);
        return at >= 0 ? modes[at] : throw new ArgumentException($"{path}: the option {PaddingModeName} is '{name}'; expected {string.Join(", ", modes.Select(NameOf))}.");
    }

    /// <summary>
    /// What the float module adds before and after its input. "same" adds dilation * (kernel - 1) positions, the odd one after the input; with a padding mode other than zeros,
    /// TorchSharp gives each dimension what belongs to the one as far from the other end, which only shows where they differ.
    /// </summary>
    private static (long[] Begin, long[] End) FloatPadding(Convolution module)
    {
        var none = new long[module.kernel_size.Length];
        if (module.padding_type is not { } type)
            return (module.padding ?? none, module.padding ?? none);
        if (type == TorchSharp.Padding.Valid)
            return (none, none);
        var total = module.kernel_size.Zip(module.dilation, (kernel, dilation) => dilation * (kernel - 1)).ToArray();
        if (module.padding_mode != PaddingModes.Zeros)
            Array.Reverse(total);
        return ([.. total.Select(t => t / 2)], [.. total.Select(t => t - (t / 2))]);
    }

    private static int[] Ints(long[] numbers, string name, string path)
    {
        foreach (var number in numbers)
            if (number is < 0 or > int.MaxValue)
                throw new ArgumentException($"{path}: {name} is {number}; expected 0 to {int.MaxValue}.");
        return [.. numbers.Select(n => (int)n)];
    }

    private static int[] KernelOf(long[] weight) => [.. weight[2..].Select(k => checked((int)k))];
}
