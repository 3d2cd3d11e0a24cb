using TorchQuant.Benchmarks.Onnx;
using TorchQuant.Benchmarks.Peers.OnnxRuntime;
using TorchQuant.Benchmarks.Races;

namespace TorchQuant.Benchmarks.Pictures;

/// <summary>Pooling, joining and interpolation of int8 pictures, in the group elementwise: what memory limits too.</summary>
internal static class PictureMatches
{
    public static IEnumerable<Match> All(bool quick)
    {
        foreach (PictureOperation operation in PictureOperation.All(quick))
        {
            var data = new Lazy<PictureData>(() => new PictureData(operation));
            bool isOfTwo = operation.OutChannels > operation.Channels;
            yield return new Match("elementwise", operation.Name, 0, operation.InputLength * (isOfTwo ? 2.0 : 1) + operation.OutputLength, threads => Contenders(data.Value, threads));
        }
    }

    private static IEnumerable<Func<IContender>> Contenders(PictureData data, int threads)
    {
        yield return () => Ours(data, threads);
        yield return () => TorchPictures.Int8(data, threads);
        yield return () => Onnx(data, threads, channelsLast: true);
        yield return () => Onnx(data, threads, channelsLast: false);
    }

    private static OurContender Ours(PictureData data, int threads)
    {
        byte[] output = new byte[data.Operation.OutputLength];
        return new OurContender("ours", threads, () => data.Operation.Run(data, output, threads), name => data.CheckChannelsLast(name, output));
    }

    private static OnnxContender<byte, byte> Onnx(PictureData data, int threads, bool channelsLast)
    {
        PictureOperation operation = data.Operation;
        long[] input = data.Shape(operation.Channels, operation.Size, channelsLast), output = data.Shape(operation.OutChannels, operation.OutSize, channelsLast);
        var graph = new OnnxGraph();
        graph.Input<byte>("x", input);
        graph.Output<byte>("y", output);
        operation.Onnx(graph, data, channelsLast);
        return new OnnxContender<byte, byte>(
            $"onnxruntime int8 {(channelsLast ? "nhwc" : "nchw")}", Side.Int8Peer, threads, graph, channelsLast ? data.A : data.ToChannelsFirst(data.A), input, output,
            (name, y) => channelsLast ? data.CheckChannelsLast(name, y) : data.CheckChannelsFirst(name, y));
    }
}
