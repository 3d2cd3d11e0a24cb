using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Floats = System.Runtime.Intrinsics.Vector512<float>;
using Ints = System.Runtime.Intrinsics.Vector512<int>;

namespace TorchQuant.Kernels;

/// <summary>Sixteen numbers at a time: AVX-512.</summary>
internal readonly unsafe struct Lanes512 : ILanes<Floats, Ints>
{
    public static int Count => Floats.Count;

    public static Floats Broadcast(float value) => Vector512.Create(value);
    public static Floats Load(float* source) => Vector512.Load(source);
    public static void Store(Floats value, float* target) => value.Store(target);
    public static Floats Add(Floats left, Floats right) => left + right;
    public static Floats Subtract(Floats left, Floats right) => left - right;
    public static Floats Multiply(Floats left, Floats right) => left * right;
    public static Floats Divide(Floats left, Floats right) => left / right;
    public static Floats FusedMultiplyAdd(Floats left, Floats right, Floats addend) => Vector512.FusedMultiplyAdd(left, right, addend);
    public static Floats Min(Floats left, Floats right) => Vector512.MinNative(left, right);
    public static Floats Max(Floats left, Floats right) => Vector512.MaxNative(left, right);
    public static Floats Relu(Floats value) => Vector512.Max(value, Floats.Zero);
    public static Floats ZeroIfNaN(Floats value) => Vector512.Equals(value, value) & value;
    public static Ints MagnitudeBits(Floats value) => value.AsInt32() & Vector512.Create(0x7FFFFFFF);
    public static float MinAcross(Floats value) => Lanes256.MinAcross(Lanes256.Min(value.GetLower(), value.GetUpper()));
    public static float MaxAcross(Floats value) => Lanes256.MaxAcross(Lanes256.Max(value.GetLower(), value.GetUpper()));

    public static Ints BroadcastInt(int value) => Vector512.Create(value);
    public static Ints LoadInt(int* source) => Vector512.Load(source);
    public static void StoreInt(Ints value, int* target) => value.Store(target);
    public static Ints AddInt(Ints left, Ints right) => left + right;
    public static Ints SubtractInt(Ints left, Ints right) => left - right;
    public static Ints MultiplyInt(Ints left, Ints right) => left * right;
    public static Ints AndInt(Ints left, Ints right) => left & right;
    public static Ints OrInt(Ints left, Ints right) => left | right;
    public static Ints ShiftLeftInt(Ints value, int count) => value << count;
    public static Ints ShiftRightInt(Ints value, int count) => value >> count;
    public static Ints MaxInt(Ints left, Ints right) => Vector512.Max(left, right);
    public static int MaxAcrossInt(Ints value) => Lanes256.MaxAcrossInt(Lanes256.MaxInt(value.GetLower(), value.GetUpper()));
    public static int SumAcrossInt(Ints value) => Vector512.Sum(value);

    public static Floats ToFloat(Ints value) => Avx512F.ConvertToVector512Single(value);
    public static Ints AsInt(Floats value) => value.AsInt32();
    public static Floats AsFloat(Ints value) => value.AsSingle();

    /// <summary>cvtps2dq rounds to nearest even under the default mode, which .NET never changes.</summary>
    public static Ints RoundToInt(Floats value) => Avx512F.ConvertToVector512Int32(value);

    public static Ints LoadBytes(byte* source) => Avx512F.ConvertToVector512Int32(Vector128.Load(source));
    public static Ints LoadSBytes(sbyte* source) => Avx512F.ConvertToVector512Int32(Vector128.Load(source));

    /// <summary>Every byte becomes two: its low half, and above it its high half.</summary>
    public static Ints LoadNibbles(byte* row, nint index)
    {
        Vector128<ushort> bytes = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)(row + (index >> 1))).AsByte());
        bytes = (bytes | (bytes << 4)) & Vector128.Create((ushort)0x0F0F);
        return Avx512F.ConvertToVector512Int32(bytes.AsByte());
    }

    /// <summary>vpmovdb keeps the low eight bits of each number.</summary>
    public static void StoreBytes(Ints value, byte* target) => Avx512F.ConvertToVector128Byte(value).Store(target);

    /// <summary>The packs work within 128 bits, so that four bytes of each vector in turn come out: the permutation brings together those of one vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(Ints first, Ints second, Ints third, Ints fourth, byte* target)
    {
        Vector512<byte> packed = Avx512BW.PackUnsignedSaturate(Avx512BW.PackSignedSaturate(first, second), Avx512BW.PackSignedSaturate(third, fourth));
        Avx512F.PermuteVar16x32(packed.AsInt32(), Vector512.Create(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)).Store((int*)target);
    }

    /// <summary>The shuffle works within 128 bits: 12 bytes of each come out, which the permutation brings together.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreTriples(Ints value, byte* target)
    {
        Vector256<byte> half = Vector256.Create(Lanes256.Triples, Lanes256.Triples);
        Vector512<byte> within = Avx512BW.Shuffle(value.AsByte(), Vector512.Create(half, half));
        Ints triples = Avx512F.PermuteVar16x32(within.AsInt32(), Vector512.Create(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 7, 11, 15));
        triples.GetLower().Store((int*)target);
        triples.GetUpper().GetLower().Store((int*)(target + 32));
    }

    /// <summary>unpck interleaves within 128 bits: numbers first, then pairs of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreQuads(Ints first, Ints second, Ints third, Ints fourth, byte* target, nint stride)
    {
        Vector512<long> lowFront = Avx512F.UnpackLow(first, second).AsInt64(), lowBack = Avx512F.UnpackLow(third, fourth).AsInt64();
        Vector512<long> highFront = Avx512F.UnpackHigh(first, second).AsInt64(), highBack = Avx512F.UnpackHigh(third, fourth).AsInt64();
        StoreQuarters(Avx512F.UnpackLow(lowFront, lowBack), target, stride);
        StoreQuarters(Avx512F.UnpackHigh(lowFront, lowBack), target + stride, stride);
        StoreQuarters(Avx512F.UnpackLow(highFront, highBack), target + 2 * stride, stride);
        StoreQuarters(Avx512F.UnpackHigh(highFront, highBack), target + 3 * stride, stride);
    }

    public static Ints MaxBytes(Ints left, Ints right) => Vector512.Max(left.AsByte(), right.AsByte()).AsInt32();
    public static Ints BroadcastShort(short value) => Vector512.Create(value).AsInt32();
    public static Ints BroadcastByte(byte value) => Vector512.Create(value).AsInt32();

    /// <summary>Every step saturates, so that a number too large for it stays beyond the range of codes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreCodes(Ints first, Ints second, Ints third, Ints fourth, Ints zeroPoint, Ints lowest, Ints highest, byte* target)
    {
        Vector512<short> front = Avx512BW.AddSaturate(Avx512BW.PackSignedSaturate(first, second), zeroPoint.AsInt16());
        Vector512<short> back = Avx512BW.AddSaturate(Avx512BW.PackSignedSaturate(third, fourth), zeroPoint.AsInt16());
        Vector512<byte> codes = Vector512.Min(Vector512.Max(Avx512BW.PackUnsignedSaturate(front, back), lowest.AsByte()), highest.AsByte());
        Avx512F.PermuteVar16x32(codes.AsInt32(), Vector512.Create(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)).Store((int*)target);
    }

    /// <summary>The blocks of 128 bits belong to every fourth number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreQuarters(Vector512<long> quads, byte* target, nint stride)
    {
        quads.GetLower().GetLower().AsByte().Store(target);
        quads.GetLower().GetUpper().AsByte().Store(target + 4 * stride);
        quads.GetUpper().GetLower().AsByte().Store(target + 8 * stride);
        quads.GetUpper().GetUpper().AsByte().Store(target + 12 * stride);
    }
}
