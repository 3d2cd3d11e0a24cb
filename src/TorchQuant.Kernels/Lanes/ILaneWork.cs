namespace TorchQuant.Kernels;

/// <summary>Work on floats, written once for every vector width; <see cref="Isa.Run{TWork}"/> runs it at the width of a row of the table.</summary>
internal interface ILaneWork
{
    /// <summary>Does all of the work.</summary>
    void Run<TLanes, TFloat, TInt>() where TLanes : struct, ILanes<TFloat, TInt>;
}
