using TorchQuant.Benchmarks.Peers.OnnxRuntime;
using TorchQuant.Benchmarks.Peers.Torch;
using TorchQuant.Benchmarks.Races;

namespace TorchQuant.Benchmarks.Models;

/// <summary>MobileNetV2, ResNet-18 and ResNet-50 on images of 224 x 224, float in and out.</summary>
internal static class CnnMatches
{
    private const int ImageSize = 224, QuickImageSize = 32;

    public static IEnumerable<Match> All(bool quick)
    {
        int size = quick ? QuickImageSize : ImageSize;
        foreach (Func<int, CnnModel> create in (Func<int, CnnModel>[])[CnnModel.MobileNet, CnnModel.ResNet18, CnnModel.ResNet50])
        {
            CnnModel model = create(size);
            foreach (int batch in quick ? [1] : (int[])[1, 8])
                yield return Cnn(model, batch);
        }
    }

    private static Match Cnn(CnnModel model, int batch)
    {
        var data = new Lazy<CnnData>(() => new CnnData(model, batch));
        double images = 4.0 * batch * 3 * model.Plan.ImageSize * model.Plan.ImageSize;
        return new Match("models", $"{model.Name} {model.Plan.ImageSize} N{batch}", batch * model.Plan.MultiplyAdds, model.Plan.WeightBytes + images, threads => Contenders(data.Value, threads));
    }

    private static IEnumerable<Func<IContender>> Contenders(CnnData data, int threads)
    {
        yield return () => new ModelContender(data.Model.Model, data.ImagesChannelsLast(), threads, (name, scores) => Scores.Check(name, Side.Ours, data.Expected, scores));
        foreach ((string name, byte engine) in QuantizedEngine.Usable)
            yield return () => TorchCnn.Int8(data, threads, name, engine);
        yield return () => Onnx("onnxruntime int8", Side.Int8Peer, data, threads, CnnOnnx.Int8(data.Plan, data.Batch));
        yield return () => TorchCnn.Float(data, threads);
        yield return () => TorchCnn.FloatOneDnn(data, threads);
        yield return () => Onnx("onnxruntime float", Side.FloatPeer, data, threads, CnnOnnx.Float(data.Plan, data.Batch));
    }

    private static OnnxContender<float, float> Onnx(string name, Side side, CnnData data, int threads, Onnx.OnnxGraph graph) => new(
        name, side, threads, graph, data.Images, [data.Batch, 3, data.Plan.ImageSize, data.Plan.ImageSize], [data.Batch, data.Plan.Classes], (who, y) => Scores.Check(who, side, data.Expected, y));
}
