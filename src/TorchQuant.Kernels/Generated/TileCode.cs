using static TorchQuant.Kernels.Generated.Gpr;

namespace TorchQuant.Kernels.Generated;

/// <summary>
/// The machine code of one tile: a number of rows of activations times a panel of 32 columns, with vpdpbusd on 512 bits, which .NET does not offer.
/// <code>
///              w0   w1      one group of four of the depth: two loads of weights,
///   row 0  a   s0   t0      for each row one broadcast of four activations and two dot products
///   row 1  a   s1   t1      14 rows: 28 sums, 2 weights and 2 broadcasts fill the 32 registers
/// </code>
/// As a function: void (byte* a, nint stride, sbyte* panel, nint groups, int* tile), in the calling convention of System V or of 64-bit Windows.
/// Few rows have too few sums to hide the latency of the instruction, so they keep up to four sets of sums for successive groups and add them at the end.
/// </summary>
internal sealed class TileCode
{
    /// <summary>The most rows whose sums fit the registers.</summary>
    public const int MaxRows = 14;

    private const int PanelVectors = 2, VectorBytes = 64, RowsPerPointer = 3, EnoughSums = 12, MostSets = 4, CodeAlignment = 64;
    private const int FirstSavedXmm = 6, XmmCount = 16, XmmBytes = 16;

    /// <summary>Every third row has a pointer of its own; the other two are one and two strides away, which an address can hold.</summary>
    private static readonly Gpr[] s_pointers = [Rdi, Rax, R9, R10, R11];

    private readonly Assembler _asm;
    private readonly int _rows;
    private readonly int _sets;
    private readonly bool _isWindows;

    private TileCode(Assembler asm, int rows, bool isWindows)
    {
        (_asm, _rows, _isWindows, _sets) = (asm, rows, isWindows, 1);
        while (SetSize * _sets < EnoughSums && _sets < MostSets)
            _sets *= 2;
    }

    private int SetSize => _rows * PanelVectors;

    private int Sums => SetSize * _sets;

    private int PointerCount => (_rows + RowsPerPointer - 1) / RowsPerPointer;

    /// <summary>Groups done in one turn of the loop.</summary>
    private int Unroll => Math.Max(_sets, 2);

    /// <summary>Appends the code for that many rows.</summary>
    /// <returns>Where it begins.</returns>
    public static int Append(Assembler asm, int rows, bool isWindows)
    {
        asm.Align(CodeAlignment);
        int start = asm.Position;
        new TileCode(asm, rows, isWindows).Write();
        return start;
    }

    private void Write()
    {
        if (_isWindows)
            EnterFromWindows();
        for (int i = 0; i < Sums; i++)
            _asm.Vpxord(i, i, i);
        if (PointerCount > 1)
        {
            // r11 is free until it becomes the last pointer: three strides.
            _asm.Lea(R11, new Memory(Rsi, Index: Rsi, Scale: 2));
            for (int i = 1; i < PointerCount; i++)
                _asm.Lea(s_pointers[i], new Memory(s_pointers[i - 1], Index: R11));
        }

        Loop();
        for (int set = 1; set < _sets; set++)
        {
            for (int i = 0; i < SetSize; i++)
                _asm.Vpaddd(i, i, set * SetSize + i);
        }

        for (int i = 0; i < SetSize; i++)
            _asm.Store(new Memory(R8, i * VectorBytes), i);
        _asm.Vzeroupper();
        if (_isWindows)
            LeaveToWindows();
        _asm.Ret();
    }

    private void Loop()
    {
        _asm.Sub(Rcx, Unroll);
        int few = _asm.JumpForward(Assembler.Condition.Less);
        _asm.Align(CodeAlignment);
        int loop = _asm.Position;
        for (int group = 0; group < Unroll; group++)
            Group(group, group % _sets);
        Advance(Unroll);
        _asm.Sub(Rcx, Unroll);
        _asm.Jump(Assembler.Condition.GreaterOrEqual, loop);
        _asm.Land(few);
        _asm.Add(Rcx, Unroll);
        int done = _asm.JumpForward(Assembler.Condition.Equal);
        int rest = _asm.Position;
        Group(0, 0);
        Advance(1);
        _asm.Sub(Rcx, 1);
        _asm.Jump(Assembler.Condition.NotEqual, rest);
        _asm.Land(done);
    }

    private void Group(int group, int set)
    {
        int weights = Sums, broadcast = Sums + PanelVectors, broadcasts = Math.Min(2, 32 - broadcast);
        for (int v = 0; v < PanelVectors; v++)
            _asm.Load(weights + v, new Memory(Rdx, (group * PanelVectors + v) * VectorBytes));
        for (int row = 0; row < _rows; row++)
        {
            int a = broadcast + row % broadcasts, within = row % RowsPerPointer;
            _asm.Vpbroadcastd(a, new Memory(s_pointers[row / RowsPerPointer], group * PackedWeights.GroupDepth, within == 0 ? null : Rsi, within == 0 ? 1 : within));
            for (int v = 0; v < PanelVectors; v++)
                _asm.Vpdpbusd(set * SetSize + row * PanelVectors + v, a, weights + v);
        }
    }

    private void Advance(int groups)
    {
        _asm.Add(Rdx, groups * PackedWeights.GroupBytes);
        for (int i = 0; i < PointerCount; i++)
            _asm.Add(s_pointers[i], groups * PackedWeights.GroupDepth);
    }

    /// <summary>Saves what a function on Windows must leave as it was (rdi, rsi, the low halves of xmm6 to xmm15), and moves the arguments to where System V has them.</summary>
    private void EnterFromWindows()
    {
        const int saved = (XmmCount - FirstSavedXmm) * XmmBytes;
        _asm.Push(Rdi);
        _asm.Push(Rsi);
        _asm.Sub(Rsp, saved);
        for (int i = FirstSavedXmm; i < XmmCount; i++)
            _asm.StoreXmm(new Memory(Rsp, (i - FirstSavedXmm) * XmmBytes), i);
        _asm.Mov(Rdi, Rcx);
        _asm.Mov(Rsi, Rdx);
        _asm.Mov(Rdx, R8);
        // The fifth argument lies above the return address and 32 bytes that belong to the callee.
        _asm.Mov(R8, new Memory(Rsp, saved + 2 * sizeof(long) + sizeof(long) + 4 * sizeof(long)));
        _asm.Mov(Rcx, R9);
    }

    private void LeaveToWindows()
    {
        for (int i = FirstSavedXmm; i < XmmCount; i++)
            _asm.LoadXmm(i, new Memory(Rsp, (i - FirstSavedXmm) * XmmBytes));
        _asm.Add(Rsp, (XmmCount - FirstSavedXmm) * XmmBytes);
        _asm.Pop(Rsi);
        _asm.Pop(Rdi);
    }
}
