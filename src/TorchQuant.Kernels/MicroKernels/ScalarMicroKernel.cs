namespace TorchQuant.Kernels;

/// <summary>Plain integer arithmetic, for machines without any of the vector instructions.</summary>
internal readonly unsafe struct ScalarMicroKernel : IMicroKernel
{
    public static int MaxRows => 4;

    public static void Run(int rows, byte* a, nint stride, sbyte* panel, nint groups, int* tile)
    {
        for (int r = 0; r < rows; r++)
        {
            int* sums = tile + r * PackedWeights.PanelColumns;
            new Span<int>(sums, PackedWeights.PanelColumns).Clear();
            for (nint g = 0; g < groups; g++)
            {
                byte* x = a + r * stride + g * PackedWeights.GroupDepth;
                sbyte* w = panel + g * PackedWeights.GroupBytes;
                for (int c = 0; c < PackedWeights.PanelColumns; c++, w += PackedWeights.GroupDepth)
                    sums[c] += x[0] * w[0] + x[1] * w[1] + x[2] * w[2] + x[3] * w[3];
            }
        }
    }
}
