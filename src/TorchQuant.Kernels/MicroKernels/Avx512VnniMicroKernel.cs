using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using TorchQuant.Kernels.Generated;

namespace TorchQuant.Kernels;

/// <summary>
/// vpdpbusd on 512 bits, 14 rows by 32 columns: .NET has no intrinsic for it, so the code is generated when the process first needs it (<see cref="TileCode"/>).
/// Twice the products of an instruction on 256 bits.
/// </summary>
internal readonly unsafe struct Avx512VnniMicroKernel : IMicroKernel, IDepthwiseKernel
{
    private const int VnniBit = 1 << 11;

    /// <summary>Rows times groups that take a few microseconds. A call that skips the runtime's transition holds up a garbage collection for as long as it runs.</summary>
    private const nint ShortWork = 8192;

    /// <summary>With so much more to do the transition costs nothing.</summary>
    private const nint MostShortCalls = 8;

    /// <summary>Deeper products have so little to requantize that reading the weights half as often is worth more.</summary>
    private const int MostPipelinedGroups = 128;

    /// <summary>The code for each number of rows; null where the processor or the system cannot run it.</summary>
    private static readonly (nint[] Tiles, nint[] ByteTiles, nint[] PipelinedTiles, nint[] FloatTiles)? s_code = CreateTiles();

    private static readonly nint[]? s_tiles = s_code?.Tiles;
    private static readonly nint[]? s_byteTiles = s_code?.ByteTiles;
    private static readonly nint[]? s_pipelinedTiles = s_code?.PipelinedTiles;
    private static readonly nint[]? s_floatTiles = s_code?.FloatTiles;

    /// <summary>Whether the processor has the instruction, and the system lets memory be made executable.</summary>
    public static bool IsSupported => s_tiles is not null;

    public static int MaxRows => TileCode.MaxRows;

    public static void Run(int rows, byte* a, nint stride, sbyte* panel, nint groups, int* tile)
    {
        nint code = s_tiles![rows];
        if (rows * groups <= ShortWork)
            ((delegate* unmanaged[SuppressGCTransition]<byte*, nint, sbyte*, nint, int*, void>)code)(a, stride, panel, groups, tile);
        else
            ((delegate* unmanaged<byte*, nint, sbyte*, nint, int*, void>)code)(a, stride, panel, groups, tile);
    }

    public static bool RequantizesItself => true;

    public static int RowsToBytes(int columns, nint groups) => IsPipelined(columns, groups) ? PipelinedRows(groups >= PipelinedByteTileCode.ManyGroups) : TileCode.MaxRows;

    public static bool AddsResidual(int columns, nint groups) => ResidualTileForms.Fit(columns, groups);

    public static int RowsWithResidual(nint groups) => ResidualTileForms.MostRows(groups);

    public static void RunToBytes(int rows, int columns, ByteTiles* tiles)
    {
        nint code = tiles->HasResidual ? ResidualTileForms.Code(rows, tiles->Groups, tiles->IsSimple) : Code(rows, columns, tiles->Groups, tiles->IsSimple, tiles->IsStreaming);
        nint tileWork = rows * tiles->Groups;
        tiles->Columns = uint.MaxValue >> (PackedWeights.PanelColumns - columns);
        tiles->LastColumns = tiles->Columns >> Vector512<int>.Count;
        if (tileWork > ShortWork)
        {
            ((delegate* unmanaged<ByteTiles*, void>)code)(tiles);
            return;
        }

        nint most = ShortWork / tileWork;
        for (nint rest = tiles->Count; rest > 0; rest -= most)
        {
            tiles->Count = nint.Min(rest, most);
            ((delegate* unmanaged[SuppressGCTransition]<ByteTiles*, void>)code)(tiles);
        }
    }

    public static bool TakesPlacedTiles => PlacedTileForms.AreThere;

    public static int PlacedRowsToBytes(int columns, nint groups) => PlacedTileForms.MostRows(columns, groups);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunPlacedToBytes(int rows, int columns, ByteTiles* tiles)
    {
        delegate* unmanaged<ByteTiles*, void> code = PlacedTileForms.Code(rows, columns, tiles->Groups, tiles->IsSimple);
        nint tileWork = rows * tiles->Groups;
        tiles->Columns = uint.MaxValue >> (PackedWeights.PanelColumns - columns);
        if (tileWork > ShortWork || tileWork * tiles->Count > MostShortCalls * ShortWork)
        {
            code(tiles);
            return;
        }

        nint most = ShortWork / tileWork;
        for (nint rest = tiles->Count; rest > 0; rest -= most)
        {
            tiles->Count = nint.Min(rest, most);
            ((delegate* unmanaged[SuppressGCTransition]<ByteTiles*, void>)code)(tiles);
        }
    }

    public static bool GivesFloatsItself => true;

    public static void RunToFloats(int rows, int columns, FloatTiles* tiles)
    {
        nint code = s_floatTiles![FloatTileIndex(rows, FormOf(columns, tiles->Form))];
        tiles->FirstColumns = columns < Vector512<int>.Count ? (1u << columns) - 1 : ushort.MaxValue;
        tiles->LastColumns = columns > Vector512<int>.Count ? (uint)ushort.MaxValue >> (PackedWeights.PanelColumns - columns) : 0;
        if (rows * tiles->Groups * tiles->Count <= ShortWork)
            ((delegate* unmanaged[SuppressGCTransition]<FloatTiles*, void>)code)(tiles);
        else
            ((delegate* unmanaged<FloatTiles*, void>)code)(tiles);
    }

    /// <summary>What the fused code does not do: bound by its loads, not by the products.</summary>
    public static void RunDepthwise(int rows, byte* activations, in DepthwiseSteps steps, sbyte* panel, int columns, int* tile)
    {
        if (AvxVnni.IsSupported)
            AvxVnniMicroKernel.RunDepthwise(rows, activations, in steps, panel, columns, tile);
        else
            Avx512BWMicroKernel.RunDepthwise(rows, activations, in steps, panel, columns, tile);
    }

    public static bool HasFusedDepthwise => IsSupported && DepthwiseForms.AreThere;

    public static void RunFusedDepthwise(int rows, int stride, int kernelHeight, DepthwiseRow* row) => DepthwiseForms.Run(rows, stride, kernelHeight, row);

    public static void UnpackDepthwise(DepthwiseColumns* columns) => DepthwiseForms.Run(columns);

    public static void RunUnpackedDepthwise(int rows, int blockOutputs, DepthwiseOutputs* outputs) => DepthwiseForms.Run(rows, blockOutputs, outputs);

    private static bool IsPipelined(int columns, nint groups) => columns > Vector512<int>.Count && groups is >= PipelinedByteTileCode.FewGroups and <= MostPipelinedGroups;

    private static int PipelinedRows(bool hasManyGroups) => hasManyGroups ? PipelinedByteTileCode.RowsOfManyGroups : PipelinedByteTileCode.RowsOfFewGroups;

    private static nint Code(int rows, int columns, nint groups, bool isSimple, bool isStreaming)
    {
        bool hasManyGroups = groups >= PipelinedByteTileCode.ManyGroups;
        int missing = PipelinedRows(hasManyGroups) - rows;
        return missing is 0 or 1 && IsPipelined(columns, groups)
            ? s_pipelinedTiles![PipelinedIndex(missing, hasManyGroups, isSimple)]
            : s_byteTiles![ByteTileIndex(rows, columns <= Vector512<int>.Count ? 1 : 2, isStreaming)];
    }

    private static int PipelinedIndex(int missingRows, bool hasManyGroups, bool isSimple) => (missingRows * 2 + (hasManyGroups ? 1 : 0)) * 2 + (isSimple ? 1 : 0);

    private static int ByteTileIndex(int rows, int vectors, bool isStreaming) => rows * (TileLoop.PanelVectors + 1) + (isStreaming && vectors == TileLoop.PanelVectors ? vectors : vectors - 1);

    private static FloatTileForm FormOf(int columns, FloatTileForm form) => columns switch
    {
        PackedWeights.PanelColumns => form,
        > TileLoop.VectorNumbers => FloatTileForm.TwoVectors,
        _ => FloatTileForm.OneVector,
    };

    private static int FloatTileIndex(int rows, FloatTileForm form) => rows * FloatTileCode.Forms + (int)form;

    private static (nint[] Tiles, nint[] ByteTiles, nint[] PipelinedTiles, nint[] FloatTiles)? CreateTiles()
    {
        if (!Avx512BW.X64.IsSupported || !Vector512.IsHardwareAccelerated || (X86Base.CpuId(7, 0).Ecx & VnniBit) == 0)
            return null;
        bool isWindows = OperatingSystem.IsWindows();
        var asm = new Assembler();
        nint[] tiles = new nint[TileCode.MaxRows + 1], byteTiles = new nint[ByteTileIndex(TileCode.MaxRows + 1, 1, false)], floatTiles = new nint[FloatTileIndex(TileCode.MaxRows + 1, 0)];
        for (int rows = 1; rows <= TileCode.MaxRows; rows++)
        {
            tiles[rows] = TileCode.Append(asm, rows, isWindows);
            for (int vectors = 1; vectors <= TileLoop.PanelVectors; vectors++)
                byteTiles[ByteTileIndex(rows, vectors, isStreaming: false)] = ByteTileCode.Append(asm, rows, vectors, isWindows);
            byteTiles[ByteTileIndex(rows, TileLoop.PanelVectors, isStreaming: true)] = ByteTileCode.Append(asm, rows, TileLoop.PanelVectors, isWindows, isStreaming: true);
            for (FloatTileForm form = 0; (int)form < FloatTileCode.Forms; form++)
                floatTiles[FloatTileIndex(rows, form)] = FloatTileCode.Append(asm, rows, form, isWindows);
        }

        nint[] pipelinedTiles = new nint[PipelinedIndex(2, hasManyGroups: false, isSimple: false)];
        foreach ((bool hasManyGroups, bool isSimple) in (ReadOnlySpan<(bool, bool)>)[(false, false), (false, true), (true, false), (true, true)])
        {
            for (int missing = 0; missing <= 1; missing++)
                pipelinedTiles[PipelinedIndex(missing, hasManyGroups, isSimple)] = PipelinedByteTileCode.Append(asm, PipelinedRows(hasManyGroups) - missing, hasManyGroups, isSimple, isWindows);
        }

        byte* code = ExecutableMemory.TryPlace(asm.Code);
        if (code == null)
            return null;
        foreach (nint[] places in (nint[][])[tiles, byteTiles, pipelinedTiles, floatTiles])
        {
            for (int i = 0; i < places.Length; i++)
                places[i] += (nint)code;
        }

        return (tiles, byteTiles, pipelinedTiles, floatTiles);
    }
}
