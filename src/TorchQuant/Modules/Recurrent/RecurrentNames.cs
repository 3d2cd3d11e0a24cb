using System.Globalization;

namespace TorchQuant.Modules.Recurrent;

/// <summary>PyTorch's names of the weights of one layer and direction: <c>weight_ih_l0</c>, <c>bias_hh_l1_reverse</c>; a cell's have no suffix.</summary>
internal readonly record struct RecurrentNames
{
    private readonly string? _suffix;

    /// <summary>The names of a layer's direction.</summary>
    public RecurrentNames(int layer, bool reverse) => _suffix = string.Create(CultureInfo.InvariantCulture, $"_l{layer}{(reverse ? "_reverse" : "")}");

    /// <summary>The names of a cell.</summary>
    public static RecurrentNames Cell => default;

    /// <summary>The matrix that multiplies the input.</summary>
    public string InputWeight => $"weight_ih{_suffix}";

    /// <summary>The bias beside <see cref="InputWeight"/>.</summary>
    public string InputBias => $"bias_ih{_suffix}";

    /// <summary>The matrix that multiplies the hidden state.</summary>
    public string HiddenWeight => $"weight_hh{_suffix}";

    /// <summary>The bias beside <see cref="HiddenWeight"/>.</summary>
    public string HiddenBias => $"bias_hh{_suffix}";
}
