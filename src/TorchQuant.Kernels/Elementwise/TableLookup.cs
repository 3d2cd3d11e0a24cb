using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace TorchQuant.Kernels;

/// <summary>
/// Looks bytes up in a table of 256, at the width of a row of the table of instruction sets: with AVX-512 VBMI two permutations of 128 bytes each; with AVX2 sixteen shuffles of
/// 16 bytes; on Arm four lookups in 64 bytes; else, and for what whole vectors leave over, one by one.
/// </summary>
internal static unsafe class TableLookup
{
    /// <summary>Below this AVX2 does not win back the preparation of its slices.</summary>
    private const int FewestForSlices = 512;

    /// <summary>target[i] = table[source[i]]; the two may be the same memory.</summary>
    public static void Run<TLanes, TFloat, TInt>(byte* table, byte* source, byte* target, nint count) where TLanes : struct, ILanes<TFloat, TInt>
    {
        nint done = 0;
        if (TLanes.Count == Vector512<float>.Count && Avx512Vbmi.IsSupported)
            done = Permute(table, source, target, count);
        else if (TLanes.Count == Vector128<float>.Count && AdvSimd.Arm64.IsSupported)
            done = LookUpQuarters(table, source, target, count);
        else if (TLanes.Count > 1 && count >= FewestForSlices)
            done = Shuffle(table, source, target, count);
        for (; done < count; done++)
            target[done] = table[source[done]];
    }

    /// <summary>
    /// Rows of source, one after the other, to rows of target that are <paramref name="stride"/> apart. Rows shorter than a vector go through a buffer in the target's place, so that they are looked up in whole vectors.
    /// </summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunRows<TLanes, TFloat, TInt>(byte* table, byte* source, byte* target, int rows, int length, nint stride) where TLanes : struct, ILanes<TFloat, TInt>
    {
        const int buffer = 8192;
        if (length >= buffer / 4)
        {
            for (int row = 0; row < rows; row++)
                Run<TLanes, TFloat, TInt>(table, source + (nint)row * length, target + row * stride, length);
            return;
        }

        if (length >= Vector512<byte>.Count && TLanes.Count == Vector512<float>.Count && Avx512Vbmi.IsSupported)
        {
            PermuteRows(table, source, target, rows, length, stride);
            return;
        }

        byte* found = stackalloc byte[buffer];
        int atOnce = buffer / length;
        for (int row = 0; row < rows; row += atOnce)
        {
            int count = Math.Min(atOnce, rows - row);
            Run<TLanes, TFloat, TInt>(table, source + (nint)row * length, found, (nint)count * length);
            for (int i = 0; i < count; i++)
                Unsafe.CopyBlockUnaligned(target + (row + i) * stride, found + i * length, (uint)length);
        }
    }

    /// <summary>The last vector of a row begins earlier than the one before it ends where the row is no whole number of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PermuteRows(byte* table, byte* source, byte* target, int rows, int length, nint stride)
    {
        Vector512<byte> t0 = Vector512.Load(table), t1 = Vector512.Load(table + 64), t2 = Vector512.Load(table + 128), t3 = Vector512.Load(table + 192);
        for (int row = 0; row < rows; row++, source += length, target += stride)
        {
            for (int i = 0; i < length; i += Vector512<byte>.Count)
            {
                int at = Math.Min(i, length - Vector512<byte>.Count);
                Vector512<byte> index = Vector512.Load(source + at);
                Vector512<byte> low = Avx512Vbmi.PermuteVar64x8x2(t0, index, t1), high = Avx512Vbmi.PermuteVar64x8x2(t2, index, t3);
                Avx512BW.BlendVariable(low, high, index).Store(target + at);
            }
        }
    }

    /// <summary>vpermi2b looks at the low seven bits of an index; the eighth chooses between the halves of the table.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint Permute(byte* table, byte* source, byte* target, nint count)
    {
        Vector512<byte> t0 = Vector512.Load(table), t1 = Vector512.Load(table + 64), t2 = Vector512.Load(table + 128), t3 = Vector512.Load(table + 192);
        nint i = 0;
        for (; i <= count - Vector512<byte>.Count; i += Vector512<byte>.Count)
        {
            Vector512<byte> index = Vector512.Load(source + i);
            Vector512<byte> low = Avx512Vbmi.PermuteVar64x8x2(t0, index, t1), high = Avx512Vbmi.PermuteVar64x8x2(t2, index, t3);
            Avx512BW.BlendVariable(low, high, index).Store(target + i);
        }

        return i;
    }

    /// <summary>tbl gives 0 for an index beyond its 64 bytes, and tbx leaves what is there: each quarter of the table in turn is asked for indices counted from its beginning.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint LookUpQuarters(byte* table, byte* source, byte* target, nint count)
    {
        const int quarter = 64;
        Vector128<byte> step = Vector128.Create((byte)quarter);
        nint i = 0;
        for (; i <= count - Vector128<byte>.Count; i += Vector128<byte>.Count)
        {
            Vector128<byte> index = Vector128.Load(source + i);
            Vector128<byte> found = AdvSimd.Arm64.VectorTableLookup(Quarter(table), index);
            for (int q = 1; q < CodeTable.Length / quarter; q++)
            {
                index -= step;
                found = AdvSimd.Arm64.VectorTableLookupExtension(found, Quarter(table + q * quarter), index);
            }

            found.Store(target + i);
        }

        return i;
    }

    private static (Vector128<byte>, Vector128<byte>, Vector128<byte>, Vector128<byte>) Quarter(byte* table) =>
        (Vector128.Load(table), Vector128.Load(table + 16), Vector128.Load(table + 32), Vector128.Load(table + 48));

    /// <summary>
    /// vpshufb gives slice[index % 16], or 0 where the index is negative. Each half of the table is gone through from its first slice while 16 is taken from the indices, which
    /// saturate at -128: an index meets every slice up to its own and none after. Every slice but the first of a half is XORed with the one before it, so that the XOR of
    /// those met is the last of them. The other half's indices are negative from the start.
    /// </summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint Shuffle(byte* table, byte* source, byte* target, nint count)
    {
        const int slices = 16, half = slices / 2;
        Vector256<byte>* slice = stackalloc Vector256<byte>[slices];
        for (int s = 0; s < slices; s++)
        {
            Vector128<byte> own = Vector128.Load(table + s * 16);
            Vector128<byte> difference = s % half == 0 ? own : own ^ Vector128.Load(table + (s - 1) * 16);
            slice[s] = Vector256.Create(difference, difference);
        }

        Vector256<sbyte> step = Vector256.Create((sbyte)16);
        nint i = 0;
        for (; i <= count - Vector256<byte>.Count; i += Vector256<byte>.Count)
        {
            Vector256<sbyte> low = Vector256.Load((sbyte*)source + i), high = low ^ Vector256.Create(sbyte.MinValue);
            Vector256<byte> found = Avx2.Shuffle(slice[0], low.AsByte()) ^ Avx2.Shuffle(slice[half], high.AsByte());
            for (int s = 1; s < half; s++)
            {
                low = Avx2.SubtractSaturate(low, step);
                high = Avx2.SubtractSaturate(high, step);
                found ^= Avx2.Shuffle(slice[s], low.AsByte()) ^ Avx2.Shuffle(slice[half + s], high.AsByte());
            }

            found.Store(target + i);
        }

        return i;
    }
}
