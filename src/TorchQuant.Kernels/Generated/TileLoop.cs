using static TorchQuant.Kernels.Generated.Gpr;

namespace TorchQuant.Kernels.Generated;

/// <summary>
/// The sums of one tile: a number of rows of activations times one or both halves of a panel of 32 columns, with vpdpbusd on 512 bits, which .NET does not offer.
/// <code>
///              w0   w1      one group of four of the depth: two loads of weights,
///   row 0  a   s0   t0      for each row one broadcast of four activations and two dot products
///   row 1  a   s1   t1      14 rows: 28 sums, 2 weights and 2 broadcasts fill the 32 registers
/// </code>
/// It takes the first row in rdi, the rows' distance in rsi, the panel in rdx and the number of groups in rcx, uses rax and r9 to r11, and leaves the sum of row r and
/// vector v in register r * vectors + v. Few rows have too few sums to hide the latency of the instruction, so they keep up to four sets of sums for successive groups.
/// </summary>
/// <param name="asm">Where the code goes.</param>
/// <param name="rows">How many rows, up to <see cref="MaxRows"/>.</param>
/// <param name="vectors">1 or 2: the first 16 columns of the panel or all.</param>
/// <param name="first">The first register of the sums. They have one set then, and the last four registers are not used for sums.</param>
/// <param name="ahead">Points to weights that are needed later and may be far away: a cache line for each group is fetched.</param>
internal class TileLoop(Assembler asm, int rows, int vectors, int? first = null, Gpr? ahead = null)
{
    /// <summary>The most rows whose sums fit the registers.</summary>
    public const int MaxRows = 14;

    /// <summary>Vectors in the columns of a panel.</summary>
    public const int PanelVectors = 2;

    public const int VectorBytes = 64, VectorNumbers = 16, CodeAlignment = 64;

    private const int RowsPerPointer = 3, EnoughSums = 12, MostSets = 4, Registers = 32;

    /// <summary>Every third row has a pointer of its own; the other two are one and two strides away, which an address can hold.</summary>
    private static readonly Gpr[] s_pointers = [Rdi, Rax, R9, R10, R11];

    private readonly int _sets = first is null ? SetsFor(rows * vectors) : 1;

    /// <summary>A good distance; a quarter of it costs up to a third with 4 to 14 rows.</summary>
    public const int StreamingDistance = 8192;

    /// <summary>How many bytes ahead weights are asked for, where they come from beyond the second level of the cache; or null.</summary>
    public int? PrefetchDistance { get; set; }

    /// <summary>Registers that hold the results.</summary>
    public int Results => rows * vectors;

    protected Assembler Asm => asm;

    protected int Rows => rows;

    private int Sums => Results * _sets;

    /// <summary>A lone row takes its weights from memory: fewer instructions, so that more tiles are under way at once.</summary>
    private bool UsesWeightsOnce => rows == 1;

    private int PointerCount => (rows + RowsPerPointer - 1) / RowsPerPointer;

    /// <summary>Groups done in one turn of the loop.</summary>
    private int Unroll => Math.Max(_sets, 2);

    /// <summary>Sets the sums to 0, from one on: the caller may have set the earlier ones.</summary>
    public void Clear(int from)
    {
        for (int i = from; i < Sums; i++)
            asm.Vpxord(i, i, i);
    }

    /// <summary>Sets the pointers of the rows; r11 is free again then if there are no more than nine rows.</summary>
    public virtual void SetPointers()
    {
        if (PointerCount == 1)
            return;
        // r11 is free until it becomes the last pointer: three strides.
        asm.Lea(R11, new Memory(Rsi, Index: Rsi, Scale: 2));
        for (int i = 1; i < PointerCount; i++)
            asm.Lea(s_pointers[i], new Memory(s_pointers[i - 1], Index: R11));
    }

    /// <summary>Adds all products to the sums.</summary>
    public void Write()
    {
        SetPointers();
        Loop();
        for (int set = 1; set < _sets; set++)
        {
            for (int i = 0; i < Results; i++)
                asm.Vpaddd(i, i, set * Results + i);
        }
    }

    private static int SetsFor(int results)
    {
        int sets = 1;
        while (results * sets < EnoughSums && sets < MostSets)
            sets *= 2;
        return sets;
    }

    /// <summary>The groups that are left.</summary>
    public void Loop()
    {
        asm.Sub(Rcx, Unroll);
        int few = asm.JumpForward(Assembler.Condition.Less);
        asm.Align(CodeAlignment);
        int loop = asm.Position;
        for (int group = 0; group < Unroll; group++)
            Group(group, group % _sets);
        Advance(Unroll);
        asm.Sub(Rcx, Unroll);
        asm.Jump(Assembler.Condition.GreaterOrEqual, loop);
        asm.Land(few);
        asm.Add(Rcx, Unroll);
        int done = asm.JumpForward(Assembler.Condition.Equal);
        int rest = asm.Position;
        Group(0, 0);
        Advance(1);
        asm.Sub(Rcx, 1);
        asm.Jump(Assembler.Condition.NotEqual, rest);
        asm.Land(done);
    }

    private void Group(int group, int set)
    {
        foreach (Action step in Steps(group, set))
            step();
    }

    /// <summary>The instructions of one group, one by one.</summary>
    public virtual IEnumerable<Action> Steps(int group, int set = 0)
    {
        int weights = first is null ? Sums : Registers - vectors - 2, broadcast = weights + vectors, broadcasts = first is null ? Math.Min(2, Registers - broadcast) : 1;
        for (int v = 0; v < vectors; v++)
        {
            int vector = v;
            if (!UsesWeightsOnce)
                yield return () => asm.Load(weights + vector, Weights(group, vector));
            if (PrefetchDistance is { } distance)
                yield return () => asm.Prefetch(Weights(group, vector, distance));
        }

        if (ahead is { } pointer)
            yield return () => asm.Prefetcht1(new Memory(pointer, group * VectorBytes));
        for (int r = 0; r < rows; r++)
        {
            int row = r, a = broadcast + row % broadcasts;
            yield return () => asm.Vpbroadcastd(a, Activations(row, group));
            for (int v = 0; v < vectors; v++)
            {
                int vector = v;
                int sum = (first ?? 0) + set * Results + row * vectors + vector;
                if (UsesWeightsOnce)
                    yield return () => asm.Vpdpbusd(sum, a, Weights(group, vector));
                else
                    yield return () => asm.Vpdpbusd(sum, a, weights + vector);
            }
        }
    }

    private static Memory Weights(int group, int vector, int offset = 0) => new(Rdx, (group * PanelVectors + vector) * VectorBytes + offset);

    /// <summary>Moves on by some groups.</summary>
    public void Advance(int groups)
    {
        asm.Add(Rdx, groups * PackedWeights.GroupBytes);
        AdvanceRows(groups);
        if (ahead is { } pointer)
            asm.Add(pointer, groups * VectorBytes);
    }

    /// <summary>The same for the activations.</summary>
    protected virtual void AdvanceRows(int groups)
    {
        for (int i = 0; i < PointerCount; i++)
            asm.Add(s_pointers[i], groups * PackedWeights.GroupDepth);
    }

    /// <summary>Four activations of a row, some groups after where its pointer is.</summary>
    protected virtual Memory Activations(int row, int group)
    {
        int within = row % RowsPerPointer;
        return new Memory(s_pointers[row / RowsPerPointer], group * PackedWeights.GroupDepth, within == 0 ? null : Rsi, within == 0 ? 1 : within);
    }
}
