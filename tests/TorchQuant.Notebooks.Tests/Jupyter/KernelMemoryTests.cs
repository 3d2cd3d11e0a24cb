using System.Globalization;
using TorchQuant.Notebooks.Tests.Support;

namespace TorchQuant.Notebooks.Tests.Jupyter;

/// <summary>What a long session costs.</summary>
public sealed class KernelMemoryTests : IDisposable
{
    private readonly KernelClient _kernel = new();

    public void Dispose() => _kernel.Dispose();

    [Fact]
    public void A_thousand_executions_leave_memory_flat()
    {
        void Execute(int from, int cells)
        {
            for (var i = from; i < from + cells; i++)
                _kernel.Execute((i % 4) switch
                {
                    0 => $"{i} + 1",
                    1 => $"for (var j = 0; j < 10; j++) Console.WriteLine(j * {i});",
                    2 => $"display(Enumerable.Range(0, {i % 50}).Where(j => j % 3 == 0).Sum());",
                    _ => $"number += {i};",
                });
        }
        _kernel.Execute("long number = 0;");
        Execute(0, 200);
        var before = Memory();
        Execute(200, 1000);
        var after = Memory();
        // Measured: 1 MB and 35 MB; without unloading of the cells' code 18 MB and 55 MB.
        Assert.InRange(after.Managed - before.Managed, long.MinValue, 6 << 20);
        Assert.InRange(after.Resident - before.Resident, long.MinValue, 100 << 20);

        // A declaration stays, for later cells to see: some 70 KB of the compiler's.
        const int Declarations = 100;
        for (var i = 0; i < Declarations; i++) _kernel.Execute($"int other = {i};");
        Assert.InRange(Memory().Managed - after.Managed, long.MinValue, Declarations * (150L << 10));
        Assert.Equal($"{Declarations - 1}", _kernel.Value("other"));
    }

    private (long Managed, long Resident) Memory()
    {
        var managed = long.Parse(_kernel.Value("GC.Collect(); GC.WaitForPendingFinalizers(); GC.Collect(); GC.GetTotalMemory(true)"), CultureInfo.InvariantCulture);
        _kernel.Process.Refresh();
        return (managed, _kernel.Process.WorkingSet64);
    }
}
