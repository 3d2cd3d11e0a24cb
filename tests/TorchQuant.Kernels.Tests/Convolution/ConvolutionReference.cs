namespace TorchQuant.Kernels.Tests;

/// <summary>Convolutions as their definitions say: nested loops over long, every size in three dimensions, nothing packed.</summary>
internal static class ConvolutionReference
{
    /// <summary>Sums [batch, output..., out channels] of (x - zx) * (w - zw).</summary>
    public static long[] Sums(byte[] input, int batch, int[] inputSize, int zeroPoint, Weights w, ConvolutionShape shape)
    {
        int[] size = Three(inputSize, 1), outputSize = Three(shape.OutputSize(inputSize), 1), kernel = Three(shape.Kernel, 1);
        int[] stride = Three(shape.Stride, 1), padding = Three(shape.PaddingBegin, 0), dilation = Three(shape.Dilation, 1);
        int inputs = shape.InChannels / shape.Groups, outputs = shape.OutChannels / shape.Groups;
        var sums = new long[batch * Product(outputSize) * shape.OutChannels];
        for (int i = 0; i < sums.Length; i++)
        {
            (int position, int o) = Math.DivRem(i, shape.OutChannels);
            (int n, int[] p) = Unravel(position, outputSize);
            for (int element = 0; element < Product(kernel); element++)
            {
                int[] k = Unravel(element, kernel).Position;
                int[] at = [.. Enumerable.Range(0, 3).Select(d => Source(p[d] * stride[d] + k[d] * dilation[d] - padding[d], size[d], shape.PaddingMode))];
                if (at.Contains(-1))
                    continue;
                for (int c = 0; c < inputs; c++)
                {
                    long x = input[Ravel(n, at, size) * shape.InChannels + o / outputs * inputs + c] - zeroPoint;
                    sums[i] += x * (w.Codes[(o * inputs + c) * shape.KernelSize + element] - w.ZeroPoint(o));
                }
            }
        }

        return sums;
    }

    /// <summary>The same for a transposed convolution: every input adds to all the outputs it reaches. Weights are [in, out / groups, kernel...].</summary>
    public static long[] TransposedSums(byte[] input, int batch, int[] inputSize, int zeroPoint, Weights w, ConvTransposeShape shape)
    {
        int[] size = Three(inputSize, 1), outputSize = Three(shape.OutputSize(inputSize), 1), kernel = Three(shape.Kernel, 1);
        int[] stride = Three(shape.Stride, 1), padding = Three(shape.Padding, 0), dilation = Three(shape.Dilation, 1);
        int inputs = shape.InChannels / shape.Groups, outputs = shape.OutChannels / shape.Groups;
        var sums = new long[batch * Product(outputSize) * shape.OutChannels];
        for (int i = 0; i < input.Length; i++)
        {
            (int position, int c) = Math.DivRem(i, shape.InChannels);
            (int n, int[] p) = Unravel(position, size);
            for (int element = 0; element < Product(kernel); element++)
            {
                int[] k = Unravel(element, kernel).Position;
                int[] at = [.. Enumerable.Range(0, 3).Select(d => p[d] * stride[d] + k[d] * dilation[d] - padding[d])];
                if (Enumerable.Range(0, 3).Any(d => at[d] < 0 || at[d] >= outputSize[d]))
                    continue;
                for (int own = 0; own < outputs; own++)
                {
                    int o = c / inputs * outputs + own;
                    sums[Ravel(n, at, outputSize) * shape.OutChannels + o] += (long)(input[i] - zeroPoint) * (w.Codes[(c * outputs + own) * shape.KernelSize + element] - w.ZeroPoint(o));
                }
            }
        }

        return sums;
    }

    public static byte[] ToBytes(long[] sums, int channels, QParams input, Weights w, float[] bias, QParams output, FusedActivation activation) =>
        [.. sums.Select((sum, i) => (byte)Reference.ToByte(sum, input, w.Scale(i % channels), w.Scales.Length == 1, bias.Length == 0 ? null : bias[i % channels], output, activation))];

    public static int Product(ReadOnlySpan<int> sizes)
    {
        int product = 1;
        foreach (int size in sizes)
            product *= size;
        return product;
    }

    /// <summary>The input position that a position beyond its borders stands for, -1 for real zero.</summary>
    private static int Source(int position, int size, PaddingMode mode)
    {
        if (position >= 0 && position < size)
            return position;
        switch (mode)
        {
            case PaddingMode.Reflect:
                return position < 0 ? -position : size - 1 - (position - (size - 1));
            case PaddingMode.Replicate:
                return Math.Clamp(position, 0, size - 1);
            case PaddingMode.Circular:
                return (position % size + size) % size;
            default:
                return -1;
        }
    }

    private static int[] Three(ReadOnlySpan<int> numbers, int otherwise) => [.. Enumerable.Repeat(otherwise, 3 - numbers.Length), .. numbers];

    private static (int Image, int[] Position) Unravel(int index, int[] size) =>
        (index / (size[0] * size[1] * size[2]), [index / (size[1] * size[2]) % size[0], index / size[2] % size[1], index % size[2]]);

    private static int Ravel(int image, int[] position, int[] size) => ((image * size[0] + position[0]) * size[1] + position[1]) * size[2] + position[2];
}
