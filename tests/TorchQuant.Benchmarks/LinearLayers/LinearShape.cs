namespace TorchQuant.Benchmarks.LinearLayers;

/// <summary>The product of [M, K] activations and [N, K] weights.</summary>
internal readonly record struct LinearShape(int M, int K, int N)
{
    private static readonly int[] s_rows = [1, 4, 16, 64, 128, 256, 1024];

    /// <summary>Powers of two, shapes of transformers, and some that are a multiple of nothing.</summary>
    private static readonly (int K, int N)[] s_weights =
    [
        (64, 64), (64, 256), (256, 64), (128, 128), (256, 256), (256, 1024), (512, 512), (512, 2048), (768, 768), (768, 3072), (3072, 768), (1024, 1024), (2048, 512), (4096, 1024), (1024, 4096), (4096, 4096),
        (100, 100), (100, 1000), (512, 1000), (1000, 333), (256, 10_000), (200, 10_000),
    ];

    public double MultiplyAdds => (double)M * K * N;

    public static IEnumerable<LinearShape> All(bool quick) => quick
        ? [new(1, 512, 512), new(16, 100, 333), new(128, 256, 256)]
        : from weights in s_weights from rows in s_rows select new LinearShape(rows, weights.K, weights.N);

    public override string ToString() => $"{M}x{K}x{N}";
}
