using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules.Recurrent;

/// <summary>Reads the options of TorchSharp's recurrent modules. They are sealed and say little of themselves: sizes, layers, directions and
/// bias follow from the names and shapes of the parameters, batch_first is a private field, an RNNCell's nonlinearity is found by running it, and
/// dropout is not needed (it does nothing in eval mode, and a quantized module has no other).</summary>
internal static class FloatRecurrent
{
    /// <summary>The nonlinearity tanh, as files name it.</summary>
    public const string Tanh = "tanh";

    /// <summary>The nonlinearity max(0, x), as files name it.</summary>
    public const string Relu = "relu";

    /// <summary>The options of an LSTM.</summary>
    public static RecurrentSettings Of(LSTM module) => Layers(4, module, TorchSharpPrivates.Recurrent(module).BatchFirst);

    /// <summary>The options of a GRU.</summary>
    public static RecurrentSettings Of(GRU module) => Layers(3, module, TorchSharpPrivates.Recurrent(module).BatchFirst);

    /// <summary>The options of a cell with the given number of gates, without its nonlinearity.</summary>
    public static RecurrentSettings OfCell(int gates, nn.Module module)
    {
        var parameters = Parameters(module);
        var weight = parameters[RecurrentNames.Cell.InputWeight];
        return new(gates, checked((int)weight.size(1)), checked((int)(weight.size(0) / gates)), parameters.ContainsKey(RecurrentNames.Cell.InputBias));
    }

    /// <summary>Whether an RNNCell applies tanh or relu.</summary>
    /// <exception cref="ArgumentException">Running the cell does not show it.</exception>
    public static string Nonlinearity(RNNCell module, string path)
    {
        try
        {
            return RecurrentProbe.NonLinearity(module) == nn.NonLinearities.ReLU ? Relu : Tanh;
        }
        catch (NotSupportedException e)
        {
            throw new ArgumentException(
                $"{(path.Length == 0 ? nameof(RNNCell) : path)} cannot be quantized: {e.Message}. Leave it float: give its name null in the qconfig_spec.", e);
        }
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
}
