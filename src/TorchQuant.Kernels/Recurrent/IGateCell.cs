namespace TorchQuant.Kernels;

/// <summary>The step of a recurrent layer from its gates, for whole rows, or after a product whose hidden units threads share.</summary>
internal interface IGateCell : IRowBody
{
    /// <summary>The number of gates.</summary>
    static abstract int Gates { get; }

    /// <summary>This step after a product, which is not set yet.</summary>
    GateJob AfterProduct();
}
