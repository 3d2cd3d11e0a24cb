using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A recurrent module in quantization-aware training.</summary>
internal interface IQatRecurrent : IObserved
{
    /// <summary>The dynamically quantized module that computes what was trained.</summary>
    /// <param name="path">The module's dotted path.</param>
    nn.Module ToDynamic(string path);
}
