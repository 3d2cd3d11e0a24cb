using System.Runtime.CompilerServices;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules.Recurrent;

/// <summary>Reads the options of TorchSharp's recurrent modules. They are sealed and say little of themselves: sizes, layers, directions and
/// bias follow from the names and shapes of the parameters, batch_first is a private field, and dropout exists only in native code
/// (it does nothing in eval mode, and a quantized module has no other).</summary>
internal static class FloatRecurrent
{
    /// <summary>The options of an LSTM.</summary>
    public static RecurrentSettings Of(LSTM module) => Layers(4, module, BatchFirst(module));

    /// <summary>The options of a GRU.</summary>
    public static RecurrentSettings Of(GRU module) => Layers(3, module, BatchFirst(module));

    /// <summary>The options of a cell with the given number of gates, without its nonlinearity.</summary>
    public static RecurrentSettings OfCell(int gates, nn.Module module)
    {
        var parameters = Parameters(module);
        var weight = parameters[RecurrentNames.Cell.InputWeight];
        return new(gates, checked((int)weight.size(1)), checked((int)(weight.size(0) / gates)), parameters.ContainsKey(RecurrentNames.Cell.InputBias));
    }

    /// <summary>The parameters by name.</summary>
    public static Dictionary<string, Parameter> Parameters(nn.Module module) =>
        module.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter, StringComparer.Ordinal);

    private static RecurrentSettings Layers(int gates, nn.Module module, bool batchFirst)
    {
        var parameters = Parameters(module);
        var first = new RecurrentNames(0, reverse: false);
        var layers = 1;
        while (parameters.ContainsKey(new RecurrentNames(layers, reverse: false).InputWeight))
            layers++;
        var weight = parameters[first.InputWeight];
        return new(
            gates,
            InputSize: checked((int)weight.size(1)),
            HiddenSize: checked((int)(weight.size(0) / gates)),
            Bias: parameters.ContainsKey(first.InputBias),
            NumLayers: layers,
            BatchFirst: batchFirst,
            Bidirectional: parameters.ContainsKey(new RecurrentNames(0, reverse: true).InputWeight));
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_batch_first")]
    private static extern ref bool BatchFirst(LSTM module);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_batch_first")]
    private static extern ref bool BatchFirst(GRU module);
}
