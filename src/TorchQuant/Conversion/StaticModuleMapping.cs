using TorchQuant.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>Makes the int8 module that takes the place of a float module of a prepared model.</summary>
/// <param name="module">The float module; it is read, not changed and not kept.</param>
/// <param name="conversion">Its path, its qconfig and the observer of its output.</param>
public delegate nn.Module StaticModuleFactory(nn.Module module, StaticConversion conversion);

/// <summary>Which float module becomes which int8 module in <c>quantization.convert</c>, and so which modules <c>quantization.prepare</c> observes: exact type to factory.</summary>
/// <remarks>A mapping of your own starts from <see cref="Default"/> or empty:
/// <c>new StaticModuleMapping(StaticModuleMapping.Default) { [typeof(MyConv)] = (module, conversion) => ... }</c>; give the same one to prepare and to convert.</remarks>
public sealed class StaticModuleMapping : ModuleTable<StaticModuleFactory>
{
    /// <summary>An empty mapping.</summary>
    public StaticModuleMapping() : base(null)
    {
    }

    /// <summary>A copy of a mapping, to be added to.</summary>
    /// <param name="other">The mapping to copy.</param>
    public StaticModuleMapping(StaticModuleMapping other) : base(other ?? throw new ArgumentNullException(nameof(other)))
    {
    }

