using TorchQuant.Benchmarks.Data;
using TorchQuant.Benchmarks.Onnx;
using TorchQuant.Kernels;

namespace TorchQuant.Benchmarks.Pictures;

/// <summary>An operation on pictures of codes with the channels last, and what it is in each library.</summary>
/// <param name="Name">Its name in tables.</param>
/// <param name="Channels">The channels of the input.</param>
/// <param name="Size">Its height and width.</param>
/// <param name="OutChannels">The channels of the output.</param>
/// <param name="OutSize">Its height and width.</param>
/// <param name="Output">Its scale and zero point.</param>
/// <param name="Real">The real number at a row, a column and a channel of the output.</param>
/// <param name="Torch">libtorch's expression of x, y, scale and zero_point.</param>
/// <param name="Onnx">Adds ONNX Runtime's node from x to y; the second argument tells whether the channels are last.</param>
/// <param name="Run">Ours: input, output, number of threads.</param>
internal sealed record PictureOperation(
    string Name,
    int Channels,
    int Size,
    int OutChannels,
    int OutSize,
    QParams Output,
    Func<PictureData, int, int, int, double> Real,
    string Torch,
    Action<OnnxGraph, PictureData, bool> Onnx,
    Action<PictureData, byte[], int> Run)
{
    public int InputLength => Size * Size * Channels;

    public int OutputLength => OutSize * OutSize * OutChannels;

    public static IEnumerable<PictureOperation> All(bool quick)
    {
        if (quick)
            return [MaxPool(9, 6, 3, 2, 1), AveragePool(9, 6, 3, 1, 1), GlobalAverage(9, 6), Join(9, 6), Nearest(9, 6), Bilinear(9, 6)];
        return
        [
            MaxPool(64, 112, 3, 2, 1), MaxPool(64, 56, 2, 2, 0), MaxPool(192, 28, 3, 1, 1), AveragePool(64, 56, 2, 2, 0), AveragePool(192, 28, 3, 1, 1), GlobalAverage(512, 7), GlobalAverage(1280, 7), GlobalAverage(2048, 7),
            Join(128, 28), Join(64, 56), Nearest(64, 56), Nearest(256, 28), Bilinear(64, 56), Bilinear(256, 28),
        ];
    }

    private static PictureOperation MaxPool(int channels, int size, int kernel, int stride, int padding)
    {
        var window = new PoolingDimension(kernel, stride, padding);
        int outSize = window.OutputSize(size);
        return new(
            $"max pool {kernel}x{kernel}s{stride} {channels} @{size}", channels, size, channels, outSize, Draw.Activations,
            (data, y, x, c) => data.Window(y, x, kernel, stride, padding).Max(p => data.Real(p.Y, p.X, c)),
            $"torch.max_pool2d(x, [{kernel}, {kernel}], [{stride}, {stride}], [{padding}, {padding}], [1, 1], False)",
            (graph, _, last) => graph.Node(last ? "NhwcMaxPool" : "MaxPool", ["x"], "y", last ? OnnxGraph.Microsoft : "", OnnxWindow(kernel, stride, padding)),
            (data, output, threads) => Int8MaxPool.Run(data.A, 1, size, size, channels, window, window, output, threads));
    }

    private static PictureOperation AveragePool(int channels, int size, int kernel, int stride, int padding)
    {
        var window = new PoolingDimension(kernel, stride, padding);
        int outSize = window.OutputSize(size);
        return new(
            $"avg pool {kernel}x{kernel}s{stride} {channels} @{size}", channels, size, channels, outSize, Draw.Activations,
            (data, y, x, c) => data.Window(y, x, kernel, stride, padding).Average(p => data.Real(p.Y, p.X, c)),
            $"torch.avg_pool2d(x, [{kernel}, {kernel}], [{stride}, {stride}], [{padding}, {padding}], False, False, None)",
            (graph, data, last) => graph.Node(
                "QLinearAveragePool", ["x", .. data.Params(graph)], "y", OnnxGraph.Microsoft, [.. OnnxWindow(kernel, stride, padding), ("count_include_pad", 0L), ("channels_last", last ? 1L : 0L)]),
            (data, output, threads) => Int8AveragePool.Run(data.A, 1, size, size, channels, window, window, Draw.Activations.ZeroPoint, output, countIncludePad: false, threads: threads));
    }

    private static PictureOperation GlobalAverage(int channels, int size) => new(
        $"global avg pool {channels} @{size}", channels, size, channels, 1, Draw.Activations,
        (data, _, _, c) => data.Window(0, 0, size, 1, 0).Average(p => data.Real(p.Y, p.X, c)),
        "torch.adaptive_avg_pool2d(x, [1, 1])",
        (graph, data, last) => graph.Node("QLinearGlobalAveragePool", ["x", .. data.Params(graph)], "y", OnnxGraph.Microsoft, ("channels_last", last ? 1L : 0L)),
        (data, output, threads) => Int8AveragePool.RunAdaptive(data.A, 1, size, size, channels, 1, 1, Draw.Activations.ZeroPoint, output, threads));

    private static PictureOperation Join(int channels, int size)
    {
        QParams output = new(0.021f, 66);
        CodeTable first = CodeTable.RequantizeFused(Draw.Activations, output), second = CodeTable.RequantizeFused(PictureData.Second, output);
        return new(
            $"cat {channels} + {channels} @{size}", channels, size, 2 * channels, size, output,
            (data, y, x, c) => c < channels ? data.Real(y, x, c) : data.RealOfSecond(y, x, c - channels),
            "ops.quantized.cat([x, y], 1, scale, zero_point)",
            (graph, data, last) => graph.Node(
                "QLinearConcat",
                [.. data.OutputParams(graph), "x", .. data.XParams(graph), graph.Constant<byte>("b", last ? data.B : data.ToChannelsFirst(data.B), data.Shape(channels, size, last)), .. data.SecondParams(graph)],
                "y", OnnxGraph.Microsoft, ("axis", last ? 3L : 1L)),
            (data, codes, threads) =>
            {
                first.ApplyRows(data.A, channels, codes, 2 * channels, threads);
                second.ApplyRows(data.B, channels, codes.AsSpan(channels), 2 * channels, threads);
            });
    }

    private static PictureOperation Nearest(int channels, int size)
    {
        var twice = new UpsampleDimension(size, 2 * size);
        return new(
            $"nearest x2 {channels} @{size}", channels, size, channels, 2 * size, Draw.Activations,
            (data, y, x, c) => data.Real(y / 2, x / 2, c),
            $"torch.upsample_nearest2d(x, [{2 * size}, {2 * size}], None, None)",
            (graph, _, last) => graph.Node(
                "Resize", ["x", "", OnnxScales(graph, last)], "y", "", ("mode", "nearest"), ("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", "floor")),
            (data, output, threads) => Int8Upsample.Nearest(data.A, 1, twice, twice, channels, output, threads));
    }

    private static PictureOperation Bilinear(int channels, int size)
    {
        var twice = new UpsampleDimension(size, 2 * size);
        return new(
            $"bilinear x2 {channels} @{size}", channels, size, channels, 2 * size, Draw.Activations,
            (data, y, x, c) => data.Interpolated(y, x, c),
            $"torch.upsample_bilinear2d(x, [{2 * size}, {2 * size}], False, None, None)",
            (graph, _, last) => graph.Node("Resize", ["x", "", OnnxScales(graph, last)], "y", "", ("mode", "linear"), ("coordinate_transformation_mode", "pytorch_half_pixel")),
            (data, output, threads) => Int8Upsample.Bilinear(data.A, 1, twice, twice, channels, Draw.Activations.ZeroPoint, output, threads));
    }

    private static string OnnxScales(OnnxGraph graph, bool last) => graph.Constant<float>("scales", last ? [1, 2, 2, 1] : [1, 1, 2, 2], 4);

    private static OnnxAttribute[] OnnxWindow(int kernel, int stride, int padding) =>
        [("kernel_shape", new long[] { kernel, kernel }), ("strides", new long[] { stride, stride }), ("pads", new long[] { padding, padding, padding, padding })];
}
