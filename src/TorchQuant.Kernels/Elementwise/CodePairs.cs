using System.Buffers;
using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// Goes over two arrays of codes in pieces that threads share. The second array has as many codes as the first, or is a row that repeats: it is then copied until it is one
/// piece long, so that a row of one code or of three channels is read in whole vectors too.
/// </summary>
internal static unsafe class CodePairs<TOperation>
    where TOperation : unmanaged, ICodePairOperation
{
    /// <summary>A piece is small enough to share among threads, and large enough to hide what taking it costs.</summary>
    private const int PieceLength = 8192;

    /// <summary>Measured at about 10 codes a nanosecond where they come from the cache.</summary>
    private const int CodesPerNanosecond = 10;

    public static void Run(Isa isa, in CodePairFactors factors, ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, Span<byte> output, int threads)
    {
        fixed (byte* left = a, right = b, target = output)
        {
            if (b.Length == a.Length)
            {
                Run(isa, new Pieces(factors, left, right, target, a.Length, PieceLength, isRepeated: false), threads);
                return;
            }

            int pieceLength = RepeatedLength(b.Length, a.Length);
            byte[] rented = ArrayPool<byte>.Shared.Rent(pieceLength);
            RepeatedRow.Fill(b, rented.AsSpan(0, pieceLength));
            fixed (byte* repeated = rented)
                Run(isa, new Pieces(factors, left, repeated, target, a.Length, pieceLength, isRepeated: true), threads);
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static int RepeatedLength(int row, int length) => row * Math.Min(length / row, Math.Max(1, PieceLength / row));

    private static void Run(Isa isa, Pieces pieces, int threads)
    {
        int count = (int)((pieces.Length + (long)pieces.PieceLength - 1) / pieces.PieceLength);
        isa.Run(new RowLoop<Pieces>(pieces, count, threads, Math.Max(1, pieces.PieceLength / CodesPerNanosecond)));
    }

    private readonly struct Pieces(CodePairFactors factors, byte* a, byte* b, byte* output, int length, int pieceLength, bool isRepeated) : IRowBody
    {
        private readonly CodePairFactors _factors = factors;

        public int Length => length;

        public int PieceLength => pieceLength;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Row<TLanes, TFloat, TInt>(nint row) where TLanes : struct, ILanes<TFloat, TInt>
        {
            nint start = row * pieceLength;
            CodePairLoop<TOperation, TLanes, TFloat, TInt>.Run(a + start, isRepeated ? b : b + start, output + start, nint.Min(pieceLength, length - start), in _factors);
        }
    }
}