    /// <summary>A new mapping with all int8 modules: one row for each float type.</summary>
    public static StaticModuleMapping Default => new()
    {
        [typeof(QuantStub)] = (_, conversion) => Quantize.from_float(conversion),
        [typeof(DeQuantStub)] = (_, conversion) => DeQuantize.from_float(conversion),
        [typeof(FloatFunctional)] = (_, conversion) => QFunctional.from_float(conversion),
        [typeof(Linear)] = (module, conversion) => QuantizedLinear.from_float((Linear)module, conversion),
        [typeof(LinearReLU)] = (module, conversion) => QuantizedLinear.from_float((LinearReLU)module, conversion),
        [typeof(LinearReLU6)] = (module, conversion) => QuantizedLinear.from_float((LinearReLU6)module, conversion),
        [typeof(Hardswish)] = (module, conversion) => QuantizedActivation.from_float((Hardswish)module, conversion),
        [typeof(Hardsigmoid)] = (module, conversion) => QuantizedActivation.from_float((Hardsigmoid)module, conversion),
        [typeof(Sigmoid)] = (module, conversion) => QuantizedActivation.from_float((Sigmoid)module, conversion),
        [typeof(Tanh)] = (module, conversion) => QuantizedActivation.from_float((Tanh)module, conversion),
        [typeof(SiLU)] = (module, conversion) => QuantizedActivation.from_float((SiLU)module, conversion),
        [typeof(ELU)] = (module, conversion) => QuantizedActivation.from_float((ELU)module, conversion),
        [typeof(LeakyReLU)] = (module, conversion) => QuantizedActivation.from_float((LeakyReLU)module, conversion),
        [typeof(GELU)] = (module, conversion) => QuantizedActivation.from_float((GELU)module, conversion),
        [typeof(ReLU6)] = (module, conversion) => QuantizedReLU6.from_float((ReLU6)module, conversion),
        [typeof(PReLU)] = (module, conversion) => QuantizedPReLU.from_float((PReLU)module, conversion),
        [typeof(Softmax)] = (module, conversion) => QuantizedSoftmax.from_float((Softmax)module, conversion),
        [typeof(BatchNorm1d)] = (module, conversion) => QuantizedBatchNorm.from_float((BatchNorm1d)module, conversion),
        [typeof(BatchNorm2d)] = (module, conversion) => QuantizedBatchNorm.from_float((BatchNorm2d)module, conversion),
        [typeof(BatchNorm3d)] = (module, conversion) => QuantizedBatchNorm.from_float((BatchNorm3d)module, conversion),
        [typeof(BNReLU2d)] = (module, conversion) => QuantizedBatchNorm.from_float((BNReLU2d)module, conversion),
        [typeof(BNReLU3d)] = (module, conversion) => QuantizedBatchNorm.from_float((BNReLU3d)module, conversion),
        [typeof(LayerNorm)] = (module, conversion) => QuantizedLayerNorm.from_float((LayerNorm)module, conversion),
        [typeof(GroupNorm)] = (module, conversion) => QuantizedGroupNorm.from_float((GroupNorm)module, conversion),
        [typeof(InstanceNorm1d)] = (module, conversion) => QuantizedInstanceNorm.from_float((InstanceNorm1d)module, conversion),
        [typeof(InstanceNorm2d)] = (module, conversion) => QuantizedInstanceNorm.from_float((InstanceNorm2d)module, conversion),
        [typeof(InstanceNorm3d)] = (module, conversion) => QuantizedInstanceNorm.from_float((InstanceNorm3d)module, conversion),
        [typeof(Upsample)] = (module, conversion) => QuantizedUpsample.from_float((Upsample)module, conversion),
        [typeof(AdaptiveMaxPool1d)] = (module, conversion) => QuantizedAdaptiveMaxPool.from_float((AdaptiveMaxPool1d)module, conversion),
        [typeof(AdaptiveMaxPool2d)] = (module, conversion) => QuantizedAdaptiveMaxPool.from_float((AdaptiveMaxPool2d)module, conversion),
        [typeof(Conv1d)] = (module, conversion) => QuantizedConvolution.from_float((Conv1d)module, conversion),
        [typeof(Conv2d)] = (module, conversion) => QuantizedConvolution.from_float((Conv2d)module, conversion),
        [typeof(Conv3d)] = (module, conversion) => QuantizedConvolution.from_float((Conv3d)module, conversion),
        [typeof(ConvReLU1d)] = (module, conversion) => QuantizedConvolution.from_float((ConvReLU1d)module, conversion),
        [typeof(ConvReLU2d)] = (module, conversion) => QuantizedConvolution.from_float((ConvReLU2d)module, conversion),
        [typeof(ConvReLU3d)] = (module, conversion) => QuantizedConvolution.from_float((ConvReLU3d)module, conversion),
        [typeof(Conv1dReLU6)] = (module, conversion) => QuantizedConvolution.from_float((Conv1dReLU6)module, conversion),
        [typeof(Conv2dReLU6)] = (module, conversion) => QuantizedConvolution.from_float((Conv2dReLU6)module, conversion),
        [typeof(Conv3dReLU6)] = (module, conversion) => QuantizedConvolution.from_float((Conv3dReLU6)module, conversion),
        [typeof(Conv1dHardswish)] = (module, conversion) => QuantizedConvolution.from_float((Conv1dHardswish)module, conversion),
        [typeof(Conv2dHardswish)] = (module, conversion) => QuantizedConvolution.from_float((Conv2dHardswish)module, conversion),
        [typeof(Conv3dHardswish)] = (module, conversion) => QuantizedConvolution.from_float((Conv3dHardswish)module, conversion),
        [typeof(ConvTranspose1d)] = (module, conversion) => QuantizedConvTranspose.from_float((ConvTranspose1d)module, conversion),
        [typeof(ConvTranspose2d)] = (module, conversion) => QuantizedConvTranspose.from_float((ConvTranspose2d)module, conversion),
        [typeof(ConvTranspose3d)] = (module, conversion) => QuantizedConvTranspose.from_float((ConvTranspose3d)module, conversion),
        [typeof(Embedding)] = (module, conversion) => QuantizedEmbedding.from_float((Embedding)module, conversion.QConfig, conversion.Path),
        [typeof(EmbeddingBag)] = (module, conversion) => QuantizedEmbeddingBag.from_float((EmbeddingBag)module, conversion.QConfig, conversion.Path),
    };
}
