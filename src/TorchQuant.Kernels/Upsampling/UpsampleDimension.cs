using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>How one spatial dimension is interpolated: PyTorch's rules for where an output lies in the input.</summary>
/// <param name="Input">The input's size.</param>
/// <param name="Output">The output's size.</param>
/// <param name="ScaleFactor">What the user multiplied the size by; 0 where the sizes alone say it.</param>
/// <param name="AlignCorners">For linear interpolation: whether the centres of the outermost outputs lie on those of the outermost inputs, instead of the edges.</param>
public readonly record struct UpsampleDimension(int Input, int Output, double ScaleFactor = 0, bool AlignCorners = false)
{
    private float Step
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ScaleFactor > 0 ? (float)(1 / ScaleFactor) : (float)Input / Output;
    }

    /// <summary>Whether every input is repeated twice.</summary>
    internal bool IsDouble => Output == 2 * Input && Step == 0.5f;

    /// <summary>The input that is nearest in PyTorch's sense: floor(output * input / outputs).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int Nearest(int output) => Math.Min((int)MathF.Floor(output * Step), Input - 1);

    /// <summary>The first of the two inputs between which an output lies, where the second is, and the weight of the second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal (int First, int Next, float Weight) Between(int output)
    {
        float place;
        if (AlignCorners)
            place = Output > 1 ? (float)(Input - 1) / (Output - 1) * output : 0;
        else
            place = MathF.Max(0, MathF.FusedMultiplyAdd(Step, output + 0.5f, -0.5f));
        int first = Math.Min((int)place, Input - 1);
        return (first, first < Input - 1 ? 1 : 0, place - first);
    }

    internal void Check(string name)
    {
        if (Input < 1 || Output < 1)
            throw new ArgumentException($"{name} has the sizes {Input} and {Output}; expected at least 1 each.", name);
        if (!(ScaleFactor >= 0) || !double.IsFinite(ScaleFactor))
            throw new ArgumentException($"{name} has the scale factor {ScaleFactor}; expected a positive number, or 0 for none.", name);
    }
}
