using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A table of embeddings in quantization-aware training.</summary>
internal interface IQatEmbedding : IObserved
{
    /// <summary>The float module.</summary>
    nn.Module module { get; }

    /// <summary>The fake quantizer of the table.</summary>
    RowFakeQuantize weight_fake_quant { get; }
}
