using TorchQuant.Benchmarks.Races;
using TorchQuant.Models;
using static TorchSharp.torch;

namespace TorchQuant.Benchmarks.Qat;

/// <summary>One step of quantization-aware training against one step of the same network in float: the networks of the second tutorial on pictures of 28 x 28.</summary>
internal static class QatMatches
{
    private const int Size = 28, Classes = 10;

    public static IEnumerable<Match> All(bool quick)
    {
        int batch = quick ? 2 : 64;
        yield return Of("ResNet-18 width 16", NewResNet, (model, qat) => model.fuse_model(qat), batch);
        yield return Of("MobileNetV2 of tutorial 2", NewMobileNet, (model, qat) => model.fuse_model(qat), batch);
    }

    private static ResNet NewResNet() => ResNet.resnet18(Classes, in_channels: 1, width: 16, smallImages: true);

    private static MobileNetV2 NewMobileNet() => new(
        Classes, in_channels: 1, stemChannels: 16, stemStride: 2, lastChannels: 256, dropout: 0, inverted_residual_setting: [(1, 16, 1, 1), (4, 24, 2, 1), (4, 40, 2, 2), (4, 64, 2, 1)]);

    private static Match Of<T>(string name, Func<T> create, Action<T, bool> fuse, int batch) where T : nn.Module<Tensor, Tensor>
    {
        return new Match("qat", $"{name} {Size} N{batch}", 0, 0, threads => Contenders(threads));

        IEnumerable<Func<IContender>> Contenders(int threads)
        {
            manual_seed(1);
            Tensor images = rand(batch, 1, Size, Size), labels = randint(0, Classes, batch, dtype: ScalarType.Int64);
            yield return () => new TrainingContender("qat", Side.Ours, Prepared(create(), fuse), images, labels, threads);
            yield return () => new TrainingContender("float", Side.FloatPeer, create(), images, labels, threads);
        }
    }

    private static T Prepared<T>(T model, Action<T, bool> fuse) where T : nn.Module<Tensor, Tensor>
    {
        model.train();
        fuse(model, true);
        return quantization.prepare_qat(model, quantization.get_default_qat_qconfig(), inplace: true);
    }
}
