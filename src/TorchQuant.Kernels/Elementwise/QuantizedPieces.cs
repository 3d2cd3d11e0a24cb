using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>Between floats and codes in pieces that threads share: of one scale and zero point, or of rows that have one each.</summary>
internal static unsafe class QuantizedPieces
{
    private const int PieceLength = 16384;

    /// <summary>Measured at about 20 where they come from the cache.</summary>
    private const int CodesPerNanosecond = 20;

    /// <summary>Floats to codes with one scale and zero point.</summary>
    public static void Quantize(float* x, byte* codes, int count, QParams qparams, int low, int high, int threads) =>
        Run(new QuantizePieces(x, codes, count, qparams, low, high), count, threads);

    /// <summary>Codes to floats with one scale and zero point.</summary>
    public static void Dequantize(byte* codes, bool signed, float* x, int count, QParams qparams, int threads) => Run(new DequantizePieces(codes, signed, x, count, qparams), count, threads);

    /// <summary>Rows of floats to codes.</summary>
    public static void QuantizeRows(float* x, byte* codes, int rows, int columns, float* scales, int* zeroPoints, int low, int high, int threads) =>
        RunRows(new QuantizeRow(x, codes, columns, scales, zeroPoints, low, high), rows, columns, threads);

    /// <summary>Rows of codes to floats.</summary>
    public static void DequantizeRows(byte* codes, bool signed, float* x, int rows, int columns, float* scales, int* zeroPoints, int threads) =>
        RunRows(new DequantizeRow(codes, signed, x, columns, scales, zeroPoints), rows, columns, threads);

    private static void Run<TBody>(TBody body, int count, int threads) where TBody : unmanaged, IRowBody =>
        Isa.Current.Run(new RowLoop<TBody>(body, (int)((count + (long)PieceLength - 1) / PieceLength), threads, Math.Min(count, PieceLength) / CodesPerNanosecond));

    private static void RunRows<TBody>(TBody body, int rows, int columns, int threads) where TBody : unmanaged, IRowBody =>
        Isa.Current.Run(new RowLoop<TBody>(body, rows, threads, 1 + columns / CodesPerNanosecond));

    private readonly struct QuantizePieces(float* x, byte* codes, int count, QParams qparams, int low, int high) : IRowBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Row<TLanes, TFloat, TInt>(nint row) where TLanes : struct, ILanes<TFloat, TInt>
        {
            nint start = row * PieceLength;
            Elementwise<TLanes, TFloat, TInt>.Quantize(x + start, codes + start, nint.Min(PieceLength, count - start), qparams, low, high);
        }
    }

    private readonly struct DequantizePieces(byte* codes, bool signed, float* x, int count, QParams qparams) : IRowBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Row<TLanes, TFloat, TInt>(nint row) where TLanes : struct, ILanes<TFloat, TInt>
        {
            nint start = row * PieceLength;
            Elementwise<TLanes, TFloat, TInt>.Dequantize(codes + start, signed, x + start, nint.Min(PieceLength, count - start), qparams);
        }
    }

    private readonly struct QuantizeRow(float* x, byte* codes, int columns, float* scales, int* zeroPoints, int low, int high) : IRowBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Row<TLanes, TFloat, TInt>(nint row) where TLanes : struct, ILanes<TFloat, TInt> =>
            Elementwise<TLanes, TFloat, TInt>.Quantize(x + row * columns, codes + row * columns, columns, new QParams(scales[row], zeroPoints[row]), low, high);
    }

    private readonly struct DequantizeRow(byte* codes, bool signed, float* x, int columns, float* scales, int* zeroPoints) : IRowBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Row<TLanes, TFloat, TInt>(nint row) where TLanes : struct, ILanes<TFloat, TInt> =>
            Elementwise<TLanes, TFloat, TInt>.Dequantize(codes + row * columns, signed, x + row * columns, columns, new QParams(scales[row], zeroPoints[row]));
    }
}
