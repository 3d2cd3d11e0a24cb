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

    /// <summary>The table between these qparams.</summary>
    public CodeTable For(QParams input, QParams output)
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
