using FsCheck;
using FsCheck.Fluent;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Recurrent;

/// <summary>How weights and activations are quantized.</summary>
public enum Scheme { PerTensorReduced, PerTensor, PerChannel, Float16 }

/// <summary>A recurrent module, and a sequence for it; the numbers follow from the seed alone.</summary>
public sealed record RecurrentCase(
    int Seed, int Input, int Hidden, int Layers, bool Bidirectional, bool BatchFirst, bool Bias, bool WithState, int Steps, int Batch, Scheme Scheme)
{
    public int Directions => Bidirectional ? 2 : 1;

    public QConfig QConfig => Scheme switch
    {
        Scheme.PerTensorReduced => quantization.default_dynamic_qconfig,
        Scheme.PerTensor => quantization.get_default_dynamic_qconfig("qnnpack"),
        Scheme.PerChannel => quantization.get_default_dynamic_qconfig("native"),
        _ => quantization.float16_dynamic_qconfig,
    };

    public int[] BatchSizes => [.. Enumerable.Repeat(Batch, Steps)];

    public LSTM Lstm() => Filled(nn.LSTM(Input, Hidden, Layers, Bias, BatchFirst, bidirectional: Bidirectional));

    public GRU Gru() => Filled(nn.GRU(Input, Hidden, Layers, Bias, BatchFirst, bidirectional: Bidirectional));

    /// <summary>The sequence, (steps, batch, features) or batch first.</summary>
    public Tensor Sequence() => BatchFirst ? Values(1, Batch, Steps, Input) : Values(1, Steps, Batch, Input);

    /// <summary>An initial state: random, or zeros where the case has none.</summary>
    public Tensor State(int which) =>
        WithState ? Values(1 + which, Layers * Directions, Batch, Hidden) : zeros(Layers * Directions, Batch, Hidden);

    /// <summary>The rows of the sequence, step after step.</summary>
    public float[][] Rows(Tensor sequence)
    {
        using var stepsFirst = BatchFirst ? sequence.transpose(0, 1) : sequence.alias();
        return ReferenceState.Rows(stepsFirst);
    }

    /// <summary>Numbers in -1.5 to 1.5 that follow from the seed and <paramref name="which"/>.</summary>
    public Tensor Values(int which, params long[] shape)
    {
        var random = new Random(unchecked(Seed * 397 ^ which * 7919));
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        for (var i = 0; i < values.Length; i++)
            values[i] = random.NextSingle() * 3 - 1.5f;
        return tensor(values, shape);
    }

    /// <summary>The module with parameters that follow from the seed.</summary>
    public T Filled<T>(T module) where T : nn.Module
    {
        using var off = no_grad();
        using var scope = NewDisposeScope();
        var which = 10;
        foreach (var (_, parameter) in module.named_parameters())
            parameter.copy_(Values(which++, parameter.shape) / Math.Sqrt(Hidden));
        return module;
    }
}

/// <summary>Small cases of every option; sizes are no multiples of anything, one included.</summary>
public static class RecurrentCases
{
    public static Arbitrary<RecurrentCase> All() => (
        from seed in Gen.Choose(0, int.MaxValue - 1)
        from input in Gen.Choose(1, 11)
        from hidden in Gen.Choose(1, 9)
        from layers in Gen.Choose(1, 3)
        from bidirectional in Flag()
        from batchFirst in Flag()
        from bias in Gen.Frequency((3, Gen.Constant(true)), (1, Gen.Constant(false)))
        from withState in Flag()
        from steps in Gen.Choose(1, 4)
        from batch in Gen.Choose(1, 3)
        from scheme in Gen.Elements(Scheme.PerTensorReduced, Scheme.PerTensor, Scheme.PerChannel, Scheme.Float16)
        select new RecurrentCase(seed, input, hidden, layers, bidirectional, batchFirst, bias, withState, steps, batch, scheme)).ToArbitrary();

    private static Gen<bool> Flag() => Gen.Elements(true, false);
}
