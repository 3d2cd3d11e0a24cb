using System.Numerics;

namespace TorchQuant.Kernels;

/// <summary>Checks of public arguments: every failure names the argument, what was found and what was expected.</summary>
internal static class Argument
{
    /// <summary>Refuses a span that has not exactly the length that the shape asks for.</summary>
    public static void HasLength(int found, long expected, string name, string shape)
    {
        if (found != expected)
            throw new ArgumentException($"{name} has {found} elements; expected {expected} ({shape}).", name);
    }

    /// <summary>Refuses a span that has neither length, and says which lengths have a meaning.</summary>
    public static void HasLength(int found, int oneLength, int orLength, string name, string meaning)
    {
        if (found != oneLength && found != orLength)
            throw new ArgumentException($"{name} has {found} elements; expected {oneLength} or {orLength} ({meaning}).", name);
    }

    /// <summary>Refuses a span that is read while another is written in the same memory.</summary>
    public static void DoesNotOverlap(ReadOnlySpan<byte> found, ReadOnlySpan<byte> written, string name, string writtenName)
    {
        if (found.Overlaps(written))
            throw new ArgumentException($"{name} overlaps {writtenName}; expected memory of its own.", name);
    }

    /// <summary>Refuses a number below the smallest that makes sense.</summary>
    public static void IsAtLeast<T>(T found, T smallest, string name) where T : INumber<T>
    {
        if (found < smallest)
            throw new ArgumentOutOfRangeException(name, found, $"{name} is {found}; expected at least {smallest}.");
    }

    /// <summary>Refuses numbers of which one is NaN or infinite.</summary>
    public static void IsFinite(ReadOnlySpan<float> found, string name)
    {
        foreach (float value in found)
        {
            if (!float.IsFinite(value))
                throw new ArgumentException($"{name} holds {value}; expected finite numbers.", name);
        }
    }

    /// <summary>Refuses a scale that cannot divide: not positive, not finite, or so small that its reciprocal overflows.</summary>
    public static void IsScale(float found, string name)
    {
        if (!(found > 0) || !float.IsFinite(found) || !float.IsFinite(1f / found))
            throw new ArgumentException($"{name} has the scale {found}; expected a positive finite number whose reciprocal is finite.", name);
    }

    /// <summary>Refuses a zero point that the stored integer type cannot hold: real zero would not be representable.</summary>
    public static void IsZeroPoint(int found, int lowest, int highest, string name)
    {
        if (found < lowest || found > highest)
            throw new ArgumentException($"{name} has the zero point {found}; expected {lowest} to {highest}.", name);
    }

    /// <summary>Refuses an empty or inverted range of codes, or one that the stored integer type cannot hold.</summary>
    public static void IsCodeRange(int quantMin, int quantMax, int lowest, int highest)
    {
        if (quantMin >= quantMax || quantMin < lowest || quantMax > highest)
            throw new ArgumentException($"quantMin to quantMax is {quantMin} to {quantMax}; expected an increasing range within {lowest} to {highest}.", nameof(quantMin));
    }

    /// <summary>Refuses a number that is none of the enumeration's.</summary>
    public static void IsDefined<T>(T found, string name) where T : struct, Enum
    {
        if (!Enum.IsDefined(found))
            throw new ArgumentOutOfRangeException(name, found, $"{name} is {found}; expected one of {string.Join(", ", Enum.GetNames<T>())}.");
    }
}
