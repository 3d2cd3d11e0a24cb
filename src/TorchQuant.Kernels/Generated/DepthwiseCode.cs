using static TorchQuant.Kernels.Generated.Gpr;

namespace TorchQuant.Kernels.Generated;

/// <summary>
/// The machine code of a depthwise convolution with a kernel of up to three columns and four rows, from uint8 to uint8 without a stop in memory, for 64 channels and one or two output rows,
/// column by column. The quads of the three columns that an output sees (<see cref="DepthwiseColumnsCode"/>) stay in registers: of the next output's, only those are new that the stride
/// brings. Two output rows share them, with the weights of the second moved down by its distance.
/// As a function: void (<see cref="DepthwiseRow"/>*), in the calling convention of System V or of 64-bit Windows.
/// </summary>
internal sealed class DepthwiseCode
{
    /// <summary>Columns of the kernel; narrower ones have weights of 0.</summary>
    public const int Taps = 3;

    /// <summary>Output rows at most, and their distance at most in columns of the input.</summary>
    public const int MaxRows = 2, MaxStride = 2;

    /// <summary>Input rows of a column at most.</summary>
    public const int MostInputRows = PackedWeights.GroupDepth;

    /// <summary>Input rows of a column at least: the memory must be there, and what it holds meets weights of 0.</summary>
    public const int LeastInputRows = MostInputRows - 1;

    /// <summary>Channels, which are also the bytes from one column of the input to the next.</summary>
    public const int Channels = 64;

    private const int Vectors = 4, VectorBytes = 64, CodeAlignment = 64;
    private const int Sums = Taps * Vectors, Halves = Sums + Vectors, Biases = Halves + Vectors, Multipliers = Biases + Vectors, Constants = Multipliers + Vectors;

    private readonly Assembler _asm;
    private readonly DepthwiseEpilogue _epilogue;
    private readonly int _rows, _stride, _inputRows;

    private DepthwiseCode(Assembler asm, int rows, int stride, int inputRows) =>
        (_asm, _rows, _stride, _inputRows, _epilogue) = (asm, rows, stride, inputRows, new DepthwiseEpilogue(asm, terms: Rax, Constants, Biases, Multipliers));

    /// <summary>Appends the code for that many output rows, a distance of outputs along a row, and input rows that are read.</summary>
    /// <returns>Where it begins.</returns>
    public static int Append(Assembler asm, int rows, int stride, int inputRows, bool isWindows)
    {
        asm.Align(CodeAlignment);
        int start = asm.Position;
        new DepthwiseCode(asm, rows, stride, inputRows).Write(isWindows);
        return start;
    }

    private void Write(bool isWindows)
    {
        if (isWindows)
            WindowsFrame.Enter(_asm);
        _asm.Mov(Rax, isWindows ? Rcx : Rdi);
        LoadArguments();
        int kept = Taps - _stride;
        for (int column = 0; column < kept; column++)
            Unpack(column, column * Channels);
        _asm.Add(Rsi, kept * Channels);
        Loop(kept);
        _asm.Vzeroupper();
        if (isWindows)
            WindowsFrame.Leave(_asm);
        _asm.Ret();
    }

    /// <summary>As many outputs as a kernel has columns: the registers of columns then have changed places until each is again where it was, without a move.</summary>
    private void Loop(int kept)
    {
        int[] done = new int[Taps - 1];
        _asm.Align(CodeAlignment);
        int loop = _asm.Position;
        for (int output = 0; output < Taps; output++)
        {
            int first = output * _stride;
            for (int column = 0; column < _stride; column++)
                Unpack((first + kept + column) % Taps, (first + column) * Channels);
            for (int row = 0; row < _rows; row++)
                Output(row, first);
            _asm.Lea(Rdi, new Memory(Rdi, Index: R11));
            if (output == Taps - 1)
                _asm.Add(Rsi, Taps * _stride * Channels);
            _asm.Sub(Rcx, 1);
            if (output < Taps - 1)
                done[output] = _asm.JumpForward(Assembler.Condition.Equal);
        }

        _asm.Jump(Assembler.Condition.NotEqual, loop);
        foreach (int jump in done)
            _asm.Land(jump);
    }

    /// <summary>rsi: column of the input; rdx: one row further, r9: three; rdi: output, r10: one row further, r11: one column; rcx: outputs to do; rax: terms.</summary>
    private void LoadArguments()
    {
        Gpr[] targets = [Rsi, Rdx, Rdi, R10, R11, Rcx, Rax];
        for (int i = 0; i < targets.Length; i++)
            _asm.Mov(targets[i], new Memory(Rax, i * sizeof(long)));
        _asm.Lea(R9, new Memory(Rdx, Index: Rdx, Scale: 2));
        _epilogue.LoadBiases();
        _epilogue.LoadConstants();
    }

    /// <summary>The quads of one column of the input.</summary>
    private void Unpack(int column, int displacement)
    {
        const int r0 = Sums, r1 = Sums + 1, r2 = Sums + 2, r3 = Sums + 3;
        int last = _inputRows == MostInputRows ? r3 : r2, quads = column * Vectors;
        _asm.Load(r0, new Memory(Rsi, displacement));
        _asm.Load(r1, new Memory(Rsi, displacement, Rdx));
        _asm.Load(r2, new Memory(Rsi, displacement, Rdx, 2));
        if (last == r3)
            _asm.Load(r3, new Memory(Rsi, displacement, R9));
        DepthwiseColumnsCode.Unpack(_asm, r0, last, Halves, quads);
    }

    /// <summary>One output of a row.</summary>
    private void Output(int row, int firstColumn)
    {
        int sums = row % 2 == 0 ? Sums : Halves;
        for (int v = 0; v < Vectors; v++)
            _asm.Load(sums + v, new Memory(Rax, DepthwiseTerms.Sums + v * VectorBytes));
        for (int i = 0; i < Taps * Vectors; i++)
            _asm.Vpdpbusd(sums + i % Vectors, (i + firstColumn * Vectors) % (Taps * Vectors), new Memory(Rax, DepthwiseTerms.Weights + (row * Taps * Vectors + i) * VectorBytes));
        _epilogue.Requantize(sums);
        _asm.Store(row == 0 ? new Memory(Rdi) : new Memory(Rdi, 0, R10), sums);
    }
}
