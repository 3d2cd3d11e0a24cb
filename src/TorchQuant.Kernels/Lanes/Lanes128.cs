using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using Floats = System.Runtime.Intrinsics.Vector128<float>;
using Ints = System.Runtime.Intrinsics.Vector128<int>;

namespace TorchQuant.Kernels;

/// <summary>Four numbers at a time: Arm's AdvSimd (Neon).</summary>
internal readonly unsafe struct Lanes128 : ILanes<Floats, Ints>
{
    public static int Count => Floats.Count;

    public static Floats Broadcast(float value) => Vector128.Create(value);
    public static Floats Load(float* source) => Vector128.Load(source);
    public static void Store(Floats value, float* target) => value.Store(target);
    public static Floats Add(Floats left, Floats right) => left + right;
    public static Floats Subtract(Floats left, Floats right) => left - right;
    public static Floats Multiply(Floats left, Floats right) => left * right;
    public static Floats Divide(Floats left, Floats right) => left / right;
    public static Floats FusedMultiplyAdd(Floats left, Floats right, Floats addend) => AdvSimd.FusedMultiplyAdd(addend, left, right);
    public static Floats Min(Floats left, Floats right) => AdvSimd.Min(left, right);
    public static Floats Max(Floats left, Floats right) => AdvSimd.Max(left, right);
    public static Floats Relu(Floats value) => AdvSimd.Max(value, Floats.Zero);
    public static Floats ZeroIfNaN(Floats value) => Vector128.Equals(value, value) & value;
    public static Ints MagnitudeBits(Floats value) => value.AsInt32() & Vector128.Create(0x7FFFFFFF);
    public static float MinAcross(Floats value) => AdvSimd.Arm64.MinAcross(value).ToScalar();
    public static float MaxAcross(Floats value) => AdvSimd.Arm64.MaxAcross(value).ToScalar();

    public static Ints BroadcastInt(int value) => Vector128.Create(value);
    public static Ints LoadInt(int* source) => Vector128.Load(source);
    public static void StoreInt(Ints value, int* target) => value.Store(target);
    public static Ints AddInt(Ints left, Ints right) => left + right;
    public static Ints SubtractInt(Ints left, Ints right) => left - right;
    public static Ints MultiplyInt(Ints left, Ints right) => left * right;
    public static Ints AndInt(Ints left, Ints right) => left & right;
    public static Ints OrInt(Ints left, Ints right) => left | right;
    public static Ints ShiftLeftInt(Ints value, int count) => value << count;
    public static Ints ShiftRightInt(Ints value, int count) => value >> count;
    public static Ints MaxInt(Ints left, Ints right) => AdvSimd.Max(left, right);
    public static int MaxAcrossInt(Ints value) => AdvSimd.Arm64.MaxAcross(value).ToScalar();
    public static int SumAcrossInt(Ints value) => AdvSimd.Arm64.AddAcross(value).ToScalar();

    public static Floats ToFloat(Ints value) => AdvSimd.ConvertToSingle(value);
    public static Ints AsInt(Floats value) => value.AsInt32();
    public static Floats AsFloat(Ints value) => value.AsSingle();

    /// <summary>fcvtns rounds to nearest even, whatever the mode.</summary>
    public static Ints RoundToInt(Floats value) => AdvSimd.ConvertToInt32RoundToEven(value);

    public static Ints LoadBytes(byte* source) => Widen(Vector64.CreateScalarUnsafe(*(uint*)source).AsByte());

    public static Ints LoadSBytes(sbyte* source) =>
        AdvSimd.SignExtendWideningLower(AdvSimd.SignExtendWideningLower(Vector64.CreateScalarUnsafe(*(uint*)source).AsSByte()).GetLower());

    /// <summary>Every byte becomes two: its low half, and above it its high half.</summary>
    public static Ints LoadNibbles(byte* row, nint index)
    {
        Vector64<ushort> bytes = AdvSimd.ZeroExtendWideningLower(Vector64.CreateScalarUnsafe(*(ushort*)(row + (index >> 1))).AsByte()).GetLower();
        bytes = (bytes | (bytes << 4)) & Vector64.Create((ushort)0x0F0F);
        return Widen(bytes.AsByte());
    }

    /// <summary>xtn keeps the low half of each number.</summary>
    public static void StoreBytes(Ints value, byte* target)
    {
        Vector64<short> halves = AdvSimd.ExtractNarrowingLower(value);
        *(uint*)target = AdvSimd.ExtractNarrowingLower(halves.ToVector128Unsafe()).AsUInt32().ToScalar();
    }

    /// <summary>uzp1 keeps every second of the halves, then of the bytes, of two vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(Ints first, Ints second, Ints third, Ints fourth, byte* target)
    {
        Vector128<short> lower = AdvSimd.Arm64.UnzipEven(first.AsInt16(), second.AsInt16()), upper = AdvSimd.Arm64.UnzipEven(third.AsInt16(), fourth.AsInt16());
        AdvSimd.Arm64.UnzipEven(lower.AsByte(), upper.AsByte()).Store(target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreTriples(Ints value, byte* target)
    {
        Vector128<byte> triples = AdvSimd.Arm64.VectorTableLookup(value.AsByte(), Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255));
        *(ulong*)target = triples.AsUInt64()[0];
        *(uint*)(target + 8) = triples.AsUInt32()[2];
    }

    /// <summary>zip interleaves the halves of two vectors: numbers first, then pairs of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreQuads(Ints first, Ints second, Ints third, Ints fourth, byte* target, nint stride)
    {
        Vector128<long> lowFront = AdvSimd.Arm64.ZipLow(first, second).AsInt64(), lowBack = AdvSimd.Arm64.ZipLow(third, fourth).AsInt64();
        Vector128<long> highFront = AdvSimd.Arm64.ZipHigh(first, second).AsInt64(), highBack = AdvSimd.Arm64.ZipHigh(third, fourth).AsInt64();
        AdvSimd.Arm64.ZipLow(lowFront, lowBack).AsByte().Store(target);
        AdvSimd.Arm64.ZipHigh(lowFront, lowBack).AsByte().Store(target + stride);
        AdvSimd.Arm64.ZipLow(highFront, highBack).AsByte().Store(target + 2 * stride);
        AdvSimd.Arm64.ZipHigh(highFront, highBack).AsByte().Store(target + 3 * stride);
    }

    public static Ints MaxBytes(Ints left, Ints right) => Vector128.Max(left.AsByte(), right.AsByte()).AsInt32();
    public static Ints BroadcastShort(short value) => Vector128.Create(value).AsInt32();
    public static Ints BroadcastByte(byte value) => Vector128.Create(value).AsInt32();

    /// <summary>Every step saturates, so that a number too large for it stays beyond the range of codes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreCodes(Ints first, Ints second, Ints third, Ints fourth, Ints zeroPoint, Ints lowest, Ints highest, byte* target)
    {
        Vector128<short> front = AdvSimd.ExtractNarrowingSaturateUpper(AdvSimd.ExtractNarrowingSaturateLower(first), second);
        Vector128<short> back = AdvSimd.ExtractNarrowingSaturateUpper(AdvSimd.ExtractNarrowingSaturateLower(third), fourth);
        Vector64<byte> lower = AdvSimd.ExtractNarrowingSaturateUnsignedLower(AdvSimd.AddSaturate(front, zeroPoint.AsInt16()));
        Vector128<byte> codes = AdvSimd.ExtractNarrowingSaturateUnsignedUpper(lower, AdvSimd.AddSaturate(back, zeroPoint.AsInt16()));
        AdvSimd.Min(AdvSimd.Max(codes, lowest.AsByte()), highest.AsByte()).Store(target);
    }

    /// <summary>The first four bytes as numbers.</summary>
    private static Ints Widen(Vector64<byte> bytes) => AdvSimd.ZeroExtendWideningLower(AdvSimd.ZeroExtendWideningLower(bytes).GetLower()).AsInt32();
}
