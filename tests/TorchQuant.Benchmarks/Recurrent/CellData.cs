namespace TorchQuant.Benchmarks.Recurrent;

/// <summary>The weights of one layer, the gates in PyTorch's order, one scale for each matrix: what all engines can do.</summary>
internal sealed class CellData(sbyte[] input, float inputScale, sbyte[] hidden, float hiddenScale, float[] inputBias, float[] hiddenBias)
{
    /// <summary>[gates * hidden, inputs].</summary>
    public sbyte[] Input => input;

    public float InputScale => inputScale;

    /// <summary>[gates * hidden, hidden].</summary>
    public sbyte[] Hidden => hidden;

    public float HiddenScale => hiddenScale;

    public float[] InputBias => inputBias;

    public float[] HiddenBias => hiddenBias;

    public float[] FloatInput => Array.ConvertAll(input, code => inputScale * code);

    public float[] FloatHidden => Array.ConvertAll(hidden, code => hiddenScale * code);
}
