namespace TorchQuant.Kernels;

/// <summary>A product whose columns are the gates of hidden units, [M, gates * H], and what comes after it. All pointers are pinned by the caller for as long as it runs.</summary>
/// <param name="gates">The number of gates.</param>
internal unsafe struct GateJob(int gates)
{
    /// <summary>The product.</summary>
    public GemmJob Gemm;

    /// <summary>The step of an LSTM whose gates are the results; with <see cref="HasCell"/>.</summary>
    public LstmCell Cell;

    /// <summary>Whether the step follows the product.</summary>
    public bool HasCell;

    /// <summary>Into how many units of work the hidden units are divided.</summary>
    public int Parts;

    public GateJob(int gates, LstmCell cell)
        : this(gates) => (Cell, HasCell) = (cell, true);

    public int Gates { get; } = gates;

    /// <summary>Panels of one gate.</summary>
    public readonly int Panels => Gemm.N / Gates / PackedWeights.PanelColumns;
}
