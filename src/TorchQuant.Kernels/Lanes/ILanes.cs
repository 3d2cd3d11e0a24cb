namespace TorchQuant.Kernels;

/// <summary>
/// A vector width: what the elementwise loops need, on vectors <typeparamref name="TFloat"/> and <typeparamref name="TInt"/> of <see cref="Count"/> numbers.
/// Every loop is written once over this interface. Each operation is the IEEE one, number by number, so that all widths give the same bits: nothing but
/// <see cref="FusedMultiplyAdd"/> fuses a multiplication with an addition, and nothing may.
/// The methods that hold such a loop are compiled with AggressiveOptimization: unoptimised, each operation is a call, and the first calls of a process, before the
/// tiers settle, took 4 to 20 times as long.
/// </summary>
internal unsafe interface ILanes<TFloat, TInt>
{
    static abstract int Count { get; }

    static abstract TFloat Broadcast(float value);
    static abstract TFloat Load(float* source);
    static abstract void Store(TFloat value, float* target);
    static abstract TFloat Add(TFloat left, TFloat right);
    static abstract TFloat Subtract(TFloat left, TFloat right);
    static abstract TFloat Multiply(TFloat left, TFloat right);
    static abstract TFloat Divide(TFloat left, TFloat right);

    /// <summary>left * right + addend rounded once, as the name says; on a machine without the instruction in software, to the same bits.</summary>
    static abstract TFloat FusedMultiplyAdd(TFloat left, TFloat right, TFloat addend);

    /// <summary>The smaller. Of two zeros, either. A NaN on the right stays; on the left it is not defined.</summary>
    static abstract TFloat Min(TFloat left, TFloat right);

    /// <summary>The larger. Of two zeros, either. A NaN on the right stays; on the left it is not defined.</summary>
    static abstract TFloat Max(TFloat left, TFloat right);

    /// <summary>max(value, +0) where NaN stays NaN.</summary>
    static abstract TFloat Relu(TFloat value);

    /// <summary>NaN becomes 0, everything else stays.</summary>
    static abstract TFloat ZeroIfNaN(TFloat value);

    /// <summary>The bits with the sign cleared, as integers: above 0x7F800000 exactly for NaN.</summary>
    static abstract TInt MagnitudeBits(TFloat value);

    static abstract float MinAcross(TFloat value);
    static abstract float MaxAcross(TFloat value);

    static abstract TInt BroadcastInt(int value);
    static abstract TInt LoadInt(int* source);
    static abstract void StoreInt(TInt value, int* target);
    static abstract TInt AddInt(TInt left, TInt right);
    static abstract TInt SubtractInt(TInt left, TInt right);
    static abstract TInt MultiplyInt(TInt left, TInt right);
    static abstract TInt AndInt(TInt left, TInt right);
    static abstract TInt OrInt(TInt left, TInt right);
    static abstract TInt ShiftLeftInt(TInt value, int count);

    /// <summary>Shifts right and repeats the sign.</summary>
    static abstract TInt ShiftRightInt(TInt value, int count);

    static abstract TInt MaxInt(TInt left, TInt right);
    static abstract int MaxAcrossInt(TInt value);
    static abstract int SumAcrossInt(TInt value);

    static abstract TFloat ToFloat(TInt value);

    /// <summary>The same bits as integers.</summary>
    static abstract TInt AsInt(TFloat value);

    /// <summary>The same bits as floats.</summary>
    static abstract TFloat AsFloat(TInt value);

    /// <summary>Round half to even; the value must fit an int32, or be smaller, which gives the smallest.</summary>
    static abstract TInt RoundToInt(TFloat value);

    static abstract TInt LoadBytes(byte* source);
    static abstract TInt LoadSBytes(sbyte* source);

    /// <summary>Count codes of four bits from number <paramref name="index"/> (a multiple of Count) of a row that holds two in a byte, the low half first.</summary>
    static abstract TInt LoadNibbles(byte* row, nint index);

    /// <summary>Stores the low eight bits of every number.</summary>
    static abstract void StoreBytes(TInt value, byte* target);

    /// <summary>Stores four vectors of numbers within 0..255, one after the other: fewer instructions than four times <see cref="StoreBytes(TInt, byte*)"/>.</summary>
    static abstract void StoreBytes(TInt first, TInt second, TInt third, TInt fourth, byte* target);

    /// <summary>Stores the low three bytes of every number, one after the other, and nothing behind them.</summary>
    static abstract void StoreTriples(TInt value, byte* target);

    /// <summary>Stores 16 bytes for every number: its four bytes of each vector in turn. From one number's to the next number's it is <paramref name="stride"/> bytes.</summary>
    static abstract void StoreQuads(TInt first, TInt second, TInt third, TInt fourth, byte* target, nint stride);

    /// <summary>The larger of the unsigned numbers in every 8 bits.</summary>
    static abstract TInt MaxBytes(TInt left, TInt right);

    /// <summary>The number in every 16 bits.</summary>
    static abstract TInt BroadcastShort(short value);

    /// <summary>The number in every 8 bits.</summary>
    static abstract TInt BroadcastByte(byte value);

    /// <summary>
    /// Stores clamp(number + zeroPoint, lowest, highest) of four vectors of any numbers, one after the other: in packed integers, where it costs a fourth.
    /// </summary>
    /// <param name="first">The numbers that are stored first.</param>
    /// <param name="second">The next.</param>
    /// <param name="third">The next.</param>
    /// <param name="fourth">The last.</param>
    /// <param name="zeroPoint">0..255, of <see cref="BroadcastShort"/>.</param>
    /// <param name="lowest">Of <see cref="BroadcastByte"/>.</param>
    /// <param name="highest">Of <see cref="BroadcastByte"/>.</param>
    /// <param name="target">Receives 4 * Count codes.</param>
    static abstract void StoreCodes(TInt first, TInt second, TInt third, TInt fourth, TInt zeroPoint, TInt lowest, TInt highest, byte* target);
}
