using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>One number at a time: what every machine has, and the rest of a loop that a wider vector leaves over.</summary>
internal readonly unsafe struct ScalarLanes : ILanes<float, int>
{
    public static int Count => 1;

    public static float Broadcast(float value) => value;
    public static float Load(float* source) => *source;
    public static void Store(float value, float* target) => *target = value;
    public static float Add(float left, float right) => left + right;
    public static float Subtract(float left, float right) => left - right;
    public static float Multiply(float left, float right) => left * right;
    public static float Divide(float left, float right) => left / right;
    public static float FusedMultiplyAdd(float left, float right, float addend) => MathF.FusedMultiplyAdd(left, right, addend);
    public static float Min(float left, float right) => left < right ? left : right;
    public static float Max(float left, float right) => left > right ? left : right;
    public static float Relu(float value) => MathF.Max(value, 0);
    public static float ZeroIfNaN(float value) => float.IsNaN(value) ? 0 : value;
    public static int MagnitudeBits(float value) => BitConverter.SingleToInt32Bits(value) & 0x7FFFFFFF;
    public static float MinAcross(float value) => value;
    public static float MaxAcross(float value) => value;

    public static int BroadcastInt(int value) => value;
    public static int LoadInt(int* source) => *source;
    public static void StoreInt(int value, int* target) => *target = value;
    public static int AddInt(int left, int right) => left + right;
    public static int SubtractInt(int left, int right) => left - right;
    public static int MultiplyInt(int left, int right) => left * right;
    public static int AndInt(int left, int right) => left & right;
    public static int OrInt(int left, int right) => left | right;
    public static int ShiftLeftInt(int value, int count) => value << count;
    public static int ShiftRightInt(int value, int count) => value >> count;
    public static int MaxInt(int left, int right) => Math.Max(left, right);
    public static int MaxAcrossInt(int value) => value;
    public static int SumAcrossInt(int value) => value;

    public static float ToFloat(int value) => value;
    public static int AsInt(float value) => BitConverter.SingleToInt32Bits(value);
    public static float AsFloat(int value) => BitConverter.Int32BitsToSingle(value);
    public static int RoundToInt(float value) => (int)MathF.Round(value, MidpointRounding.ToEven);

    public static int LoadBytes(byte* source) => *source;
    public static int LoadSBytes(sbyte* source) => *source;
    public static int LoadNibbles(byte* row, nint index) => (row[index >> 1] >> (int)((index & 1) * 4)) & 15;
    public static void StoreBytes(int value, byte* target) => *target = (byte)value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(int first, int second, int third, int fourth, byte* target) =>
        (target[0], target[1], target[2], target[3]) = ((byte)first, (byte)second, (byte)third, (byte)fourth);

    public static void StoreTriples(int value, byte* target) => (target[0], target[1], target[2]) = ((byte)value, (byte)(value >> 8), (byte)(value >> 16));

    public static void StoreQuads(int first, int second, int third, int fourth, byte* target, nint stride)
    {
        int* quads = (int*)target;
        (quads[0], quads[1], quads[2], quads[3]) = (first, second, third, fourth);
    }

    public static int MaxBytes(int left, int right) =>
        Math.Max(left & 0xFF, right & 0xFF) | Math.Max(left & 0xFF00, right & 0xFF00) | Math.Max(left & 0xFF0000, right & 0xFF0000) | ((int)Math.Max((uint)left >> 24, (uint)right >> 24) << 24);

    public static int BroadcastShort(short value) => value;
    public static int BroadcastByte(byte value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreCodes(int first, int second, int third, int fourth, int zeroPoint, int lowest, int highest, byte* target) =>
        (target[0], target[1], target[2], target[3]) =
        (ToCode(first, zeroPoint, lowest, highest), ToCode(second, zeroPoint, lowest, highest), ToCode(third, zeroPoint, lowest, highest), ToCode(fourth, zeroPoint, lowest, highest));

    private static byte ToCode(int number, int zeroPoint, int lowest, int highest) => (byte)Math.Clamp((long)number + zeroPoint, lowest, highest);
}
