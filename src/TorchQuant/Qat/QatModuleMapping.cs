using TorchQuant.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>Makes the module of quantization-aware training that takes the place of a float module.</summary>
/// <param name="module">The float module, which stays in use.</param>
/// <param name="qconfig">Makes the fake quantizers.</param>
/// <param name="path">The module's dotted path, for messages.</param>
/// <returns>What from_float of a module of quantization-aware training gives: <see cref="QatLinear"/>, <see cref="QatEmbedding"/> ...</returns>
public delegate nn.Module QatModuleFactory(nn.Module module, QConfig qconfig, string path);

/// <summary>Which float module with weights <c>quantization.prepare_qat</c> replaces by which module of quantization-aware training: exact type to factory.</summary>
/// <remarks>A mapping of your own starts from <see cref="Default"/> or empty: <c>new QatModuleMapping(QatModuleMapping.Default) { [typeof(MyLinear)] = (module, qconfig, path) => ... }</c>.</remarks>
public sealed class QatModuleMapping : ModuleTable<QatModuleFactory>
{
    /// <summary>An empty mapping.</summary>
    public QatModuleMapping() : base(null)
    {
    }

    /// <summary>A copy of a mapping, to be added to.</summary>
    /// <param name="other">The mapping to copy.</param>
    public QatModuleMapping(QatModuleMapping other) : base(other ?? throw new ArgumentNullException(nameof(other)))
    {
    }

    /// <summary>A new mapping with all modules of quantization-aware training: one row for each float type.</summary>
    public static QatModuleMapping Default => new()
    {
        [typeof(Linear)] = (module, qconfig, path) => QatLinear.from_float((Linear)module, qconfig, path),
        [typeof(LinearReLU)] = (module, qconfig, path) => QatLinear.from_float((LinearReLU)module, qconfig, path),
        [typeof(LinearReLU6)] = (module, qconfig, path) => QatLinear.from_float((LinearReLU6)module, qconfig, path),
        [typeof(LinearBn1d)] = (module, qconfig, path) => QatLinearBn.from_float((LinearBn1d)module, qconfig, path),
        [typeof(Conv1d)] = (module, qconfig, path) => QatConvolution.from_float((Conv1d)module, qconfig, path),
        [typeof(Conv2d)] = (module, qconfig, path) => QatConvolution.from_float((Conv2d)module, qconfig, path),
        [typeof(Conv3d)] = (module, qconfig, path) => QatConvolution.from_float((Conv3d)module, qconfig, path),
        [typeof(ConvReLU1d)] = (module, qconfig, path) => QatConvolution.from_float((ConvReLU1d)module, qconfig, path),
        [typeof(ConvReLU2d)] = (module, qconfig, path) => QatConvolution.from_float((ConvReLU2d)module, qconfig, path),
        [typeof(ConvReLU3d)] = (module, qconfig, path) => QatConvolution.from_float((ConvReLU3d)module, qconfig, path),
        [typeof(Conv1dReLU6)] = (module, qconfig, path) => QatConvolution.from_float((Conv1dReLU6)module, qconfig, path),
        [typeof(Conv2dReLU6)] = (module, qconfig, path) => QatConvolution.from_float((Conv2dReLU6)module, qconfig, path),
        [typeof(Conv3dReLU6)] = (module, qconfig, path) => QatConvolution.from_float((Conv3dReLU6)module, qconfig, path),
        [typeof(Conv1dHardswish)] = (module, qconfig, path) => QatConvolution.from_float((Conv1dHardswish)module, qconfig, path),
        [typeof(Conv2dHardswish)] = (module, qconfig, path) => QatConvolution.from_float((Conv2dHardswish)module, qconfig, path),
        [typeof(Conv3dHardswish)] = (module, qconfig, path) => QatConvolution.from_float((Conv3dHardswish)module, qconfig, path),
        [typeof(ConvTranspose1d)] = (module, qconfig, path) => QatConvolution.from_float((ConvTranspose1d)module, qconfig, path),
        [typeof(ConvTranspose2d)] = (module, qconfig, path) => QatConvolution.from_float((ConvTranspose2d)module, qconfig, path),
        [typeof(ConvTranspose3d)] = (module, qconfig, path) => QatConvolution.from_float((ConvTranspose3d)module, qconfig, path),
        [typeof(ConvBn1d)] = (module, qconfig, path) => QatConvBn.from_float((ConvBn1d)module, qconfig, path),
        [typeof(ConvBn2d)] = (module, qconfig, path) => QatConvBn.from_float((ConvBn2d)module, qconfig, path),
        [typeof(ConvBn3d)] = (module, qconfig, path) => QatConvBn.from_float((ConvBn3d)module, qconfig, path),
        [typeof(ConvBnReLU1d)] = (module, qconfig, path) => QatConvBn.from_float((ConvBnReLU1d)module, qconfig, path),
        [typeof(ConvBnReLU2d)] = (module, qconfig, path) => QatConvBn.from_float((ConvBnReLU2d)module, qconfig, path),
        [typeof(ConvBnReLU3d)] = (module, qconfig, path) => QatConvBn.from_float((ConvBnReLU3d)module, qconfig, path),
        [typeof(Conv1dBnReLU6)] = (module, qconfig, path) => QatConvBn.from_float((Conv1dBnReLU6)module, qconfig, path),
        [typeof(Conv2dBnReLU6)] = (module, qconfig, path) => QatConvBn.from_float((Conv2dBnReLU6)module, qconfig, path),
        [typeof(Conv3dBnReLU6)] = (module, qconfig, path) => QatConvBn.from_float((Conv3dBnReLU6)module, qconfig, path),
        [typeof(Embedding)] = (module, qconfig, path) => QatEmbedding.from_float((Embedding)module, qconfig, path),
        [typeof(LSTM)] = (module, qconfig, _) => QatLSTM.from_float((LSTM)module, qconfig),
        [typeof(GRU)] = (module, qconfig, _) => QatGRU.from_float((GRU)module, qconfig),
        [typeof(EmbeddingBag)] = (module, qconfig, path) => QatEmbeddingBag.from_float((EmbeddingBag)module, qconfig, path),
    };
}
