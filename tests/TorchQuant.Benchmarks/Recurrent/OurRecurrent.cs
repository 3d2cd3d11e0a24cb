using TorchQuant.Benchmarks.Races;
using TorchQuant.Kernels;

namespace TorchQuant.Benchmarks.Recurrent;

/// <summary>TorchQuant.Kernels' LSTM and GRU layers, one after the other.</summary>
internal static class OurRecurrent
{
    public static IContender Create(RecurrentData data, int threads)
    {
        RecurrentCase shape = data.Shape;
        int rows = shape.Gates * shape.Hidden;
        (PackedLinear Input, PackedLinear Hidden)[] cells =
        [
            .. data.Cells.Select((cell, layer) => (
                (PackedLinear)new Int8Linear(PackedWeights.Pack(cell.Input, rows, shape.InputsOf(layer), [cell.InputScale]), cell.InputBias, reduceRange: false),
                (PackedLinear)new Int8Linear(PackedWeights.Pack(cell.Hidden, rows, shape.Hidden, [cell.HiddenScale]), cell.HiddenBias, reduceRange: false))),
        ];
        int[] batchSizes = [.. Enumerable.Repeat(shape.Batch, shape.Steps)];
        float[] h = new float[shape.Batch * shape.Hidden], c = new float[h.Length];
        float[][] outputs = [new float[data.OutputLength], new float[data.OutputLength]];
        return new OurContender("ours", threads, Run, name => data.Check(name, outputs[(shape.Layers - 1) % 2], isInt8: true));

        void Run()
        {
            for (int layer = 0; layer < cells.Length; layer++)
            {
                float[] x = layer == 0 ? data.X : outputs[(layer - 1) % 2], y = outputs[layer % 2];
                h.AsSpan().Clear();
                c.AsSpan().Clear();
                if (shape.Gates == RecurrentCase.Lstm)
                    LstmLayer.Run(x, batchSizes, cells[layer].Input, cells[layer].Hidden, h, c, y, shape.Hidden, threads: threads);
                else
                    GruLayer.Run(x, batchSizes, cells[layer].Input, cells[layer].Hidden, h, y, shape.Hidden, threads: threads);
            }
        }
    }
}
