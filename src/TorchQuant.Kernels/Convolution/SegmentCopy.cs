using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace TorchQuant.Kernels;

/// <summary>
/// Copies and fills many short segments of one length, a step apart on both sides. The length is looked at once; segments are then moved as whole vectors, the last
/// of which overlaps the one before, so that nothing beyond a segment is read or written.
/// </summary>
internal static unsafe class SegmentCopy
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Copy(byte* source, nint sourceStep, byte* target, nint targetStep, int count, nint length)
    {
        if (length >= 32 && !Vector256.IsHardwareAccelerated)
        {
            for (; count > 0; count--, source += sourceStep, target += targetStep)
            {
                nint last = length - 16;
                for (nint i = 0; i < last; i += 16)
                    Vector128.Load(source + i).Store(target + i);
                Vector128.Load(source + last).Store(target + last);
            }
        }
        else if (length >= 32)
        {
            for (; count > 0; count--, source += sourceStep, target += targetStep)
            {
                nint last = length - 32;
                for (nint i = 0; i < last; i += 32)
                    Vector256.Load(source + i).Store(target + i);
                Vector256.Load(source + last).Store(target + last);
            }
        }
        else if (length >= 16)
        {
            nint last = length - 16;
            for (; count > 0; count--, source += sourceStep, target += targetStep)
            {
                Vector128<byte> left = Vector128.Load(source), right = Vector128.Load(source + last);
                left.Store(target);
                right.Store(target + last);
            }
        }
        else if (length >= 8)
        {
            nint last = length - 8;
            for (; count > 0; count--, source += sourceStep, target += targetStep)
            {
                ulong left = Unsafe.ReadUnaligned<ulong>(source), right = Unsafe.ReadUnaligned<ulong>(source + last);
                Unsafe.WriteUnaligned(target, left);
                Unsafe.WriteUnaligned(target + last, right);
            }
        }
        else if (length >= 4)
        {
            nint last = length - 4;
            for (; count > 0; count--, source += sourceStep, target += targetStep)
            {
                uint left = Unsafe.ReadUnaligned<uint>(source), right = Unsafe.ReadUnaligned<uint>(source + last);
                Unsafe.WriteUnaligned(target, left);
                Unsafe.WriteUnaligned(target + last, right);
            }
        }
        else
        {
            for (; count > 0; count--, source += sourceStep, target += targetStep)
            {
                for (nint i = 0; i < length; i++)
                    target[i] = source[i];
            }
        }
    }

    public static void Fill(byte value, byte* target, nint targetStep, int count, int length)
    {
        for (; count > 0; count--, target += targetStep)
            new Span<byte>(target, length).Fill(value);
    }
}
