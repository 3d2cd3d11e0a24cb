using FsCheck.Xunit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.ModuleTrees;

public class EmbeddingProbeTests
{
    private static readonly double?[] s_norms = [null, 0.5, 1.0, 2.25, 3.1];
    private static readonly double[] s_types = [1, 2, 3, double.PositiveInfinity];

    [Property(MaxTest = 60)]
    public void Every_option_of_an_Embedding_is_found_and_its_weight_put_back(byte rows, byte columns, byte padding, byte norm, byte type, bool byFrequency, bool sparse, bool freeze)
    {
        var (n, d) = (1 + (rows % 6), 2 + (columns % 5));
        long? index = padding % 3 == 0 ? null : padding % n;
        var (maxNorm, normType) = (s_norms[norm % 5], s_types[type % 4]);
        var scale = byFrequency && !sparse; // libtorch has no such gradient
        using var module = nn.Embedding(n, d, index, maxNorm, normType, scale, sparse);
        module.get_parameter("weight")!.requires_grad = !freeze;
        var before = module.get_parameter("weight")!.data_bytes();
        var found = EmbeddingProbe.Of(module);
        if (n == 1 && index == 0) scale = false; // nothing but padding: no gradient to scale
        Assert.Equal((n, d, index, scale, sparse), (found.Rows, found.Columns, found.PaddingIndex, found.ScaleGradByFreq, found.Sparse));
        Norms(maxNorm, normType, found);
        Assert.Equal(before, module.get_parameter("weight")!.data_bytes());
        Assert.Equal(!freeze, module.get_parameter("weight")!.requires_grad);
        Assert.Null(module.get_parameter("weight")!.grad);
    }

    [Property(MaxTest = 80)]
    public void Every_option_of_an_EmbeddingBag_is_found_and_its_weight_put_back(byte rows, byte padding, byte norm, byte type, byte mode, bool byFrequency, bool sparse, bool lastOffset)
    {
        var n = 2 + (rows % 5);
        long? index = padding % 3 == 0 ? null : padding % n;
        var (maxNorm, normType, wanted) = (s_norms[norm % 5], s_types[type % 4], (EmbeddingBagMode)(mode % 3));
        var isSparse = sparse && wanted != EmbeddingBagMode.Max;
        var scale = byFrequency && !isSparse && wanted != EmbeddingBagMode.Max;
        using var module = nn.EmbeddingBag(n, 3, maxNorm, normType, scale, wanted, isSparse, lastOffset, index ?? -1);
        var before = module.get_parameter("weight")!.data_bytes();
        var found = EmbeddingProbe.Of(module);
        if (n == 2 && index is not null && wanted != EmbeddingBagMode.Sum) // one row counts: mean and maximum are the same function
        {
            Assert.NotEqual(EmbeddingBagMode.Sum, found.Mode);
            wanted = found.Mode;
        }

        Assert.Equal((n, 3L, index, scale, isSparse, wanted, lastOffset),
            (found.Rows, found.Columns, found.PaddingIndex, found.ScaleGradByFreq, found.Sparse, found.Mode, found.IncludeLastOffset));
        Norms(maxNorm, normType, found);
        Assert.Equal(before, module.get_parameter("weight")!.data_bytes());
    }

    [Fact]
    public void A_backward_pass_that_was_waiting_still_runs()
    {
        using var module = nn.Embedding(4, 3);
        using var y = module.call(tensor(new long[] { 1, 2 })).matmul(module.weight!.t()).sum();
        EmbeddingProbe.Of(module);
        y.backward();
        Assert.NotNull(module.get_parameter("weight")!.grad);
    }

    private static void Norms(double? maxNorm, double normType, EmbeddingFactoryOptions found)
    {
        Assert.Equal(maxNorm, found.MaxNorm);
        if (maxNorm is not null) Assert.Equal(normType, found.NormType);
    }
}
