namespace TorchQuant.Kernels;

/// <summary>A product whose columns are the gates of hidden units, [M, gates * H], and what comes after it. All pointers are pinned by the caller for as long as it runs.</summary>
/// <param name="gates">The number of gates.</param>
internal unsafe struct GateJob(int gates)
{
    /// <summary>What a hidden unit of one row takes in a step, roughly.</summary>
    public const int NanosecondsPerUnit = 1;

    /// <summary>The product.</summary>
    public GemmJob Gemm;

    /// <summary>Which of the two steps follows the product, if one does; it reads the results.</summary>
    public GateStep Step;
    public LstmCell Lstm;
    public GruCell Gru;

    /// <summary>Into how many units of work the hidden units are divided.</summary>
    public int Parts;

    public GateJob(LstmCell cell)
        : this(LstmCell.Gates) => (Lstm, Step) = (cell, GateStep.Lstm);

    public GateJob(GruCell cell)
        : this(GruCell.Gates) => (Gru, Step) = (cell, GateStep.Gru);

    public int Gates { get; } = gates;

    /// <summary>Panels of one gate.</summary>
    public readonly int Panels => Gemm.N / Gates / PackedWeights.PanelColumns;
}
