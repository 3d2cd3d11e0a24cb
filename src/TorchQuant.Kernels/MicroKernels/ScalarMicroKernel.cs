namespace TorchQuant.Kernels;

/// <summary>Plain integer arithmetic, for machines without any of the vector instructions.</summary>
internal readonly unsafe struct ScalarMicroKernel : IMicroKernel, IDepthwiseKernel
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

    public static void RunDepthwise(int rows, byte* activations, in DepthwiseSteps steps, sbyte* panel, int columns, int* tile)
    {
        for (int r = 0; r < rows; r++, activations += steps.Output, tile += PackedWeights.PanelColumns)
        {
            new Span<int>(tile, columns).Clear();
            for (nint tap = 0; tap < steps.Taps; tap++)
            {
                for (nint g = 0; g < steps.Groups; g++)
                {
                    byte* x = activations + tap * steps.Tap + g * PackedWeights.GroupBytes;
                    sbyte* w = panel + (tap * steps.Groups + g) * PackedWeights.GroupBytes;
                    for (int c = 0; c < columns; c++, x += PackedWeights.GroupDepth, w += PackedWeights.GroupDepth)
                        tile[c] += x[0] * w[0] + x[1] * w[1] + x[2] * w[2] + x[3] * w[3];
                }
            }
        }
    }
}
