using TorchQuant.Benchmarks.Data;
using TorchQuant.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Benchmarks.Models;

/// <summary>A CNN with random weights, converted to int8, and its plan. Time does not depend on the weights; that the results agree does not need trained ones.</summary>
/// <param name="Name">The name in tables.</param>
/// <param name="Model">TorchQuant's int8 model, float in and out.</param>
/// <param name="Plan">The same as steps.</param>
internal sealed record CnnModel(string Name, nn.Module<Tensor, Tensor> Model, CnnPlan Plan)
{
    private const int CalibrationImages = 4;

    /// <summary>Activations in 8 bits, weights with a scale for each channel: what the default qconfig gives, with ranges that are found at once.</summary>
    private static readonly QConfig s_qconfig = new(MinMaxObserver.with_args(), quantization.default_per_channel_weight_observer);

    public static CnnModel ResNet18(int imageSize) => Of("ResNet-18", ResNet.resnet18(), m => m.fuse_model(), CnnPlan.Of, imageSize);

    public static CnnModel ResNet50(int imageSize) => Of("ResNet-50", ResNet.resnet50(), m => m.fuse_model(), CnnPlan.Of, imageSize);

    public static CnnModel MobileNet(int imageSize) => Of("MobileNetV2", new MobileNetV2(), m => m.fuse_model(), CnnPlan.Of, imageSize);

    /// <summary>Images [batch, 3, size, size], channels first.</summary>
    public float[] Images(int batch) => Draw.Floats(batch * 3 * Plan.ImageSize * Plan.ImageSize, 2, new Random(1));

    private static CnnModel Of<T>(string name, T model, Action<T> fuse, Func<T, int, CnnPlan> plan, int imageSize) where T : nn.Module<Tensor, Tensor>
    {
        using var noGrad = no_grad();
        manual_seed(1);
        foreach ((_, nn.Module module) in model.named_modules())
        {
            // The default initialization of depthwise convolutions lets activations vanish that no batch norm has seen.
            if (module is Conv2d conv)
                nn.init.kaiming_normal_(conv.weight!);
        }

        model.eval();
        fuse(model);
        T prepared = quantization.prepare(model, s_qconfig, inplace: true);
        using (Tensor images = tensor(Draw.Floats(CalibrationImages * 3 * imageSize * imageSize, 2, new Random(2))).reshape(CalibrationImages, 3, imageSize, imageSize))
            prepared.call(images).Dispose();
        T int8 = quantization.convert(prepared, inplace: true);
        return new CnnModel(name, int8, plan(int8, imageSize));
    }
}
