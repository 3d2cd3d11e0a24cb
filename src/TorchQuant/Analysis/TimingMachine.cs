namespace TorchQuant;

/// <summary>What a measurement ran on: without it a time means nothing.</summary>
/// <param name="Cpu">The processor's name.</param>
/// <param name="Isa">The row of the kernels' table of instruction sets in use, e.g. <c>avx-vnni</c>.</param>
/// <param name="Threads">Threads that libtorch and our kernels may use.</param>
/// <param name="Runtime">The .NET runtime and operating system.</param>
public sealed record TimingMachine(string Cpu, string Isa, int Threads, string Runtime)
{
    /// <summary>One line of text.</summary>
    public override string ToString() => $"{Cpu}, {Threads} thread(s), ISA {Isa}, {Runtime}";
}
