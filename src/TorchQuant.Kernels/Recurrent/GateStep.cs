namespace TorchQuant.Kernels;

/// <summary>What follows a product of gates.</summary>
internal enum GateStep
{
    None,
    Lstm,
    Gru,
}
