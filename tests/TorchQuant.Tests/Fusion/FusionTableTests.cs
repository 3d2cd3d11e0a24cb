using TorchQuant.Modules;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;
using MTT = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace TorchQuant.Tests.Fusion;

/// <summary>Which sequences can be fused, and no others.</summary>
public class FusionTableTests
{
    private static readonly (Type[] Types, Type Fused)[] s_pytorch =
    [
        ([typeof(Conv1d), typeof(BatchNorm1d)], typeof(Conv1d)), ([typeof(Conv1d), typeof(BatchNorm1d), typeof(ReLU)], typeof(ConvReLU1d)), ([typeof(Conv1d), typeof(ReLU)], typeof(ConvReLU1d)),
        ([typeof(Conv2d), typeof(BatchNorm2d)], typeof(Conv2d)), ([typeof(Conv2d), typeof(BatchNorm2d), typeof(ReLU)], typeof(ConvReLU2d)), ([typeof(Conv2d), typeof(ReLU)], typeof(ConvReLU2d)),
        ([typeof(Conv3d), typeof(BatchNorm3d)], typeof(Conv3d)), ([typeof(Conv3d), typeof(BatchNorm3d), typeof(ReLU)], typeof(ConvReLU3d)), ([typeof(Conv3d), typeof(ReLU)], typeof(ConvReLU3d)),
        ([typeof(ConvTranspose1d), typeof(BatchNorm1d)], typeof(ConvTranspose1d)), ([typeof(ConvTranspose2d), typeof(BatchNorm2d)], typeof(ConvTranspose2d)), ([typeof(ConvTranspose3d), typeof(BatchNorm3d)], typeof(ConvTranspose3d)),
        ([typeof(Linear), typeof(BatchNorm1d)], typeof(Linear)), ([typeof(Linear), typeof(ReLU)], typeof(LinearReLU)),
        ([typeof(BatchNorm2d), typeof(ReLU)], typeof(BNReLU2d)), ([typeof(BatchNorm3d), typeof(ReLU)], typeof(BNReLU3d)),
    ];

    private static readonly (Type[] Types, Type Fused)[] s_beyond =
    [
        ([typeof(Conv1d), typeof(BatchNorm1d), typeof(ReLU6)], typeof(Conv1dReLU6)), ([typeof(Conv1d), typeof(ReLU6)], typeof(Conv1dReLU6)),
        ([typeof(Conv2d), typeof(BatchNorm2d), typeof(ReLU6)], typeof(Conv2dReLU6)), ([typeof(Conv2d), typeof(ReLU6)], typeof(Conv2dReLU6)),
        ([typeof(Conv3d), typeof(BatchNorm3d), typeof(ReLU6)], typeof(Conv3dReLU6)), ([typeof(Conv3d), typeof(ReLU6)], typeof(Conv3dReLU6)),
        ([typeof(Conv1d), typeof(BatchNorm1d), typeof(Hardswish)], typeof(Conv1dHardswish)), ([typeof(Conv1d), typeof(Hardswish)], typeof(Conv1dHardswish)),
        ([typeof(Conv2d), typeof(BatchNorm2d), typeof(Hardswish)], typeof(Conv2dHardswish)), ([typeof(Conv2d), typeof(Hardswish)], typeof(Conv2dHardswish)),
        ([typeof(Conv3d), typeof(BatchNorm3d), typeof(Hardswish)], typeof(Conv3dHardswish)), ([typeof(Conv3d), typeof(Hardswish)], typeof(Conv3dHardswish)),
        ([typeof(Linear), typeof(ReLU6)], typeof(LinearReLU6)),
    ];

    [Fact]
    public void Of_a_module_with_weights_any_other_and_an_activation_or_none_exactly_the_sequences_of_PyTorch_and_ours_fuse_by_list_and_are_found()
    {
        var known = s_pytorch.Concat(s_beyond).ToList();
        Type[] types = [.. known.SelectMany(k => k.Types).Append(typeof(Tanh)).Distinct()];
        Type[] activations = [typeof(ReLU), typeof(ReLU6), typeof(Hardswish), typeof(Tanh)];
        var seen = 0;
        foreach (var sequence in from a in types.Except(activations) from b in types from c in activations.Append(null) select (Type[])[.. new[] { a, b, c }.OfType<Type>()])
        {
            if (!Runs(sequence, out var dims)) continue;
            using var model = nn.Sequential([.. sequence.Select((t, i) => ($"{i}", Make(t)))]);
            model.eval();
            string[] names = [.. sequence.Select((_, i) => $"{i}")];
            using var x = rand([2, 2, .. Enumerable.Repeat(3L, dims)]);
            using var found = quantization.fuse_modules(model, x, out var report);
            var row = known.Find(k => k.Types.SequenceEqual(sequence));
            Assert.Equal(row.Types is not null, report.Fused.Any(f => f.Names.SequenceEqual(names)));
            if (row.Types is null)
            {
                Assert.Throws<ModuleFusionException>(() => quantization.fuse_modules(model, names));
                continue;
            }

            seen++;
            using var listed = quantization.fuse_modules(model, names);
            Assert.Equal(row.Fused, listed[0].GetType());
            Assert.Equal(row.Fused, found[0].GetType());
            Assert.Equal(row.Fused, Assert.Single(report.Fused).FusedType);
            using var expected = model.call(x);
            using var actual = listed.call(x);
            Assert.True(expected.allclose(actual, 1e-4, 1e-5), string.Join(", ", sequence.Select(t => t.Name)));
        }

        Assert.Equal(known.Count, seen);
    }

    /// <summary>Whether one input of [2, 2, ...] can go through them all, and with how many axes more.</summary>
    private static bool Runs(Type[] sequence, out int dims)
    {
        int[] wanted = [.. sequence.Select(Dims).Where(d => d >= 0).Distinct()];
        var norm1 = sequence.Contains(typeof(BatchNorm1d));
        dims = sequence.Contains(typeof(Linear)) ? 0 : wanted is [var only] ? only : norm1 ? 1 : 2;
        return wanted.Length <= 1 && !(norm1 && dims > 1);
    }

    private static int Dims(Type type) => type.Name switch
    {
        nameof(Linear) => 0,
        nameof(Conv1d) or nameof(ConvTranspose1d) => 1,
        nameof(Conv2d) or nameof(ConvTranspose2d) or nameof(BatchNorm2d) => 2,
        nameof(Conv3d) or nameof(ConvTranspose3d) or nameof(BatchNorm3d) => 3,
        _ => -1,
    };

    private static MTT Make(Type type) => type.Name switch
    {
        nameof(Linear) => nn.Linear(2, 2),
        nameof(Conv1d) => nn.Conv1d(2, 2, 1),
        nameof(Conv2d) => nn.Conv2d(2, 2, 1),
        nameof(Conv3d) => nn.Conv3d(2, 2, 1),
        nameof(ConvTranspose1d) => nn.ConvTranspose1d(2, 2, 1),
        nameof(ConvTranspose2d) => nn.ConvTranspose2d(2, 2, 1),
        nameof(ConvTranspose3d) => nn.ConvTranspose3d(2, 2, 1),
        nameof(BatchNorm1d) => nn.BatchNorm1d(2),
        nameof(BatchNorm2d) => nn.BatchNorm2d(2),
        nameof(BatchNorm3d) => nn.BatchNorm3d(2),
        nameof(ReLU) => nn.ReLU(),
        nameof(ReLU6) => nn.ReLU6(),
        nameof(Hardswish) => nn.Hardswish(),
        _ => nn.Tanh(),
    };
}
