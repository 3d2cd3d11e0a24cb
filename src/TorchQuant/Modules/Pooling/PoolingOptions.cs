using TorchQuant.Kernels;

namespace TorchQuant.Modules;

/// <summary>The options of a pooling by sliding windows, one number for each spatial dimension.</summary>
internal sealed record PoolingOptions(int[] Kernel, int[] Stride, int[] Padding, int[] Dilation, bool CeilMode)
{
    private const string KernelOption = "kernel_size";
    private const string StrideOption = "stride";
    private const string PaddingOption = "padding";
    private const string DilationOption = "dilation";
    private const string CeilOption = "ceil_mode";

    /// <summary>The spatial dimensions.</summary>
    public int Dimensions => Kernel.Length;

    /// <summary>As they stand in a float module: one number counts for all dimensions, and what is not given is as PyTorch has it.</summary>
    /// <exception cref="ArgumentException">Another count of numbers; the message names the module.</exception>
    public static PoolingOptions Of(int dimensions, long[] kernel, long[]? stride, long[]? padding, long[]? dilation, bool ceilMode, string path)
    {
        var size = Each(KernelOption, kernel, []);
        return new(size, Each(StrideOption, stride, size), Each(PaddingOption, padding, new int[dimensions]), Each(DilationOption, dilation, [.. Enumerable.Repeat(1, dimensions)]), ceilMode);

        int[] Each(string name, long[]? given, int[] otherwise) => given is null or [] && otherwise is not []
            ? otherwise
            : given?.Length == dimensions || given?.Length == 1
                ? [.. Enumerable.Range(0, dimensions).Select(d => checked((int)given[given.Length == 1 ? 0 : d]))]
                : throw new ArgumentException($"{path}: {name} has {given?.Length ?? 0} numbers; expected {dimensions}, or one for all.");
    }

    /// <summary>The options of a file, back from <see cref="ToOptions"/>.</summary>
    /// <exception cref="ArgumentException">An option is missing or has no meaning; the message names the module.</exception>
    public static PoolingOptions Read(IReadOnlyDictionary<string, string> options, string path)
    {
        var dimensions = StateOptions.Text(options, KernelOption, path).Split(',').Length;
        if (dimensions > 3)
            throw new ArgumentException($"{path}: the option {KernelOption} is '{options[KernelOption]}'; expected 1 to 3 numbers with commas between.");
        return new(
            StateOptions.Ints(options, KernelOption, path, dimensions, least: 1), StateOptions.Ints(options, StrideOption, path, dimensions, least: 1),
            StateOptions.Ints(options, PaddingOption, path, dimensions), StateOptions.Ints(options, DilationOption, path, dimensions, least: 1), StateOptions.Bool(options, CeilOption, path));
    }

    /// <summary>The options as a file holds them.</summary>
    public Dictionary<string, string> ToOptions() => new()
    {
        [KernelOption] = StateOptions.Of(Kernel),
        [StrideOption] = StateOptions.Of(Stride),
        [PaddingOption] = StateOptions.Of(Padding),
        [DilationOption] = StateOptions.Of(Dilation),
        [CeilOption] = CeilMode ? "true" : "false",
    };

    /// <summary>The windows along the depth, the height and the width; what a signal or a picture has not is left as it is.</summary>
    public (PoolingDimension Deep, PoolingDimension Vertical, PoolingDimension Horizontal) Windows => (Along(3), Along(2), Along(1));

    /// <summary>The sizes of the output.</summary>
    public VolumeShape OutputOf(VolumeShape input)
    {
        var (deep, vertical, horizontal) = Windows;
        return input with { Depth = deep.OutputSize(input.Depth), Height = vertical.OutputSize(input.Height), Width = horizontal.OutputSize(input.Width) };
    }

    /// <summary>As PyTorch prints them.</summary>
    public string Describe() => FormattableString.Invariant(
        $"kernel_size={ConvolutionOptions.Tuple(Kernel)}, stride={ConvolutionOptions.Tuple(Stride)}, padding={ConvolutionOptions.Tuple(Padding)}");

    /// <summary>Numbers as TorchSharp takes them.</summary>
    public static long[] Longs(int[] numbers) => Array.ConvertAll(numbers, n => (long)n);

    private PoolingDimension Along(int fromLast)
    {
        if (fromLast > Dimensions)
            return new PoolingDimension(1, 1);
        var d = Dimensions - fromLast;
        return new PoolingDimension(Kernel[d], Stride[d], Padding[d], Dilation[d], CeilMode);
    }
}
