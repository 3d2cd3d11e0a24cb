using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// The tables of a function for the scales and zero points that its inputs had last: one model gives a module always the same, a module that is called at several places a few. Threads
/// may ask at once: the list is replaced and never changed, and a table that two make at the same time is the same table.
/// </summary>
/// <param name="function">A float function of one number, on a tensor of them; it gives a new tensor.</param>
internal sealed class CodeTableCache(Func<Tensor, Tensor> function)
{
    private const int Most = 8;

    private volatile CodeTable[] _tables = [];

    /// <summary>The function of every code of a tensor, in the order in which it lies in memory.</summary>
    /// <param name="input">A quint8 tensor; borrowed.</param>
    /// <param name="qparams">Its scale and zero point.</param>
    /// <param name="output">Scale and zero point of the result.</param>
    public Tensor Apply(Tensor input, QParams qparams, QuantizedOutput output)
    {
        var table = For(qparams, output.QParams);
        using var source = MemoryOrder.Of(input, out var channelsLast);
        var result = output.Empty(source.shape);
        table.Apply(source.Span<byte>(), result.Span<byte>(), get_num_threads());
        return MemoryOrder.Restore(result, channelsLast);
    }

    private CodeTable For(QParams input, QParams output)
    {
        foreach (var table in _tables)
            if (table.Input == input && table.Output == output)
                return table;
        var made = Make(input, output);
        _tables = [made, .. _tables.Take(Most - 1)];
        return made;
    }

    private CodeTable Make(QParams input, QParams output)
    {
        using var noGrad = no_grad();
        using var arguments = tensor(CodeTable.Arguments(input), device: CPU);
        using var results = function(arguments);
        return CodeTable.FromReals(results.Span<float>(), input, output);
    }
}
