using TorchQuant.Benchmarks.Peers.Torch;
using TorchQuant.Benchmarks.Races;

namespace TorchQuant.Benchmarks.Convolution;

/// <summary>The group conv: convolutions with ReLU, codes in, codes out.</summary>
internal static class ConvMatches
{
    private static readonly int[] s_batches = [1, 8];

    public static IEnumerable<Match> All(bool quick)
    {
        ConvShape[] shapes = quick
            ? [new(1, 3, 64, 7, 2, 56), new(1, 64, 64, 3, 1, 14), new(2, 96, 24, 1, 1, 7), new(1, 96, 96, 3, 2, 14, 96), new(1, 64, 128, 1, 2, 14)]
            : [.. s_batches.SelectMany(NetworkConvolutions.All)];
        foreach (ConvShape shape in shapes)
        {
            var data = new Lazy<ConvData>(() => new ConvData(shape));
            yield return new Match("conv", shape.ToString(), shape.MultiplyAdds, shape.Bytes, threads => [.. Int8(data.Value, threads), .. Float(data.Value, threads)]);
        }
    }

    /// <summary>A convolution without the float peers.</summary>
    public static Match Int8(ConvShape shape)
    {
        var data = new Lazy<ConvData>(() => new ConvData(shape));
        return new Match("conv", shape.ToString(), shape.MultiplyAdds, shape.Bytes, threads => Int8(data.Value, threads));
    }

    private static IEnumerable<Func<IContender>> Int8(ConvData data, int threads)
    {
        yield return () => OurConvolution.Create(data, threads);
        foreach ((string name, byte engine) in QuantizedEngine.Usable)
            yield return () => TorchConvolution.Int8(data, threads, name, engine);
        yield return () => OnnxConvolution.Nchw(data, threads);
        yield return () => OnnxConvolution.Nhwc(data, threads);
    }

    private static IEnumerable<Func<IContender>> Float(ConvData data, int threads)
    {
        yield return () => TorchConvolution.Float(data, threads);
        yield return () => TorchConvolution.FloatOneDnn(data, threads);
        yield return () => OnnxConvolution.Float(data, threads);
    }
}
