using System.Globalization;

namespace TorchQuant.Modules.Recurrent;

/// <summary>What a recurrent module is besides its weights.</summary>
/// <param name="Gates">Row blocks of a weight matrix: 4 for LSTM, 3 for GRU, 1 without gates.</param>
/// <param name="InputSize">Features of the input.</param>
/// <param name="HiddenSize">Features of the hidden state, of one direction.</param>
/// <param name="Bias">Whether there are biases b_ih and b_hh.</param>
/// <param name="NumLayers">Layers, each fed by the one before; 0 for a cell, whose weights are named without a layer.</param>
/// <param name="BatchFirst">Whether input and output are (batch, sequence, features) instead of (sequence, batch, features).</param>
/// <param name="Bidirectional">Whether each layer also runs backwards, its output beside the forward one.</param>
/// <param name="Nonlinearity">tanh or relu; null where there are gates.</param>
internal sealed record RecurrentSettings(
    int Gates, int InputSize, int HiddenSize, bool Bias, int NumLayers = 0, bool BatchFirst = false, bool Bidirectional = false, string? Nonlinearity = null)
{
    /// <summary>1, or 2 when bidirectional.</summary>
    public int Directions => Bidirectional ? 2 : 1;

    /// <summary>Rows of every weight matrix.</summary>
    public int GateRows => checked(Gates * HiddenSize);

    /// <summary>Features that a layer reads.</summary>
    public int InputSizeOf(int layer) => layer == 0 ? InputSize : checked(HiddenSize * Directions);

    /// <summary>The names of the weights and their layers in PyTorch's order: layer 0 forward, layer 0 reverse, layer 1 forward ...</summary>
    public IEnumerable<(RecurrentNames Names, int Layer)> Cells()
    {
        if (NumLayers == 0)
            yield return (RecurrentNames.Cell, 0);
        for (var layer = 0; layer < NumLayers; layer++)
            for (var direction = 0; direction < Directions; direction++)
                yield return (new RecurrentNames(layer, direction == 1), layer);
    }

    /// <summary>The parameters of the float module of these settings, with their shapes.</summary>
    public Dictionary<string, long[]> ParameterShapes()
    {
        var shapes = new Dictionary<string, long[]>(StringComparer.Ordinal);
        foreach (var (names, layer) in Cells())
        {
            (shapes[names.InputWeight], shapes[names.HiddenWeight]) = ([GateRows, InputSizeOf(layer)], [GateRows, HiddenSize]);
            if (Bias)
                shapes[names.InputBias] = shapes[names.HiddenBias] = [GateRows];
        }

        return shapes;
    }

    /// <summary>As PyTorch prints a recurrent module between the brackets: the sizes, and what is not the default.</summary>
    public override string ToString()
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{InputSize}, {HiddenSize}");
        if (NumLayers > 1)
            text += string.Create(CultureInfo.InvariantCulture, $", num_layers={NumLayers}");
        if (!Bias)
            text += ", bias=False";
        if (BatchFirst)
            text += ", batch_first=True";
        if (Bidirectional)
            text += ", bidirectional=True";
        if (Nonlinearity is not (null or "tanh"))
            text += $", nonlinearity={Nonlinearity}";
        return text;
    }

    /// <summary>The options as a file keeps them.</summary>
    public Dictionary<string, string> Write()
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["input_size"] = InputSize.ToString(CultureInfo.InvariantCulture),
            ["hidden_size"] = HiddenSize.ToString(CultureInfo.InvariantCulture),
            ["bias"] = Text(Bias),
        };
        if (NumLayers > 0)
        {
            options["num_layers"] = NumLayers.ToString(CultureInfo.InvariantCulture);
            options["batch_first"] = Text(BatchFirst);
            options["bidirectional"] = Text(Bidirectional);
        }
        if (Nonlinearity is not null)
            options["nonlinearity"] = Nonlinearity;
        return options;
    }

    /// <summary>The options of an LSTM or a GRU from a file.</summary>
    /// <exception cref="ArgumentException">An option is missing or has no meaning.</exception>
    public static RecurrentSettings ReadLayers(int gates, IReadOnlyDictionary<string, string> options, string path) => ReadCell(gates, options, path) with
    {
        NumLayers = StateOptions.Int(options, "num_layers", path, least: 1),
        BatchFirst = StateOptions.Bool(options, "batch_first", path),
        Bidirectional = StateOptions.Bool(options, "bidirectional", path),
    };

    /// <summary>The options of a cell from a file, without a nonlinearity.</summary>
    /// <exception cref="ArgumentException">An option is missing or has no meaning.</exception>
    public static RecurrentSettings ReadCell(int gates, IReadOnlyDictionary<string, string> options, string path) => new(
        gates,
        StateOptions.Int(options, "input_size", path, least: 1),
        StateOptions.Int(options, "hidden_size", path, least: 1),
        StateOptions.Bool(options, "bias", path));

    /// <summary>A flag as a file keeps it.</summary>
    public static string Text(bool flag) => flag ? "true" : "false";
}
