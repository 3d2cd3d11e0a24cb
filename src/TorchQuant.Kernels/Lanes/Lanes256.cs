using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Floats = System.Runtime.Intrinsics.Vector256<float>;
using Ints = System.Runtime.Intrinsics.Vector256<int>;

namespace TorchQuant.Kernels;

/// <summary>Eight numbers at a time: AVX2.</summary>
internal readonly unsafe struct Lanes256 : ILanes<Floats, Ints>
{
    public static int Count => Floats.Count;

    public static Floats Broadcast(float value) => Vector256.Create(value);
    public static Floats Load(float* source) => Vector256.Load(source);
    public static void Store(Floats value, float* target) => value.Store(target);
    public static Floats Add(Floats left, Floats right) => left + right;
    public static Floats Subtract(Floats left, Floats right) => left - right;
    public static Floats Multiply(Floats left, Floats right) => left * right;
    public static Floats Divide(Floats left, Floats right) => left / right;
    public static Floats FusedMultiplyAdd(Floats left, Floats right, Floats addend) => Vector256.FusedMultiplyAdd(left, right, addend);
    public static Floats Min(Floats left, Floats right) => Vector256.MinNative(left, right);
    public static Floats Max(Floats left, Floats right) => Vector256.MaxNative(left, right);
    public static Floats Relu(Floats value) => Vector256.Max(value, Floats.Zero);
    public static Floats ZeroIfNaN(Floats value) => Vector256.Equals(value, value) & value;
    public static Ints MagnitudeBits(Floats value) => value.AsInt32() & Vector256.Create(0x7FFFFFFF);

    public static float MinAcross(Floats value)
    {
        Vector128<float> four = Vector128.MinNative(value.GetLower(), value.GetUpper());
        Vector128<float> two = Vector128.MinNative(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return ScalarLanes.Min(two[0], two[1]);
    }

    public static float MaxAcross(Floats value)
    {
        Vector128<float> four = Vector128.MaxNative(value.GetLower(), value.GetUpper());
        Vector128<float> two = Vector128.MaxNative(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return ScalarLanes.Max(two[0], two[1]);
    }

    public static Ints BroadcastInt(int value) => Vector256.Create(value);
    public static Ints LoadInt(int* source) => Vector256.Load(source);
    public static void StoreInt(Ints value, int* target) => value.Store(target);
    public static Ints AddInt(Ints left, Ints right) => left + right;
    public static Ints SubtractInt(Ints left, Ints right) => left - right;
    public static Ints MultiplyInt(Ints left, Ints right) => left * right;
    public static Ints AndInt(Ints left, Ints right) => left & right;
    public static Ints OrInt(Ints left, Ints right) => left | right;
    public static Ints ShiftLeftInt(Ints value, int count) => value << count;
    public static Ints ShiftRightInt(Ints value, int count) => value >> count;
    public static Ints MaxInt(Ints left, Ints right) => Vector256.Max(left, right);

    public static int MaxAcrossInt(Ints value)
    {
        Vector128<int> four = Vector128.Max(value.GetLower(), value.GetUpper());
        Vector128<int> two = Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return Math.Max(two[0], two[1]);
    }

    public static int SumAcrossInt(Ints value) => Vector256.Sum(value);

    public static Floats ToFloat(Ints value) => Avx.ConvertToVector256Single(value);
    public static Ints AsInt(Floats value) => value.AsInt32();
    public static Floats AsFloat(Ints value) => value.AsSingle();

    /// <summary>cvtps2dq rounds to nearest even under the default mode, which .NET never changes.</summary>
    public static Ints RoundToInt(Floats value) => Avx.ConvertToVector256Int32(value);

    public static Ints LoadBytes(byte* source) => Avx2.ConvertToVector256Int32(source);
    public static Ints LoadSBytes(sbyte* source) => Avx2.ConvertToVector256Int32(source);

    /// <summary>Every byte becomes two: its low half, and above it its high half.</summary>
    public static Ints LoadNibbles(byte* row, nint index)
    {
        Vector128<ushort> bytes = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)(row + (index >> 1))).AsByte());
        bytes = (bytes | (bytes << 4)) & Vector128.Create((ushort)0x0F0F);
        return Avx2.ConvertToVector256Int32(bytes.AsByte());
    }

    /// <summary>Gathers the low byte of each number: in each half to its first four bytes, then both halves.</summary>
    public static void StoreBytes(Ints value, byte* target)
    {
        Vector256<byte> lowBytes = Vector256.Create(0x0C080400).AsByte();
        Vector256<uint> gathered = Avx2.Shuffle(value.AsByte(), lowBytes).AsUInt32();
        Vector128<uint> eight = Vector128.Create(gathered[0], gathered[4], 0, 0);
        *(ulong*)target = eight.AsUInt64().ToScalar();
    }

    /// <summary>The packs work within 128 bits, so that four bytes of each vector in turn come out: the permutation brings together those of one vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(Ints first, Ints second, Ints third, Ints fourth, byte* target)
    {
        Vector256<byte> packed = Avx2.PackUnsignedSaturate(Avx2.PackSignedSaturate(first, second), Avx2.PackSignedSaturate(third, fourth));
        Avx2.PermuteVar8x32(packed.AsInt32(), Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7)).Store((int*)target);
    }

    /// <summary>The shuffle works within 128 bits: 12 bytes of each come out, which the permutation brings together.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreTriples(Ints value, byte* target)
    {
        Vector256<byte> within = Avx2.Shuffle(value.AsByte(), Vector256.Create(Triples, Triples));
        Ints triples = Avx2.PermuteVar8x32(within.AsInt32(), Vector256.Create(0, 1, 2, 4, 5, 6, 3, 7));
        triples.GetLower().Store((int*)target);
        *(ulong*)(target + 16) = triples.AsUInt64()[2];
    }

    /// <summary>unpck interleaves within 128 bits: numbers first, then pairs of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreQuads(Ints first, Ints second, Ints third, Ints fourth, byte* target, nint stride)
    {
        Vector256<long> lowFront = Avx2.UnpackLow(first, second).AsInt64(), lowBack = Avx2.UnpackLow(third, fourth).AsInt64();
        Vector256<long> highFront = Avx2.UnpackHigh(first, second).AsInt64(), highBack = Avx2.UnpackHigh(third, fourth).AsInt64();
        StoreHalves(Avx2.UnpackLow(lowFront, lowBack), target, stride);
        StoreHalves(Avx2.UnpackHigh(lowFront, lowBack), target + stride, stride);
        StoreHalves(Avx2.UnpackLow(highFront, highBack), target + 2 * stride, stride);
        StoreHalves(Avx2.UnpackHigh(highFront, highBack), target + 3 * stride, stride);
    }

    public static Ints MaxBytes(Ints left, Ints right) => Vector256.Max(left.AsByte(), right.AsByte()).AsInt32();
    public static Ints BroadcastShort(short value) => Vector256.Create(value).AsInt32();
    public static Ints BroadcastByte(byte value) => Vector256.Create(value).AsInt32();

    /// <summary>Every step saturates, so that a number too large for it stays beyond the range of codes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreCodes(Ints first, Ints second, Ints third, Ints fourth, Ints zeroPoint, Ints lowest, Ints highest, byte* target)
    {
        Vector256<short> front = Avx2.AddSaturate(Avx2.PackSignedSaturate(first, second), zeroPoint.AsInt16());
        Vector256<short> back = Avx2.AddSaturate(Avx2.PackSignedSaturate(third, fourth), zeroPoint.AsInt16());
        Vector256<byte> codes = Vector256.Min(Vector256.Max(Avx2.PackUnsignedSaturate(front, back), lowest.AsByte()), highest.AsByte());
        Avx2.PermuteVar8x32(codes.AsInt32(), Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7)).Store((int*)target);
    }

    /// <summary>The bytes of four numbers without every fourth; a negative index gives 0.</summary>
    internal static Vector128<byte> Triples => Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255);

    /// <summary>The blocks of 128 bits belong to every fourth number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreHalves(Vector256<long> quads, byte* target, nint stride)
    {
        quads.GetLower().AsByte().Store(target);
        quads.GetUpper().AsByte().Store(target + 4 * stride);
    }
}
