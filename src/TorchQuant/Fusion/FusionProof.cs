using static TorchSharp.torch;

namespace TorchQuant.Fusion;

/// <summary>
/// The last word on sequences that were found: a copy in which they are fused must give the outputs of the model, within rounding. It finds what watching cannot see: a <c>forward</c> that reads
/// the weights of a module that becomes another one.
/// </summary>
/// <typeparam name="T">The model's type.</typeparam>
/// <param name="model">The user's model.</param>
/// <param name="run">Runs a model on the example.</param>
/// <param name="expected">What the model gives in eval mode.</param>
/// <param name="table">The sequences that can be fused.</param>
internal sealed class FusionProof<T>(T model, Func<T, object?> run, RunOutputs expected, IReadOnlyList<FusionPattern> table) where T : nn.Module
{
    private const string Reason = "fused, the model gives other outputs on the example: its forward uses more of these modules than their calls (their weights, their types), or rounding is multiplied";

    /// <summary>The report without the sequences that, fused alone, change the outputs: these are listed as not fused.</summary>
    /// <exception cref="ModuleFusionException">They cannot be fused, as with lists; or each alone keeps the outputs and all together do not.</exception>
    public FusionReport Check(FusionReport found)
    {
        if (Agrees(found.Fused)) return found;
        var wrong = found.Fused.Where(f => !Agrees([f])).ToList();
        List<FusedSequence> right = [.. found.Fused.Except(wrong)];
        return Agrees(right)
            ? new FusionReport(right, [.. found.NotFused, .. wrong.Select(w => new UnfusedSequence(w.Names, w.Types, Reason))])
            : throw new ModuleFusionException([.. right.Select(r => $"{string.Join(", ", r.Names)}: {Reason}; each sequence alone keeps them, name those to fuse in lists")]);
    }

    private bool Agrees(IReadOnlyList<FusedSequence> sequences)
    {
        if (sequences.Count == 0) return true;
        using var fused = ModuleFusion.Run(model, [.. sequences.Select(s => s.Names)], table, inplace: false);
        using var guard = new ModelStateGuard(fused);
        try
        {
            using var outputs = new RunOutputs(() => run(fused));
            return outputs.Near(expected);
        }
        catch (Exception e) when (e is not (OutOfMemoryException or OperationCanceledException))
        {
            return false; // a cast, a parameter that is not there
        }
    }
}
